//! Guard against cross-site request forgery: what a browser sends for any page without asking first is refused.
//!
//! A POST must be `application/json`, which no form can send. A GET must carry a header no page can add without a CORS
//! preflight. A WebSocket must come from a page of this origin, or of one named in `cors.origins`.
//! <https://fetch.spec.whatwg.org/#cors-safelisted-request-header>

use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderMap, HeaderValue};

use crate::config::{CorsConfig, CsrfConfig};
use crate::errors::{Code, Refusal};

/// Content types a form can send.
const SIMPLE: [&str; 3] = [
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "text/plain",
];

/// The body must be JSON in UTF-8.
pub fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut parts = value.split(';').map(str::trim);
    let json = parts
        .next()
        .is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    let utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, charset)) if name.eq_ignore_ascii_case("charset") => ["utf-8", "utf8"]
            .iter()
            .any(|known| charset.trim_matches('"').eq_ignore_ascii_case(known)),
        _ => true,
    });
    if json && utf8 {
        return Ok(());
    }
    Err(Refusal::new(
        Code::UnsupportedMediaType,
        "send the request as `Content-Type: application/json` in UTF-8",
    ))
}

/// A GET request must be one that a browser asks about first.
pub fn check_get(headers: &HeaderMap, csrf: &CsrfConfig) -> Result<(), Refusal> {
    let forced = csrf
        .required_headers
        .iter()
        .any(|name| headers.get(name).is_some_and(|value| !value.is_empty()));
    if !csrf.enabled || forced || has_unusual_content_type(headers) {
        return Ok(());
    }
    let names = csrf.required_headers.join(", ");
    let message =
        format!("this request could have been forged by a web page; add one of these headers to it: {names}");
    Err(Refusal::new(Code::CsrfRefused, message))
}

/// A form with files is what any page can send: only a header tells that none did.
pub fn check_form(headers: &HeaderMap, csrf: &CsrfConfig) -> Result<(), Refusal> {
    check_get(headers, csrf)
}

fn has_unusual_content_type(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let media = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    media.contains('/') && !SIMPLE.contains(&media.as_str())
}

/// A page of a foreign origin must not open a WebSocket. Clients that are no browsers send no `Origin`.
pub fn check_origin(headers: &HeaderMap, csrf: &CsrfConfig, cors: &CorsConfig) -> Result<(), Refusal> {
    let Some(origin) = headers.get(ORIGIN).filter(|_| csrf.enabled) else {
        return Ok(());
    };
    let named = cors
        .origins
        .iter()
        .any(|known| known.as_bytes() == origin.as_bytes());
    if named || is_own(origin, headers.get(HOST)) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::ForeignOrigin,
        "pages of this origin may not use the gateway; see cors.origins",
    ))
}

fn is_own(origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
    let origin = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
        .map(|(_, host)| host);
    let host = host.and_then(|host| host.to_str().ok());
    matches!((origin, host), (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")))
            .collect()
    }

    #[test]
    fn only_json_in_utf8_is_a_body() {
        for good in [
            "application/json",
            "application/json; charset=utf-8",
            "Application/JSON;charset=\"UTF-8\"",
        ] {
            assert!(
                check_content_type(&headers(&[("content-type", good)])).is_ok(),
                "{good}"
            );
        }
        for bad in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonx",
            "application/json; charset=utf-16",
        ] {
            assert!(
                check_content_type(&headers(&[("content-type", bad)])).is_err(),
                "{bad}"
            );
        }
        assert!(check_content_type(&HeaderMap::new()).is_err());
    }

    #[test]
    fn a_get_that_a_page_could_send_is_refused() {
        let csrf = CsrfConfig::default();
        for bad in [
            vec![],
            vec![("content-type", "text/plain; x=y")],
            vec![("graphql-require-preflight", "")],
        ] {
            assert!(check_get(&headers(&bad), &csrf).is_err(), "{bad:?}");
        }
        for good in [
            ("content-type", "application/json"),
            ("graphql-require-preflight", "1"),
        ] {
            assert!(check_get(&headers(&[good]), &csrf).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn only_own_and_named_origins_may_open_a_socket() {
        let (csrf, cors) = (
            CsrfConfig::default(),
            CorsConfig {
                origins: vec!["https://app.example".into()],
            },
        );
        let check = |origin| {
            check_origin(
                &headers(&[("host", "g.example:4000"), ("origin", origin)]),
                &csrf,
                &cors,
            )
            .is_ok()
        };
        assert!(check("http://g.example:4000"));
        assert!(check("https://app.example"));
        assert!(!check("https://evil.example"));
        assert!(!check("http://g.example"));
        assert!(!check("null"));
    }
}
