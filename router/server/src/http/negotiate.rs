//! Which content type the answer has (GraphQL over HTTP, section 6.2; RFC 9110, section 12.5.1).

use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue};

/// A content type this gateway writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `application/graphql-response+json`: the status tells how it went.
    GraphqlResponse,
    /// `application/json`: the status tells only how the HTTP request went.
    Json,
}

impl Format {
    /// The `Content-Type` of the answer.
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Format::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Format::Json => "application/json; charset=utf-8",
        })
    }
}

/// How answers can be streamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streaming {
    /// `text/event-stream`.
    EventStream,
    /// `multipart/mixed;subscriptionSpec=1.0`.
    Multipart,
}

/// Whether the client names a kind of stream, and no JSON that it likes as well. Apollo's clients name JSON besides
/// multipart where they subscribe; there it is for refusals.
pub fn streaming<'h>(accepted: impl IntoIterator<Item = &'h HeaderValue>) -> Option<Streaming> {
    let (mut events, mut json, mut multipart) = (0, 0, false);
    for value in accepted {
        let text = value.to_str().ok()?;
        if !text.contains("event-stream") && !text.contains("subscriptionSpec") {
            continue;
        }
        multipart |= text.split(',').any(is_multipart);
        let ranges: Vec<_> = text.split(',').filter_map(Range::read).collect();
        events = events.max(named(&ranges, "text/event-stream").unwrap_or(0));
        for media in ["application/json", "application/graphql-response+json"] {
            json = json.max(named(&ranges, media).unwrap_or(0));
        }
    }
    match (multipart, events > json) {
        (true, _) => Some(Streaming::Multipart),
        (false, true) => Some(Streaming::EventStream),
        (false, false) => None,
    }
}

/// Whether somebody with a browser asks: what comes is to be a page rather than JSON.
pub fn prefers_html(headers: &HeaderMap) -> bool {
    let (mut html, mut json) = (0, 0);
    for value in headers.get_all(ACCEPT) {
        let Some(text) = value.to_str().ok().filter(|text| text.contains('/')) else {
            return false;
        };
        let ranges: Vec<_> = text.split(',').filter_map(Range::read).collect();
        html = html.max(named(&ranges, "text/html").unwrap_or(0));
        for media in ["application/json", "application/graphql-response+json"] {
            json = json.max(named(&ranges, media).unwrap_or(0));
        }
    }
    html > json
}

fn is_multipart(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let mixed = parts
        .next()
        .is_some_and(|media| media.eq_ignore_ascii_case("multipart/mixed"));
    let wanted = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or_default();
        name.trim().eq_ignore_ascii_case("subscriptionSpec") && value.trim().trim_matches('"') == "1.0"
    };
    mixed && parts.any(wanted)
}

/// The format the client likes best, or `None` if it takes neither.
///
/// `application/graphql-response+json` is for clients that name it; `*/*` or no `Accept` at all comes from clients that
/// may not know it, and that expect `application/json`.
pub fn format(headers: &HeaderMap) -> Option<Format> {
    let mut accepted = headers.get_all(ACCEPT).iter();
    match (accepted.next().map(HeaderValue::as_bytes), accepted.next()) {
        (None | Some(b"application/json" | b"*/*"), None) => Some(Format::Json),
        (Some(b"application/graphql-response+json"), None) => Some(Format::GraphqlResponse),
        _ => weigh(headers),
    }
}

/// The same for clients that say more than one thing.
fn weigh(headers: &HeaderMap) -> Option<Format> {
    let mut ranges = Vec::new();
    for value in headers.get_all(ACCEPT) {
        ranges.extend(value.to_str().ok()?.split(',').filter_map(Range::read));
    }
    if ranges.is_empty() {
        return headers
            .get_all(ACCEPT)
            .iter()
            .all(HeaderValue::is_empty)
            .then_some(Format::Json);
    }
    let graphql = named(&ranges, "application/graphql-response+json").unwrap_or(0);
    let json = quality(&ranges, "application/json");
    match (graphql, json) {
        (0, 0) => None,
        (graphql, json) if graphql >= json => Some(Format::GraphqlResponse),
        _ => Some(Format::Json),
    }
}

struct Range {
    media: String,
    /// In thousandths.
    quality: u32,
}

impl Range {
    fn read(text: &str) -> Option<Range> {
        let mut parts = text.split(';').map(str::trim);
        let media = parts
            .next()
            .filter(|media| !media.is_empty())?
            .to_ascii_lowercase();
        let mut quality = 1000;
        for parameter in parts {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => quality = thousandths(value.trim())?,
                "charset" if !value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8") => return None,
                _ => {}
            }
        }
        Some(Range { media, quality })
    }
}

fn thousandths(text: &str) -> Option<u32> {
    let quality: f32 = text.parse().ok()?;
    (0.0..=1.0)
        .contains(&quality)
        .then_some((quality * 1000.0) as u32)
}

/// The most specific range decides.
fn quality(ranges: &[Range], media: &str) -> u32 {
    let by = |name| named(ranges, name);
    by(media)
        .or_else(|| by("application/*"))
        .or_else(|| by("*/*"))
        .unwrap_or(0)
}

fn named(ranges: &[Range], name: &str) -> Option<u32> {
    ranges
        .iter()
        .filter(|range| range.media == name)
        .map(|range| range.quality)
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(value: &str) -> Option<Format> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(value).expect("a header value"));
        format(&headers)
    }

    #[test]
    fn streams_are_for_clients_that_prefer_them() {
        let of = |text: &str| streaming([&HeaderValue::from_str(text).expect("a header value")]);
        for (text, wanted) in [
            ("text/event-stream", Some(Streaming::EventStream)),
            ("text/event-stream, multipart/mixed", Some(Streaming::EventStream)),
            (
                "text/event-stream, application/json;q=0.9",
                Some(Streaming::EventStream),
            ),
            ("application/json, text/event-stream", None),
            ("application/json, text/event-stream, multipart/mixed", None),
            (
                "multipart/mixed;subscriptionSpec=1.0, application/json",
                Some(Streaming::Multipart),
            ),
            (
                "multipart/mixed;boundary=\"graphql\";subscriptionSpec=\"1.0\", application/json",
                Some(Streaming::Multipart),
            ),
            ("multipart/mixed;subscriptionSpec=2.0", None),
            ("multipart/mixed;deferSpec=20220824, application/json", None),
            ("text/event-stream;q=0", None),
            ("*/*", None),
        ] {
            assert_eq!(of(text), wanted, "{text}");
        }
    }

    #[test]
    fn only_browsers_get_a_page() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_str(text).expect("a header value"));
            prefers_html(&headers)
        };
        let chromium = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        assert!(of(chromium) && of("text/html"));
        for other in [
            "*/*",
            "",
            "application/json",
            "text/html;q=0",
            "application/json, text/html",
            "text/html;q=0.5, application/graphql-response+json",
            "text/*",
        ] {
            assert!(!of(other), "{other}");
        }
        assert!(!prefers_html(&HeaderMap::new()));
    }

    #[test]
    fn the_best_liked_format_is_taken() {
        use Format::{GraphqlResponse, Json};
        for (value, wanted) in [
            ("", Some(Json)),
            ("*/*", Some(Json)),
            ("application/*", Some(Json)),
            ("application/json", Some(Json)),
            ("application/json; charset=utf-8", Some(Json)),
            ("application/json; charset=latin1", None),
            ("application/graphql-response+json", Some(GraphqlResponse)),
            (
                "application/graphql-response+json; charset=utf-8, application/json; charset=utf-8",
                Some(GraphqlResponse),
            ),
            (
                "application/json, application/graphql-response+json;q=0.5",
                Some(Json),
            ),
            ("Application/JSON;q=0.1, */*;q=0", Some(Json)),
            ("text/html, */*;q=0.8", Some(Json)),
            (
                "application/graphql-response+json, */*;q=0.8",
                Some(GraphqlResponse),
            ),
            ("text/html", None),
            ("application/json;q=0", None),
            ("application/json;q=2", None),
        ] {
            assert_eq!(accept(value), wanted, "{value}");
        }
        assert_eq!(format(&HeaderMap::new()), Some(Json));
    }
}
