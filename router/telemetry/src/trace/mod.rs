//! Traces: which work was done for which request, through all processes.
//!
//! A [`TraceContext`] travels with calls and events ([W3C Trace Context](https://www.w3.org/TR/trace-context/)); a
//! [`Span`] is one piece of work in it; a [`Tracer`] hands spans that are sampled to a collector, and does nothing if
//! there is none.

mod context;
mod sampler;
mod settings;
mod span;
mod tracer;

pub use context::TraceContext;
pub use sampler::Sampler;
pub use settings::{Settings, SettingsError};
pub use span::{Kind, Span, Value};
pub use tracer::{METRICS, Tracer};

pub(crate) use span::Record;
