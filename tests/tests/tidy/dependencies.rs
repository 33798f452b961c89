//! Who may use whom: the arrows of `docs/architecture.md`.
use std::collections::BTreeSet;
use std::fs;

use crate::root;

/// Folder of a crate, and the crates of ours that it may use outside its tests.
const ALLOWED: [(&str, &[&str]); 23] = [
    ("router/composition", &[]),
    ("router/planner", &[]),
    ("router/executor", &["baedal-planner"]),
    ("router/telemetry", &[]),
    ("router/traffic", &[]),
    ("router/broker", &[]),
    (
        "router/server",
        &[
            "baedal-broker",
            "baedal-composition",
            "baedal-planner",
            "baedal-executor",
            "baedal-telemetry",
            "baedal-token",
            "baedal-traffic",
        ],
    ),
    ("auth/token", &[]),
    ("auth/server", &["baedal-telemetry", "baedal-token"]),
    ("subgraphs/events", &[]),
    ("subgraphs/kit", &["baedal-telemetry", "baedal-token"]),
    (
        "subgraphs/order",
        &["baedal-kit", "baedal-events", "baedal-traffic"],
    ),
    ("subgraphs/payment", &["baedal-kit", "baedal-events"]),
    ("subgraphs/store", &["baedal-kit", "baedal-events"]),
    ("subgraphs/marketing", &["baedal-kit", "baedal-events"]),
    (
        "platform",
        &[
            "baedal-auth",
            "baedal-kit",
            "baedal-order",
            "baedal-payment",
            "baedal-store",
            "baedal-marketing",
            "baedal-router",
        ],
    ),
    ("tests", &["*"]),
    (
        "tests/federation",
        &[
            "baedal-composition",
            "baedal-planner",
            "baedal-executor",
            "baedal-router",
        ],
    ),
    (
        "benches",
        &["baedal-composition", "baedal-planner", "baedal-executor"],
    ),
    (
        "benches/executor",
        &["baedal-composition", "baedal-planner", "baedal-executor"],
    ),
    (
        "tests/fuzz",
        &[
            "baedal-composition",
            "baedal-planner",
            "baedal-executor",
            "baedal-router",
        ],
    ),
    ("examples/embedding", &["baedal-router"]),
    ("xtask", &[]),
];

/// Crates that pure rooms must not know: no network, no runtime, no store.
const IMPURE: [&str; 10] = [
    "tokio",
    "axum",
    "hyper",
    "http",
    "reqwest",
    "sqlx",
    "mongodb",
    "rdkafka",
    "tonic",
    "async-graphql",
];
/// The key cache waits for the one fetch under way; fetching itself is behind a trait.
const KEYS_ARE_AWAITED: (&str, &str) = ("auth/token", "tokio");
const PURE: [&str; 4] = [
    "router/composition",
    "router/planner",
    "auth/token",
    "subgraphs/events",
];

/// Names in the table `[dependencies]` of a manifest.
fn dependencies(folder: &str) -> BTreeSet<String> {
    let manifest = root().join(folder).join("Cargo.toml");
    let text =
        fs::read_to_string(&manifest).unwrap_or_else(|error| panic!("{}: {error}", manifest.display()));
    let lines = text
        .lines()
        .skip_while(|line| line.trim() != "[dependencies]")
        .skip(1);
    let table = lines.take_while(|line| !line.starts_with('['));
    let names = table
        .filter_map(|line| line.split(['.', '=', ' ']).next())
        .filter(|name| !name.is_empty());
    names
        .filter(|name| !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn crates_use_only_the_crates_they_may_use() {
    for (folder, allowed) in ALLOWED {
        if allowed.contains(&"*") {
            continue;
        }
        for name in dependencies(folder)
            .iter()
            .filter(|name| name.starts_with("baedal"))
        {
            assert!(
                allowed.contains(&name.as_str()),
                "{folder} must not depend on {name}"
            );
        }
    }
}

#[test]
fn every_member_of_the_workspace_has_its_rule() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the root manifest");
    let lines = manifest
        .lines()
        .skip_while(|line| line.trim() != "members = [")
        .skip(1);
    let members = lines
        .take_while(|line| line.trim() != "]")
        .map(|line| line.trim().trim_matches(['"', ',']));
    let known: BTreeSet<&str> = ALLOWED.iter().map(|(folder, _)| *folder).collect();
    assert_eq!(members.collect::<BTreeSet<_>>(), known);
}

#[test]
fn pure_rooms_know_no_network_runtime_or_store() {
    for folder in PURE {
        let used = dependencies(folder);
        for name in IMPURE
            .into_iter()
            .filter(|name| (folder, *name) != KEYS_ARE_AWAITED)
        {
            assert!(
                !used.contains(name),
                "{folder} is pure and must not depend on {name}"
            );
        }
    }
}

#[test]
fn domains_know_nothing_but_the_domain() {
    let banned = [
        "serde",
        "sqlx",
        "mongodb",
        "async_graphql",
        "tokio",
        "tonic",
        "axum",
        "baedal_kit",
        "async fn",
    ];
    for service in ["order", "payment", "store", "marketing"] {
        let sources = crate::sources::rust_files(&root().join("subgraphs").join(service).join("src"));
        let domain: Vec<_> = sources
            .into_iter()
            .filter(|path| {
                path.components().any(|part| part.as_os_str() == "domain") || path.ends_with("domain.rs")
            })
            .collect();
        assert!(!domain.is_empty(), "{service} has no domain");
        for path in domain {
            let text = fs::read_to_string(&path).expect("a source file is UTF-8");
            let code: Vec<&str> = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect();
            for word in banned {
                assert!(
                    !code.iter().any(|line| line.contains(word)),
                    "{} must not know `{word}`",
                    path.display()
                );
            }
        }
    }
}
