//! Spans on their way to a collector: [OTLP](https://opentelemetry.io/docs/specs/otlp/) over HTTP, in protobuf.

mod client;
mod export;
mod message;

pub use export::{Task, export};
