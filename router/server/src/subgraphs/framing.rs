//! Where the head of an HTTP/1.1 answer ends, and how its body does
//! ([RFC 9112, section 6.3](https://www.rfc-editor.org/rfc/rfc9112#section-6.3)).

use http::{HeaderName, HeaderValue, StatusCode};

use crate::coding::Coding;
use crate::forward::Field;
use crate::responses::Fields;

/// Header fields of an answer.
const FIELDS: usize = 100;

/// What matters of a head.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// Its bytes, with the empty line.
    pub length: usize,
    /// The status.
    pub status: StatusCode,
    /// How the body ends.
    pub framing: Framing,
    /// Whether another request may follow.
    pub keep_alive: bool,
    /// How the body is coded.
    pub coded: Coded,
    /// Seconds until it is worth asking again.
    pub retry_after: Option<u64>,
    /// What it says about keeping the answer.
    pub caching: Option<Box<Fields>>,
    /// The values of what was wanted, by number.
    pub wanted: Vec<Field>,
}

/// How a body is coded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Coded {
    /// Not at all.
    #[default]
    Plain,
    /// In one way that is known.
    By(Coding),
    /// In a way that is not known, or in several.
    Strange,
}

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// After so many bytes.
    Length(u64),
    /// With a chunk of no bytes.
    Chunked,
    /// With the connection.
    UntilClosed,
}

/// The fields that say how the body ends, as far as they were read.
#[derive(Default)]
struct Told {
    length: Option<u64>,
    chunked: bool,
    close: bool,
    coded: Coded,
    retry_after: Option<u64>,
    caching: Option<Box<Fields>>,
}

impl Head {
    /// Reads the head at the beginning of `bytes`, with the values of `wanted`; `None` if it is not all there.
    pub fn read(bytes: &[u8], wanted: &[HeaderName]) -> Result<Option<Head>, &'static str> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let mut head = httparse::Response::new(&mut fields);
        let length = match head.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err("its head cannot be read"),
        };
        let status = head.code.and_then(|code| StatusCode::from_u16(code).ok());
        let status = status.ok_or("it has no status")?;
        if status == StatusCode::SWITCHING_PROTOCOLS {
            return Err("it speaks another protocol");
        }
        let (mut told, mut values) = (Told::default(), Vec::new());
        for field in head.headers.iter() {
            told.read(field.name, field.value)?;
            let number = wanted
                .iter()
                .position(|name| field.name.eq_ignore_ascii_case(name.as_str()));
            let value = number.and_then(|number| Some((number, HeaderValue::from_bytes(field.value).ok()?)));
            values.extend(value);
        }
        let framing = told.framing(status);
        // Both lengths at once are how one answer is made to look like two (section 6.1).
        let ambiguous = told.chunked && told.length.is_some();
        let keep_alive =
            head.version == Some(1) && !told.close && !ambiguous && framing != Framing::UntilClosed;
        Ok(Some(Head {
            length,
            status,
            framing,
            keep_alive,
            coded: told.coded,
            retry_after: told.retry_after,
            caching: told.caching,
            wanted: values,
        }))
    }
}

impl Told {
    fn read(&mut self, name: &str, value: &[u8]) -> Result<(), &'static str> {
        if name.eq_ignore_ascii_case("content-length") {
            for one in value.split(|byte| *byte == b',') {
                let length = decimal(one.trim_ascii()).ok_or("its length is not a number")?;
                if self.length.is_some_and(|before| before != length) {
                    return Err("it has two lengths");
                }
                self.length = Some(length);
            }
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            if self.chunked || !value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                return Err("its transfer coding is not known");
            }
            self.chunked = true;
        } else if name.eq_ignore_ascii_case("connection") {
            let mut options = value.split(|byte| *byte == b',');
            self.close |= options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"));
        } else if name.eq_ignore_ascii_case("content-encoding") {
            self.coded = self.coded.and(value.trim_ascii());
        } else if name.eq_ignore_ascii_case("retry-after") {
            // A date is as good as nothing: clocks differ.
            self.retry_after = decimal(value.trim_ascii());
        } else {
            Fields::note(&mut self.caching, name, value);
        }
        Ok(())
    }

    fn framing(&self, status: StatusCode) -> Framing {
        let bodiless = status.is_informational()
            || status == StatusCode::NO_CONTENT
            || status == StatusCode::NOT_MODIFIED;
        match self.length {
            _ if bodiless => Framing::Length(0),
            _ if self.chunked => Framing::Chunked,
            Some(length) => Framing::Length(length),
            None => Framing::UntilClosed,
        }
    }
}

impl Coded {
    /// The same after another field that says how.
    fn and(self, value: &[u8]) -> Coded {
        match Coding::of(value) {
            _ if value.eq_ignore_ascii_case(b"identity") => self,
            Some(coding) if self == Coded::Plain => Coded::By(coding),
            _ => Coded::Strange,
        }
    }
}

fn decimal(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(text).ok()?.parse().ok())?
}

/// The size in the first line of a chunk.
pub fn chunk_size(line: &[u8]) -> Option<u64> {
    let size = line.split(|byte| *byte == b';').next()?.trim_ascii();
    let digits = !size.is_empty() && size.iter().all(u8::is_ascii_hexdigit);
    digits.then(|| u64::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &str) -> Result<Option<(Framing, bool)>, &'static str> {
        Head::read(head.as_bytes(), &[]).map(|head| head.map(|head| (head.framing, head.keep_alive)))
    }

    #[test]
    fn the_body_ends_as_the_head_says() {
        for (head, framing, keep_alive) in [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
                Framing::Length(5),
                true,
            ),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 5, 5\r\n\r\n",
                Framing::Length(5),
                true,
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n",
                Framing::Chunked,
                true,
            ),
            ("HTTP/1.1 200 OK\r\n\r\n", Framing::UntilClosed, false),
            (
                "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n",
                Framing::Length(5),
                false,
            ),
            ("HTTP/1.1 204 No\r\n\r\n", Framing::Length(0), true),
            (
                "HTTP/1.1 200 OK\r\nconnection: x, Close\r\ncontent-length: 1\r\n\r\n",
                Framing::Length(1),
                false,
            ),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n",
                Framing::Chunked,
                false,
            ),
        ] {
            assert_eq!(read(head), Ok(Some((framing, keep_alive))), "{head}");
        }
        assert_eq!(read("HTTP/1.1 200 OK\r\ncontent-le"), Ok(None));
    }

    #[test]
    fn a_head_that_can_be_read_in_two_ways_is_refused() {
        for head in [
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 5, 6\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length:\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 101 Switching\r\n\r\n",
            "SSH-2.0\r\n\r\n",
        ] {
            assert!(read(head).is_err(), "{head}");
        }
    }

    #[test]
    fn an_encoded_body_and_a_wish_for_a_pause_are_noticed() {
        let read = |field: &str| {
            let head = format!("HTTP/1.1 503 Busy\r\n{field}\r\ncontent-length: 0\r\n\r\n");
            let head = Head::read(head.as_bytes(), &[]).expect("a head").expect("whole");
            (head.coded, head.retry_after)
        };
        assert_eq!(read("content-encoding: gzip"), (Coded::By(Coding::Gzip), None));
        assert_eq!(read("content-encoding: gzip, br"), (Coded::Strange, None));
        let twice = "content-encoding: gzip\r\ncontent-encoding: gzip";
        assert_eq!(read(twice), (Coded::Strange, None));
        assert_eq!(read("Content-Encoding: Identity"), (Coded::Plain, None));
        assert_eq!(read("Retry-After: 7"), (Coded::Plain, Some(7)));
        assert_eq!(
            read("retry-after: Fri, 31 Dec 1999 23:59:59 GMT"),
            (Coded::Plain, None)
        );
    }

    #[test]
    fn what_is_wanted_of_a_head_is_read() {
        let head = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-b: 2\r\nx-a: 3\r\ncontent-length: 0\r\n\r\n";
        let names = ["x-c", "x-a"].map(HeaderName::from_static);
        let read = Head::read(head, &names).expect("a head").expect("whole");
        let values = ["1", "3"].map(|value| (1, HeaderValue::from_static(value)));
        assert_eq!(read.wanted, values);
    }

    #[test]
    fn a_chunk_begins_with_its_size() {
        assert_eq!(chunk_size(b"1A"), Some(26));
        assert_eq!(chunk_size(b"5 ;name=value"), Some(5));
        for bad in ["", "x", "-1", "+1", "0x5", "11111111111111111", ";5"] {
            assert_eq!(chunk_size(bad.as_bytes()), None, "{bad}");
        }
    }
}
