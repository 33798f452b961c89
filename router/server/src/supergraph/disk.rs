//! The last good supergraph and the SDLs it was made of, kept in one file of `supergraph.state_dir`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Name of the file.
const FILE: &str = "last-good.json";

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The supergraph.
    pub supergraph: String,
    /// The SDLs of all subgraphs in it.
    pub subgraphs: BTreeMap<String, String>,
}

/// Reads what is kept; nothing is no error, a file that cannot be used is reported.
pub fn read(folder: &Path) -> Result<Option<Kept>, String> {
    let file = folder.join(FILE);
    let text = match std::fs::read(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("cannot read {}: {error}", file.display())),
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| format!("{} is damaged: {error}", file.display()))
}

/// Keeps it: written beside and renamed, so that a crash leaves the old one.
pub fn write(folder: &Path, kept: &Kept) -> Result<(), String> {
    let file = folder.join(FILE);
    let beside: PathBuf = folder.join(format!("{FILE}.{}", std::process::id()));
    let text = serde_json::to_vec(kept).expect("strings are JSON");
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&beside, text))
        .and_then(|()| std::fs::rename(&beside, &file))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back_and_damage_is_reported() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(read(folder.path()), Ok(None));
        let kept = Kept {
            supergraph: "s".into(),
            subgraphs: [("a".to_owned(), "b".to_owned())].into(),
        };
        write(folder.path(), &kept).expect("writes");
        assert_eq!(read(folder.path()), Ok(Some(kept)));
        std::fs::write(folder.path().join(FILE), "{").expect("writes");
        assert!(read(folder.path()).expect_err("damaged").contains("is damaged"));
    }
}
