//! `docs/metrics.md` names every metric there is, and no other.
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use baedal_telemetry::metrics::{Metric, OVERFLOW, PROCESS_METRICS};
use baedal_telemetry::trace;

/// Who tells what, in the order of the page.
fn sections() -> Vec<(&'static str, Vec<&'static Metric>)> {
    let everybody = [&OVERFLOW_METRIC]
        .into_iter()
        .chain(PROCESS_METRICS)
        .chain(trace::METRICS);
    vec![
        ("The gateway (`metrics.listen`)", baedal_router::METRICS.into()),
        (
            "Every service (its own port)",
            baedal_kit::telemetry::metrics::METRICS.into(),
        ),
        ("Order, besides", baedal_order::METRICS.into()),
        (
            "The auth server (`--metrics-listen`)",
            baedal_auth::METRICS.into(),
        ),
        ("Every process", everybody.collect()),
    ]
}

static OVERFLOW_METRIC: Metric = OVERFLOW;

const HEAD: &str = "\
# Metrics

Every process shows its metrics as text for Prometheus at `/metrics`: a service on its own port, which only the gateway should reach;
the gateway and the auth server, which everybody reaches, on an address of their own that must be given
([gateway](gateway/observability.md), [running.md](running.md)). Labels are bounded: the first label of a metric tells only
so many values apart, and counts all others as `other` (`baedal_metrics_overflow_total` tells when that happens).

This page is made from the code: `UPDATE_DOCS=1 cargo test -p baedal-tests --test main observe::metrics` writes it anew.
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for (who, metrics) in sections() {
        let _ = write!(
            page,
            "\n## {who}\n\n| metric | kind | labels | |\n|---|---|---|---|\n"
        );
        for metric in metrics {
            let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
            let (name, kind, help) = (metric.name, metric.kind.word(), metric.help);
            let _ = writeln!(page, "| `{name}` | {kind} | {} | {help} |", labels.join(", "));
        }
    }
    page
}

#[test]
fn the_list_of_metrics_is_fresh() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, page()).expect("written");
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == page(),
        "docs/metrics.md is stale: run UPDATE_DOCS=1 cargo test -p baedal-tests --test main observe::metrics"
    );
}

#[test]
fn names_follow_the_conventions_and_mean_one_thing() {
    let mut seen = BTreeSet::new();
    for metric in sections().into_iter().flat_map(|(_, metrics)| metrics) {
        let plain = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(metric.name.chars().all(plain), "{}", metric.name);
        let counter = metric.kind.word() == "counter";
        assert_eq!(metric.name.ends_with("_total"), counter, "{}", metric.name);
        assert!(
            !metric.help.is_empty() && !metric.help.ends_with('.'),
            "{}",
            metric.name
        );
        let told = (metric.name, metric.kind.word(), metric.labels);
        let again = seen
            .iter()
            .find(|(name, ..): &&(&str, &str, &[&str])| *name == metric.name);
        assert!(
            again.is_none_or(|again| *again == told),
            "{} means two things",
            metric.name
        );
        seen.insert(told);
    }
}
