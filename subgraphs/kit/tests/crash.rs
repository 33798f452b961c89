//! `kill -9` of a process that writes: what it had acknowledged is there, and nothing is stuck.
//!
//! The test starts its own binary again as the process to be killed.

use crate::support::{event, eventually, read_all};
use baedal_kit::{
    envelope::Envelope,
    log::EventLog,
    log::embedded::Embedded,
    outbox::{OutboxSource, spawn_relay},
    sql::{Db, SqlError, SqlOutbox, Tx, put_outbox},
};
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};
use tokio_util::sync::CancellationToken;

const FOLDER: &str = "KIT_CRASH_FOLDER";
const TOPIC: &str = "t";
const ROUNDS: usize = 6;

async fn open(folder: &Path) -> (Db, Arc<dyn EventLog>) {
    let db = Db::open_file(folder.join("store.db").to_str().expect("UTF-8"))
        .await
        .expect("the store opens");
    db.migrate("crash", &["CREATE TABLE counter (id BIGINT PRIMARY KEY, n BIGINT NOT NULL); INSERT INTO counter VALUES (1, 0)"])
        .await
        .expect("migrated");
    let log = Embedded::open_apart(folder.join("events.db").to_str().expect("UTF-8"))
        .await
        .expect("the log opens");
    (db, log)
}

/// Counts up by one, with an event; the number.
async fn count(db: &Db) -> u64 {
    let work = |mut tx: Tx| async move {
        sqlx::query("UPDATE counter SET n = n + 1 WHERE id = 1")
            .execute(tx.conn())
            .await?;
        let (n,): (i64,) = sqlx::query_as("SELECT n FROM counter WHERE id = 1")
            .fetch_one(tx.conn())
            .await?;
        let n = u64::try_from(n).expect("it counts up");
        put_outbox(&mut tx, TOPIC, &[event("a", n)]).await?;
        tx.commit_with(n).await
    };
    db.transaction::<_, SqlError, _, _>(work)
        .await
        .expect("committed")
}

/// Not a test of its own: the process that is killed. It does nothing unless the test below started it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let (db, log) = open(Path::new(&folder)).await;
    let _relay = spawn_relay(
        Arc::new(SqlOutbox::new(&db)),
        log,
        db.outbox_notify(),
        CancellationToken::new(),
    );
    // Bounded, in case nobody kills it.
    for _ in 0..100_000 {
        println!("\nacknowledged {}", count(&db).await);
    }
}

fn start(folder: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "crash::the_process_that_is_killed", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("started")
}

/// Lets it write until it has acknowledged `enough`, kills it, and says the last number that was acknowledged.
fn kill_after(mut child: Child, enough: usize) -> u64 {
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut numbers = lines
        .map_while(Result::ok)
        .filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<u64>().ok());
    let seen = numbers.by_ref().nth(enough).expect("it acknowledges");
    child.kill().expect("killed");
    // What it had acknowledged before it died is still in the pipe.
    let last = numbers.last();
    child.wait().expect("it is gone");
    last.unwrap_or(seen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9() {
    let folder = crate::support::folder();
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        let child = start(folder.path());
        let last = tokio::task::spawn_blocking(move || kill_after(child, 3 + 11 * round))
            .await
            .expect("no panic");
        acknowledged = acknowledged.max(last);
    }
    let (db, log) = open(folder.path()).await;
    let (stop, outbox) = (CancellationToken::new(), SqlOutbox::new(&db));
    let relay = spawn_relay(
        Arc::new(outbox.clone()),
        Arc::clone(&log),
        db.outbox_notify(),
        stop.clone(),
    );
    eventually("the outbox is empty", async || {
        outbox.depth().await.is_ok_and(|depth| depth.rows == 0)
    })
    .await;
    let (n,): (i64,) = sqlx::query_as("SELECT n FROM counter")
        .fetch_one(db.pool())
        .await
        .expect("a row");
    let counted = u64::try_from(n).expect("it counts up");
    assert!(
        acknowledged > 0 && counted >= acknowledged,
        "{counted} of {acknowledged} acknowledged are there"
    );
    let records = read_all(&log, TOPIC, usize::try_from(counted).expect("small")).await;
    let mut firsts = Vec::new();
    let mut seen = BTreeSet::new();
    for record in &records {
        let number = Envelope::from_json(&record.payload)
            .expect("an envelope")
            .sequence;
        if seen.insert(number) {
            firsts.push(number);
        }
    }
    assert_eq!(
        firsts,
        (1..=counted).collect::<Vec<_>>(),
        "each was published, in order"
    );
    stop.cancel();
    relay.stopped(std::time::Duration::from_secs(5)).await;
}
