//! Opening, migrating and transactions of SQL stores, beyond what the store suite asks.

use crate::support::{folder, postgres_database, server, sqlite_url};
use baedal_kit::sql::{Db, Engine, SqlError, Tx, is_unique_violation};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

async fn each_step_runs_once_with_replicas(url: String) {
    let one: &[&str] = &[
        "CREATE TABLE things (id {serial}, name TEXT NOT NULL UNIQUE); CREATE INDEX by_name ON things (name)",
    ];
    let two: &[&str] = &[
        one[0],
        "ALTER TABLE things ADD COLUMN size BIGINT NOT NULL DEFAULT 7",
    ];
    let replicas = (0..4).map(|_| {
        let url = url.clone();
        let one = one.to_vec();
        tokio::spawn(async move {
            let db = Db::open(&url).await.expect("opened");
            db.migrate("test", &one).await.expect("migrated");
        })
    });
    for replica in futures_util::future::join_all(replicas).await {
        replica.expect("no panic");
    }
    let db = Db::open(&url).await.expect("opened");
    db.migrate("test", two).await.expect("the new step runs");
    db.migrate("test", one)
        .await
        .expect("an older replica changes nothing");
    sqlx::query("INSERT INTO things (name) VALUES ($1)")
        .bind("a")
        .execute(db.pool())
        .await
        .expect("inserted");
    let (id, size): (i64, i64) = sqlx::query_as("SELECT id, size FROM things")
        .fetch_one(db.pool())
        .await
        .expect("a row");
    assert_eq!((id, size), (1, 7));
    let twice = sqlx::query("INSERT INTO things (name) VALUES ($1)")
        .bind("a")
        .execute(db.pool())
        .await;
    assert!(is_unique_violation(&twice.expect_err("unique")));
}

async fn increments_of_many_are_all_kept(url: String) {
    let setup = Db::open(&url).await.expect("opened");
    let step: &[&str] = &[
        "CREATE TABLE counter (id BIGINT PRIMARY KEY, n BIGINT NOT NULL); INSERT INTO counter VALUES (1, 0)",
    ];
    setup.migrate("test", step).await.expect("migrated");
    // Two handles, as two processes; read, then write, in one transaction each.
    let other = Db::open(&url).await.expect("opened");
    let tasks = (0..8).map(|task| {
        let db = if task % 2 == 0 {
            setup.clone()
        } else {
            other.clone()
        };
        tokio::spawn(async move {
            for _ in 0..10 {
                let work = |mut tx: Tx| async move {
                    let lock = match db_lock(&tx) {
                        true => "SELECT n FROM counter WHERE id = 1 FOR UPDATE",
                        false => "SELECT n FROM counter WHERE id = 1",
                    };
                    let (n,): (i64,) = sqlx::query_as(lock).fetch_one(tx.conn()).await?;
                    sqlx::query("UPDATE counter SET n = $1 WHERE id = 1")
                        .bind(n + 1)
                        .execute(tx.conn())
                        .await?;
                    tx.commit_with(()).await
                };
                db.transaction::<_, SqlError, _, _>(work)
                    .await
                    .expect("committed");
            }
        })
    });
    for task in futures_util::future::join_all(tasks).await {
        task.expect("no panic");
    }
    let (n,): (i64,) = sqlx::query_as("SELECT n FROM counter")
        .fetch_one(setup.pool())
        .await
        .expect("a row");
    assert_eq!(n, 80);
}

fn db_lock(tx: &Tx) -> bool {
    tx.engine() == Engine::Postgres
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_migrates_once() {
    let folder = folder();
    each_step_runs_once_with_replicas(sqlite_url(&folder)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_migrates_once() {
    if let Some(url) = server("POSTGRES_URL") {
        each_step_runs_once_with_replicas(postgres_database(&url).await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_loses_no_increment() {
    let folder = folder();
    increments_of_many_are_all_kept(sqlite_url(&folder)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_loses_no_increment() {
    if let Some(url) = server("POSTGRES_URL") {
        increments_of_many_are_all_kept(postgres_database(&url).await).await;
    }
}

#[tokio::test]
async fn a_transient_failure_is_tried_again_and_a_plain_one_is_not() {
    let folder = folder();
    let db = Db::open(&sqlite_url(&folder)).await.expect("opened");
    let tries = Arc::new(AtomicU32::new(0));
    let busy = || async {
        match tries.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => Err(SqlError::Busy),
            _ => Ok(()),
        }
    };
    let work = |tx: Tx| {
        let outcome = busy();
        async move {
            outcome.await?;
            tx.commit_with(7).await
        }
    };
    assert_eq!(db.transaction(work).await.expect("the third try"), 7);
    assert_eq!(tries.load(Ordering::SeqCst), 3);
    tries.store(0, Ordering::SeqCst);
    let wrong = |mut tx: Tx| {
        tries.fetch_add(1, Ordering::SeqCst);
        async move {
            sqlx::query("SELECT nonsense FROM nowhere")
                .execute(tx.conn())
                .await?;
            tx.commit_with(()).await
        }
    };
    db.transaction(wrong).await.expect_err("a wrong statement");
    assert_eq!(tries.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_path_is_taken_as_it_is_written() {
    let folder = folder();
    let odd = folder.path().join("a b#c 100%20/통닭");
    let db = Db::open(&format!("sqlite://{}/x.db?mode=rwc", odd.display()))
        .await
        .expect("opened");
    db.ping().await.expect("usable");
    assert!(odd.join("x.db").exists());
    let odder = odd.join("what?.db");
    Db::open_file(odder.to_str().expect("UTF-8"))
        .await
        .expect("opened");
    assert!(odder.exists());
}

#[tokio::test]
async fn stores_that_cannot_be_opened_say_what_to_do() {
    let folder = folder();
    let bad = folder.path().join("bad.db");
    std::fs::write(
        &bad,
        "not a database at all, and long enough for a header ".repeat(50),
    )
    .expect("written");
    let cases = [
        (format!("sqlite://{}?mode=rwc", bad.display()), "damaged"),
        ("sqlite:///proc/none/x.db?mode=rwc".to_owned(), "Choose a folder"),
        ("sqlite::memory:".to_owned(), "no file"),
        ("mysql://root:secret@x/y".to_owned(), "not understood"),
        (
            "postgres://u:secret@127.0.0.1:9/x".to_owned(),
            "Check that the server runs",
        ),
    ];
    for (url, advice) in cases {
        let message = Db::open(&url).await.expect_err("cannot be opened").to_string();
        assert!(message.contains(advice), "{url}: {message}");
        assert!(!message.contains("secret"), "a password is not shown: {message}");
    }
}

/// As by a full disk: SQLite ends a transaction by itself, and the driver's rollback of it fails.
#[tokio::test]
async fn a_transaction_that_sqlite_has_ended_spoils_no_connection() {
    let folder = folder();
    let db = Db::open(&sqlite_url(&folder)).await.expect("opened");
    db.migrate(
        "test",
        &["CREATE TABLE ids (id BIGINT PRIMARY KEY); INSERT INTO ids VALUES (1)"],
    )
    .await
    .expect("migrated");
    for _ in 0..20 {
        let mut tx = db
            .begin()
            .await
            .expect("a transaction begins, whatever became of those before");
        let ended = sqlx::query("INSERT OR ROLLBACK INTO ids VALUES (1)")
            .execute(tx.conn())
            .await;
        assert!(is_unique_violation(&ended.expect_err("it is there already")));
    }
    let mut tx = db.begin().await.expect("begun");
    sqlx::query("INSERT INTO ids VALUES (2)")
        .execute(tx.conn())
        .await
        .expect("inserted");
    tx.commit().await.expect("committed");
}
