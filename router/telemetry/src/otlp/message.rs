//! The messages of
//! [trace.proto](https://github.com/open-telemetry/opentelemetry-proto/blob/v1.7.0/opentelemetry/proto/trace/v1/trace.proto)
//! that are sent; what is never filled in is left out, as protobuf allows.

use prost::{Message, Oneof};

use crate::trace::{Kind, Record, Value};

#[derive(Message)]
pub struct Request {
    #[prost(message, repeated, tag = "1")]
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Message)]
struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Message)]
struct ScopeSpans {
    #[prost(message, optional, tag = "1")]
    scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

#[derive(Message)]
struct Scope {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    version: String,
}

#[derive(Message)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(int32, tag = "6")]
    kind: i32,
    #[prost(fixed64, tag = "7")]
    start_time_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    end_time_unix_nano: u64,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
    #[prost(message, optional, tag = "15")]
    status: Option<Status>,
    #[prost(fixed32, tag = "16")]
    flags: u32,
}

#[derive(Message)]
struct Status {
    #[prost(string, tag = "2")]
    message: String,
    #[prost(int32, tag = "3")]
    code: i32,
}

#[derive(Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Message)]
struct AnyValue {
    #[prost(oneof = "Any", tags = "1, 2, 3")]
    value: Option<Any>,
}

#[derive(Oneof)]
enum Any {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(bool, tag = "2")]
    Flag(bool),
    #[prost(int64, tag = "3")]
    Number(i64),
}

/// `STATUS_CODE_ERROR`.
const ERROR: i32 = 2;

impl Request {
    /// One request for many spans of one service.
    pub fn of(service: &str, spans: Vec<Record>) -> Request {
        let scope = Scope {
            name: "baedal".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let named = |(key, value)| key_value(key, Value::Text(value));
        let process = i64::from(std::process::id());
        let mut attributes: Vec<KeyValue> = [
            ("service.name", service.to_owned().into()),
            ("service.version", env!("CARGO_PKG_VERSION").into()),
            ("telemetry.sdk.name", "baedal".into()),
            ("telemetry.sdk.language", "rust".into()),
        ]
        .map(named)
        .into();
        attributes.push(key_value("process.pid", Value::Number(process)));
        Request {
            resource_spans: vec![ResourceSpans {
                resource: Some(Resource { attributes }),
                scope_spans: vec![ScopeSpans {
                    scope: Some(scope),
                    spans: spans.into_iter().map(span).collect(),
                }],
            }],
        }
    }
}

fn span(record: Record) -> Span {
    let attributes = record.attributes.into_iter();
    Span {
        trace_id: record.context.trace().to_be_bytes().to_vec(),
        span_id: record.context.span().to_be_bytes().to_vec(),
        parent_span_id: record
            .parent
            .map_or_else(Vec::new, |id| id.to_be_bytes().to_vec()),
        name: record.name.into_owned(),
        kind: match record.kind {
            Kind::Internal => 1,
            Kind::Server => 2,
            Kind::Client => 3,
            Kind::Producer => 4,
            Kind::Consumer => 5,
        },
        start_time_unix_nano: record.start,
        end_time_unix_nano: record.end,
        attributes: attributes.map(|(key, value)| key_value(key, value)).collect(),
        status: record.failure.map(|why| Status {
            message: why.into_owned(),
            code: ERROR,
        }),
        flags: u32::from(record.context.sampled()),
    }
}

fn key_value(key: &str, value: Value) -> KeyValue {
    let value = match value {
        Value::Text(text) => Any::Text(text.into_owned()),
        Value::Number(number) => Any::Number(number),
        Value::Flag(flag) => Any::Flag(flag),
    };
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
    }
}
