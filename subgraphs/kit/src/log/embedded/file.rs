//! The file: its tables, appending, and the heartbeats of this process's members.

use super::{HEARTBEAT, LogError, Record, group};
use crate::{
    clock::Clock,
    log::PARTITIONS,
    sql::{Db, SqlError, Tx, chunk_sizes, rows_of_params},
};
use sqlx::{AssertSqlSafe, Row};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};
use tokio::sync::watch;

/// Rows of one insert.
const CHUNK: usize = 64;

const TABLES: &[&str] = &["
    CREATE TABLE records (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        topic TEXT NOT NULL,
        part BIGINT NOT NULL,
        record_key TEXT NOT NULL,
        payload BLOB NOT NULL,
        at BIGINT NOT NULL
    );
    CREATE TABLE reader_groups (grp TEXT PRIMARY KEY, generation BIGINT NOT NULL);
    CREATE TABLE members (
        grp TEXT NOT NULL,
        member TEXT NOT NULL,
        topics TEXT NOT NULL,
        seen_at BIGINT NOT NULL,
        PRIMARY KEY (grp, member)
    );
    CREATE TABLE positions (
        grp TEXT NOT NULL,
        topic TEXT NOT NULL,
        part BIGINT NOT NULL,
        position BIGINT NOT NULL,
        PRIMARY KEY (grp, topic, part)
    );
"];

/// One open file.
pub(super) struct File {
    db: Db,
    clock: Arc<dyn Clock>,
    /// Counts this process's appends; readers wait on it.
    appended: watch::Sender<u64>,
    /// Members of this process, as (group, member).
    members: Mutex<BTreeSet<(String, String)>>,
}

impl File {
    pub async fn open(path: &str, clock: Arc<dyn Clock>) -> Result<Arc<File>, LogError> {
        let db = Db::open_file(path)
            .await
            .map_err(|error| LogError::Open(format!("event log: {error}")))?;
        db.migrate("log", TABLES).await.map_err(|error| {
            LogError::Open(format!(
                "event log: cannot prepare {path}: {error}. Check that it can be written"
            ))
        })?;
        let file = Arc::new(File {
            db,
            clock,
            appended: watch::Sender::new(0),
            members: Mutex::default(),
        });
        tokio::spawn(beat(Arc::downgrade(&file)));
        Ok(file)
    }

    pub fn db(&self) -> &Db {
        &self.db
    }

    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    pub fn appends(&self) -> watch::Receiver<u64> {
        self.appended.subscribe()
    }

    pub fn members(&self) -> MutexGuard<'_, BTreeSet<(String, String)>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All records in one transaction: when this returns they are on the disk.
    pub async fn append(&self, topic: &str, records: &[Record]) -> Result<(), LogError> {
        if records.is_empty() {
            return Ok(());
        }
        let now = self.now_ms();
        let work = |mut tx: Tx| async move {
            insert(&mut tx, topic, records, now).await?;
            tx.commit_with(()).await
        };
        self.db.transaction(work).await.map_err(unavailable)?;
        self.appended.send_modify(|count| *count += 1);
        Ok(())
    }

    /// How many records of these topics lie behind the group's positions.
    pub async fn lag(&self, group: &str, topics: &[&str]) -> Result<u64, LogError> {
        let places: Vec<String> = (2..2 + topics.len()).map(|place| format!("${place}")).collect();
        // The lowest position bounds what is looked through: the file holds all records there ever were.
        let text = format!(
            "SELECT COUNT(*) FROM records WHERE topic IN ({}) \
             AND id > COALESCE((SELECT MIN(position) FROM positions WHERE grp = $1), 0) \
             AND id > COALESCE((SELECT position FROM positions \
                 WHERE grp = $1 AND positions.topic = records.topic AND positions.part = records.part), 0)",
            places.join(",")
        );
        let mut query = sqlx::query(AssertSqlSafe(text)).bind(group.to_owned());
        for topic in topics {
            query = query.bind((*topic).to_owned());
        }
        let row = query.fetch_one(self.db.pool()).await.map_err(db_unavailable)?;
        Ok(row.try_get::<i64, _>(0).map_err(db_unavailable)?.unsigned_abs())
    }

    /// The generation of a group and the last row of the file.
    pub async fn glance(&self, group: &str) -> Result<(i64, i64), LogError> {
        let row = sqlx::query(
            "SELECT COALESCE((SELECT generation FROM reader_groups WHERE grp = $1), 0), \
             COALESCE((SELECT MAX(id) FROM records), 0)",
        )
        .bind(group.to_owned())
        .fetch_one(self.db.pool())
        .await
        .map_err(db_unavailable)?;
        Ok((
            row.try_get(0).map_err(db_unavailable)?,
            row.try_get(1).map_err(db_unavailable)?,
        ))
    }
}

async fn insert(tx: &mut Tx, topic: &str, records: &[Record], now: i64) -> Result<(), SqlError> {
    let mut rest = records;
    for size in chunk_sizes(records.len(), CHUNK) {
        let (chunk, after) = rest.split_at(size);
        rest = after;
        let rows = rows_of_params(size, 5, 1);
        let text = format!("INSERT INTO records (topic, part, record_key, payload, at) VALUES {rows}");
        let mut query = sqlx::query(AssertSqlSafe(text));
        for record in chunk {
            query = query
                .bind(topic.to_owned())
                .bind(partition_of(&record.key))
                .bind(record.key.clone())
                .bind(record.payload.clone())
                .bind(now);
        }
        query.execute(tx.conn()).await?;
    }
    Ok(())
}

/// FNV-1a (<http://www.isthe.com/chongo/tech/comp/fnv/>): the partition of a key must be the same in every process.
fn partition_of(key: &str) -> i64 {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    i64::try_from(hash % u64::from(PARTITIONS.unsigned_abs())).expect("less than the number of partitions")
}

/// Says for all members of this process that they live, and buries the dead of their groups, while the file is open.
async fn beat(file: Weak<File>) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        let Some(file) = file.upgrade() else { return };
        let members: Vec<(String, String)> = file.members().iter().cloned().collect();
        if members.is_empty() {
            continue;
        }
        if let Err(error) = group::heartbeat(&file, &members).await {
            tracing::warn!(%error, "event log: heartbeat");
        }
    }
}

pub(super) fn unavailable(error: SqlError) -> LogError {
    LogError::Unavailable(error.to_string())
}

pub(super) fn db_unavailable(error: sqlx::Error) -> LogError {
    LogError::Unavailable(error.to_string())
}
