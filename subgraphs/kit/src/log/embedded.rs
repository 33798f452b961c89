//! The event log in one SQLite file, shared by all processes of a machine.
//!
//! A record's offset is its row number in the whole file: SQLite has one writer at a time, so row numbers grow in commit
//! order and a reader at row N has seen everything up to N. A group has members with heartbeats; whenever one joins,
//! leaves or dies its generation grows, partitions are dealt out anew among the members, and a commit made under an older
//! generation is refused.

mod file;
mod group;
mod prune;
mod reader;

use super::{Consumer, EventLog, LogError, Record, check_size};
use crate::{clock::SystemClock, sql::Db};
use async_trait::async_trait;
use file::File;
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

/// How often a member says it lives.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// How long a silent member counts as alive.
const SESSION: Duration = Duration::from_millis(2500);
/// How soon a record of another process is seen.
const GLANCE: Duration = Duration::from_millis(40);

/// Files open in this process: readers of the same file wake each other.
static OPEN: Mutex<Option<HashMap<PathBuf, Weak<File>>>> = Mutex::new(None);

/// An embedded event log.
#[derive(Clone)]
pub struct Embedded {
    file: Arc<File>,
}

impl Embedded {
    /// Opens the file, making it and its folder if absent. A file opened twice by one process is shared inside.
    pub async fn open(path: &str) -> Result<Arc<Embedded>, LogError> {
        let key =
            std::path::absolute(path).map_err(|error| LogError::Open(format!("path {path:?}: {error}")))?;
        if let Some(file) = shared(&key) {
            return Ok(Arc::new(Embedded { file }));
        }
        let file = File::open(path, Arc::new(SystemClock)).await?;
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let files = open.get_or_insert_default();
        files.retain(|_, file| file.strong_count() > 0);
        files.insert(key, Arc::downgrade(&file));
        Ok(Arc::new(Embedded { file }))
    }

    /// Opens the file as another process would: nothing is shared but the file. For tests of several processes.
    pub async fn open_apart(path: &str) -> Result<Arc<Embedded>, LogError> {
        Ok(Arc::new(Embedded {
            file: File::open(path, Arc::new(SystemClock)).await?,
        }))
    }

    /// The store behind the log, for tools that look into it.
    pub fn db(&self) -> &Db {
        self.file.db()
    }
}

fn shared(path: &PathBuf) -> Option<Arc<File>> {
    OPEN.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .as_ref()?
        .get(path)?
        .upgrade()
}

#[async_trait]
impl EventLog for Embedded {
    async fn publish(&self, topic: &str, records: Vec<Record>) -> Result<(), LogError> {
        check_size(&records)?;
        self.file.append(topic, &records).await
    }

    async fn join(&self, group: &str, topics: &[&str]) -> Result<Box<dyn Consumer>, LogError> {
        Ok(Box::new(
            reader::Reader::join(Arc::clone(&self.file), group, topics).await?,
        ))
    }

    async fn prune(&self, age: Duration, most: usize) -> Result<u64, LogError> {
        prune::prune(&self.file, age, most).await
    }

    async fn ping(&self) -> Result<(), LogError> {
        self.file.db().ping().await.map_err(file::unavailable)
    }

    async fn lag(&self, group: &str, topics: &[&str]) -> Result<Option<u64>, LogError> {
        self.file.lag(group, topics).await.map(Some)
    }
}
