//! deploy/, compose.yaml and the Dockerfile say what the binaries say: names, ports, paths, variables.
//!
//! Whether Kubernetes accepts the manifests, and whether the alerts fire, is checked by `cargo xtask deploy`.
mod alerts;
mod compose;
mod kubernetes;
mod network;

use std::collections::BTreeSet;
use std::fs;

use serde::Deserialize;
use serde_norway::Value;

use crate::root;
use crate::sources::rust_files;

/// Name of the image and of compose's service, the name in Kubernetes, and the folder of the binary.
const PARTS: [(&str, &str, &str); 6] = [
    ("router", "gateway", "router/server"),
    ("auth", "auth", "auth/server"),
    ("order", "order", "subgraphs/order"),
    ("payment", "payment", "subgraphs/payment"),
    ("store", "store", "subgraphs/store"),
    ("marketing", "marketing", "subgraphs/marketing"),
];

/// The text of a file below the root.
fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The documents of a YAML file.
fn documents(path: &str) -> Vec<Value> {
    serde_norway::Deserializer::from_str(&text(path))
        .map(|document| Value::deserialize(document).unwrap_or_else(|error| panic!("{path}: {error}")))
        .collect()
}

/// The value at a path of keys and indexes; null where there is none.
fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    static NULL: Value = Value::Null;
    path.split('/')
        .fold(value, |value, key| match key.parse::<usize>() {
            Ok(index) if value.is_sequence() => value.get(index).unwrap_or(&NULL),
            _ => value.get(key).unwrap_or(&NULL),
        })
}

fn string<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path)
        .as_str()
        .unwrap_or_else(|| panic!("no text at {path} of {value:?}"))
}

fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    at(value, path)
        .as_sequence()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// All Rust of a crate, as one text.
fn source(folder: &str) -> String {
    let files = rust_files(&root().join(folder).join("src"));
    assert!(!files.is_empty(), "{folder} has sources");
    let read = |path| fs::read_to_string(path).expect("a source file");
    files.iter().map(read).collect::<Vec<_>>().join("\n")
}

/// Variables that the binary in `folder` reads: as options, by name, or in the telemetry that all share.
fn variables_read(folder: &str) -> BTreeSet<String> {
    let mut code = source(folder) + &source("router/telemetry");
    if folder.starts_with("subgraphs/") {
        code += &source("subgraphs/kit");
    }
    let mut found: BTreeSet<String> = BTreeSet::from(["RUST_LOG".to_owned()]);
    for piece in code.split('"') {
        let shouted = piece.len() > 2
            && piece
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        if shouted {
            found.insert(piece.to_owned());
        }
    }
    if folder == "router/server" {
        found.extend(named_in_configuration());
    }
    found
}

/// Variables that the gateway's configuration names.
fn named_in_configuration() -> Vec<String> {
    let configuration = text("deploy/router.yaml");
    configuration
        .split("${env.")
        .skip(1)
        .map(|rest| rest.split(['}', ':']).next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn the_gateways_configuration_is_the_same_in_both_places() {
    assert_eq!(
        documents("deploy/router.yaml"),
        documents("deploy/kubernetes/base/router.yaml")
    );
}

#[test]
fn variables_are_found_in_sources() {
    let read = variables_read("subgraphs/payment");
    for name in ["PAYMENT_GRPC_LISTEN", "DATABASE_URL", "RUST_LOG"] {
        assert!(read.contains(name), "{name}");
    }
    assert!(!read.contains("STORE_AUTO"));
    assert!(variables_read("router/server").contains("ISSUER_URL"));
}
