//! What operators see of the platform: its metrics, its traces, its logs, and that what hangs is started again.
mod collector;
mod metrics;
mod otlp;
mod supervised;
mod traced;
