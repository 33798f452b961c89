//! What a metric is called, and what it means.

/// How a metric's values behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, until the process ends.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How often values fell into which bucket.
    Histogram,
}

impl Kind {
    /// The word of the text format.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

/// A metric's declaration: a constant, so that the lists of all metrics in the documentation can be made from it.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name, by the [conventions](https://prometheus.io/docs/practices/naming/): base units, `_total` for counters.
    pub name: &'static str,
    /// One sentence for people.
    pub help: &'static str,
    /// How its values behave.
    pub kind: Kind,
    /// The names of its labels. The first may have many values (and is bounded), the others come from small fixed sets.
    pub labels: &'static [&'static str],
}

impl Metric {
    /// Something counted.
    pub const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
        Metric {
            name,
            help,
            kind: Kind::Counter,
            labels,
        }
    }

    /// Something that is so and so much now.
    pub const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
        Metric {
            name,
            help,
            kind: Kind::Gauge,
            labels,
        }
    }

    /// Something whose distribution matters.
    pub const fn histogram(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Metric {
        Metric {
            name,
            help,
            kind: Kind::Histogram,
            labels,
        }
    }
}
