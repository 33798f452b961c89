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
