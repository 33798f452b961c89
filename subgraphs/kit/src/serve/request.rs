//! What is told of one request: a span, a line of metrics, and the request id that its log lines and answer bear.

use crate::{
    clock::{Ids, SystemIds},
    telemetry::Telemetry,
};
use async_graphql::{
    Request, Response as Answer,
    parser::types::{OperationType, Selection},
};
use axum::{
    http::{HeaderMap, HeaderValue},
    response::Response,
};
use baedal_telemetry::{Span, TraceContext, metrics::Held, trace::Kind};
use std::time::Instant;

/// The header with the id of a request.
const REQUEST_ID: &str = "x-request-id";
/// The longest id that is taken over.
const LONGEST_ID: usize = 128;

/// A request under way.
pub(super) struct Work {
    telemetry: Telemetry,
    span: Span,
    start: Instant,
    request_id: String,
    operation: String,
    outcome: &'static str,
    _in_flight: Held,
}

impl Work {
    pub fn begin(telemetry: &Telemetry, headers: &HeaderMap) -> Work {
        Work {
            span: telemetry.begin("request", Kind::Server, trace_context(headers)),
            start: Instant::now(),
            request_id: request_id(headers),
            operation: "none".to_owned(),
            outcome: "refused",
            _in_flight: telemetry.in_flight().hold(),
            telemetry: telemetry.clone(),
        }
    }

    /// The trace this request belongs to.
    pub fn context(&self) -> TraceContext {
        self.span.context()
    }

    /// What every log line of this request bears.
    pub fn log_fields(&self) -> tracing::Span {
        tracing::info_span!("request", request_id = self.request_id)
    }

    /// The operation is known.
    pub fn read(&mut self, request: &mut Request) {
        self.operation = operation(request);
    }

    /// The operation was executed.
    pub fn executed(&mut self, answer: &Answer) {
        self.outcome = if answer.errors.is_empty() { "ok" } else { "error" };
    }

    /// The request is answered.
    pub fn end(mut self, mut response: Response) -> Response {
        let status = response.status();
        self.telemetry
            .answered(&self.operation, self.outcome, self.start.elapsed());
        if self.span.is_kept() {
            self.span.rename(self.operation.clone());
            self.span
                .set("http.response.status_code", i64::from(status.as_u16()));
            self.span.set("baedal.request_id", self.request_id.clone());
            if self.outcome != "ok" {
                self.span.fail(self.outcome);
            }
        }
        if let Ok(value) = HeaderValue::from_str(&self.request_id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        response
    }
}

pub(super) fn trace_context(headers: &HeaderMap) -> Option<TraceContext> {
    let value = headers.get(TraceContext::HEADER)?.to_str().ok()?;
    TraceContext::parse(value)
}

/// The caller's id, if it is short and plain, or a new one.
fn request_id(headers: &HeaderMap) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    match given {
        Some(id) if !id.is_empty() && id.len() <= LONGEST_ID && id.bytes().all(plain) => id.to_owned(),
        _ => SystemIds.next().to_string(),
    }
}

/// Kind and first root field: `mutation placeOrder`. The document is read once; its execution uses the same reading.
fn operation(request: &mut Request) -> String {
    let wanted = request.operation_name.clone();
    let Ok(document) = request.parsed_query() else {
        return "unreadable".to_owned();
    };
    let mut operations = document.operations.iter();
    let found = match &wanted {
        Some(name) => operations.find(|(known, _)| known.is_some_and(|known| known.as_str() == name)),
        None => operations.next(),
    };
    let Some((_, operation)) = found else {
        return "unknown".to_owned();
    };
    let kind = match operation.node.ty {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    };
    let selections = operation.node.selection_set.node.items.iter();
    let mut first = selections.filter_map(|selection| match &selection.node {
        Selection::Field(field) => Some(field.node.name.node.as_str()),
        _ => None,
    });
    match first.next() {
        Some(field) => format!("{kind} {field}"),
        None => kind.to_owned(),
    }
}
