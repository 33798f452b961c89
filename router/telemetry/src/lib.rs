//! What a process tells about itself: [`metrics`] for a Prometheus server, [`trace`]s for an OpenTelemetry collector,
//! [`logs`] for people, [`vitals`] for whoever restarts what hangs.
//!
//! Its duty ends at the value: it knows no metric's meaning, no service and no route. Whoever has something to tell keeps
//! a handle ([`metrics::Counter`], [`trace::Span`], [`vitals::Pulse`]) and whoever has a port shows the page.
//!
//! What is touched by every request costs nothing but a few additions to memory that no other thread writes: handles
//! are looked up once, counters are kept apart by thread and added up when somebody asks, and a span that nobody samples
//! is a few numbers on the stack.

pub mod logs;
pub mod metrics;
mod otlp;
pub mod trace;
pub mod vitals;

pub use metrics::Registry;
pub use trace::{Span, TraceContext, Tracer};
pub use vitals::Vitals;
