//! The behaviour of a store's outbox and inbox, on SQLite, Postgres and MongoDB.

use crate::support::{event, folder, fresh, mongo_database, postgres_database, server, sqlite_url};
use baedal_kit::{
    consumer::DeadLetters,
    envelope::Envelope,
    mongo::{self, Mongo, MongoError, MongoInbox, MongoLetters, MongoOutbox},
    outbox::{OutboxRow, OutboxSource},
    prune::SeenEvents,
    sql::{self, Db, SqlError, SqlInbox, SqlLetters, SqlOutbox},
};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::sync::Notify;
use uuid::Uuid;

/// A store, with what keeps it alive.
#[derive(Clone)]
pub enum Store {
    Sql(
        Db,
        #[expect(dead_code, reason = "held until the test ends")] Arc<Option<TempDir>>,
    ),
    Mongo(Mongo),
}

const TOPIC: &str = "kit.topic";

/// The table of effects the suites write.
const EFFECTS: &[&str] = &["CREATE TABLE effects (id {serial}, record_key TEXT NOT NULL, n BIGINT NOT NULL)"];

impl Store {
    pub async fn sqlite() -> Store {
        let folder = folder();
        Store::sql(&sqlite_url(&folder), Some(folder)).await
    }

    pub async fn postgres() -> Option<Store> {
        let url = postgres_database(&server("POSTGRES_URL")?).await;
        Some(Store::sql(&url, None).await)
    }

    pub async fn mongo() -> Option<Store> {
        let mongo = mongo_database(&server("MONGODB_URL")?).await;
        mongo
            .db()
            .create_collection("effects")
            .await
            .expect("a collection");
        Some(Store::Mongo(mongo))
    }

    async fn sql(url: &str, folder: Option<TempDir>) -> Store {
        let db = Db::open(url).await.expect("the store opens");
        db.migrate("test", EFFECTS).await.expect("migrated");
        Store::Sql(db, Arc::new(folder))
    }

    pub fn outbox(&self) -> Arc<dyn OutboxSource> {
        match self {
            Store::Sql(db, _) => Arc::new(SqlOutbox::new(db)),
            Store::Mongo(mongo) => Arc::new(MongoOutbox::new(mongo)),
        }
    }

    pub fn letters(&self) -> Arc<dyn DeadLetters> {
        match self {
            Store::Sql(db, _) => Arc::new(SqlLetters::new(db)),
            Store::Mongo(mongo) => Arc::new(MongoLetters::new(mongo)),
        }
    }

    pub fn inbox(&self) -> Arc<dyn SeenEvents> {
        match self {
            Store::Sql(db, _) => Arc::new(SqlInbox::new(db)),
            Store::Mongo(mongo) => Arc::new(MongoInbox::new(mongo)),
        }
    }

    pub fn notify(&self) -> Arc<Notify> {
        match self {
            Store::Sql(db, _) => db.outbox_notify(),
            Store::Mongo(mongo) => mongo.outbox_notify(),
        }
    }

    async fn put(&self, events: &[Envelope]) {
        self.put_to(TOPIC, events).await;
    }

    /// Puts events in the outbox, in one transaction.
    pub async fn put_to(&self, topic: &str, events: &[Envelope]) {
        match self {
            Store::Sql(db, _) => {
                let work = |mut tx: sql::Tx| async move {
                    sql::put_outbox(&mut tx, topic, events).await?;
                    tx.commit_with(()).await
                };
                db.transaction(work).await.expect("committed");
            }
            Store::Mongo(mongo) => {
                let work = |mut tx: mongo::MongoTx| async move {
                    mongo::put_outbox(&mut tx, topic, events).await?;
                    tx.commit_with(()).await
                };
                mongo.transaction(work).await.expect("committed");
            }
        }
    }

    /// Puts events in the outbox and the inbox, and gives the transaction up.
    async fn put_and_give_up(&self, events: &[Envelope]) {
        let ids: Vec<Uuid> = events.iter().map(|event| event.id).collect();
        match self {
            Store::Sql(db, _) => {
                let mut tx = db.begin().await.expect("begun");
                sql::put_outbox(&mut tx, TOPIC, events).await.expect("put");
                sql::first_times(&mut tx, "c", &ids).await.expect("put");
            }
            Store::Mongo(mongo) => {
                let mut tx = mongo.begin().await.expect("begun");
                mongo::put_outbox(&mut tx, TOPIC, events).await.expect("put");
                mongo::first_times(&mut tx, "c", &ids).await.expect("put");
            }
        }
    }

    /// The ids that are new to the consumer, in a committed transaction.
    pub async fn first_times(&self, consumer: &str, ids: &[Uuid]) -> HashSet<Uuid> {
        match self {
            Store::Sql(db, _) => {
                let work = |mut tx: sql::Tx| async move {
                    let new = sql::first_times(&mut tx, consumer, ids).await?;
                    tx.commit_with(new).await
                };
                db.transaction(work).await.expect("committed")
            }
            Store::Mongo(mongo) => {
                let work = |mut tx: mongo::MongoTx| async move {
                    let new = mongo::first_times(&mut tx, consumer, ids).await?;
                    tx.commit_with(new).await
                };
                mongo.transaction(work).await.expect("committed")
            }
        }
    }

    /// Applies events in one transaction: an effect per event that is new, or per event without the inbox.
    pub async fn apply(&self, consumer: &str, events: &[Envelope], inbox: bool) -> anyhow::Result<()> {
        let ids: &Vec<Uuid> = &events.iter().map(|event| event.id).collect();
        match self {
            Store::Sql(db, _) => {
                let work = |mut tx: sql::Tx| async move {
                    let new = sql::first_times(&mut tx, consumer, ids).await?;
                    for event in events.iter().filter(|event| !inbox || new.contains(&event.id)) {
                        sqlx::query("INSERT INTO effects (record_key, n) VALUES ($1, $2)")
                            .bind(event.key().to_owned())
                            .bind(event.sequence as i64)
                            .execute(tx.conn())
                            .await?;
                    }
                    tx.commit_with(()).await
                };
                Ok(db.transaction::<_, SqlError, _, _>(work).await?)
            }
            Store::Mongo(mongo) => {
                let effects = &mongo.db().collection::<mongodb::bson::Document>("effects");
                let work = |mut tx: mongo::MongoTx| async move {
                    let new = mongo::first_times(&mut tx, consumer, ids).await?;
                    for event in events.iter().filter(|event| !inbox || new.contains(&event.id)) {
                        let effect = mongodb::bson::doc! { "key": event.key(), "n": event.sequence as i64 };
                        effects.insert_one(effect).session(tx.session()).await?;
                    }
                    tx.commit_with(()).await
                };
                Ok(mongo.transaction::<_, MongoError, _, _>(work).await?)
            }
        }
    }

    /// The effects in the order they became: (key, number).
    pub async fn effects(&self) -> Vec<(String, i64)> {
        use futures_util::TryStreamExt;
        match self {
            Store::Sql(db, _) => sqlx::query_as("SELECT record_key, n FROM effects ORDER BY id")
                .fetch_all(db.pool())
                .await
                .expect("effects"),
            Store::Mongo(mongo) => {
                let effects = mongo.db().collection::<mongodb::bson::Document>("effects");
                let rows: Vec<_> = effects
                    .find(mongodb::bson::doc! {})
                    .await
                    .expect("a cursor")
                    .try_collect()
                    .await
                    .expect("rows");
                rows.iter()
                    .map(|row| {
                        (
                            row.get_str("key").expect("a key").to_owned(),
                            row.get_i64("n").expect("a number"),
                        )
                    })
                    .collect()
            }
        }
    }
}

fn numbers(rows: &[OutboxRow], key: &str) -> Vec<u64> {
    rows.iter()
        .filter(|row| row.key == key)
        .map(|row| {
            Envelope::from_json(row.payload.as_bytes())
                .expect("an envelope")
                .sequence
        })
        .collect()
}

async fn events_wait_once_their_transaction_is_committed(store: Store) {
    let outbox = store.outbox();
    store.put_and_give_up(&[event("a", 1)]).await;
    assert!(outbox.pending(10).await.expect("rows").is_empty());
    let sent = [event("a", 1), event("b", 1), event("a", 2)];
    store.put(&sent).await;
    let rows = outbox.pending(10).await.expect("rows");
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0].topic, TOPIC);
    assert_eq!(
        Envelope::from_json(rows[0].payload.as_bytes()).expect("an envelope"),
        sent[0]
    );
    let depth = outbox.depth().await.expect("a depth");
    assert_eq!((depth.rows, depth.oldest_ms), (3, Some(1_700_000_000_000)));
}

async fn a_commit_with_events_wakes_the_relay(store: Store) {
    let notify = store.notify();
    store.put_and_give_up(&[event("a", 1)]).await;
    let silent = tokio::time::timeout(Duration::from_millis(50), notify.notified()).await;
    assert!(silent.is_err(), "a rollback wakes nobody");
    store.put(&[event("a", 1)]).await;
    tokio::time::timeout(Duration::from_millis(50), notify.notified())
        .await
        .expect("woken");
}

async fn pending_keeps_the_order_of_transactions(store: Store) {
    let outbox = store.outbox();
    for n in 0..20 {
        // Ids that sort against the order: the order must come from the transactions.
        let mut batch = [event("a", 3 * n), event("a", 3 * n + 1), event("a", 3 * n + 2)];
        batch.iter_mut().for_each(|event| event.id = Uuid::new_v4());
        store.put(&batch).await;
    }
    let rows = outbox.pending(1000).await.expect("rows");
    assert_eq!(numbers(&rows, "a"), (0..60).collect::<Vec<_>>());
    assert_eq!(
        outbox.pending(7).await.expect("rows"),
        rows[..7],
        "the oldest come first"
    );
}

async fn what_was_sent_is_gone_and_the_rest_stays(store: Store) {
    let outbox = store.outbox();
    let events: Vec<Envelope> = (0..100).map(|n| event("a", n)).collect();
    store.put(&events).await;
    let rows = outbox.pending(70).await.expect("rows");
    outbox
        .mark_sent(&rows.into_iter().map(|row| row.id).collect::<Vec<_>>())
        .await
        .expect("marked");
    assert_eq!(
        numbers(&outbox.pending(100).await.expect("rows"), "a"),
        (70..100).collect::<Vec<_>>()
    );
    outbox.mark_sent(&[]).await.expect("nothing to mark is no error");
}

async fn the_lease_has_one_owner_until_it_ends(store: Store) {
    let outbox = store.outbox();
    let ttl = Duration::from_millis(400);
    assert!(outbox.lease("one", ttl).await.expect("an answer"));
    assert!(
        !outbox.lease("two", ttl).await.expect("an answer"),
        "held by another"
    );
    assert!(outbox.lease("one", ttl).await.expect("an answer"), "renewed");
    tokio::time::sleep(ttl + Duration::from_millis(200)).await;
    assert!(
        outbox.lease("two", ttl).await.expect("an answer"),
        "taken over after its end"
    );
    assert!(!outbox.lease("one", ttl).await.expect("an answer"));
    outbox.release("one").await.expect("released");
    assert!(
        !outbox.lease("one", ttl).await.expect("an answer"),
        "a stranger's release changes nothing"
    );
    outbox.release("two").await.expect("released");
    assert!(
        outbox.lease("one", ttl).await.expect("an answer"),
        "free after the owner's release"
    );
}

async fn at_most_one_of_many_gets_the_lease(store: Store) {
    let tries = (0..8).map(|n| {
        let outbox = store.outbox();
        tokio::spawn(async move { outbox.lease(&format!("owner-{n}"), Duration::from_secs(30)).await })
    });
    let mut owners = 0;
    for outcome in futures_util::future::join_all(tries).await {
        owners += usize::from(outcome.expect("no panic").expect("an answer"));
    }
    assert_eq!(owners, 1);
}

async fn the_inbox_knows_what_was_seen(store: Store) {
    let events: Vec<Envelope> = (0..150).map(|n| event("a", n)).collect();
    let ids: Vec<Uuid> = events.iter().map(|event| event.id).collect();
    store.put_and_give_up(&events).await;
    assert_eq!(
        store.first_times("c", &ids[..100]).await.len(),
        100,
        "a rollback forgets"
    );
    let new = store.first_times("c", &ids).await;
    assert_eq!(new, ids[100..].iter().copied().collect(), "only the rest is new");
    assert_eq!(
        store.first_times("other", &ids).await.len(),
        150,
        "consumers are apart"
    );
    assert!(store.first_times("c", &[]).await.is_empty());
    let twice = [Uuid::now_v7(); 2];
    assert_eq!(
        store.first_times("c", &twice).await.len(),
        1,
        "twice in a batch is once"
    );
}

async fn of_many_at_once_one_is_first(store: Store) {
    let ids: Vec<Uuid> = (0..40).map(|_| Uuid::now_v7()).collect();
    let consumer = fresh("c");
    let tries = (0..6).map(|n: usize| {
        let (store, mut ids, consumer) = (store.clone(), ids.clone(), consumer.clone());
        ids.rotate_left(n * 7);
        tokio::spawn(async move { store.first_times(&consumer, &ids).await.len() })
    });
    let firsts: usize = futures_util::future::join_all(tries)
        .await
        .into_iter()
        .map(|n| n.expect("no panic"))
        .sum();
    assert_eq!(firsts, 40);
}

/// One test per behaviour and store.
macro_rules! suite {
    ($($behaviour:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                super::$behaviour(crate::store::Store::sqlite().await).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                if let Some(store) = crate::store::Store::postgres().await {
                    super::$behaviour(store).await;
                }
            })+
        }
        mod on_mongodb {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                if let Some(store) = crate::store::Store::mongo().await {
                    super::$behaviour(store).await;
                }
            })+
        }
    };
}
pub(crate) use suite;

suite!(
    events_wait_once_their_transaction_is_committed,
    a_commit_with_events_wakes_the_relay,
    pending_keeps_the_order_of_transactions,
    what_was_sent_is_gone_and_the_rest_stays,
    the_lease_has_one_owner_until_it_ends,
    at_most_one_of_many_gets_the_lease,
    the_inbox_knows_what_was_seen,
    of_many_at_once_one_is_first,
);
