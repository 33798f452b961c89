//! Failpoints are in builds with debug assertions, and in no other.

use std::{path::Path, process::Command};

const VARIABLES: [&str; 4] = [
    "BAEDAL_FAILPOINTS",
    "BAEDAL_SABOTAGE",
    "BAEDAL_CLOCK_SHIFT",
    "BAEDAL_RELEASE",
];

/// The module compiled alone, as a release build would or would not; how many of the variables its code names.
fn named(debug_assertions: &str) -> usize {
    let folder = crate::support::folder();
    let object = folder.path().join("failpoint.o");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/failpoint.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let compiled = Command::new(rustc)
        .args([
            "--edition=2024",
            "--crate-type=lib",
            "--emit=obj",
            "-Copt-level=3",
        ])
        .arg(format!("-Cdebug-assertions={debug_assertions}"))
        .arg("-o")
        .arg(&object)
        .arg(source)
        .status()
        .expect("rustc starts");
    assert!(compiled.success(), "the module compiles alone");
    let code = std::fs::read(&object).expect("an object file");
    let holds = |name: &&&str| code.windows(name.len()).any(|window| window == name.as_bytes());
    VARIABLES.iter().filter(holds).count()
}

#[test]
fn a_release_build_has_no_failpoints() {
    assert_eq!(
        named("on"),
        VARIABLES.len(),
        "the search finds them where they are"
    );
    assert_eq!(named("off"), 0);
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).expect("the workspace");
    assert!(
        !manifest.contains("debug-assertions"),
        "no profile of the workspace turns debug assertions on"
    );
}
