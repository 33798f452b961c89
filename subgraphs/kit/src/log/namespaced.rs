//! One log shared by several systems: topics and groups get a name in front, which no reader sees.

use super::{Consumer, Delivered, EventLog, LogError, Record};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};

/// A log whose topics and groups are called `NAMESPACE.NAME` in the log behind it.
pub struct Namespaced {
    inner: Arc<dyn EventLog>,
    prefix: String,
}

impl Namespaced {
    /// `inner` under `namespace`: letters, digits, `-` and `_`.
    pub fn new(inner: Arc<dyn EventLog>, namespace: &str) -> Result<Namespaced, LogError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if namespace.is_empty() || namespace.len() > 64 || !namespace.chars().all(plain) {
            return Err(LogError::Open(format!(
                "the namespace {namespace:?} of the event log is not understood: use up to 64 letters, digits, '-' and '_'"
            )));
        }
        Ok(Namespaced {
            inner,
            prefix: format!("{namespace}."),
        })
    }

    fn named(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

#[async_trait]
impl EventLog for Namespaced {
    async fn publish(&self, topic: &str, records: Vec<Record>) -> Result<(), LogError> {
        self.inner.publish(&self.named(topic), records).await
    }

    async fn join(&self, group: &str, topics: &[&str]) -> Result<Box<dyn Consumer>, LogError> {
        let topics: Vec<String> = topics.iter().map(|topic| self.named(topic)).collect();
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        let inner = self.inner.join(&self.named(group), &topics).await?;
        Ok(Box::new(Reader {
            inner,
            prefix: self.prefix.clone(),
        }))
    }

    async fn prune(&self, age: Duration, most: usize) -> Result<u64, LogError> {
        self.inner.prune(age, most).await
    }

    async fn ping(&self) -> Result<(), LogError> {
        self.inner.ping().await
    }

    async fn lag(&self, group: &str, topics: &[&str]) -> Result<Option<u64>, LogError> {
        let topics: Vec<String> = topics.iter().map(|topic| self.named(topic)).collect();
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        self.inner.lag(&self.named(group), &topics).await
    }
}

struct Reader {
    inner: Box<dyn Consumer>,
    prefix: String,
}

#[async_trait]
impl Consumer for Reader {
    async fn poll(&mut self, max: usize, wait: Duration) -> Result<Vec<Delivered>, LogError> {
        let mut records = self.inner.poll(max, wait).await?;
        for record in &mut records {
            if let Some(topic) = record.topic.strip_prefix(&self.prefix) {
                record.topic = topic.to_owned();
            }
        }
        Ok(records)
    }

    async fn commit(&mut self) -> Result<(), LogError> {
        self.inner.commit().await
    }

    async fn close(self: Box<Self>) {
        self.inner.close().await;
    }
}
