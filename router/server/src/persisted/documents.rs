//! The documents that the operator knows (`persisted_documents`): read from files, and read again when these change. What
//! cannot be used changes nothing, and is told of.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use baedal_telemetry::Registry;
use baedal_telemetry::metrics::{Counter, Gauge};

use super::hash::Hash;
use super::manifest::Manifest;
use super::name::Name;
use crate::config::PersistedDocumentsConfig;
use crate::errors::{Code, Refusal};
use crate::observe::DOCUMENTS_METRICS;

/// Bytes of all manifests together.
const MOST_BYTES: u64 = 256 * 1024 * 1024;
/// Documents that do not fit the schema, told one by one.
const MOST_TOLD: usize = 10;

/// The documents.
pub struct Documents {
    path: PathBuf,
    only: bool,
    log_unknown: bool,
    current: ArcSwap<Manifest>,
    notes: Mutex<Notes>,
    meters: Meters,
}

#[derive(Default)]
struct Notes {
    /// What the files were when they were last read.
    seen: Option<Vec<Seen>>,
    /// Why that changed nothing.
    refused: Option<String>,
    /// Documents that the schema refuses, and why.
    unfit: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
struct Seen {
    file: PathBuf,
    bytes: u64,
    modified: Option<SystemTime>,
}

struct Meters {
    loaded: Gauge,
    unfit: Gauge,
    refused: Gauge,
    unknown: Counter,
}

impl Documents {
    /// Those of the configured manifest; none is known before the first look.
    pub fn of(config: &PersistedDocumentsConfig, registry: &Registry) -> Option<Documents> {
        let path = config.manifest.clone()?;
        let [documents, unknown] = DOCUMENTS_METRICS;
        let documents = registry.gauges(documents, 3);
        Some(Documents {
            path,
            only: config.only,
            log_unknown: config.log_unknown,
            current: ArcSwap::default(),
            notes: Mutex::default(),
            meters: Meters {
                loaded: documents.with(&["loaded"]),
                unfit: documents.with(&["unfit"]),
                refused: documents.with(&["refused"]),
                unknown: registry.counter(unknown),
            },
        })
    }

    /// Whether nothing else is taken.
    pub fn only(&self) -> bool {
        self.only
    }

    /// Whether what is not in the manifest is nobody's business.
    pub fn takes_all(&self) -> bool {
        !self.only && !self.log_unknown
    }

    /// The document of this name, and the name of its only operation.
    pub fn get(&self, name: &Name) -> Option<(Arc<str>, Option<Box<str>>)> {
        let current = self.current.load();
        let document = current.get(&name.id)?;
        Some((Arc::clone(&document.text), document.operation.clone()))
    }

    /// Whether this document may be used.
    pub fn let_in(&self, operation: Option<&str>, query: &str) -> Result<(), Refusal> {
        if self.takes_all() || self.current.load().has_text(query) {
            return Ok(());
        }
        self.meters.unknown.inc();
        if self.log_unknown {
            let (operation, sha256) = (operation.unwrap_or_default(), Hash::of(query).to_string());
            tracing::warn!(
                operation,
                sha256,
                "a document that is not in the manifest (persisted_documents)"
            );
        }
        match self.only {
            false => Ok(()),
            true => {
                let text = "this gateway takes only documents that it knows; send the id of one";
                Err(Refusal::new(Code::PersistedDocumentRequired, text))
            }
        }
    }

    /// All documents.
    pub fn current(&self) -> Arc<Manifest> {
        self.current.load_full()
    }

    /// Reads the files again if they have changed. Whether there are other documents now.
    pub fn look(&self) -> bool {
        let seen = list(&self.path);
        if let Ok(seen) = &seen {
            let mut notes = self.lock();
            if notes.seen.as_ref() == Some(seen) {
                return false;
            }
            notes.seen = Some(seen.clone());
        }
        match seen.and_then(|seen| read(&seen)) {
            Ok(manifest) => {
                tracing::info!(documents = manifest.len(), "persisted documents are read");
                self.meters.loaded.set(manifest.len() as f64);
                self.meters.refused.set(0.0);
                self.current.store(Arc::new(manifest));
                self.lock().refused = None;
                true
            }
            Err(why) => {
                self.refuse(why);
                false
            }
        }
    }

    fn refuse(&self, why: String) {
        let mut notes = self.lock();
        if notes.refused.as_ref() != Some(&why) {
            tracing::error!(why, "persisted documents cannot be read; those read before stay");
        }
        notes.refused = Some(why);
        self.meters.refused.set(1.0);
    }

    /// Documents that the schema refuses, each with the reason.
    pub fn unfit(&self, unfit: Vec<String>) {
        for told in unfit.iter().take(MOST_TOLD) {
            tracing::warn!(document = told, "a persisted document does not fit the schema");
        }
        self.meters.unfit.set(unfit.len() as f64);
        self.lock().unfit = unfit;
    }

    /// Why the files were not taken when they were last read.
    pub fn refused(&self) -> Option<String> {
        self.lock().refused.clone()
    }

    /// What an operator should look at, as sentences.
    pub fn reasons(&self) -> Vec<String> {
        let notes = self.lock();
        let refused = notes.refused.iter();
        let refused = refused.map(|why| format!("the persisted documents could not be read again: {why}"));
        let count = notes.unfit.len();
        let unfit = notes
            .unfit
            .first()
            .map(|first| format!("{count} persisted documents do not fit the schema, the first: {first}"));
        refused.chain(unfit).collect()
    }

    /// A poisoned lock holds whole notes: every change under it is a plain assignment.
    fn lock(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file, or the `.json` files of the folder, as they are now.
fn list(path: &Path) -> Result<Vec<Seen>, String> {
    let told = |path: &Path, error: &std::io::Error| format!("{}: {error}", path.display());
    let is_folder = std::fs::metadata(path)
        .map_err(|error| told(path, &error))?
        .is_dir();
    let mut files = vec![path.to_owned()];
    if is_folder {
        let entries = std::fs::read_dir(path).map_err(|error| told(path, &error))?;
        let is_json = |file: &PathBuf| file.extension().is_some_and(|end| end == "json");
        files = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(is_json)
            .collect();
        files.sort_unstable();
    }
    let seen = files.into_iter().map(|file| {
        let metadata = std::fs::metadata(&file).map_err(|error| told(&file, &error))?;
        Ok(Seen {
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
            file,
        })
    });
    seen.collect()
}

fn read(files: &[Seen]) -> Result<Manifest, String> {
    let bytes: u64 = files.iter().map(|seen| seen.bytes).sum();
    if bytes > MOST_BYTES {
        return Err(format!(
            "the manifests have {bytes} bytes, more than {MOST_BYTES}"
        ));
    }
    let mut manifest = Manifest::default();
    for Seen { file, .. } in files {
        let text = std::fs::read_to_string(file).map_err(|error| error.to_string());
        let added = text.and_then(|text| manifest.add(&text));
        added.map_err(|why| format!("{}: {why}", file.display()))?;
    }
    Ok(manifest)
}
