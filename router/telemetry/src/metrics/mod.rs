//! Metrics, and the page on which a Prometheus server reads them
//! ([text format](https://prometheus.io/docs/instrumenting/exposition_formats/), version 0.0.4).

mod counter;
mod family;
mod gauge;
mod histogram;
mod metric;
mod page;
mod process;
mod registry;
mod stripes;

pub use counter::Counter;
pub use family::{Family, OTHER};
pub use gauge::{Gauge, Held};
pub use histogram::{Buckets, Histogram};
pub use metric::{Kind, Metric};
pub use page::{CONTENT_TYPE, Readings};
pub use process::METRICS as PROCESS_METRICS;
pub use registry::{OVERFLOW, Registry};
