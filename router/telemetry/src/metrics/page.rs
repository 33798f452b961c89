//! The text that is read: one block per metric, one line per value.

use std::fmt::Write;

use super::metric::Metric;

/// The content type of the page.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Something that knows values of one metric.
pub(super) trait Collect: Send + Sync {
    fn collect(&self, samples: &mut Samples<'_>);
}

/// Lines of one metric, being written.
pub(super) struct Samples<'a> {
    page: &'a mut String,
    metric: &'static Metric,
    /// `name="value",…` of the line's own labels.
    labels: String,
}

/// Values that are asked for when the page is read.
pub struct Readings<'a, 'b>(&'a mut Samples<'b>);

/// Begins the block of a metric.
pub(super) fn head(page: &mut String, metric: &Metric) {
    let help = metric.help.replace('\\', "\\\\").replace('\n', "\\n");
    // Writing to a string does not fail, here and below.
    let _ = writeln!(page, "# HELP {} {help}", metric.name);
    let _ = writeln!(page, "# TYPE {} {}", metric.name, metric.kind.word());
}

impl<'a> Samples<'a> {
    pub fn of(page: &'a mut String, metric: &'static Metric) -> Samples<'a> {
        Samples {
            page,
            metric,
            labels: String::new(),
        }
    }

    /// The following values are of these labels. One that is empty is left out, which means the same.
    /// <https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels>
    pub fn label<V: AsRef<str>>(&mut self, values: &[V]) {
        debug_assert_eq!(values.len(), self.metric.labels.len(), "{}", self.metric.name);
        self.labels.clear();
        let given = |(_, value): &(&&str, &V)| !value.as_ref().is_empty();
        for (name, value) in self.metric.labels.iter().zip(values).filter(given) {
            if !self.labels.is_empty() {
                self.labels.push(',');
            }
            let _ = write!(self.labels, "{name}=\"");
            escape(&mut self.labels, value.as_ref());
            self.labels.push('"');
        }
    }

    pub fn plain(&mut self, value: f64) {
        self.line("", None, value);
    }

    pub fn bucket(&mut self, bound: Option<f64>, below: u64) {
        let bound = bound.map_or_else(|| "+Inf".to_owned(), |bound| bound.to_string());
        self.line("_bucket", Some(&bound), below as f64);
    }

    pub fn sum_and_count(&mut self, sum: f64, count: u64) {
        self.line("_sum", None, sum);
        self.line("_count", None, count as f64);
    }

    fn line(&mut self, suffix: &str, bound: Option<&str>, value: f64) {
        let Samples { page, metric, labels } = self;
        let _ = write!(page, "{}{suffix}", metric.name);
        let comma = if labels.is_empty() { "" } else { "," };
        let _ = match bound {
            Some(bound) => write!(page, "{{{labels}{comma}le=\"{bound}\"}}"),
            None if labels.is_empty() => Ok(()),
            None => write!(page, "{{{labels}}}"),
        };
        let _ = writeln!(page, " {value}");
    }
}

impl<'a, 'b> Readings<'a, 'b> {
    pub(super) fn new(samples: &'a mut Samples<'b>) -> Self {
        Readings(samples)
    }

    /// The value for these labels, in the order of the metric's declaration.
    pub fn value(&mut self, labels: &[&str], value: f64) {
        self.0.label(labels);
        self.0.plain(value);
    }
}

fn escape(out: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
}
