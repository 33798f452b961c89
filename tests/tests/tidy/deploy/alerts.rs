//! Alerts, dashboard, and what operators read about them.
use std::collections::BTreeSet;

use serde_json::Value as Json;
use serde_norway::Value;

use super::{at, documents, list, string, text};

const RULES: &str = "deploy/prometheus/alerts.yaml";

/// All rules of all groups.
fn rules() -> Vec<Value> {
    let file = &documents(RULES)[0];
    list(file, "groups")
        .iter()
        .flat_map(|group| list(group, "rules").to_vec())
        .collect()
}

fn alerts() -> Vec<Value> {
    rules()
        .into_iter()
        .filter(|rule| at(rule, "alert").is_string())
        .collect()
}

#[test]
fn the_operator_of_prometheus_gets_the_same_rules() {
    let rule = &documents("deploy/kubernetes/components/monitoring/rules.yaml")[0];
    assert_eq!(at(rule, "spec/groups"), at(&documents(RULES)[0], "groups"));
}

#[test]
fn every_alert_says_what_to_do_where_its_runbook_points() {
    let guide = text("docs/operations.md");
    let section = guide
        .split("\n## Alerts\n")
        .nth(1)
        .and_then(|rest| rest.split("\n## ").next());
    let headings: BTreeSet<&str> = section
        .expect("a section of alerts")
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .collect();
    let alerts = alerts();
    let named: BTreeSet<&str> = alerts.iter().map(|alert| string(alert, "alert")).collect();
    assert_eq!(
        headings, named,
        "a heading for each alert, an alert for each heading"
    );
    for alert in &alerts {
        let anchor = format!("docs/operations.md#{}", string(alert, "alert").to_lowercase());
        assert_eq!(string(alert, "annotations/runbook"), anchor);
        assert!(matches!(string(alert, "labels/severity"), "page" | "ticket"));
    }
}

#[test]
fn every_alert_is_shown_to_fire() {
    let tests = &documents("deploy/prometheus/alerts.test.yaml")[0];
    let fired: BTreeSet<&str> = list(tests, "tests")
        .iter()
        .flat_map(|test| list(test, "alert_rule_test"))
        .filter(|case| !list(case, "exp_alerts").is_empty())
        .map(|case| string(case, "alertname"))
        .collect();
    for alert in alerts() {
        let name = string(&alert, "alert");
        assert!(fired.contains(name), "no unit test lets {name} fire");
    }
}

/// Names of metrics in an expression, without the suffixes of histograms.
fn metrics(expression: &str) -> Vec<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    expression
        .split(|c| !word(c))
        .filter(|name| name.starts_with("baedal") || name.starts_with("process_"))
        .map(|name| {
            let suffix = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| name.strip_suffix(end));
            suffix.unwrap_or(name).to_owned()
        })
        .filter(|name| name != "baedal")
        .collect()
}

#[test]
fn every_metric_that_is_looked_at_is_one_that_is_told() {
    let told = text("docs/metrics.md");
    let recorded: BTreeSet<String> = rules()
        .iter()
        .filter_map(|rule| at(rule, "record").as_str().map(str::to_owned))
        .collect();
    let dashboard: Json = serde_json::from_str(&text("deploy/grafana/baedal.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let shown = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let mut expressions: Vec<String> = shown
        .filter_map(|target| Some(target["expr"].as_str()?.to_owned()))
        .collect();
    assert!(expressions.len() > 10, "the dashboard shows something");
    expressions.extend(rules().iter().map(|rule| string(rule, "expr").to_owned()));
    expressions.push(text("deploy/kubernetes/components/consumer-lag/adapter.yaml"));
    for name in expressions.iter().flat_map(|expression| metrics(expression)) {
        let known = recorded.contains(&name) || told.contains(&format!("`{name}`"));
        assert!(known, "{name} is in no rule and not in docs/metrics.md");
    }
}

#[test]
fn panels_have_numbers_of_their_own_and_a_meaning() {
    let dashboard: Json = serde_json::from_str(&text("deploy/grafana/baedal.json")).expect("JSON");
    let mut seen = BTreeSet::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        assert!(seen.insert(panel["id"].as_u64().expect("a number")), "{panel}");
        let is_row = panel["type"] == "row";
        assert!(
            is_row || panel["description"].as_str().is_some_and(|text| !text.is_empty()),
            "{panel}"
        );
    }
}
