//! Several requests in one body: a JSON array, answered by an array in the same order (`batching` in the configuration).
//!
//! Each entry is a request like any other: limited, counted by rate limits, authorized, measured and logged apart. Entries
//! are worked on side by side, mutations among them too: who needs an order sends them one after another. What is wrong
//! with one entry is an error in its place, and nobody else's business. Nothing in a batch is streamed.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::StatusCode;
use http::request::Parts;
use serde_json::value::RawValue;

use super::asking::Asking;
use crate::errors::{Code, Refusal};
use crate::forward::Forwarded;
use crate::gateway::Gateway;
use crate::limits;
use crate::observe::{Answered, Watch};

/// Whether a body holds several requests, and may.
pub fn is_batch(gateway: &Gateway, body: &[u8]) -> bool {
    gateway.config.batching.enabled && body.trim_ascii_start().first() == Some(&b'[')
}

/// Answers all requests of a body. The first has been counted where the body was let in.
pub async fn answer(
    asking: &Asking<'_>,
    parts: &Parts,
    body: &[u8],
    forwarded: &Forwarded,
) -> Result<Bytes, Refusal> {
    let entries = read(asking.gateway, body)?;
    asking.gateway.observer.batches.observe(entries.len() as u64);
    let mut answering = Vec::with_capacity(entries.len());
    for (number, entry) in entries.into_iter().enumerate() {
        answering.push(one(asking, parts, number, entry, forwarded.clone()));
    }
    let answers: Vec<Bytes> = stream::iter(answering)
        .buffered(asking.gateway.config.batching.concurrency)
        .collect()
        .await;
    Ok(written(&answers))
}

/// The entries as they are; what is in them is looked at one by one.
fn read<'b>(gateway: &Gateway, body: &'b [u8]) -> Result<Vec<&'b RawValue>, Refusal> {
    limits::check_json(body, &gateway.config.limits)?;
    let entries: Vec<&RawValue> = serde_json::from_slice(body).map_err(|error| {
        Refusal::new(
            Code::InvalidJson,
            format!("the request is not valid JSON: {error}"),
        )
    })?;
    let most = gateway.config.batching.max;
    match entries.len() {
        0 => Err(Refusal::new(Code::BadRequest, "the array holds no request")),
        count if count > most => {
            let text = format!("{count} requests in one body; there may be {most} (batching.max)");
            Err(Refusal::new(Code::BatchTooLarge, text))
        }
        _ => Ok(entries),
    }
}

type Answering<'a> = Pin<Box<dyn Future<Output = Bytes> + Send + 'a>>;

fn one<'a>(
    asking: &'a Asking<'a>,
    parts: &'a Parts,
    number: usize,
    entry: &'a RawValue,
    forwarded: Forwarded,
) -> Answering<'a> {
    Box::pin(async move {
        let watch = Watch::begin(asking.gateway, &parts.headers);
        let asking = Asking {
            ids: asking.ids.of(&watch),
            ..*asking
        };
        let outcome = executed(&asking, number, entry, forwarded).await;
        watch.end(asking.ids.request, StatusCode::OK, &outcome);
        match outcome {
            Ok(answered) => answered.answer.body,
            Err(refusal) => refusal.body().into(),
        }
    })
}

async fn executed(
    asking: &Asking<'_>,
    number: usize,
    entry: &RawValue,
    forwarded: Forwarded,
) -> Result<Answered, Refusal> {
    let traffic = &asking.gateway.traffic;
    if number > 0 {
        traffic.admit(&asking.who).await?;
    }
    let _inside = traffic.enter().await?;
    let prepared = asking.prepare(entry.get().as_bytes()).await?;
    asking.alone(prepared, forwarded).await
}

fn written(answers: &[Bytes]) -> Bytes {
    let bytes: usize = answers.iter().map(|answer| answer.len() + 1).sum();
    let mut all = Vec::with_capacity(bytes + 1);
    for answer in answers {
        all.push(if all.is_empty() { b'[' } else { b',' });
        all.extend_from_slice(answer);
    }
    all.push(b']');
    all.into()
}
