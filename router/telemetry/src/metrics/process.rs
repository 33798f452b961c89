//! What the system knows of this process: on Linux; elsewhere these metrics have no values.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use super::metric::Metric;
use super::registry::Registry;

/// All of them, named as Prometheus' own client libraries name them.
pub const METRICS: [&Metric; 5] = [&CPU, &MEMORY, &FILES, &THREADS, &STARTED];

static CPU: Metric = Metric::counter(
    "process_cpu_seconds_total",
    &[],
    "Processor time the process has used, in seconds",
);
static MEMORY: Metric = Metric::gauge(
    "process_resident_memory_bytes",
    &[],
    "Memory of the process that is in RAM",
);
static FILES: Metric = Metric::gauge(
    "process_open_fds",
    &[],
    "Open files and connections of the process",
);
static THREADS: Metric = Metric::gauge("process_threads", &[], "Threads of the process");
static STARTED: Metric = Metric::gauge(
    "process_start_time_seconds",
    &[],
    "When the process began to tell metrics, in seconds since 1970",
);

/// Ticks of a second in `/proc/self/stat`: the same for every Linux that is built today (proc(5)).
const TICKS: f64 = 100.0;

pub(super) fn register(registry: &Registry) {
    let read = |metric, value: fn() -> Option<f64>| {
        registry.read(metric, move |out| {
            if let Some(value) = value() {
                out.value(&[], value);
            }
        });
    };
    read(&CPU, cpu_seconds);
    read(&MEMORY, || Some(status("VmRSS:")? * 1024.0));
    read(&FILES, open_files);
    read(&THREADS, || status("Threads:"));
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    registry.read(&STARTED, move |out| out.value(&[], since.as_secs_f64()));
}

/// User and system time are the 14th and 15th fields; the second may hold spaces, and ends with the last bracket.
fn cpu_seconds() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, after_name) = text.rsplit_once(") ")?;
    let mut times = after_name.split(' ').skip(11);
    let mut time = || times.next()?.parse::<f64>().ok();
    Some((time()? + time()?) / TICKS)
}

fn status(key: &str) -> Option<f64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

fn open_files() -> Option<f64> {
    Some(fs::read_dir("/proc/self/fd").ok()?.count() as f64)
}
