//! Inputs to start from.
use std::path::{Path, PathBuf};

/// The folder of a target's inputs.
pub fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// A target's inputs, in the order of their names.
///
/// # Panics
/// If they can't be read.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    let folder = folder(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a folder can be listed").path())
        .collect();
    files.sort();
    let read = |file: PathBuf| std::fs::read(file).expect("a listed file can be read");
    files.into_iter().map(read).collect()
}
