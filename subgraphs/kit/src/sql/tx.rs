//! Transactions.

use super::{ATTEMPTS, Db, Engine, SqlError};
use crate::failpoint;
use crate::retry::{Backoff, Committed, Transient};
use sqlx::{Any, AnyConnection, Transaction};
use std::{sync::Arc, time::Duration};
use tokio::sync::{Notify, OwnedSemaphorePermit};

/// How long a writer waits for its turn.
const TURN: Duration = Duration::from_secs(10);

/// An open transaction. Dropping it rolls it back.
#[derive(Debug)]
pub struct Tx {
    pub(super) inner: Transaction<'static, Any>,
    pub(super) engine: Engine,
    pub(super) events: bool,
    outbox: Arc<Notify>,
    // Last, so that the turn passes on after the transaction has ended.
    _turn: Option<OwnedSemaphorePermit>,
}

impl Tx {
    /// What statements of this transaction are executed on.
    pub fn conn(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    /// The database it runs on.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Makes it durable, and wakes the relay if events were put in the outbox.
    pub async fn commit(self) -> Result<(), SqlError> {
        if failpoint::sabotaged("commit") {
            return self.commit_later();
        }
        failpoint::hit("tx.before_commit");
        self.inner.commit().await?;
        failpoint::hit("tx.after_commit");
        if self.events {
            self.outbox.notify_one();
        }
        Ok(())
    }

    /// What nobody should do: says that it is durable before it is.
    fn commit_later(self) -> Result<(), SqlError> {
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            if let Err(error) = self.inner.commit().await {
                tracing::error!(%error, "an acknowledged transaction is lost");
            }
            self.outbox.notify_one();
            drop(self._turn);
        });
        Ok(())
    }

    /// [`Tx::commit`] for the closure of [`Db::transaction`]: `Ok(tx.commit_with(value).await?)`.
    pub async fn commit_with<T>(self, value: T) -> Result<Committed<T>, SqlError> {
        self.commit().await?;
        Ok(Committed(value))
    }
}

impl Db {
    /// Begins a transaction that may write. Never begin a second one in the same task before the first has ended.
    pub async fn begin(&self) -> Result<Tx, SqlError> {
        let (turn, inner) = match self.engine {
            Engine::Postgres => (None, self.pool.begin().await?),
            Engine::Sqlite => {
                let turn = tokio::time::timeout(TURN, Arc::clone(&self.writer).acquire_owned())
                    .await
                    .map_err(|_| SqlError::Busy)?
                    .expect("the semaphore is never closed");
                (Some(turn), self.pool.begin_with("BEGIN IMMEDIATE").await?)
            }
        };
        Ok(Tx {
            inner,
            engine: self.engine,
            events: false,
            outbox: self.outbox_notify(),
            _turn: turn,
        })
    }

    /// Runs `work`, which ends in [`Tx::commit_with`], in a transaction, and again while its error is transient.
    ///
    /// It may run several times, so it must have no effect outside the transaction. It captures by reference:
    /// `db.transaction(|mut tx| async move { …; Ok(tx.commit_with(value).await?) })`.
    pub async fn transaction<T, E, W, R>(&self, mut work: W) -> Result<T, E>
    where
        W: FnMut(Tx) -> R,
        R: Future<Output = Result<Committed<T>, E>>,
        E: From<SqlError> + Transient,
    {
        let mut backoff = Backoff::new(Duration::from_millis(5), Duration::from_millis(200));
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
