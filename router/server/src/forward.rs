//! What travels on from a client's request to subgraphs: named headers, a request id, `traceparent`, and (with `auth`)
//! the verified token. Nothing else.

use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue};
use uuid::Uuid;

/// The header with the id of a request, from the client or made here; it is in every log line and answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// W3C Trace Context.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The longest request id taken from a client.
const LONGEST_ID: usize = 128;

/// The id of a request: the client's, if it is short and plain, or a new one.
pub fn request_id(headers: &HeaderMap) -> HeaderValue {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    match headers.get(REQUEST_ID) {
        Some(id) if !id.is_empty() && id.len() <= LONGEST_ID && id.as_bytes().iter().all(plain) => id.clone(),
        _ => HeaderValue::try_from(Uuid::now_v7().to_string()).expect("a UUID is a header value"),
    }
}

/// A request id for the log.
pub fn text(id: Option<&HeaderValue>) -> &str {
    id.and_then(|id| id.to_str().ok()).unwrap_or_default()
}

/// Headers for calls to subgraphs. `authorization` is the verified token, if there is one.
pub fn headers(
    request: &HeaderMap,
    named: &[HeaderName],
    id: &HeaderValue,
    authorization: Option<&HeaderValue>,
) -> HeaderMap {
    let mut out = HeaderMap::with_capacity(named.len() + 3);
    for name in named {
        for value in request.get_all(name) {
            out.append(name.clone(), value.clone());
        }
    }
    if let Some(token) = authorization {
        out.insert(AUTHORIZATION, token.clone());
    }
    out.insert(REQUEST_ID, id.clone());
    out.insert(TRACEPARENT, traceparent(request));
    out
}

/// The client's trace, if it is well formed, or a new one.
fn traceparent(request: &HeaderMap) -> HeaderValue {
    match request.get(TRACEPARENT) {
        Some(value) if is_traceparent(value.as_bytes()) => value.clone(),
        _ => {
            let (trace, span) = (
                Uuid::new_v4().simple().to_string(),
                Uuid::new_v4().simple().to_string(),
            );
            HeaderValue::try_from(format!("00-{trace}-{}-00", &span[..16]))
                .expect("hexadecimal digits are a header value")
        }
    }
}

/// `00-<32 hex>-<16 hex>-<2 hex>`.
fn is_traceparent(value: &[u8]) -> bool {
    let lengths: Vec<usize> = value.split(|byte| *byte == b'-').map(<[u8]>::len).collect();
    let hex = |byte: &u8| matches!(byte, b'-' | b'0'..=b'9' | b'a'..=b'f');
    lengths == [2, 32, 16, 2] && value.iter().all(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_travels_on() {
        let mut request = HeaderMap::new();
        for name in [
            "x-tenant",
            "cookie",
            "x-user-id",
            "x-forwarded-for",
            "authorization",
        ] {
            request.insert(name, HeaderValue::from_static("v"));
        }
        let out = headers(
            &request,
            &[HeaderName::from_static("x-tenant")],
            &HeaderValue::from_static("id"),
            None,
        );
        let mut names: Vec<&str> = out.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["traceparent", "x-request-id", "x-tenant"]);
    }

    #[test]
    fn a_strange_request_id_or_trace_is_replaced() {
        let mut request = HeaderMap::new();
        request.insert("x-request-id", HeaderValue::from_static("a b"));
        request.insert("traceparent", HeaderValue::from_static("00-zz-1-00"));
        assert_ne!(request_id(&request), "a b");
        assert!(is_traceparent(traceparent(&request).as_bytes()));
        request.insert("x-request-id", HeaderValue::from_static("ab-1"));
        assert_eq!(request_id(&request), "ab-1");
    }
}
