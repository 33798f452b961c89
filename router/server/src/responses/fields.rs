//! What the header of a subgraph's answer says about keeping it ([RFC 9111](https://www.rfc-editor.org/rfc/rfc9111)).

use std::time::Duration;

/// The longest lifetime that is believed (RFC 9111, section 1.2.2): a number too large counts as this.
const LONGEST: u64 = 1 << 31;
/// Bytes of `Vary` and `Cache-Tag` that are kept.
const LONGEST_LIST: usize = 8 * 1024;

/// The fields that matter, as far as they were there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// Directives of `Cache-Control`, of all its lines.
    pub control: Control,
    /// Seconds in `Age`.
    pub age: u64,
    /// Names in `Vary`.
    pub vary: Vec<Box<str>>,
    /// Whether `Vary` has a star, or is longer than anyone could mean.
    pub varies_by_all: bool,
    /// Whether there is an `Expires`: a date, which tells nothing as clocks differ.
    pub expires: bool,
    /// Names in `Cache-Tag`.
    pub tags: Vec<Box<str>>,
    /// Whether there were more of them than are kept.
    pub too_many_tags: bool,
}

/// `Cache-Control` (RFC 9111, section 5.2.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Control {
    /// It must not be kept, or not be used without asking again, which comes to the same here.
    pub no_store: bool,
    /// It is for one user.
    pub private: bool,
    /// It is for everyone, whatever the request carried.
    pub public: bool,
    /// It must not be used when it is stale.
    pub must_revalidate: bool,
    /// Seconds it stays fresh.
    pub max_age: Option<u64>,
    /// The same in a cache that several share.
    pub s_maxage: Option<u64>,
}

impl Fields {
    /// Takes a header field into account, if it is one of those that matter.
    pub fn note(noted: &mut Option<Box<Fields>>, name: &str, value: &[u8]) {
        // Most names are none of these: their length tells.
        let known = match name.len() {
            3 => "age",
            4 => "vary",
            7 => "expires",
            9 => "cache-tag",
            13 => "cache-control",
            _ => return,
        };
        if name.eq_ignore_ascii_case(known) {
            noted.get_or_insert_default().read(known, value);
        }
    }

    fn read(&mut self, name: &str, value: &[u8]) {
        match (name, std::str::from_utf8(value)) {
            ("expires", _) => self.expires = true,
            // An age that cannot be read is as old as can be.
            ("age", text) => self.age = self.age.max(text.ok().and_then(seconds).unwrap_or(LONGEST)),
            ("vary", Ok(text)) if text.len() <= LONGEST_LIST => {
                let names = list(text).map(|name| name.to_ascii_lowercase().into());
                self.vary.extend(names);
                self.varies_by_all |= list(text).any(|name| name == "*");
            }
            ("vary", _) => self.varies_by_all = true,
            ("cache-tag", Ok(text)) if text.len() <= LONGEST_LIST => {
                self.tags.extend(list(text).map(Box::from))
            }
            ("cache-tag", _) => self.too_many_tags = true,
            (_, Ok(text)) => self.control.read(text),
            // What cannot be read may forbid anything.
            (_, Err(_)) => self.control.no_store = true,
        }
    }

    /// Whether it says how long the answer stays fresh.
    pub fn has_lifetime(&self) -> bool {
        self.expires || self.control.max_age.is_some() || self.control.s_maxage.is_some()
    }

    /// How long the answer stays fresh from when it was asked for; `None` if nothing is said of it.
    ///
    /// `shared`: whether several callers use it (RFC 9111, section 4.2.1). `Expires` alone is a lifetime of nothing.
    pub fn lifetime(&self, shared: bool) -> Option<Duration> {
        let Control {
            max_age, s_maxage, ..
        } = self.control;
        let told = s_maxage.filter(|_| shared).or(max_age);
        // `s-maxage` is no word to a cache of one user.
        let told = told.or_else(|| self.has_lifetime().then_some(0));
        told.map(|seconds| Duration::from_secs(seconds.saturating_sub(self.age)))
    }

    /// Whether `Vary` names this header field.
    pub fn varies_by(&self, name: &str) -> bool {
        self.varies_by_all || self.vary.iter().any(|one| &**one == name)
    }
}

impl Control {
    fn read(&mut self, text: &str) {
        for directive in split_unquoted(text) {
            let (name, value) = match directive.split_once('=') {
                Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
                None => (directive, None),
            };
            let age = || value.and_then(seconds).unwrap_or(0);
            match name.to_ascii_lowercase().as_str() {
                "no-store" | "no-cache" => self.no_store = true,
                "private" => self.private = true,
                "public" => self.public = true,
                "must-revalidate" | "proxy-revalidate" => self.must_revalidate = true,
                // Of several the shortest; one that cannot be read is stale already (section 4.2.1).
                "max-age" => self.max_age = Some(self.max_age.map_or_else(age, |other| other.min(age()))),
                "s-maxage" => self.s_maxage = Some(self.s_maxage.map_or_else(age, |other| other.min(age()))),
                _ => {}
            }
        }
    }
}

/// Delta-seconds (section 1.2.2).
fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().map_or(LONGEST, |seconds: u64| seconds.min(LONGEST)))
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|one| !one.is_empty())
}

/// The parts between commas that stand in no quotes: `private="a, b"` is one.
fn split_unquoted(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let parts = text.split(move |c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lines: &[(&str, &str)]) -> Fields {
        let mut noted = None;
        for (name, value) in lines {
            Fields::note(&mut noted, name, value.as_bytes());
        }
        noted.map_or_else(Fields::default, |noted| *noted)
    }

    fn lifetime(lines: &[(&str, &str)], shared: bool) -> Option<u64> {
        fields(lines).lifetime(shared).map(|lifetime| lifetime.as_secs())
    }

    /// What is said, and for how many seconds it is fresh in a cache of many and in a cache of one.
    #[test]
    fn lifetimes_are_those_of_rfc_9111() {
        let control = |text| [("Cache-Control", text)];
        for (text, shared, own) in [
            ("max-age=60", Some(60), Some(60)),
            ("MAX-AGE=60", Some(60), Some(60)),
            ("max-age=\"60\"", Some(60), Some(60)),
            ("max-age = 60", Some(60), Some(60)),
            ("s-maxage=10, max-age=60", Some(10), Some(60)),
            ("s-maxage=10", Some(10), Some(0)),
            ("max-age=60, max-age=5", Some(5), Some(5)),
            ("max-age=-1", Some(0), Some(0)),
            ("max-age=soon", Some(0), Some(0)),
            ("max-age", Some(0), Some(0)),
            ("max-age=99999999999999999999", Some(1 << 31), Some(1 << 31)),
            ("public", None, None),
            ("private=\"a, max-age=5\"", None, None),
            ("foo=\"bar, max-age=7\", max-age=9", Some(9), Some(9)),
            ("", None, None),
        ] {
            assert_eq!(lifetime(&control(text), true), shared, "{text} shared");
            assert_eq!(lifetime(&control(text), false), own, "{text} alone");
        }
    }

    #[test]
    fn age_is_taken_off_and_expires_alone_is_no_time_at_all() {
        let max = ("cache-control", "max-age=60");
        assert_eq!(lifetime(&[max, ("age", "25")], true), Some(35));
        assert_eq!(lifetime(&[max, ("Age", "70")], true), Some(0));
        assert_eq!(lifetime(&[max, ("age", "old")], true), Some(0));
        assert_eq!(lifetime(&[max, ("expires", "0")], true), Some(60));
        assert_eq!(
            lifetime(&[("Expires", "Thu, 01 Jan 2099 00:00:00 GMT")], true),
            Some(0)
        );
        assert_eq!(lifetime(&[("date", "now"), ("server", "x")], true), None);
    }

    #[test]
    fn directives_of_all_lines_count() {
        let read = fields(&[
            ("cache-control", "max-age=60, Public"),
            ("cache-control", "No-Store"),
        ])
        .control;
        assert!(read.no_store && read.public && !read.private);
        for (text, name) in [
            ("no-cache", "no_store"),
            ("private", "private"),
            ("must-revalidate", "must"),
        ] {
            let read = fields(&[("cache-control", text)]).control;
            let told = [
                (read.no_store, "no_store"),
                (read.private, "private"),
                (read.must_revalidate, "must"),
            ];
            assert!(told.contains(&(true, name)), "{text}");
        }
        let read = fields(&[("cache-control", "private=\"set-cookie\"")]).control;
        assert!(
            read.private,
            "a field list is not looked at: all of it is private"
        );
        let mut noted = None;
        Fields::note(&mut noted, "cache-control", b"max-age=60\xff");
        assert!(
            noted.expect("noted").control.no_store,
            "what cannot be read forbids"
        );
    }

    #[test]
    fn vary_and_tags_are_lists() {
        let read = fields(&[
            ("vary", "Accept, Authorization"),
            ("vary", "x-a"),
            ("cache-tag", "a, b ,,c"),
        ]);
        assert!(read.varies_by("authorization") && read.varies_by("x-a") && !read.varies_by("cookie"));
        assert_eq!(
            read.tags.iter().map(|tag| &**tag).collect::<Vec<_>>(),
            ["a", "b", "c"]
        );
        assert!(fields(&[("vary", "accept, *")]).varies_by("anything"));
        assert!(fields(&[("vary", &"x,".repeat(LONGEST_LIST))]).varies_by("anything"));
        assert!(fields(&[("cache-tag", &"x,".repeat(LONGEST_LIST))]).too_many_tags);
    }
}
