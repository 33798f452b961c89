//! A member of a group.

use super::{
    Consumer, GLANCE, LogError,
    file::{File, db_unavailable},
    group::{self, Share},
};
use crate::log::Delivered;
use async_trait::async_trait;
use sqlx::{AssertSqlSafe, Row, any::AnyRow};
use std::{collections::BTreeMap, fmt::Write, sync::Arc, time::Duration};
use tokio::{sync::watch, time::Instant};
use uuid::Uuid;

pub(super) struct Reader {
    file: Arc<File>,
    group: String,
    member: String,
    topics: Vec<String>,
    share: Share,
    /// Every record of the share up to this row was handed out (or was done before).
    frontier: i64,
    /// The frontier at the last commit.
    committed: i64,
    appends: watch::Receiver<u64>,
}

impl Reader {
    pub async fn join(file: Arc<File>, group: &str, topics: &[&str]) -> Result<Reader, LogError> {
        let topics: Vec<String> = topics.iter().map(|topic| (*topic).to_owned()).collect();
        let appends = file.appends();
        let mut reader = Reader {
            file,
            group: group.to_owned(),
            member: Uuid::now_v7().to_string(),
            topics,
            share: Share::default(),
            frontier: 0,
            committed: 0,
            appends,
        };
        reader.enter().await?;
        Ok(reader)
    }

    async fn enter(&mut self) -> Result<(), LogError> {
        group::enter(&self.file, &self.group, &self.member, &self.topics).await?;
        self.file
            .members()
            .insert((self.group.clone(), self.member.clone()));
        Ok(())
    }

    /// Takes up the share of the current generation; a member that was buried alive enters again.
    async fn take_share(&mut self) -> Result<(), LogError> {
        let share = match group::share(&self.file, &self.group, &self.member).await? {
            Some(share) => share,
            None => {
                self.enter().await?;
                group::share(&self.file, &self.group, &self.member)
                    .await?
                    .unwrap_or_default()
            }
        };
        self.frontier = share.positions.values().copied().min().unwrap_or(0);
        self.committed = self.frontier;
        self.share = share;
        Ok(())
    }

    /// What is there now, without waiting, and whether there is more behind it.
    async fn read(&mut self, max: usize) -> Result<(Vec<Delivered>, bool), LogError> {
        let (generation, last) = self.file.glance(&self.group).await?;
        if generation != self.share.generation {
            self.take_share().await?;
        }
        if last <= self.frontier || self.share.positions.is_empty() || max == 0 {
            return Ok((Vec::new(), false));
        }
        let rows = sqlx::query(AssertSqlSafe(self.statement()))
            .bind(self.frontier)
            .bind(i64::try_from(max).unwrap_or(i64::MAX))
            .fetch_all(self.file.db().pool())
            .await
            .map_err(db_unavailable)?;
        let records: Vec<Delivered> = rows
            .iter()
            .map(delivered)
            .collect::<Result<_, _>>()
            .map_err(db_unavailable)?;
        let full = records.len() == max;
        let seen = records.last().map_or(0, |record| record.offset);
        self.frontier = if full { seen } else { last.max(seen) };
        let positions = &self.share.positions;
        let new = |record: &Delivered| {
            let slot = (record.topic.clone(), i64::from(record.partition));
            positions
                .get(&slot)
                .is_some_and(|position| record.offset > *position)
        };
        Ok((records.into_iter().filter(new).collect(), full))
    }

    /// Topics are bound by literal, since their number varies; they are the service's own constants, quotes doubled.
    fn statement(&self) -> String {
        let mut by_topic: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (topic, part) in self.share.positions.keys() {
            by_topic.entry(topic).or_default().push(part.to_string());
        }
        let mut slots = String::new();
        for (topic, parts) in by_topic {
            let or = if slots.is_empty() { "" } else { " OR " };
            let topic = topic.replace('\'', "''");
            write!(slots, "{or}(topic = '{topic}' AND part IN ({}))", parts.join(","))
                .expect("a string takes text");
        }
        format!(
            "SELECT id, topic, part, record_key, payload FROM records WHERE id > $1 AND ({slots}) ORDER BY id LIMIT $2"
        )
    }
}

fn delivered(row: &AnyRow) -> Result<Delivered, sqlx::Error> {
    Ok(Delivered {
        offset: row.try_get(0)?,
        topic: row.try_get(1)?,
        partition: i32::try_from(row.try_get::<i64, _>(2)?).unwrap_or(i32::MAX),
        key: row.try_get(3)?,
        payload: row.try_get(4)?,
    })
}

#[async_trait]
impl Consumer for Reader {
    async fn poll(&mut self, max: usize, wait: Duration) -> Result<Vec<Delivered>, LogError> {
        let deadline = Instant::now() + wait;
        loop {
            self.appends.mark_unchanged();
            let (records, more) = self.read(max).await?;
            let left = deadline.saturating_duration_since(Instant::now());
            if !records.is_empty() || left.is_zero() {
                return Ok(records);
            }
            if more {
                continue;
            }
            tokio::select! {
                // The sender lives in the file this reader holds, so it cannot be gone.
                _ = self.appends.changed() => {}
                () = tokio::time::sleep(left.min(GLANCE)) => {}
            }
        }
    }

    async fn commit(&mut self) -> Result<(), LogError> {
        if self.frontier == self.committed {
            return Ok(());
        }
        if !group::commit(&self.file, &self.group, &self.share, self.frontier).await? {
            return Err(LogError::Fenced);
        }
        self.committed = self.frontier;
        Ok(())
    }

    async fn close(self: Box<Self>) {
        if let Err(error) = group::leave(&self.file, &self.group, &self.member).await {
            tracing::warn!(group = self.group, %error, "event log: leaving the group");
        }
    }
}

impl Drop for Reader {
    /// Without heartbeats the others take over after the session has passed.
    fn drop(&mut self) {
        self.file
            .members()
            .remove(&(self.group.clone(), self.member.clone()));
    }
}
