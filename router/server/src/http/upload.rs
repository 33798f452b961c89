//! A POST with files: `multipart/form-data` (`uploads` in the configuration). Such a body a form of any web page can send,
//! so it must bear a header that none can.

use std::sync::Arc;

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts as Head;
use uuid::Uuid;

use super::asking::Asking;
use super::csrf;
use super::intake::{RequestBody, drain};
use crate::config::UploadsConfig;
use crate::errors::{Code, Refusal};
use crate::forward::Forwarded;
use crate::gateway::Gateway;
use crate::observe::Answered;
use crate::pipeline::{self, Delivery, Prepared};
use crate::request;
use crate::upload::{self, Coming, Files, Malformed, Misplaced, Parts, Piece, Sender};

/// What names the parts before the files.
const OPERATIONS: &str = "operations";
const MAP: &str = "map";

/// Whether a request may have files.
pub fn is_upload(gateway: &Gateway, headers: &HeaderMap) -> bool {
    gateway.config.uploads.enabled && upload::boundary(content_type(headers)).is_some()
}

fn content_type(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE);
    value.and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Answers it.
pub async fn answer<B: RequestBody>(
    asking: &Asking<'_>,
    head: &Head,
    body: B,
    forwarded: Forwarded,
) -> Result<Answered, Refusal> {
    csrf::check_form(&head.headers, &asking.gateway.config.csrf)?;
    if head
        .headers
        .get(CONTENT_ENCODING)
        .is_some_and(|coding| coding != "identity")
    {
        let text = "send a request with files as it is, without `Content-Encoding`";
        return Err(Refusal::new(Code::UnsupportedMediaType, text));
    }
    let boundary = upload::boundary(content_type(&head.headers)).unwrap_or_default();
    let mut parts = Parts::new(body, boundary);
    let within = asking.gateway.config.uploads.timeout;
    let answering = answer_parts(asking, &mut parts, forwarded);
    let answered = match tokio::time::timeout(within, answering).await {
        Ok(answered) => answered,
        Err(_) => {
            let text = "the request with its files did not come and end in time (uploads.timeout)";
            return Err(Refusal::new(Code::BodyTooSlow, text));
        }
    };
    // Who still sends would not read the answer.
    drain(parts.rest().as_mut()).await;
    answered
}

async fn answer_parts<B: RequestBody>(
    asking: &Asking<'_>,
    parts: &mut Parts<B>,
    forwarded: Forwarded,
) -> Result<Answered, Refusal> {
    let gateway = asking.gateway;
    let limits = &gateway.config.limits;
    let operations = field(parts, OPERATIONS, limits.body_bytes).await?;
    let mut asked = request::from_json(&operations, limits)?;
    let map = field(parts, MAP, limits.body_bytes).await?;
    let token = format!("file {} ", Uuid::from_bytes(rand::random()).simple());
    let files = Files::read(&map, gateway.config.uploads.files, token).map_err(misplaced)?;
    let names = files.mark(&mut asked.variables).map_err(misplaced)?;
    let (prepared, _) = pipeline::prepare_asked(gateway, asking.who, asked, Delivery::Whole).await?;
    super::asking::check_kind(prepared.kind(), false)?;
    let taker = upload::taker(prepared.program().plan(), &names)?;
    let _inside = gateway.traffic.enter().await?;
    let Some(taker) = taker else {
        // Nobody takes them.
        return asking.alone(prepared, forwarded).await;
    };
    let fields = Expected::of(&files);
    let (sender, coming) = Coming::new(files);
    let executing = execute(asking, prepared, forwarded, (taker, coming));
    let mut executing = std::pin::pin!(executing);
    let passing = pass_on(parts, gateway, fields, sender);
    tokio::select! {
        // A subgraph may answer before it has read everything.
        answered = &mut executing => answered,
        passed = passing => {
            passed?;
            executing.await
        }
    }
}

/// In a task of its own: when all files have come, a mutation goes on without its client.
async fn execute(
    asking: &Asking<'_>,
    mut prepared: Prepared,
    forwarded: Forwarded,
    files: (usize, Coming),
) -> Result<Answered, Refusal> {
    prepared.refer_to(asking.ids.request);
    let forwarded = asking.ids.complete(forwarded);
    let told = prepared.told();
    let gateway = Arc::clone(asking.gateway);
    let running = asking
        .gateway
        .tasks
        .spawn(async move { prepared.run_with_files(&gateway, &forwarded, files).await });
    let answer = running.await.map_err(|stopped| {
        tracing::error!("a request with files did not end: {stopped}");
        Refusal::new(Code::Internal, "the gateway failed to run this request")
    })?;
    Ok(Answered { answer, told })
}

/// The whole of the next part, which must be this.
async fn field<B: RequestBody>(
    parts: &mut Parts<B>,
    name: &str,
    limit: usize,
) -> Result<bytes::Bytes, Refusal> {
    let part = parts.next().await.map_err(malformed)?;
    if part.is_none_or(|part| part.name != name) {
        let text = format!(
            "the part `{name}` is missing or not in its place: first `operations`, then `map`, then files"
        );
        return Err(invalid(text));
    }
    let whole = parts.whole(limit).await.map_err(malformed)?;
    whole.ok_or_else(|| {
        let text = format!("the part `{name}` is larger than {limit} bytes (limits.body_bytes)");
        Refusal::new(Code::BodyTooLarge, text)
    })
}

/// Files that did not come yet.
struct Expected(std::collections::BTreeSet<String>);

impl Expected {
    fn of(files: &Files) -> Expected {
        Expected(files.names().map(str::to_owned).collect())
    }

    fn came(&mut self, name: &str) -> Result<(), Refusal> {
        match self.0.remove(name) {
            true => Ok(()),
            false => Err(invalid(format!(
                "the file `{name}` is not in `map`, or came before"
            ))),
        }
    }

    fn none_is_missing(&self) -> Result<(), Refusal> {
        match self.0.first() {
            None => Ok(()),
            Some(name) => Err(invalid(format!("the file `{name}` of `map` did not come"))),
        }
    }
}

/// Passes all files on, within their bounds. When nobody takes them any more, the answer is already there.
async fn pass_on<B: RequestBody>(
    parts: &mut Parts<B>,
    gateway: &Gateway,
    mut expected: Expected,
    sender: Sender,
) -> Result<(), Refusal> {
    let mut total = 0;
    while let Some(part) = parts.next().await.map_err(malformed)? {
        expected.came(&part.name)?;
        let name = part.name.clone();
        if sender.send(Piece::Part(part)).await.is_err() {
            return Ok(());
        }
        let mut bytes = 0;
        while let Some(data) = parts.data().await.map_err(malformed)? {
            let length = data.len() as u64;
            (bytes, total) = (bytes + length, total + length);
            gateway.observer.uploaded.add(length);
            check_bounds(&gateway.config.uploads, &name, bytes, total)?;
            if sender.send(Piece::Data(data)).await.is_err() {
                return Ok(());
            }
        }
    }
    expected.none_is_missing()?;
    // It may have been answered just now.
    let _ = sender.send(Piece::End).await;
    Ok(())
}

fn check_bounds(config: &UploadsConfig, name: &str, bytes: u64, total: u64) -> Result<(), Refusal> {
    let over = [
        (
            bytes,
            config.file_bytes,
            "file_bytes",
            format!("the file `{name}` is"),
        ),
        (
            total,
            config.total_bytes,
            "total_bytes",
            "the files together are".to_owned(),
        ),
    ];
    match over.into_iter().find(|(found, most, ..)| found > most) {
        None => Ok(()),
        Some((_, most, key, what)) => {
            let text = format!("{what} larger than {most} bytes (uploads.{key})");
            Err(Refusal::new(Code::UploadTooLarge, text))
        }
    }
}

fn malformed(error: Malformed) -> Refusal {
    invalid(error.to_string())
}

fn misplaced(error: Misplaced) -> Refusal {
    match error {
        Misplaced::TooMany(_) => Refusal::new(Code::UploadTooLarge, error.to_string()),
        _ => invalid(error.to_string()),
    }
}

fn invalid(why: String) -> Refusal {
    let text = format!("this is no GraphQL multipart request: {why}");
    Refusal::new(Code::UploadInvalid, text)
}
