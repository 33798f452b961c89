//! What travels on from a client's request to subgraphs: named headers, a request id, `traceparent`, and (with `auth`)
//! the verified token. Nothing else. And what travels back: named headers of their answers.

mod carried;
mod rules;

pub use carried::{Carried, Field, Wanted};
pub use rules::Rules;

use std::borrow::Cow;
use std::sync::Arc;

use baedal_telemetry::TraceContext;
use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue};
use uuid::Uuid;

use self::rules::Rule;
use crate::config::NOT_OURS_TO_PASS;

/// The header with the id of a request, from the client or made here; it is in every log line and answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The certificate that a client has shown ([RFC 9440](https://www.rfc-editor.org/rfc/rfc9440)).
pub const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");
/// The header with the W3C Trace Context.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The longest request id taken from a client.
const LONGEST_ID: usize = 128;

/// Room for both ids, if they are made here.
const IDS: usize = 128;

/// The lines that travel to one subgraph only, by its name.
type Own = Arc<[(Arc<str>, Vec<u8>)]>;

/// Header fields for calls to subgraphs, as they are written.
#[derive(Debug, Clone, Default)]
pub struct Forwarded {
    /// The trace comes last.
    lines: Vec<u8>,
    /// How many bytes of them tell callers apart, where ids follow.
    of_caller: Option<usize>,
    /// Fields that travel to some subgraphs only: the subgraph, and its lines.
    own: Option<Own>,
    trace: Option<TraceContext>,
    /// Where what travels back is gathered, if anything does.
    carried: Option<Arc<Carried>>,
}

/// The id of a request: the client's, if it is short and plain, or a new one.
pub fn request_id(headers: &HeaderMap) -> HeaderValue {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    match headers.get(REQUEST_ID) {
        Some(id) if !id.is_empty() && id.len() <= LONGEST_ID && id.as_bytes().iter().all(plain) => id.clone(),
        _ => {
            let mut room = Uuid::encode_buffer();
            let id = new_id().hyphenated().encode_lower(&mut room);
            HeaderValue::from_str(id).expect("a UUID is a header value")
        }
    }
}

/// A copy of those of a request's headers that can travel on. What lives as long as a connection must not keep the buffer
/// that the request came in.
pub fn lasting(request: &HeaderMap, rules: &Rules) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for name in rules.sources().chain([&TRACEPARENT]) {
        if kept.contains_key(name) {
            continue;
        }
        for value in request.get_all(name) {
            kept.append(name, owned(value));
        }
    }
    kept
}

/// A copy of a value, without the buffer it came in.
pub fn owned(value: &HeaderValue) -> HeaderValue {
    HeaderValue::from_bytes(value.as_bytes()).expect("a header value is one")
}

/// The trace that a client's request belongs to.
pub fn trace_context(headers: &HeaderMap) -> Option<TraceContext> {
    TraceContext::parse(headers.get(TRACEPARENT)?.to_str().ok()?)
}

/// A request id for the log.
pub fn text(id: Option<&HeaderValue>) -> &str {
    id.and_then(|id| id.to_str().ok()).unwrap_or_default()
}

impl Forwarded {
    /// What travels on of a request. `authorization` is the verified token, if there is one.
    pub fn new(
        request: &HeaderMap,
        rules: &Rules,
        id: &HeaderValue,
        trace: TraceContext,
        authorization: Option<&HeaderValue>,
    ) -> Forwarded {
        Forwarded::of_caller(request, rules, authorization).with_ids(id, trace)
    }

    /// The part of it that tells callers apart: two requests that differ in it must not share anything.
    pub fn of_caller(request: &HeaderMap, rules: &Rules, authorization: Option<&HeaderValue>) -> Forwarded {
        let ours = |name: &HeaderName| {
            *name == REQUEST_ID || *name == TRACEPARENT || (*name == AUTHORIZATION && authorization.is_some())
        };
        let write = |lines: &mut Vec<u8>, rules: &[Rule]| {
            for rule in rules.iter().filter(|rule| !ours(&rule.to)) {
                for value in rule.values(request) {
                    add(lines, &rule.to, value.as_bytes());
                }
            }
        };
        let mut out = Forwarded::default();
        write(&mut out.lines, rules.all());
        if let Some(token) = authorization {
            add(&mut out.lines, &AUTHORIZATION, token.as_bytes());
        }
        if !rules.own().is_empty() {
            let own = rules.own().iter().map(|(subgraph, rules)| {
                let mut lines = Vec::new();
                write(&mut lines, rules);
                (Arc::clone(subgraph), lines)
            });
            out.own = Some(own.collect());
        }
        out
    }

    /// What another program's layers have made of it; what belongs to the connection is left out.
    pub fn of_fields(headers: &HeaderMap) -> Forwarded {
        let mut out = Forwarded::default();
        let ours = |name: &HeaderName| !NOT_OURS_TO_PASS.contains(&name.as_str());
        for (name, value) in headers.iter().filter(|(name, _)| ours(name)) {
            add(&mut out.lines, name, value.as_bytes());
        }
        out
    }

    /// The same, and what answers say is gathered there.
    pub fn carrying(mut self, carried: Option<&Arc<Carried>>) -> Forwarded {
        self.carried = carried.cloned();
        self
    }

    /// The same, to be handed on.
    pub fn gathering(&self) -> Option<Arc<Carried>> {
        self.carried.clone()
    }

    /// Where what travels back is gathered, if anything does.
    pub fn carried(&self) -> Option<&Carried> {
        self.carried.as_deref()
    }

    /// The rest: what tells requests of one caller apart.
    pub fn with_ids(mut self, id: &HeaderValue, trace: TraceContext) -> Forwarded {
        self.of_caller = Some(self.lines.len());
        self.lines.reserve_exact(IDS);
        add(&mut self.lines, &REQUEST_ID, id.as_bytes());
        add(&mut self.lines, &TRACEPARENT, &trace.header());
        self.trace = Some(trace);
        self
    }

    /// The trace that the request belongs to.
    pub fn trace(&self) -> Option<TraceContext> {
        self.trace
    }

    /// The same within another span of the trace.
    pub fn below(&self, trace: TraceContext) -> Forwarded {
        let mut below = self.clone();
        let header = trace.header();
        let end = below.lines.len() - b"\r\n".len();
        below.lines[end - header.len()..end].copy_from_slice(&header);
        below.trace = Some(trace);
        below
    }

    /// Each field with the end of its line.
    pub fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// The same of those that travel to this subgraph only.
    pub fn own_lines(&self, subgraph: &str) -> &[u8] {
        let own = self.own.iter().flat_map(|own| own.iter());
        let mut own = own.filter(|(name, _)| **name == *subgraph);
        own.next().map_or(&[], |(_, lines)| lines)
    }

    /// All that tells callers apart, before it has ids: two that differ in it must not share anything.
    pub fn identity(&self) -> Cow<'_, [u8]> {
        let Some(own) = &self.own else {
            return Cow::Borrowed(&self.lines);
        };
        let mut all = self.lines.clone();
        for (subgraph, lines) in own.iter() {
            // No line begins so: what is of one subgraph is never taken for another's.
            all.extend_from_slice(b"\n");
            all.extend_from_slice(subgraph.as_bytes());
            all.extend_from_slice(b"\n");
            all.extend_from_slice(lines);
        }
        Cow::Owned(all)
    }

    /// What this subgraph is told of the caller: all that is sent there but for the ids of the request.
    pub fn caller_lines(&self, subgraph: &str) -> [&[u8]; 2] {
        let end = self.of_caller.unwrap_or(self.lines.len());
        [&self.lines[..end], self.own_lines(subgraph)]
    }

    /// The fields, taken apart again: those for all subgraphs, and those for this one.
    pub fn fields(&self, subgraph: &str) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        read(&self.lines).chain(read(self.own_lines(subgraph)))
    }

    /// The fields that travel to any subgraph.
    pub fn all_fields(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let own = self.own.iter().flat_map(|own| own.iter());
        read(&self.lines).chain(own.flat_map(|(_, lines)| read(lines)))
    }

    /// The token that travels on.
    pub fn authorization(&self) -> Option<HeaderValue> {
        self.field(&AUTHORIZATION)
    }

    /// The request id, for the log.
    pub fn request_id(&self) -> String {
        text(self.field(&REQUEST_ID).as_ref()).to_owned()
    }

    fn field(&self, wanted: &HeaderName) -> Option<HeaderValue> {
        self.fields("")
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value)
    }
}

/// Lines, taken apart again.
fn read(lines: &[u8]) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let lines = lines.split(|byte| *byte == b'\n');
    lines.filter_map(|line| {
        let line = line.strip_suffix(b"\r")?;
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
        Some((name, value))
    })
}

/// A value holds no line break: `HeaderValue` sees to it.
fn add(lines: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    for part in [name.as_str().as_bytes(), b": ", value, b"\r\n"] {
        lines.extend_from_slice(part);
    }
}

/// Ids grow with time, so that logs sort by them; within a millisecond they need not.
fn new_id() -> Uuid {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let milliseconds = now.unwrap_or_default().as_millis();
    // 48 bits of it are used, enough for some thousand years.
    uuid::Builder::from_unix_timestamp_millis(milliseconds as u64, &rand::random()).into_uuid()
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
        let out = Forwarded::new(
            &request,
            &Rules::named(&[HeaderName::from_static("x-tenant")]),
            &HeaderValue::from_static("id"),
            TraceContext::root(1, 2, false),
            None,
        );
        let mut names: Vec<_> = out.fields("").map(|(name, _)| name.to_string()).collect();
        names.sort_unstable();
        assert_eq!(names, ["traceparent", "x-request-id", "x-tenant"]);
    }

    #[test]
    fn a_strange_request_id_or_trace_is_not_taken() {
        let mut request = HeaderMap::new();
        request.insert("x-request-id", HeaderValue::from_static("a b"));
        request.insert("traceparent", HeaderValue::from_static("00-zz-1-00"));
        assert_ne!(request_id(&request), "a b");
        assert_eq!(trace_context(&request), None);
        request.insert("x-request-id", HeaderValue::from_static("ab-1"));
        assert_eq!(request_id(&request), "ab-1");
    }

    #[test]
    fn a_call_has_a_span_of_its_own_in_the_same_trace() {
        let trace = TraceContext::root(1, 2, true);
        let id = HeaderValue::from_static("id");
        let out = Forwarded::default().with_ids(&id, trace);
        let below = out.below(trace.child(3));
        let header = below.field(&TRACEPARENT).expect("a trace");
        assert_eq!(header.to_str().expect("text"), trace.child(3).to_string());
        assert_eq!(below.request_id(), "id");
        assert_eq!(
            out.field(&TRACEPARENT).expect("a trace"),
            trace.to_string().as_str()
        );
    }
}
