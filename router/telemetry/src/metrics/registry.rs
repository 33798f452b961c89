//! All metrics of one part of a process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::counter::Counter;
use super::family::Family;
use super::gauge::Gauge;
use super::histogram::{Buckets, Histogram};
use super::metric::{Kind, Metric};
use super::page::{self, Collect, Readings, Samples};
use super::process;

/// How often a family had no room for another value of its first label.
pub const OVERFLOW: Metric = Metric::counter(
    "baedal_metrics_overflow_total",
    &["metric"],
    "Lookups counted as `other`, because the metric tells no more values of its first label apart",
);

/// Metrics, in the order they were registered. Clones are the same registry.
///
/// Several parts may live in one process, each with its own.
#[derive(Clone)]
pub struct Registry {
    entries: Arc<Mutex<Vec<Entry>>>,
    overflow: Family<Counter>,
}

struct Entry {
    metric: &'static Metric,
    values: Box<dyn Collect>,
}

/// Values that are read when the page is.
struct Reader<F>(F);

impl<F: Fn(&mut Readings<'_, '_>) + Send + Sync> Collect for Reader<F> {
    fn collect(&self, samples: &mut Samples<'_>) {
        (self.0)(&mut Readings::new(samples));
    }
}

impl Default for Registry {
    fn default() -> Registry {
        // One row per family, which are few.
        let overflow = Family::new(usize::MAX, Counter::default(), Counter::default);
        let registry = Registry {
            entries: Arc::default(),
            overflow: overflow.clone(),
        };
        registry.enter(&OVERFLOW, Kind::Counter, overflow);
        registry
    }
}

impl Registry {
    /// A registry that also tells how the process is: processor time, memory, open files.
    pub fn of_process() -> Registry {
        let registry = Registry::default();
        process::register(&registry);
        registry
    }

    /// A counter without labels.
    pub fn counter(&self, metric: &'static Metric) -> Counter {
        let counter = Counter::default();
        self.enter(metric, Kind::Counter, counter.clone());
        counter
    }

    /// Counters told apart by labels, by at most `limit` values of the first.
    pub fn counters(&self, metric: &'static Metric, limit: usize) -> Family<Counter> {
        self.family(metric, Kind::Counter, limit, Counter::default)
    }

    /// A gauge without labels.
    pub fn gauge(&self, metric: &'static Metric) -> Gauge {
        let gauge = Gauge::default();
        self.enter(metric, Kind::Gauge, gauge.clone());
        gauge
    }

    /// Gauges told apart by labels, by at most `limit` values of the first.
    pub fn gauges(&self, metric: &'static Metric, limit: usize) -> Family<Gauge> {
        self.family(metric, Kind::Gauge, limit, Gauge::default)
    }

    /// A histogram without labels.
    pub fn histogram(&self, metric: &'static Metric, buckets: Buckets) -> Histogram {
        let histogram = Histogram::new(buckets);
        self.enter(metric, Kind::Histogram, histogram.clone());
        histogram
    }

    /// Histograms told apart by labels, by at most `limit` values of the first.
    pub fn histograms(&self, metric: &'static Metric, buckets: Buckets, limit: usize) -> Family<Histogram> {
        self.family(metric, Kind::Histogram, limit, move || Histogram::new(buckets))
    }

    /// Values that `read` tells each time the page is asked for. What it reads must be at hand: it must not wait.
    pub fn read(
        &self,
        metric: &'static Metric,
        read: impl Fn(&mut Readings<'_, '_>) + Send + Sync + 'static,
    ) {
        self.enter(metric, metric.kind, Reader(read));
    }

    /// The page.
    pub fn page(&self) -> String {
        let mut page = String::with_capacity(16 * 1024);
        let entries = self.lock();
        for (at, entry) in entries.iter().enumerate() {
            let same = |other: &&Entry| other.metric.name == entry.metric.name;
            if entries[..at].iter().any(|earlier| same(&earlier)) {
                continue;
            }
            page::head(&mut page, entry.metric);
            for each in entries[at..].iter().filter(same) {
                let mut samples = Samples::of(&mut page, each.metric);
                each.values.collect(&mut samples);
            }
        }
        page
    }

    /// What was registered.
    pub fn metrics(&self) -> Vec<&'static Metric> {
        self.lock().iter().map(|entry| entry.metric).collect()
    }

    fn family<T>(
        &self,
        metric: &'static Metric,
        kind: Kind,
        limit: usize,
        make: impl Fn() -> T + Send + Sync + 'static,
    ) -> Family<T>
    where
        T: Collect + Clone + 'static,
    {
        let family = Family::new(limit, self.overflow.with(&[metric.name]), make);
        self.enter(metric, kind, family.clone());
        family
    }

    fn enter(&self, metric: &'static Metric, kind: Kind, values: impl Collect + 'static) {
        debug_assert_eq!(metric.kind, kind, "{} is declared as another kind", metric.name);
        self.lock().push(Entry {
            metric,
            values: Box::new(values),
        });
    }

    /// A poisoned lock holds whole entries: each is put in by one push.
    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
