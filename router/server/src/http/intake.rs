//! The body of a request: read within its limits, and unpacked.

use std::pin::Pin;
use std::time::Duration;

use axum::body::HttpBody;
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http_body_util::BodyExt;

use super::{csrf, packed};
use crate::errors::{Code, Refusal};
use crate::gateway::Gateway;

/// Bytes of a refused body that are read (and dropped).
const DRAINED: usize = 16 * 1024 * 1024;
/// How long the next of them may take.
const DRAIN_PAUSE: Duration = Duration::from_millis(200);

/// What comes in.
pub trait RequestBody: HttpBody<Data = Bytes> + Send {}

impl<B: HttpBody<Data = Bytes> + Send> RequestBody for B {}

/// The body of a POST, within its limits.
pub async fn post_body<B: RequestBody>(gateway: &Gateway, parts: &Parts, body: B) -> Result<Bytes, Refusal> {
    csrf::check_content_type(&parts.headers)?;
    let coding = packed::of_request(&parts.headers, &gateway.config.compression)?;
    let limits = &gateway.config.limits;
    let reading = read(parts, body, limits.body_bytes);
    let read = tokio::time::timeout(limits.body_timeout, reading).await;
    let body = read.unwrap_or_else(|_| Err(too_slow()))?;
    match coding {
        None => Ok(body),
        Some(coding) => packed::unpack(coding, &body, limits.body_bytes),
    }
}

fn too_slow() -> Refusal {
    Refusal::new(
        Code::BodyTooSlow,
        "the body did not come in time (limits.body_timeout)",
    )
}

/// Reads a body; one that says it is too large, or turns out to be, is dropped as it comes.
async fn read<B: RequestBody>(parts: &Parts, body: B, limit: usize) -> Result<Bytes, Refusal> {
    let too_large = || {
        Refusal::new(
            Code::BodyTooLarge,
            format!("the body is larger than {limit} bytes (limits.body_bytes)"),
        )
    };
    let told = parts
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let (mut body, mut whole) = (std::pin::pin!(body), Bytes::new());
    if told.is_some_and(|length| length > limit) {
        Box::pin(drain(body)).await;
        return Err(too_large());
    }
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err(Refusal::new(
                Code::BadRequest,
                "the body could not be read to its end",
            ));
        };
        let data = frame.into_data().unwrap_or_default();
        if whole.len() + data.len() > limit {
            Box::pin(drain(body)).await;
            return Err(too_large());
        }
        // A body usually comes at once.
        whole = match whole.is_empty() {
            true => data,
            false => joined(whole, &data),
        };
    }
    Ok(whole)
}

/// Takes what a client is about to send anyway: one whose connection closes while it still writes never sees why.
pub async fn drain<B: RequestBody>(mut body: Pin<&mut B>) {
    let mut left = DRAINED;
    while let Ok(Some(Ok(frame))) = tokio::time::timeout(DRAIN_PAUSE, body.frame()).await {
        left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
        if left == 0 {
            return;
        }
    }
}

/// Appends where there is room for it, so that a body in many parts is not copied for each.
fn joined(first: Bytes, rest: &[u8]) -> Bytes {
    let mut all = BytesMut::from(first);
    all.extend_from_slice(rest);
    all.freeze()
}
