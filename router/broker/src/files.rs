//! A broker that is a folder, for trying things out without one: `FOLDER/TOPIC/PARTITION.jsonl`, a record in each line.
//!
//! A line is `{"key": "…", "value": …}`, and its number, from 0, is the record's offset. A first line `{"first": N}` says
//! that N records were there before and are not kept.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::{Extent, Log, LogError, Position, Read, Reader, Record};

/// How often files are looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A folder of topics.
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// The topics in this folder.
    pub fn new(folder: &Path) -> Files {
        Files {
            folder: folder.to_owned(),
        }
    }

    fn partitions(&self, topic: &str) -> Result<Vec<PathBuf>, LogError> {
        if !self.folder.is_dir() {
            return Err(LogError::Away(format!("{} is no folder", self.folder.display())));
        }
        let folder = self.folder.join(topic);
        let named = (0..).map(|partition| folder.join(format!("{partition}.jsonl")));
        let files: Vec<PathBuf> = named.take_while(|file| file.is_file()).collect();
        match files.is_empty() {
            true => Err(LogError::NoTopic(topic.to_owned())),
            false => Ok(files),
        }
    }
}

/// Where a reader is in a file.
struct Tail {
    file: PathBuf,
    /// Bytes that were read.
    read: u64,
    /// Read, and no whole line yet.
    rest: Vec<u8>,
    /// The offset of the next line.
    next: i64,
    /// Records before this are not wanted.
    from: i64,
    ended: bool,
}

#[derive(Deserialize)]
struct First {
    first: i64,
}

#[derive(Deserialize)]
struct Line<'a> {
    key: Option<String>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

impl Tail {
    fn of(file: PathBuf, from: i64) -> Tail {
        Tail {
            file,
            read: 0,
            rest: Vec::new(),
            next: 0,
            from,
            ended: false,
        }
    }

    /// Reads what was added.
    async fn fill(&mut self) -> Result<(), LogError> {
        let away = |error: std::io::Error| LogError::Away(error.to_string());
        let mut file = tokio::fs::File::open(&self.file).await.map_err(away)?;
        file.seek(std::io::SeekFrom::Start(self.read))
            .await
            .map_err(away)?;
        let mut added = Vec::new();
        file.read_to_end(&mut added).await.map_err(away)?;
        self.read += added.len() as u64;
        self.rest.extend_from_slice(&added);
        Ok(())
    }

    /// The next line: its offset and text.
    fn line(&mut self) -> Option<(i64, Vec<u8>)> {
        loop {
            let end = self.rest.iter().position(|byte| *byte == b'\n')?;
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            if let (0, Ok(First { first })) = (self.next, serde_json::from_slice(&line)) {
                self.next = first;
                continue;
            }
            self.next += 1;
            return Some((self.next - 1, line));
        }
    }

    fn record(&mut self, partition: usize) -> Option<Record> {
        loop {
            let (offset, line) = self.line()?;
            if offset >= self.from {
                return Some(record(partition, offset, &line));
            }
        }
    }
}

fn record(partition: usize, offset: i64, line: &[u8]) -> Record {
    let read: Option<Line<'_>> = serde_json::from_slice(line).ok();
    let (key, value) = read.map_or((None, None), |line| (line.key, line.value));
    let value = value.filter(|value| value.get() != "null");
    let value = value.map_or_else(Bytes::new, |value| Bytes::copy_from_slice(value.get().as_bytes()));
    Record::new(partition, offset, key.map(Bytes::from), value)
}

#[async_trait]
impl Log for Files {
    async fn extents(&self, topic: &str) -> Result<Vec<Extent>, LogError> {
        let mut extents = Vec::new();
        for file in self.partitions(topic)? {
            let mut tail = Tail::of(file, 0);
            tail.fill().await?;
            let first = tail.line().map(|(offset, _)| offset);
            while tail.line().is_some() {}
            extents.push(Extent {
                first: first.unwrap_or(tail.next),
                next: tail.next,
            });
        }
        Ok(extents)
    }

    async fn read(&self, topic: &str, from: &Position) -> Result<Box<dyn Reader>, LogError> {
        let files = self.partitions(topic)?.into_iter().enumerate();
        let tails = files.map(|(partition, file)| Tail::of(file, from.of(partition)));
        Ok(Box::new(Tails { all: tails.collect() }))
    }
}

struct Tails {
    all: Vec<Tail>,
}

#[async_trait]
impl Reader for Tails {
    async fn next(&mut self) -> Result<Read, LogError> {
        loop {
            for (partition, tail) in self.all.iter_mut().enumerate() {
                if let Some(record) = tail.record(partition) {
                    return Ok(Read::Record(record));
                }
                tail.fill().await?;
                if let Some(record) = tail.record(partition) {
                    return Ok(Read::Record(record));
                }
                if !std::mem::replace(&mut tail.ended, true) {
                    return Ok(Read::End(partition));
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}
