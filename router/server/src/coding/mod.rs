//! Content codings ([RFC 9110, section 8.4](https://www.rfc-editor.org/rfc/rfc9110#section-8.4)): gzip, deflate, br and
//! zstd, for bodies of clients, answers to them, and answers of subgraphs.
//!
//! It must not know who sends the bytes: limits come in as arguments.

mod pack;
mod unpack;

pub use pack::Packer;
pub use unpack::UnpackError;

use http::HeaderValue;

/// All codings, those liked best first: by what they cost for what they save.
pub const ALL: [Coding; 4] = [Coding::Zstd, Coding::Brotli, Coding::Gzip, Coding::Deflate];

/// How a body is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// RFC 1952.
    Gzip,
    /// The zlib format of RFC 1950.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
}

impl Coding {
    /// The coding with this name, as headers write it.
    pub fn of(name: &[u8]) -> Option<Coding> {
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        match name {
            _ if is(b"gzip") || is(b"x-gzip") => Some(Coding::Gzip),
            _ if is(b"deflate") => Some(Coding::Deflate),
            _ if is(b"br") => Some(Coding::Brotli),
            _ if is(b"zstd") => Some(Coding::Zstd),
            _ => None,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
            Coding::Brotli => "br",
            Coding::Zstd => "zstd",
        }
    }

    /// Its name as the value of a header.
    pub fn value(self) -> HeaderValue {
        HeaderValue::from_static(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(coding: Coding, pieces: &[&[u8]]) -> Vec<u8> {
        let mut packer = Packer::new(coding);
        let mut all = Vec::new();
        for piece in pieces {
            packer.write(piece);
            packer.flush();
            all.extend(packer.take());
        }
        all.extend(packer.finish());
        all
    }

    #[test]
    fn what_was_packed_is_unpacked_again() {
        let long = "{\"name\":\"배달\"}".repeat(10_000);
        for coding in ALL {
            for text in ["", "x", &long] {
                let bytes = packed(coding, &[text.as_bytes()]);
                let back = coding.unpack(&bytes, text.len()).expect("unpacks");
                assert_eq!(back, text.as_bytes(), "{coding:?}");
            }
            assert!(packed(coding, &[long.as_bytes()]).len() < long.len() / 20);
        }
    }

    #[test]
    fn what_is_flushed_can_be_read_before_the_end() {
        for coding in ALL {
            let mut packer = Packer::new(coding);
            packer.write(b"one event");
            packer.flush();
            let first = packer.take();
            assert!(!first.is_empty(), "{coding:?}");
            let begun = coding.unpack(&first, 100);
            // It has not ended, and what there is of it is there.
            assert!(matches!(begun, Err(UnpackError::Broken)), "{coding:?}: {begun:?}");
            packer.write(b", another");
            let whole = [first, packer.finish()].concat();
            assert_eq!(coding.unpack(&whole, 100).expect("unpacks"), "one event, another");
        }
    }

    #[test]
    fn a_bomb_is_cut_at_the_limit() {
        let zeros = vec![0; 4 * 1024 * 1024];
        for coding in ALL {
            let bomb = packed(coding, &[&zeros]);
            assert!(bomb.len() < zeros.len() / 500, "{coding:?}: {}", bomb.len());
            let cut = coding.unpack(&bomb, 1000);
            assert!(matches!(cut, Err(UnpackError::TooLarge)), "{coding:?}");
        }
    }

    #[test]
    fn what_is_not_of_the_coding_or_breaks_off_is_refused() {
        for coding in ALL {
            let good = packed(coding, &[b"{\"query\":\"{ me { id } }\"}"]);
            let cut = &good[..good.len() - 3];
            for bad in [&b"{\"query\":\"{ me { id } }\"}"[..], b"", cut] {
                let refused = coding.unpack(bad, 1000);
                assert!(
                    matches!(refused, Err(UnpackError::Broken)),
                    "{coding:?}: {refused:?}"
                );
            }
        }
    }

    #[test]
    fn names_are_those_of_the_registry() {
        for coding in ALL {
            assert_eq!(Coding::of(coding.name().as_bytes()), Some(coding));
        }
        assert_eq!(Coding::of(b"X-GZip"), Some(Coding::Gzip));
        for unknown in ["", "identity", "compress", "gzip, br", "lz4"] {
            assert_eq!(Coding::of(unknown.as_bytes()), None, "{unknown}");
        }
    }
}
