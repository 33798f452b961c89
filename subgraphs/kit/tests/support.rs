//! What the suites share: fresh names, stores and logs.

use baedal_kit::{
    clock::{Ids, SystemIds},
    envelope::{Envelope, Fact, Origin},
    log::{Consumer, Delivered, EventLog, Record},
    mongo::Mongo,
    sql::Db,
};
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use uuid::Uuid;

/// A name no other test and no other run uses.
pub fn fresh(prefix: &str) -> String {
    format!("{prefix}_{}", Uuid::new_v4().simple())
}

/// The address of a real server, or a line that says which tests did not run.
pub fn server(variable: &str) -> Option<String> {
    let value = std::env::var(variable).ok();
    if value.is_none() {
        eprintln!("not run: {variable} is not set");
    }
    value
}

/// The `n`-th event of an aggregate.
pub fn event(key: &str, n: u64) -> Envelope {
    let fact = Fact {
        r#type: "Counted",
        alias: "세어짐",
        version: 1,
        data: json!({ "n": n }),
    };
    Envelope::new(
        fact,
        Origin {
            id: SystemIds.next(),
            time: 1_700_000_000_000,
            source: "test",
        },
        key,
        n,
    )
}

pub fn record(event: &Envelope) -> Record {
    Record {
        key: event.key().to_owned(),
        payload: event.to_json().into_bytes(),
    }
}

/// A folder that lives as long as the test.
pub fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

pub fn sqlite_url(folder: &TempDir) -> String {
    format!("sqlite://{}/store.db?mode=rwc", folder.path().display())
}

/// A new database on the server at `url`; its URL.
pub async fn postgres_database(url: &str) -> String {
    let name = fresh("kit");
    let admin = Db::open(url).await.expect("the Postgres of POSTGRES_URL");
    let create = format!("CREATE DATABASE {name}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(create))
        .execute(admin.pool())
        .await
        .expect("a new database");
    admin.close().await;
    let mut url = url::Url::parse(url).expect("a URL");
    url.set_path(&name);
    url.to_string()
}

/// A new database on the MongoDB at `url`.
pub async fn mongo_database(url: &str) -> Mongo {
    let mut url = url::Url::parse(url).expect("a URL");
    url.set_path(&fresh("kit"));
    Mongo::open(url.as_str())
        .await
        .expect("the MongoDB of MONGODB_URL")
}

/// Polls until `enough` records came, or the deadline has passed.
pub async fn read(consumer: &mut dyn Consumer, enough: usize, deadline: Duration) -> Vec<Delivered> {
    let end = Instant::now() + deadline;
    let mut records = Vec::new();
    while records.len() < enough && Instant::now() < end {
        records.extend(
            consumer
                .poll(200, Duration::from_millis(200))
                .await
                .expect("a poll"),
        );
    }
    records
}

/// Everything a new group reads from `topic` within a moment of silence.
pub async fn read_all(log: &Arc<dyn EventLog>, topic: &str, enough: usize) -> Vec<Delivered> {
    let mut consumer = log.join(&fresh("audit"), &[topic]).await.expect("a member");
    let records = read(consumer.as_mut(), enough, Duration::from_secs(20)).await;
    let rest = read(consumer.as_mut(), 1, Duration::from_millis(300)).await;
    consumer.close().await;
    records.into_iter().chain(rest).collect()
}

/// Waits until the condition holds; panics after 20 s.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let end = Instant::now() + Duration::from_secs(20);
    while !condition().await {
        assert!(Instant::now() < end, "it never came about: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
