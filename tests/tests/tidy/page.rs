//! The gateway's page is built from the sources that lie beside it.
use std::fs;

use sha2::{Digest, Sha256};

use crate::root;

#[test]
fn the_page_is_as_new_as_its_sources() {
    let folder = root().join("router/server/page");
    let sources = fs::read_dir(folder.join("src")).expect("its sources");
    let mut names: Vec<String> = sources
        .map(|entry| format!("src/{}", entry.expect("an entry").file_name().to_string_lossy()))
        .collect();
    names.sort();
    let fixed = ["build.mjs", "package-lock.json", "package.json"].map(str::to_owned);
    let mut hash = Sha256::new();
    for name in fixed.iter().chain(&names) {
        hash.update(format!("{name}\n"));
        hash.update(fs::read(folder.join(name)).expect("a source"));
    }
    let found: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let built = fs::read_to_string(folder.join("dist/sources.sha256")).expect("it was built");
    assert_eq!(built.trim(), found, "run `cargo xtask page`");
}

#[test]
fn the_page_and_its_lock_file_name_no_other_place() {
    let folder = root().join("router/server/page");
    let lock = fs::read_to_string(folder.join("package-lock.json")).expect("a lock file");
    assert!(
        !lock.contains("\"resolved\""),
        "the lock file names a registry; see .npmrc"
    );
}
