//! What the project is built of may be used by anybody for anything.
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::root;

/// Licences one may rely on; an expression needs one of them in each of its AND parts.
const PERMISSIVE: [&str; 16] = [
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "0BSD",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "Unlicense",
    "CC0-1.0",
    "BSL-1.0",
    "MPL-2.0",
    "CDLA-Permissive-2.0",
    "bzip2-1.0.6",
];

#[test]
fn every_dependency_is_permissively_licensed() {
    let metadata = metadata();
    let packages = metadata["packages"]
        .as_array()
        .expect("cargo metadata lists packages");
    assert!(packages.len() > 100, "cargo metadata lists the whole tree");
    let refused: Vec<String> = packages
        .iter()
        .filter(|package| {
            !package["license"]
                .as_str()
                .map_or_else(|| mit_by_file(package), permissive)
        })
        .map(|package| {
            format!(
                "{} {}: {}",
                package["name"], package["version"], package["license"]
            )
        })
        .collect();
    assert!(
        refused.is_empty(),
        "not permissive, or no licence named:\n{}",
        refused.join("\n")
    );
}

#[test]
fn no_dependency_is_another_gateways_engine() {
    let metadata = metadata();
    let packages = metadata["packages"]
        .as_array()
        .expect("cargo metadata lists packages");
    for package in packages {
        let name = package["name"].as_str().expect("a package has a name");
        let engine = [
            "apollo-federation",
            "apollo-router",
            "hive-router",
            "query-planner",
            "graphql-composition",
        ];
        assert!(
            !engine.iter().any(|prefix| name.starts_with(prefix)),
            "{name} is another gateway's engine"
        );
    }
}

/// A package that names no licence but carries the text of one.
fn mit_by_file(package: &Value) -> bool {
    let manifest = Path::new(
        package["manifest_path"]
            .as_str()
            .expect("a package has a manifest"),
    );
    let text = fs::read_to_string(manifest.with_file_name("LICENSE")).unwrap_or_default();
    text.starts_with("MIT License") && text.contains("Permission is hereby granted, free of charge")
}

fn permissive(expression: &str) -> bool {
    let text = expression.replace(['(', ')'], " ").replace('/', " OR ");
    text.split(" AND ")
        .all(|part| part.split(" OR ").any(|name| PERMISSIVE.contains(&name.trim())))
}

#[test]
fn licence_expressions_are_judged_part_by_part() {
    assert!(permissive("MIT OR Elastic-2.0"));
    assert!(permissive("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(!permissive("Elastic-2.0"));
    assert!(!permissive("MIT AND GPL-3.0"));
}

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root())
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--offline",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}
