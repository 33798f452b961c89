//! Compressed bodies: of requests, and of answers to clients that accept it.

mod accepted;
mod body;

pub use body::Packed;

use axum::body::HttpBody;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, VARY};
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::Full;

use super::stream::Reply;
use crate::coding::{Coding, Packer, UnpackError};
use crate::config::CompressionConfig;
use crate::errors::{Code, Refusal};

/// Answers up to this are packed at once, larger ones as they are written.
const AT_ONCE: usize = 64 * 1024;
/// What a client may send, for the answer to one that sent something else.
pub const KNOWN: HeaderValue = HeaderValue::from_static("gzip, br, zstd, deflate");

/// How the body of a request is coded; `None` if it is as it is.
pub fn of_request(headers: &HeaderMap, config: &CompressionConfig) -> Result<Option<Coding>, Refusal> {
    let mut named = headers.get_all(CONTENT_ENCODING).iter();
    let Some(first) = named.next() else {
        return Ok(None);
    };
    let name = first.as_bytes().trim_ascii();
    if named.next().is_none() && name.eq_ignore_ascii_case(b"identity") {
        return Ok(None);
    }
    match Coding::of(name) {
        Some(coding) if config.requests && headers.get_all(CONTENT_ENCODING).iter().count() == 1 => {
            Ok(Some(coding))
        }
        _ => Err(unsupported(config)),
    }
}

fn unsupported(config: &CompressionConfig) -> Refusal {
    let message = match config.requests {
        true => "send the body as it is, or with one `Content-Encoding`: gzip, br, zstd or deflate",
        false => "send the body as it is, without `Content-Encoding` (compression.requests is off)",
    };
    Refusal::new(Code::UnsupportedEncoding, message)
}

/// The body of a request, unpacked.
pub fn unpack(coding: Coding, packed: &[u8], limit: usize) -> Result<Bytes, Refusal> {
    coding.unpack(packed, limit).map_err(|error| match error {
        UnpackError::TooLarge => Refusal::new(
            Code::BodyTooLarge,
            format!("the body is larger than {limit} bytes when it is unpacked (limits.body_bytes)"),
        ),
        UnpackError::Broken => Refusal::new(
            Code::BadRequest,
            format!("the body cannot be unpacked as `{}`", coding.name()),
        ),
    })
}

/// How the client of this request likes its answer to be coded; `None` for as it is, and for whoever does not say.
pub fn wish(headers: &HeaderMap, config: &CompressionConfig) -> Option<Coding> {
    if !config.answers || !headers.contains_key(ACCEPT_ENCODING) {
        return None;
    }
    accepted::best(headers.get_all(ACCEPT_ENCODING))
}

/// The answer for a client that accepts this coding.
pub fn answer(coding: Coding, response: Response<Reply>, config: &CompressionConfig) -> Response<Reply> {
    let (mut head, body) = response.into_parts();
    if head.headers.contains_key(CONTENT_ENCODING) {
        return Response::from_parts(head, body);
    }
    head.headers
        .append(VARY, HeaderValue::from_static("accept-encoding"));
    let packed = match body {
        Reply::Whole(body) => whole(coding, body, config.min_bytes),
        Reply::Stream(_) if config.streams => Ok(Reply::Packed(Box::new(Packed::new(coding, body)))),
        other => Err(other),
    };
    let body = match packed {
        Ok(packed) => {
            head.headers.insert(CONTENT_ENCODING, coding.value());
            head.headers.remove(CONTENT_LENGTH);
            packed
        }
        Err(as_it_was) => as_it_was,
    };
    Response::from_parts(head, body)
}

/// A body that is known, packed where that makes it smaller.
fn whole(coding: Coding, body: Full<Bytes>, least: usize) -> Result<Reply, Reply> {
    let size = body.size_hint().exact().unwrap_or_default();
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if size < least.max(1) {
        return Err(Reply::Whole(body));
    }
    if size > AT_ONCE {
        return Ok(Reply::Packed(Box::new(Packed::new(coding, Reply::Whole(body)))));
    }
    let bytes = body.into_inner().unwrap_or_default();
    let mut packer = Packer::new(coding);
    packer.write(&bytes);
    let packed = packer.finish();
    match packed.len() < bytes.len() {
        true => Ok(Reply::Whole(Full::new(packed.into()))),
        false => Err(Reply::Whole(Full::new(bytes))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_one_known_coding_or_none() {
        let of = |values: &[&str], requests| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, value.parse().expect("a value"));
            }
            let config = CompressionConfig {
                requests,
                ..CompressionConfig::default()
            };
            of_request(&headers, &config).map_err(|refusal| refusal.code)
        };
        assert_eq!(of(&[], true), Ok(None));
        assert_eq!(of(&["identity"], false), Ok(None));
        assert_eq!(of(&["GZIP"], true), Ok(Some(Coding::Gzip)));
        for bad in [
            &["gzip, br"][..],
            &["gzip", "gzip"],
            &["identity", "gzip"],
            &["compress"],
            &[""],
        ] {
            assert_eq!(of(bad, true), Err(Code::UnsupportedEncoding), "{bad:?}");
        }
        assert_eq!(of(&["gzip"], false), Err(Code::UnsupportedEncoding));
    }

    #[test]
    fn a_small_answer_and_one_that_does_not_shrink_go_out_as_they_are() {
        let mut state = 7u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        let noise: Vec<u8> = std::iter::repeat_with(&mut random).take(2000).collect();
        for body in [vec![b'x'; 99], noise] {
            let response = Response::new(Reply::Whole(Full::new(body.into())));
            let config = CompressionConfig {
                min_bytes: 100,
                ..CompressionConfig::default()
            };
            let response = answer(Coding::Gzip, response, &config);
            assert!(!response.headers().contains_key(CONTENT_ENCODING));
            assert_eq!(response.headers()[VARY], "accept-encoding");
        }
    }
}
