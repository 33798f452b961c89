//! Which clients take an answer in parts, and how these are written for them.

use baedal_executor::Format;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue};

/// A way to write parts, by what `Accept` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spec {
    /// `deferSpec=20220824`: clients of Apollo, and Relay.
    Defer20220824,
    /// `incrementalSpec=v0.2`: Apollo's name for what the draft of the specification has.
    IncrementalV02,
    /// The draft, by no name.
    Draft,
}

impl Spec {
    /// The content type of the answer.
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Spec::Defer20220824 => "multipart/mixed; boundary=\"-\"; deferSpec=20220824",
            Spec::IncrementalV02 => "multipart/mixed; boundary=\"-\"; incrementalSpec=v0.2",
            Spec::Draft => "multipart/mixed; boundary=\"-\"",
        })
    }

    /// How the parts are written.
    pub fn format(self) -> Format {
        match self {
            Spec::Defer20220824 => Format::Whole,
            Spec::IncrementalV02 | Spec::Draft => Format::Pending,
        }
    }
}

/// The way a client takes parts, if it does: of several it names, the first of those it likes best.
pub fn accepted(headers: &HeaderMap) -> Option<Spec> {
    let mut best: Option<(Spec, f32)> = None;
    for value in headers.get_all(ACCEPT) {
        let Some(text) = value
            .to_str()
            .ok()
            .filter(|text| text.contains("multipart/mixed"))
        else {
            continue;
        };
        for (spec, quality) in text.split(',').filter_map(read) {
            if quality > best.map_or(0.0, |(_, best)| best) {
                best = Some((spec, quality));
            }
        }
    }
    best.map(|(spec, _)| spec)
}

/// One of the media ranges. What has other parameters is for something else.
fn read(range: &str) -> Option<(Spec, f32)> {
    let mut parts = range.split(';').map(str::trim);
    parts
        .next()
        .filter(|media| media.eq_ignore_ascii_case("multipart/mixed"))?;
    let (mut spec, mut quality) = (Spec::Draft, 1.0);
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "deferspec" if value == "20220824" => spec = Spec::Defer20220824,
            "incrementalspec" if value == "v0.2" => spec = Spec::IncrementalV02,
            "deferspec" | "incrementalspec" | "subscriptionspec" => return None,
            "q" => quality = value.parse().ok()?,
            _ => {}
        }
    }
    Some((spec, quality))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_header_says_how_parts_are_written() {
        for (text, wanted) in [
            (
                "multipart/mixed;deferSpec=20220824, application/json",
                Some(Spec::Defer20220824),
            ),
            (
                "application/json, multipart/mixed; deferSpec=\"20220824\"",
                Some(Spec::Defer20220824),
            ),
            (
                "multipart/mixed;incrementalSpec=v0.2,application/json",
                Some(Spec::IncrementalV02),
            ),
            ("multipart/mixed", Some(Spec::Draft)),
            (
                "multipart/mixed;boundary=x;q=0.5, multipart/mixed;incrementalSpec=v0.2",
                Some(Spec::IncrementalV02),
            ),
            ("multipart/mixed;q=0", None),
            ("multipart/mixed;subscriptionSpec=1.0, application/json", None),
            ("multipart/mixed;deferSpec=20300101", None),
            (
                "multipart/mixed;incrementalSpec=v9, multipart/mixed;deferSpec=20220824",
                Some(Spec::Defer20220824),
            ),
            ("application/json", None),
            ("*/*", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(text));
            assert_eq!(accepted(&headers), wanted, "{text}");
        }
        assert_eq!(accepted(&HeaderMap::new()), None);
    }
}
