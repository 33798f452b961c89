//! The ports on MongoDB (a replica set: decisions are saved in transactions).

mod documents;
mod views;
mod write;

use crate::domain::{Benefit, Coupon, Member};
use crate::outbound::{CONSUMER, language};
use crate::ports::{Books, BooksError, Decisions, SaveError, Tracked};
use async_trait::async_trait;
use baedal_events::MARKETING_TOPIC;
use baedal_kit::clock::Ids;
use baedal_kit::mongo::{Mongo, MongoError, MongoOutbox, MongoTx, first_times, put_outbox};
use baedal_kit::retry::Transient;
use documents::Malformed;
use futures_util::TryStreamExt;
use mongodb::bson::{Document, doc};
use mongodb::options::IndexOptions;
use mongodb::{Collection, IndexModel};
use std::sync::Arc;

const BENEFITS: &str = "benefits";
const COUPONS: &str = "coupons";
const MEMBERS: &str = "members";
const LEDGER: &str = "ledger";
const FEED: &str = "feed";

/// All ports, on one database.
pub struct MongoBooks {
    mongo: Mongo,
    ids: Arc<dyn Ids>,
}

impl MongoBooks {
    /// Opens the database and makes its indexes.
    pub async fn open(url: &str, ids: Arc<dyn Ids>) -> Result<MongoBooks, MongoError> {
        let books = MongoBooks {
            mongo: Mongo::open(url).await?,
            ids,
        };
        let unique = || IndexOptions::builder().unique(true).build();
        let plain = IndexOptions::default;
        for (collection, keys, options) in [
            // Never looked up, but its making makes the collection.
            (BENEFITS, doc! { "coupon_id": 1 }, plain()),
            (
                COUPONS,
                doc! { "customer_id": 1, "issued_at": -1, "_id": -1 },
                plain(),
            ),
            (COUPONS, doc! { "status": 1, "expires_at": 1, "_id": 1 }, plain()),
            (COUPONS, doc! { "issued_for": 1 }, unique()),
            (MEMBERS, doc! { "touched_at": 1, "_id": 1 }, plain()),
            (LEDGER, doc! { "customer_id": 1, "number": -1 }, unique()),
            (LEDGER, doc! { "order_id": 1, "kind": 1 }, unique()),
            (FEED, doc! { "customer_id": 1, "sequence": 1 }, unique()),
            (FEED, doc! { "order_id": 1 }, unique()),
        ] {
            let index = IndexModel::builder().keys(keys).options(options).build();
            books.collection(collection).create_index(index).await?;
        }
        Ok(books)
    }

    /// The database itself, for readiness and relay.
    pub fn mongo(&self) -> &Mongo {
        &self.mongo
    }

    /// Where events wait to be published.
    pub fn outbox(&self) -> MongoOutbox {
        MongoOutbox::new(&self.mongo)
    }

    fn collection(&self, name: &str) -> Collection<Document> {
        self.mongo.db().collection(name)
    }

    async fn by_ids(&self, collection: &str, ids: &[String]) -> Result<Vec<Document>, BooksError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let cursor = self
            .collection(collection)
            .find(doc! { "_id": { "$in": ids } })
            .await
            .map_err(failed)?;
        cursor.try_collect().await.map_err(failed)
    }
}

#[async_trait]
impl Books for MongoBooks {
    async fn benefits(&self, order_ids: &[String]) -> Result<Vec<(String, Tracked<Benefit>)>, BooksError> {
        let documents = self.by_ids(BENEFITS, order_ids).await?;
        documents
            .iter()
            .map(|one| documents::read_benefit(one).map_err(malformed))
            .collect()
    }

    async fn coupons(&self, ids: &[String]) -> Result<Vec<Tracked<Coupon>>, BooksError> {
        let documents = self.by_ids(COUPONS, ids).await?;
        documents
            .iter()
            .map(|one| documents::read_coupon(one).map_err(malformed))
            .collect()
    }

    async fn members(&self, customer_ids: &[String]) -> Result<Vec<Tracked<Member>>, BooksError> {
        let documents = self.by_ids(MEMBERS, customer_ids).await?;
        documents
            .iter()
            .map(|one| documents::read_member(one).map_err(malformed))
            .collect()
    }

    async fn overdue(&self, now: i64, limit: usize) -> Result<Vec<Tracked<Coupon>>, BooksError> {
        let overdue = doc! { "status": "ISSUED", "expires_at": { "$lte": now } };
        let collection = self.collection(COUPONS);
        let find = collection.find(overdue).sort(doc! { "expires_at": 1, "_id": 1 });
        let cursor = find.limit(limit as i64).await.map_err(failed)?;
        let documents: Vec<Document> = cursor.try_collect().await.map_err(failed)?;
        documents
            .iter()
            .map(|one| documents::read_coupon(one).map_err(malformed))
            .collect()
    }

    async fn save(&self, decisions: Decisions) -> Result<(), SaveError> {
        let envelopes = language::envelopes(&decisions, self.ids.as_ref());
        let (db, decisions, envelopes) = (self.mongo.db(), &decisions, &envelopes);
        self.mongo
            .transaction(|mut tx: MongoTx| async move {
                note_handled(&mut tx, decisions).await?;
                write::all(&mut tx, db, decisions).await?;
                put_outbox(&mut tx, MARKETING_TOPIC, envelopes).await?;
                Ok::<_, TxError>(tx.commit_with(()).await?)
            })
            .await
            .map_err(SaveError::from)
    }
}

async fn note_handled(tx: &mut MongoTx, decisions: &Decisions) -> Result<(), TxError> {
    if decisions.handled.is_empty() {
        return Ok(());
    }
    let fresh = first_times(tx, CONSUMER, &decisions.handled).await?;
    if fresh.len() == decisions.handled.len() {
        Ok(())
    } else {
        Err(TxError::Refused(SaveError::Seen { fresh }))
    }
}

fn failed(error: mongodb::error::Error) -> BooksError {
    BooksError(MongoError::from(error).into())
}

fn malformed(error: Malformed) -> BooksError {
    BooksError(error.into())
}

/// What ends a transaction: the database, or a finding that asks for a new decision.
#[derive(Debug)]
enum TxError {
    Mongo(MongoError),
    Refused(SaveError),
}

impl From<MongoError> for TxError {
    fn from(error: MongoError) -> Self {
        TxError::Mongo(error)
    }
}

impl From<mongodb::error::Error> for TxError {
    fn from(error: mongodb::error::Error) -> Self {
        TxError::Mongo(MongoError::from(error))
    }
}

impl Transient for TxError {
    fn is_transient(&self) -> bool {
        matches!(self, TxError::Mongo(error) if error.is_transient())
    }
}

impl From<TxError> for SaveError {
    fn from(error: TxError) -> Self {
        match error {
            TxError::Mongo(error) => SaveError::Books(BooksError(error.into())),
            TxError::Refused(error) => error,
        }
    }
}
