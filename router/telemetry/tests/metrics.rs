//! The page, and the bounds of what is on it.

use std::thread;
use std::time::Duration;

use baedal_telemetry::metrics::{Buckets, Metric, OTHER, PROCESS_METRICS, Registry};

static SEEN: Metric = Metric::counter("seen_total", &["who", "how"], "Seen, with a \\ and a\nline");
static TOOK: Metric = Metric::histogram("took_seconds", &[], "Time");
static OPEN: Metric = Metric::gauge("open", &[], "Open");
static ASKED: Metric = Metric::gauge("asked", &["of"], "Asked");

fn line<'a>(page: &'a str, start: &str) -> &'a str {
    page.lines()
        .find_map(|line| line.strip_prefix(start))
        .unwrap_or_else(|| panic!("no line starts with {start}:\n{page}"))
        .trim()
}

#[test]
fn a_page_is_the_text_format() {
    let registry = Registry::default();
    registry.counters(&SEEN, 10).with(&["\"a\"\\\n", "ok"]).add(3);
    let open = registry.gauge(&OPEN);
    open.set(1.5);
    let held = open.hold();
    registry.read(&ASKED, |out| out.value(&["b"], 7.0));
    let wanted = "\
# HELP baedal_metrics_overflow_total Lookups counted as `other`, because the metric tells no more values of its first label apart
# TYPE baedal_metrics_overflow_total counter
baedal_metrics_overflow_total{metric=\"seen_total\"} 0
# HELP seen_total Seen, with a \\\\ and a\\nline
# TYPE seen_total counter
seen_total{who=\"\\\"a\\\"\\\\\\n\",how=\"ok\"} 3
# HELP open Open
# TYPE open gauge
open 2.5
# HELP asked Asked
# TYPE asked gauge
asked{of=\"b\"} 7
";
    assert_eq!(registry.page(), wanted);
    drop(held);
    assert_eq!(open.get(), 1.5);
}

#[test]
fn a_histogram_counts_below_each_bound() {
    let registry = Registry::default();
    let took = registry.histogram(&TOOK, Buckets::REQUESTS);
    for milliseconds in [0, 1, 2, 700, 60_000] {
        took.took(Duration::from_millis(milliseconds));
    }
    let page = registry.page();
    for (bound, below) in [
        ("0.0005", "1"),
        ("0.001", "2"),
        ("0.0025", "3"),
        ("0.5", "3"),
        ("1", "4"),
        ("10", "4"),
    ] {
        assert_eq!(
            line(&page, &format!("took_seconds_bucket{{le=\"{bound}\"}}")),
            below
        );
    }
    assert_eq!(line(&page, "took_seconds_bucket{le=\"+Inf\"}"), "5");
    assert_eq!(line(&page, "took_seconds_count"), "5");
    assert_eq!(line(&page, "took_seconds_sum"), "60.703");
}

#[test]
fn what_many_threads_count_is_added_up() {
    let registry = Registry::default();
    let seen = registry.counters(&SEEN, 10).with(&["a", "b"]);
    let took = registry.histogram(&TOOK, Buckets::BYTES);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    seen.inc();
                    took.observe(10);
                }
            });
        }
    });
    assert_eq!((seen.get(), took.count(), took.sum()), (8000, 8000, 80_000.0));
}

#[test]
fn a_family_tells_no_more_apart_than_it_may() {
    let registry = Registry::default();
    let seen = registry.counters(&SEEN, 3);
    for number in 0..1000 {
        seen.with(&[&number.to_string(), "ok"]).inc();
        seen.with(&[&number.to_string(), "failed"]).inc();
    }
    let page = registry.page();
    let rows = page
        .lines()
        .filter(|line| line.starts_with("seen_total{"))
        .count();
    assert_eq!(rows, 2 * (3 + 1), "{page}");
    assert_eq!(
        line(&page, &format!("seen_total{{who=\"{OTHER}\",how=\"ok\"}}")),
        "997"
    );
    assert_eq!(
        line(&page, "baedal_metrics_overflow_total{metric=\"seen_total\"}"),
        "1994"
    );
    let long = "통".repeat(1000);
    Registry::default().counters(&SEEN, 1).with(&[&long, ""]).inc();
}

#[test]
fn one_metric_of_several_owners_has_one_head() {
    let registry = Registry::default();
    registry.read(&ASKED, |out| out.value(&["a"], 1.0));
    registry.gauge(&OPEN);
    registry.read(&ASKED, |out| out.value(&["b"], 2.0));
    let page = registry.page();
    assert_eq!(page.matches("# TYPE asked gauge").count(), 1);
    assert!(page.contains("asked{of=\"a\"} 1\nasked{of=\"b\"} 2\n"), "{page}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_tells_how_it_is() {
    let page = Registry::of_process().page();
    for metric in PROCESS_METRICS {
        let value: f64 = line(&page, &format!("{} ", metric.name))
            .parse()
            .expect("a number");
        let least = if metric.name == "process_cpu_seconds_total" {
            0.0
        } else {
            1.0
        };
        assert!(value >= least, "{} is {value}", metric.name);
    }
}
