//! The rules of the house that a compiler does not check.
#[path = "tidy/dependencies.rs"]
mod dependencies;
#[path = "tidy/deploy/mod.rs"]
mod deploy;
#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/licences.rs"]
mod licences;
#[path = "tidy/page.rs"]
mod page;
#[path = "tidy/sources.rs"]
mod sources;

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the workspace")
        .to_path_buf()
}
