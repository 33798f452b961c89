//! Transactions, tried again as the
//! [specification](https://github.com/mongodb/specifications/blob/master/source/transactions-convenient-api/transactions-convenient-api.md)
//! of the error labels says.

use super::{Mongo, MongoError, errors::is_commit_unknown};
use crate::failpoint;
use crate::retry::{Backoff, Committed, Transient};
use mongodb::{ClientSession, Database};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

/// How often a transaction is tried.
const ATTEMPTS: u32 = 10;

/// An open transaction. Dropping it undoes it.
#[derive(Debug)]
pub struct MongoTx {
    session: ClientSession,
    pub(super) db: Database,
    /// Events put in the outbox so far: their number within the transaction.
    pub(super) events: i64,
    outbox: Arc<Notify>,
}

impl MongoTx {
    /// What operations of this transaction are given as their session.
    pub fn session(&mut self) -> &mut ClientSession {
        &mut self.session
    }

    /// Makes it durable on a majority, and wakes the relay if events were put in the outbox.
    pub async fn commit(mut self) -> Result<(), MongoError> {
        let mut backoff = Backoff::new(Duration::from_millis(5), Duration::from_millis(500));
        failpoint::hit("tx.before_commit");
        loop {
            match self.session.commit_transaction().await {
                Ok(()) => break,
                // Committing the same transaction again is harmless, and tells whether it was.
                Err(error) if is_commit_unknown(&error) && backoff.attempts() < ATTEMPTS => {
                    tokio::time::sleep(backoff.pause()).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        failpoint::hit("tx.after_commit");
        if self.events > 0 {
            self.outbox.notify_one();
        }
        Ok(())
    }

    /// [`MongoTx::commit`] for the closure of [`Mongo::transaction`]: `Ok(tx.commit_with(value).await?)`.
    pub async fn commit_with<T>(self, value: T) -> Result<Committed<T>, MongoError> {
        self.commit().await?;
        Ok(Committed(value))
    }
}

impl Mongo {
    /// Begins a transaction.
    pub async fn begin(&self) -> Result<MongoTx, MongoError> {
        let mut session = self.client.start_session().await?;
        session.start_transaction().await?;
        Ok(MongoTx {
            session,
            db: self.db.clone(),
            events: 0,
            outbox: self.outbox_notify(),
        })
    }

    /// Runs `work`, which ends in [`MongoTx::commit_with`], in a transaction, and again while its error is transient.
    ///
    /// It may run several times, so it must have no effect outside the transaction. It captures by reference:
    /// `mongo.transaction(|mut tx| async move { …; Ok(tx.commit_with(value).await?) })`.
    pub async fn transaction<T, E, W, R>(&self, mut work: W) -> Result<T, E>
    where
        W: FnMut(MongoTx) -> R,
        R: Future<Output = Result<Committed<T>, E>>,
        E: From<MongoError> + Transient,
    {
        let mut backoff = Backoff::new(Duration::from_millis(2), Duration::from_millis(250));
        loop {
            let outcome = match self.begin().await {
                Ok(tx) => work(tx).await,
                Err(error) => Err(error.into()),
            };
            match outcome {
                Ok(Committed(value)) => return Ok(value),
                Err(error) if error.is_transient() && backoff.attempts() + 1 < ATTEMPTS => {
                    tokio::time::sleep(backoff.pause()).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}
