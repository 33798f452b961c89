//! What was made of files, and is made anew when they change.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use sha2::{Digest, Sha256};

use super::TlsError;

type Make<T> = Box<dyn Fn() -> Result<T, TlsError> + Send + Sync>;

/// Something made of files.
pub struct Kept<T> {
    current: ArcSwap<T>,
    files: Vec<PathBuf>,
    make: Make<T>,
    seen: Mutex<Seen>,
}

struct Seen {
    digest: Vec<u8>,
    /// Why what the files hold now is not taken.
    problem: Option<String>,
}

impl<T> Kept<T> {
    /// Made of these files, by `make`.
    pub fn new(
        files: Vec<PathBuf>,
        make: impl Fn() -> Result<T, TlsError> + Send + Sync + 'static,
    ) -> Result<Kept<T>, TlsError> {
        // Looked at before: a change in between is noticed at the next look.
        let digest = digest(&files);
        Ok(Kept {
            current: ArcSwap::from_pointee(make()?),
            files,
            make: Box::new(make),
            seen: Mutex::new(Seen {
                digest,
                problem: None,
            }),
        })
    }

    /// What was made last.
    pub fn current(&self) -> Arc<T> {
        self.current.load_full()
    }

    /// Makes it anew if the files have changed. What cannot be made changes nothing.
    pub fn look(&self) {
        let digest = digest(&self.files);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.digest == digest {
            return;
        }
        seen.digest = digest;
        seen.problem = match (self.make)() {
            Ok(made) => {
                self.current.store(Arc::new(made));
                tracing::info!(files = ?self.files, "certificates have changed and are taken over");
                None
            }
            Err(error) => {
                tracing::error!(%error, "certificates have changed and cannot be used; the last good ones stay");
                Some(format!("changed certificates are not taken over: {error}"))
            }
        };
    }

    /// Why what the files hold now is not taken.
    pub fn problem(&self) -> Option<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.problem.clone()
    }
}

/// One number for what the files hold; a file that cannot be read is one of no bytes.
fn digest(files: &[PathBuf]) -> Vec<u8> {
    let mut hash = Sha256::new();
    for file in files {
        let bytes = std::fs::read(file).unwrap_or_default();
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(&bytes);
    }
    hash.finalize().to_vec()
}
