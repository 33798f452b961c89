//! The tickets: many in one transaction, a few statements in all.

use super::rows::{TICKET, body, filed};
use super::{CONSUMER, SqlStore, TxError, board, chunks, failed, values};
use crate::domain::StoreOrder;
use crate::outbound::language::{Parties, Stamp, ticket_event};
use crate::ports::{Filed, SaveError, StoreError, TicketBatch, TicketChange, Tickets};
use async_trait::async_trait;
use baedal_events::STORE_TOPIC;
use baedal_kit::envelope::Envelope;
use baedal_kit::sql::{Tx, first_times, put_outbox};
use sqlx::AssertSqlSafe;

#[async_trait]
impl Tickets for SqlStore {
    async fn find(&self, order_ids: &[String]) -> Result<Vec<Filed>, StoreError> {
        let mut found = Vec::with_capacity(order_ids.len());
        for ids in chunks(order_ids) {
            let sql = format!(
                "SELECT {TICKET} FROM store_orders WHERE order_id IN {}",
                values(1, ids.len())
            );
            let query = ids.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, id| {
                query.bind(id.clone())
            });
            let rows = query.fetch_all(self.db.pool()).await.map_err(failed)?;
            for row in &rows {
                found.push(filed(row)?);
            }
        }
        Ok(found)
    }

    async fn advancing(&self, limit: usize) -> Result<Vec<Filed>, StoreError> {
        let sql = format!("SELECT {TICKET} FROM store_orders WHERE advancing = 1 ORDER BY moved_at LIMIT $1");
        let query = sqlx::query(AssertSqlSafe(sql)).bind(limit as i64);
        let rows = query.fetch_all(self.db.pool()).await.map_err(failed)?;
        rows.iter().map(filed).collect()
    }

    async fn save(&self, batch: TicketBatch) -> Result<(), SaveError> {
        let envelopes: Vec<Envelope> = batch
            .changes
            .iter()
            .flat_map(|change| self.seal(change, batch.now))
            .collect();
        let (batch, envelopes) = (&batch, &envelopes);
        self.db
            .transaction(|mut tx: Tx| async move {
                note_handled(&mut tx, batch).await?;
                for changes in chunks(&batch.changes) {
                    write(&mut tx, changes, batch.now).await?;
                }
                board::add_sales(&mut tx, &batch.changes).await?;
                put_outbox(&mut tx, STORE_TOPIC, envelopes).await?;
                Ok::<_, TxError>(tx.commit_with(()).await?)
            })
            .await
            .map_err(SaveError::from)
    }

    async fn lead(&self, owner: &str, now: i64, until: i64) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "INSERT INTO leaders (task, owner, until) VALUES ('auto', $1, $2)
             ON CONFLICT (task) DO UPDATE SET owner = excluded.owner, until = excluded.until
             WHERE leaders.owner = excluded.owner OR leaders.until < $3 OR leaders.until > $3 + 60000",
        );
        let query = query.bind(owner).bind(until).bind(now);
        let mut tx = self.db.begin().await?;
        let leads = query.execute(tx.conn()).await.map_err(failed)?.rows_affected() == 1;
        tx.commit().await?;
        Ok(leads)
    }
}

impl SqlStore {
    fn seal(&self, change: &TicketChange, time: i64) -> Vec<Envelope> {
        let of = parties(change);
        let seal = |(number, (event, cause)): (u64, &(_, crate::ports::Cause))| {
            let stamp = Stamp {
                id: self.ids.next(),
                time,
                sequence: change.before + number,
            };
            let mut envelope = ticket_event(of, crate::domain::TicketEvent::clone(event), stamp);
            envelope.causation_id.clone_from(&cause.causation_id);
            envelope.traced(cause.traceparent.clone().or_else(|| change.trace.clone()))
        };
        (1..).zip(&change.events).map(seal).collect()
    }
}

/// Without an order the event itself says whose it is.
fn parties(change: &TicketChange) -> Parties<'_> {
    let order_id = change.order_id.as_str();
    match change.order.placed() {
        Some(placed) => Parties {
            order_id,
            store_id: &placed.store_id,
            customer_id: &placed.customer_id,
            total: placed.total,
        },
        None => Parties {
            order_id,
            store_id: "",
            customer_id: "",
            total: 0,
        },
    }
}

async fn note_handled(tx: &mut Tx, batch: &TicketBatch) -> Result<(), TxError> {
    if batch.handled.is_empty() {
        return Ok(());
    }
    let fresh = first_times(tx, CONSUMER, &batch.handled).await?;
    if fresh.len() == batch.handled.len() {
        Ok(())
    } else {
        Err(TxError::Refused(SaveError::Seen { fresh }))
    }
}

/// Inserts and replaces in one statement; a row that is not at the version decided on is left alone, and missed.
async fn write(tx: &mut Tx, changes: &[TicketChange], now: i64) -> Result<(), TxError> {
    let sql = format!(
        "INSERT INTO store_orders (order_id, store_id, status, received_at, moved_at, advancing, version, decided_on, body)
         VALUES {}
         ON CONFLICT (order_id) DO UPDATE SET store_id = excluded.store_id, status = excluded.status,
             received_at = excluded.received_at, moved_at = excluded.moved_at, advancing = excluded.advancing,
             version = excluded.version, decided_on = excluded.decided_on, body = excluded.body
         WHERE store_orders.version = excluded.decided_on",
        values(changes.len(), 9)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for change in changes {
        query = query
            .bind(change.order_id.clone())
            .bind(store_id(&change.order))
            .bind(change.order.status().name())
            .bind(change.order.received_at().unwrap_or(0))
            .bind(now)
            .bind(i64::from(change.order.status().advances()))
            .bind(change.after() as i64)
            .bind(change.before as i64)
            .bind(body(&change.order, change.trace.as_deref()));
    }
    let written = query.execute(tx.conn()).await?.rows_affected();
    if written == changes.len() as u64 {
        Ok(())
    } else {
        Err(TxError::Refused(SaveError::Conflict))
    }
}

fn store_id(order: &StoreOrder) -> String {
    order
        .placed()
        .map(|placed| placed.store_id.clone())
        .unwrap_or_default()
}
