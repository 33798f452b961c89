//! One request, from its head to its answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use baedal_executor::Answer;
use baedal_telemetry::trace::Kind;
use baedal_telemetry::{Span, TraceContext};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::operation::Told;
use super::{Observer, access};
use crate::errors::Refusal;
use crate::forward;
use crate::gateway::Gateway;

/// An answer, and what is told of it.
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// What was asked, and how it was answered.
    pub told: Told,
}

impl Answered {
    /// How many parts of it came from the response cache.
    pub fn cached_parts(&self) -> u64 {
        self.told.parts.as_ref().map_or(0, |parts| parts.sum().hits)
    }
}

/// A request under way. Dropped without [`Watch::end`], its client went away.
pub struct Watch {
    gateway: Arc<Gateway>,
    start: Instant,
    span: Span,
}

impl Watch {
    /// A request has come.
    pub fn begin(gateway: &Arc<Gateway>, headers: &HeaderMap) -> Watch {
        let observer = &gateway.observer;
        observer.begun.inc();
        Watch {
            span: observer
                .tracer
                .begin("request", Kind::Server, forward::trace_context(headers)),
            start: Instant::now(),
            gateway: Arc::clone(gateway),
        }
    }

    /// The trace that subgraphs are told.
    pub fn context(&self) -> TraceContext {
        self.span.context()
    }

    /// The request is answered.
    pub fn end(mut self, id: &HeaderValue, status: StatusCode, outcome: &Result<Answered, Refusal>) {
        let took = self.start.elapsed();
        let gateway = Arc::clone(&self.gateway);
        let observer = &gateway.observer;
        let codes = observer.count(gateway.contract(), outcome, took);
        if self.span.is_kept() {
            self.tell(id, status, outcome);
        }
        let ended = access::Ended {
            id: forward::text(Some(id)),
            status: status.as_u16(),
            took,
            codes: &codes,
        };
        let log = &gateway.config.log;
        if log.access {
            access::log(&ended, outcome);
        }
        match (&log.slow, outcome) {
            (Some(limit), Ok(answered)) if took > *limit => {
                observer.slow.with(&[gateway.contract()]).inc();
                access::log_slow(&ended, answered);
            }
            _ => {}
        }
    }

    fn tell(&mut self, id: &HeaderValue, status: StatusCode, outcome: &Result<Answered, Refusal>) {
        let span = &mut self.span;
        span.set("http.response.status_code", i64::from(status.as_u16()));
        span.set("baedal.request_id", forward::text(Some(id)).to_owned());
        match outcome {
            Ok(Answered { answer, told }) => {
                span.rename(told.operation.name.to_string());
                span.set("graphql.operation.name", told.operation.name.to_string());
                if answer.errors > 0 {
                    span.fail("answered with errors");
                }
            }
            Err(refusal) => span.fail(refusal.code.name()),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.gateway.observer.ended.inc();
    }
}

impl Observer {
    /// Counts an outcome; returns the codes of its errors.
    fn count(&self, contract: &str, outcome: &Result<Answered, Refusal>, took: Duration) -> Vec<String> {
        match outcome {
            Ok(Answered { answer, told }) => {
                self.per_request.observe(answer.calls as u64);
                self.bytes.observe(answer.body.len() as u64);
                if answer.errors == 0 {
                    told.operation.ok.took(took);
                    return Vec::new();
                }
                told.operation.error.took(took);
                self.count_errors(contract, &answer.body)
            }
            Err(refusal) => {
                self.refused(contract, refusal);
                self.requests.with(&["none", "refused", contract]).took(took);
                vec![refusal.code.name().to_owned()]
            }
        }
    }

    /// Counts a refusal of a contract's endpoint.
    pub fn refused(&self, contract: &str, refusal: &Refusal) {
        self.refusals.with(&[refusal.code.name(), contract]).inc();
    }

    /// Counts a part of an answer (if it has several: whether it is the first), and its errors.
    pub fn count_part(&self, contract: &str, body: &Bytes, is_first: Option<bool>) {
        if let Some(is_first) = is_first {
            let part = if is_first { "first" } else { "later" };
            self.parts.with(&[part]).inc();
        }
        if memchr::memmem::find(body, b"\"errors\":").is_some() {
            self.count_errors(contract, body);
        }
    }

    /// Counts the errors of an answer by their codes.
    pub fn count_errors(&self, contract: &str, body: &Bytes) -> Vec<String> {
        let codes = access::codes(body);
        for code in &codes {
            self.errors.with(&[code, contract]).inc();
        }
        codes
    }
}
