//! Streams whose events come by callbacks: the asking side of [`crate::callbacks`].

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Limited};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::{Client, Endpoint, SubgraphError};
use super::http::Exchange;
use super::{UpstreamItem, is_errors};
use crate::callbacks::{Callbacks, Expected, Heard};
use crate::forward::Forwarded;

/// What is accepted: a receipt, not a stream.
const ACCEPTED: &str = "application/json;callbackSpec=1.0";
/// Heartbeats that may fail to come.
const MISSED: u32 = 3;

/// A stream that is brought by the subgraph.
pub struct CallbackStream {
    expected: Expected,
    /// Found in the receipt: the subgraph refuses the operation.
    refused: Option<Bytes>,
}

impl CallbackStream {
    /// Asks the subgraph for callbacks. It has to try the way (`check`) before it answers.
    pub async fn open(
        client: &Client,
        endpoint: &Endpoint,
        forwarded: &Forwarded,
        body: &[u8],
        callbacks: Option<&Arc<Callbacks>>,
    ) -> Result<CallbackStream, SubgraphError> {
        let refused = |why: &str| SubgraphError::StreamRefused(why.to_owned());
        let callbacks = callbacks.ok_or_else(|| refused("subscriptions.callback is not configured"))?;
        let mut expected = callbacks
            .expect()
            .ok_or_else(|| refused("the system has no randomness for a secret"))?;
        let body = asking(body, &expected).ok_or_else(|| refused("a request that is no JSON object"))?;
        let exchange = Exchange::begin(client, endpoint, forwarded, body, ACCEPTED).await?;
        let limited = Limited::new(exchange.body, client.response_bytes());
        let read = limited.collect().await;
        let receipt = read.map_err(|error| SubgraphError::Unreachable(error.to_string()))?;
        let errors = errors(&receipt.to_bytes())?;
        if errors.is_none() && expected.heard.try_recv() != Ok(Heard::Check) {
            return Err(refused(
                "it did not call back before its answer: does it speak the callback protocol?",
            ));
        }
        Ok(CallbackStream {
            expected,
            refused: errors,
        })
    }

    /// The next item.
    pub async fn next(&mut self) -> UpstreamItem {
        if let Some(errors) = self.refused.take() {
            return UpstreamItem::Refused(errors);
        }
        let patience = match self.expected.heartbeat() {
            Duration::ZERO => Duration::MAX,
            heartbeat => heartbeat.saturating_mul(MISSED),
        };
        loop {
            match tokio::time::timeout(patience, self.expected.heard.recv()).await {
                Ok(Some(Heard::Check)) => {}
                Ok(Some(Heard::Next(event))) => return UpstreamItem::Event(event),
                Ok(Some(Heard::Complete(None))) => return UpstreamItem::Complete,
                Ok(Some(Heard::Complete(Some(errors)))) => return UpstreamItem::Refused(errors),
                Ok(None) => return UpstreamItem::Lost("more events than could be used".to_owned()),
                Err(_) => return UpstreamItem::Lost("no heartbeat".to_owned()),
            }
        }
    }
}

/// The request, with where its events are to go.
fn asking(body: &[u8], expected: &Expected) -> Option<Bytes> {
    let rest = body.strip_prefix(b"{")?;
    let heartbeat = u64::try_from(expected.heartbeat().as_millis()).unwrap_or(u64::MAX);
    let subscription = serde_json::json!({
        "callbackUrl": expected.url(),
        "subscriptionId": expected.id,
        "verifier": &*expected.verifier,
        "heartbeatIntervalMs": heartbeat,
    });
    let mut asking =
        BytesMut::from(format!(r#"{{"extensions":{{"subscription":{subscription}}},"#).as_bytes());
    asking.extend_from_slice(rest);
    Some(asking.freeze())
}

/// The errors in a receipt: the operation is refused.
fn errors(receipt: &Bytes) -> Result<Option<Bytes>, SubgraphError> {
    #[derive(Deserialize)]
    struct Receipt<'a> {
        #[serde(borrow)]
        errors: Option<&'a RawValue>,
    }
    if receipt.trim_ascii().is_empty() {
        return Ok(None);
    }
    let read: Receipt<'_> =
        serde_json::from_slice(receipt).map_err(|error| SubgraphError::Malformed(error.to_string()))?;
    let found = read.errors.filter(|errors| is_errors(errors.get()));
    Ok(found.map(|errors| receipt.slice_ref(errors.get().as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_good_or_a_refusal() {
        let of = |text: &'static str| errors(&Bytes::from_static(text.as_bytes()));
        for good in [
            "",
            "{}",
            r#"{"data":null}"#,
            r#"{"data":null,"errors":[]}"#,
            r#"{"errors":null}"#,
        ] {
            assert!(matches!(of(good), Ok(None)), "{good}");
        }
        let refusal = of(r#"{"errors":[{"message":"x"}]}"#).expect("a receipt");
        assert_eq!(refusal.as_deref(), Some(&br#"[{"message":"x"}]"#[..]));
        assert!(of("<html>").is_err());
    }
}
