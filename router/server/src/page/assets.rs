//! Script, style and licences of the page, as they are kept: compressed.

use std::io::Read;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::{reply, vary};
use crate::http::graphql::Answer;

/// Of all that the page is made from: it changes with any part of it.
const SOURCES: &str = include_str!("../../page/dist/sources.sha256");
/// What is asked for by its version never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// One part of the page.
#[derive(Debug, PartialEq, Eq)]
pub struct Asset {
    name: &'static str,
    kind: &'static str,
    brotli: &'static [u8],
    gzip: &'static [u8],
}

static ASSETS: [Asset; 3] = [
    Asset {
        name: "page.js",
        kind: "text/javascript; charset=utf-8",
        brotli: include_bytes!("../../page/dist/page.js.br"),
        gzip: include_bytes!("../../page/dist/page.js.gz"),
    },
    Asset {
        name: "page.css",
        kind: "text/css; charset=utf-8",
        brotli: include_bytes!("../../page/dist/page.css.br"),
        gzip: include_bytes!("../../page/dist/page.css.gz"),
    },
    Asset {
        name: "licences.txt",
        kind: "text/plain; charset=utf-8",
        brotli: include_bytes!("../../page/dist/licences.txt.br"),
        gzip: include_bytes!("../../page/dist/licences.txt.gz"),
    },
];

/// The form in which an asset is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Brotli,
    Gzip,
    Plain,
}

/// What tells this build of the page from others.
pub fn version() -> &'static str {
    &SOURCES[..16]
}

/// The asset of this name.
pub fn named(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// Whether the client has what bears this tag (RFC 9110, section 13.1.2).
pub fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(IF_NONE_MATCH).iter();
    known
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().trim_start_matches("W/") == tag)
}

impl Asset {
    /// In a form the client takes.
    pub fn answer(&self, headers: &HeaderMap) -> Answer {
        let form = form(headers);
        let tag = format!("\"{}-{}\"", version(), form.name().unwrap_or("plain"));
        let (status, body) = match is_known(headers, &tag) {
            true => (StatusCode::NOT_MODIFIED, Bytes::new()),
            false => (StatusCode::OK, self.body(form)),
        };
        let mut response = reply(status, self.kind, FOR_EVER, body);
        let headers = response.headers_mut();
        headers.insert(ETAG, HeaderValue::try_from(tag).expect("hex digits and a name"));
        headers.insert(
            "cross-origin-resource-policy",
            HeaderValue::from_static("same-origin"),
        );
        vary(headers, "accept-encoding");
        if let Some(name) = form.name() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        response
    }

    fn body(&self, form: Form) -> Bytes {
        match form {
            Form::Brotli => Bytes::from_static(self.brotli),
            Form::Gzip => Bytes::from_static(self.gzip),
            Form::Plain => plain(self.gzip).into(),
        }
    }
}

/// For the rare client that takes nothing compressed.
fn plain(gzip: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(gzip)
        .read_to_end(&mut bytes)
        .expect("what is kept in the binary can be read");
    bytes
}

impl Form {
    /// As in `Content-Encoding`.
    fn name(self) -> Option<&'static str> {
        match self {
            Form::Brotli => Some("br"),
            Form::Gzip => Some("gzip"),
            Form::Plain => None,
        }
    }
}

/// The smallest form that the client takes.
fn form(headers: &HeaderMap) -> Form {
    let takes = |name: &str| {
        let values = headers.get_all(ACCEPT_ENCODING).iter();
        values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|range| accepts(range, name))
    };
    match (takes("br"), takes("gzip")) {
        (true, _) => Form::Brotli,
        (false, true) => Form::Gzip,
        (false, false) => Form::Plain,
    }
}

/// Whether `range` names this coding, and not to refuse it (RFC 9110, section 12.5.3).
fn accepts(range: &str, name: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let named = parts
        .next()
        .is_some_and(|coding| coding.eq_ignore_ascii_case(name));
    let refused = parts.any(|part| {
        let quality = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
        quality.is_some_and(|quality| quality.parse::<f32>().is_ok_and(|quality| quality <= 0.0))
    });
    named && !refused
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(encodings: &str) -> Form {
        let mut headers = HeaderMap::new();
        headers.insert(
            ACCEPT_ENCODING,
            HeaderValue::from_str(encodings).expect("a value"),
        );
        form(&headers)
    }

    #[test]
    fn the_smallest_form_that_is_taken_is_sent() {
        for (encodings, wanted) in [
            ("gzip, deflate, br, zstd", Form::Brotli),
            ("gzip, deflate", Form::Gzip),
            ("br;q=0, GZIP;q=0.5", Form::Gzip),
            ("identity", Form::Plain),
            ("br;q=0.000", Form::Plain),
            ("", Form::Plain),
        ] {
            assert_eq!(sent(encodings), wanted, "{encodings}");
        }
        assert_eq!(form(&HeaderMap::new()), Form::Plain);
    }

    #[test]
    fn every_asset_can_be_read() {
        for asset in &ASSETS {
            let text = String::from_utf8(plain(asset.gzip)).expect(asset.name);
            assert!(text.len() > asset.gzip.len() && asset.brotli.len() < asset.gzip.len());
        }
        assert!(version().bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn what_the_client_has_is_not_sent_again() {
        let mut headers = HeaderMap::new();
        assert!(!is_known(&headers, "\"a\""));
        headers.insert(IF_NONE_MATCH, HeaderValue::from_static("\"b\", W/\"a\""));
        assert!(is_known(&headers, "\"a\"") && !is_known(&headers, "\"c\""));
    }
}
