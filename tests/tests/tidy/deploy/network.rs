//! Who may reach whom in Kubernetes: nobody but those who must.
use std::collections::BTreeSet;

use serde_norway::Value;

use super::{PARTS, at, documents, list, string};

fn policies() -> Vec<Value> {
    documents("deploy/kubernetes/base/network.yaml")
}

fn policy(part: &str) -> Value {
    let found = policies()
        .into_iter()
        .find(|policy| string(policy, "metadata/name") == part);
    found.unwrap_or_else(|| panic!("{part} has no network policy"))
}

/// Who is meant by a peer: a part, or `namespace/NAME`.
fn peer(peer: &Value) -> String {
    let part = at(peer, "podSelector/matchLabels").get("app.kubernetes.io/name");
    if let Some(name) = part.and_then(Value::as_str) {
        return name.to_owned();
    }
    let namespace = at(peer, "namespaceSelector/matchLabels")
        .get("kubernetes.io/metadata.name")
        .and_then(Value::as_str);
    format!("namespace/{}", namespace.expect("a part or a namespace"))
}

/// Pairs of who and which port, of a direction of a policy.
fn pairs(policy: &Value, rules: &str, peers: &str) -> BTreeSet<(String, u64)> {
    let mut pairs = BTreeSet::new();
    for rule in list(policy, rules) {
        assert!(
            !list(rule, peers).is_empty() && !list(rule, "ports").is_empty(),
            "everybody: {rule:?}"
        );
        for who in list(rule, peers) {
            for port in list(rule, "ports") {
                pairs.insert((peer(who), at(port, "port").as_u64().expect("a port")));
            }
        }
    }
    pairs
}

fn may_reach(part: &str) -> BTreeSet<(String, u64)> {
    pairs(&policy(part), "spec/ingress", "from")
}

fn reaches(part: &str) -> BTreeSet<(String, u64)> {
    pairs(&policy(part), "spec/egress", "to")
}

fn set(pairs: &[(&str, u64)]) -> BTreeSet<(String, u64)> {
    pairs
        .iter()
        .map(|(who, port)| ((*who).to_owned(), *port))
        .collect()
}

#[test]
fn nothing_is_allowed_by_default() {
    let denied = policy("default-deny");
    assert!(
        at(&denied, "spec/podSelector")
            .as_mapping()
            .is_some_and(|all| all.is_empty())
    );
    let types: Vec<&str> = list(&denied, "spec/policyTypes")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(types, ["Ingress", "Egress"]);
    assert!(at(&denied, "spec/ingress").is_null() && at(&denied, "spec/egress").is_null());
    assert_eq!(
        policies().len(),
        PARTS.len() + 2,
        "one for each part, one for names, and this one"
    );
}

#[test]
fn only_the_gateway_reaches_subgraphs_and_only_order_payments_grpc() {
    let monitoring = "namespace/monitoring";
    assert_eq!(may_reach("order"), set(&[("gateway", 4011), (monitoring, 4011)]));
    assert_eq!(may_reach("store"), set(&[("gateway", 4013), (monitoring, 4013)]));
    assert_eq!(
        may_reach("marketing"),
        set(&[("gateway", 4014), (monitoring, 4014)])
    );
    assert_eq!(
        may_reach("payment"),
        set(&[("gateway", 4012), (monitoring, 4012), ("order", 4022)])
    );
}

#[test]
fn services_reach_their_stores_their_log_and_the_keys() {
    let (stores, traces) = ("namespace/baedal-stores", ("namespace/monitoring", 4318));
    let common = [("auth", 4001), (stores, 9092), traces];
    let with = |more: &[(&'static str, u64)]| set(&[&common, more].concat());
    assert_eq!(reaches("order"), with(&[(stores, 27_017), ("payment", 4022)]));
    assert_eq!(reaches("payment"), with(&[(stores, 5432)]));
    assert_eq!(reaches("store"), with(&[(stores, 5432)]));
    assert_eq!(reaches("marketing"), with(&[(stores, 27_017)]));
    assert_eq!(reaches("auth"), set(&[(stores, 5432), traces]));
}

/// What one side may send, the other may take.
#[test]
fn both_ends_agree() {
    for (_, from, _) in PARTS {
        for (to, port) in reaches(from)
            .into_iter()
            .filter(|(to, _)| !to.starts_with("namespace/"))
        {
            assert!(
                may_reach(&to).contains(&(from.to_owned(), port)),
                "{from} → {to}:{port}"
            );
        }
    }
    for (_, to, _) in PARTS {
        for (from, port) in may_reach(to)
            .into_iter()
            .filter(|(from, _)| !from.starts_with("namespace/"))
        {
            assert!(
                reaches(&from).contains(&(to.to_owned(), port)),
                "{from} → {to}:{port}"
            );
        }
    }
}
