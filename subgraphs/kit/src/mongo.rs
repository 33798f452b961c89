//! A store on MongoDB: connection, transactions, outbox, inbox and dead letters.
//!
//! MongoDB must run as a replica set, even with one node, because transactions need one. Every write is acknowledged by
//! a majority and journalled, every read sees majority-committed data.

mod errors;
mod inbox;
mod letters;
mod outbox;
mod tx;

pub use errors::MongoError;
pub use inbox::{MongoInbox, first_times};
pub use letters::MongoLetters;
pub use outbox::{MongoOutbox, put_outbox};
pub use tx::MongoTx;

use mongodb::{
    Client, Database, IndexModel,
    bson::doc,
    options::{ClientOptions, ReadConcern, WriteConcern},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

/// How long to look for a primary before the store counts as unavailable.
const SELECTION: Duration = Duration::from_secs(5);

/// A store. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Mongo {
    client: Client,
    db: Database,
    outbox: Arc<Notify>,
}

impl Mongo {
    /// Opens `mongodb://HOST:PORT/DATABASE?replicaSet=…` and makes the kit's collections and indexes.
    pub async fn open(url: &str) -> Result<Mongo, MongoError> {
        let shown = crate::sql::hide_password(url);
        let mut options = ClientOptions::parse(url).await.map_err(|error| {
            MongoError::Open(format!(
                "cannot read the MongoDB URL {shown}: {error}. Use mongodb://HOST:PORT/DATABASE?replicaSet=NAME"
            ))
        })?;
        options.write_concern = Some(
            WriteConcern::builder()
                .w(Some(mongodb::options::Acknowledgment::Majority))
                .journal(true)
                .build(),
        );
        options.read_concern = Some(ReadConcern::majority());
        options.server_selection_timeout = options.server_selection_timeout.or(Some(SELECTION));
        let name = options.default_database.clone().ok_or_else(|| {
            MongoError::Open(format!(
                "the MongoDB URL {shown} names no database: add /DATABASE after the host"
            ))
        })?;
        let client = Client::with_options(options)?;
        let db = client.database(&name);
        let mongo = Mongo {
            client,
            db,
            outbox: Arc::new(Notify::new()),
        };
        mongo.prepare().await.map_err(|error| {
            MongoError::Open(format!(
                "cannot use the MongoDB at {shown}: {error}. Check that it runs, and as a replica set with a primary"
            ))
        })?;
        Ok(mongo)
    }

    /// Collections and indexes are made outside transactions, where that is always allowed.
    async fn prepare(&self) -> Result<(), MongoError> {
        let order = IndexModel::builder().keys(doc! { "at": 1, "n": 1 }).build();
        self.db
            .collection::<mongodb::bson::Document>(outbox::OUTBOX)
            .create_index(order)
            .await?;
        let age = IndexModel::builder().keys(doc! { "seenAt": 1 }).build();
        self.db
            .collection::<mongodb::bson::Document>(inbox::INBOX)
            .create_index(age)
            .await?;
        for name in [inbox::INBOX, outbox::LEASE, letters::LETTERS] {
            match self.db.create_collection(name).await {
                Err(error) if errors::is_namespace_exists(&error) => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// The database.
    pub fn db(&self) -> &Database {
        &self.db
    }

    /// Woken when a committed transaction has put events in the outbox; for the relay.
    pub fn outbox_notify(&self) -> Arc<Notify> {
        Arc::clone(&self.outbox)
    }

    /// A primary answers.
    pub async fn ping(&self) -> Result<(), MongoError> {
        self.db.run_command(doc! { "ping": 1 }).await?;
        Ok(())
    }
}
