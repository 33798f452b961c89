//! `Payments` on Postgres and on SQLite, with the same statements.

use async_trait::async_trait;
use baedal_events::PAYMENT_TOPIC;
use baedal_kit::{
    retry::Transient,
    sql::{self, Db, SqlError, Tx},
};
use sqlx::any::AnyRow;

use super::{publish, record};
use crate::{
    domain::{CustomerId, Millis, OrderId, Payment},
    ports::{Changes, Payments, Position, StoreError},
};

/// Name of payment's inbox.
const CONSUMER: &str = "payment";

/// How many ids one statement names.
const IDS_AT_ONCE: usize = 500;

const MIGRATIONS: &[&str] = &["CREATE TABLE payments (
        order_id TEXT PRIMARY KEY,
        customer_id TEXT,
        amount BIGINT NOT NULL,
        status TEXT NOT NULL,
        requested_at BIGINT NOT NULL,
        entered_at BIGINT NOT NULL,
        approved_at BIGINT,
        reference TEXT,
        reason TEXT,
        version BIGINT NOT NULL
    );
    CREATE INDEX payments_of_customer ON payments (customer_id, requested_at, order_id);
    CREATE INDEX payments_open ON payments (entered_at)
        WHERE status IN ('REQUESTED', 'UNKNOWN', 'VOID_PENDING', 'REFUND_PENDING')"];

/// The payments table.
#[derive(Clone)]
pub struct SqlPayments {
    db: Db,
}

impl SqlPayments {
    /// Over an open database; creates or upgrades the table.
    pub async fn open(db: Db) -> Result<SqlPayments, SqlError> {
        db.migrate("payment", MIGRATIONS).await?;
        Ok(SqlPayments { db })
    }
}

#[async_trait]
impl Payments for SqlPayments {
    async fn find(&self, order: &OrderId) -> Result<Option<Payment>, StoreError> {
        let text = format!("SELECT {} FROM payments WHERE order_id = $1", record::COLUMNS);
        let row = sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(order.as_str())
            .fetch_optional(self.db.pool())
            .await;
        row.map_err(SqlError::from)?
            .as_ref()
            .map(record::payment)
            .transpose()
    }

    async fn find_many(&self, orders: &[OrderId]) -> Result<Vec<Payment>, StoreError> {
        let mut found = Vec::with_capacity(orders.len());
        for ids in orders.chunks(IDS_AT_ONCE) {
            let places: Vec<String> = (1..=ids.len()).map(|n| format!("${n}")).collect();
            let text = format!(
                "SELECT {} FROM payments WHERE order_id IN ({})",
                record::COLUMNS,
                places.join(", ")
            );
            let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
            for id in ids {
                query = query.bind(id.as_str().to_owned());
            }
            found.extend(payments(query.fetch_all(self.db.pool()).await)?);
        }
        Ok(found)
    }

    async fn of_customer(
        &self,
        customer: &CustomerId,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Payment>, StoreError> {
        let after = after.unwrap_or(Position {
            at: Millis::MAX,
            order: String::new(),
        });
        let text = format!(
            "SELECT {} FROM payments
             WHERE customer_id = $1 AND (requested_at < $2 OR (requested_at = $2 AND order_id < $3))
             ORDER BY requested_at DESC, order_id DESC LIMIT $4",
            record::COLUMNS
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(customer.as_str().to_owned());
        let query = query.bind(after.at).bind(after.order).bind(rows(limit));
        payments(query.fetch_all(self.db.pool()).await)
    }

    async fn open(&self, entered_before: Millis, limit: usize) -> Result<Vec<Payment>, StoreError> {
        let text = format!(
            "SELECT {} FROM payments
             WHERE status IN ('REQUESTED', 'UNKNOWN', 'VOID_PENDING', 'REFUND_PENDING') AND entered_at <= $1
             ORDER BY entered_at LIMIT $2",
            record::COLUMNS
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(entered_before)
            .bind(rows(limit));
        payments(query.fetch_all(self.db.pool()).await)
    }

    async fn commit(&self, mut changes: Changes) -> Result<(), StoreError> {
        // Two writers of overlapping batches take the rows in the same order, so neither waits for the other in a ring.
        changes.payments.sort_by(|a, b| a.order.cmp(&b.order));
        let changes = &changes;
        self.db
            .transaction(|mut tx| async move {
                write(&mut tx, changes).await?;
                Ok(tx.commit_with(()).await?)
            })
            .await
    }
}

async fn write(tx: &mut Tx, changes: &Changes) -> Result<(), StoreError> {
    if !changes.seen.is_empty() {
        let new = sql::first_times(tx, CONSUMER, &changes.seen).await?;
        if new.len() < changes.seen.len() {
            return Err(StoreError::Seen(
                changes
                    .seen
                    .iter()
                    .filter(|id| !new.contains(id))
                    .copied()
                    .collect(),
            ));
        }
    }
    for payment in &changes.payments {
        save(tx, payment).await?;
    }
    let envelopes: Vec<_> = changes.events.iter().map(publish::envelope).collect();
    if !envelopes.is_empty() {
        sql::put_outbox(tx, PAYMENT_TOPIC, &envelopes).await?;
    }
    Ok(())
}

async fn save(tx: &mut Tx, payment: &Payment) -> Result<(), StoreError> {
    let columns = record::columns(&payment.state);
    let version = i64::try_from(payment.version).expect("a version counts saves");
    let statement = if version == 0 {
        "INSERT INTO payments (status, entered_at, approved_at, reference, reason, order_id, version, customer_id, amount, requested_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7 + 1, $8, $9, $10) ON CONFLICT (order_id) DO NOTHING"
    } else {
        "UPDATE payments SET status = $1, entered_at = $2, approved_at = $3, reference = $4, reason = $5, version = version + 1
         WHERE order_id = $6 AND version = $7"
    };
    let mut query = sqlx::query(statement)
        .bind(payment.state.status().name())
        .bind(payment.state.entered_at())
        .bind(columns.approved_at)
        .bind(columns.reference)
        .bind(columns.reason)
        .bind(payment.order.as_str().to_owned())
        .bind(version);
    if version == 0 {
        let customer = payment
            .customer
            .as_ref()
            .map(|customer| customer.as_str().to_owned());
        query = query
            .bind(customer)
            .bind(payment.amount.get())
            .bind(payment.requested_at);
    }
    let done = query.execute(tx.conn()).await.map_err(SqlError::from)?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict)
    }
}

fn payments(rows: Result<Vec<AnyRow>, sqlx::Error>) -> Result<Vec<Payment>, StoreError> {
    rows.map_err(SqlError::from)?
        .iter()
        .map(record::payment)
        .collect()
}

fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

impl From<SqlError> for StoreError {
    fn from(error: SqlError) -> StoreError {
        StoreError::Failed {
            transient: error.is_transient(),
            message: error.to_string(),
        }
    }
}

impl Transient for StoreError {
    fn is_transient(&self) -> bool {
        matches!(self, StoreError::Failed { transient: true, .. })
    }
}
