//! The records in SQLite (the embedded default): documents as JSON text, with the columns that are searched by.

mod read;
mod write;

use async_trait::async_trait;
use baedal_kit::{
    retry::Transient,
    sql::{Db, SqlError},
};

use crate::{
    domain::{Coupon, CouponId, CustomerId, IdempotencyKey, Menu, Order, OrderId, StoreId},
    ports::{Changes, Coupons, Menus, Orders, Position, StoreError, Wait},
};

const MIGRATIONS: &[&str] = &["CREATE TABLE orders (
        id TEXT PRIMARY KEY,
        customer_id TEXT NOT NULL,
        idempotency_key TEXT NOT NULL,
        status TEXT NOT NULL,
        entered_at BIGINT NOT NULL,
        requested_at BIGINT NOT NULL,
        version BIGINT NOT NULL,
        doc TEXT NOT NULL
    );
    CREATE UNIQUE INDEX orders_by_key ON orders (customer_id, idempotency_key);
    CREATE INDEX orders_of_customer ON orders (customer_id, requested_at, id);
    CREATE INDEX orders_waiting ON orders (status, entered_at) WHERE status NOT IN ('DELIVERED', 'PAYMENT_FAILED', 'CANCELLED');
    CREATE TABLE menus (store_id TEXT PRIMARY KEY, version BIGINT NOT NULL, doc TEXT NOT NULL);
    CREATE TABLE coupons (id TEXT PRIMARY KEY, doc TEXT NOT NULL);
    CREATE TABLE coupon_holds (coupon_id TEXT PRIMARY KEY, order_id TEXT NOT NULL)"];

/// Order's tables.
#[derive(Clone)]
pub struct SqlStore {
    db: Db,
}

impl SqlStore {
    /// Over an open database; creates or upgrades the tables.
    pub async fn open(db: Db) -> Result<SqlStore, SqlError> {
        db.migrate("order", MIGRATIONS).await?;
        Ok(SqlStore { db })
    }
}

#[async_trait]
impl Orders for SqlStore {
    async fn find(&self, order: &OrderId) -> Result<Option<Order>, StoreError> {
        Ok(read::orders_by_id(&self.db, std::slice::from_ref(order))
            .await?
            .pop())
    }

    async fn find_many(&self, orders: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        read::orders_by_id(&self.db, orders).await
    }

    async fn by_key(&self, customer: &CustomerId, key: &IdempotencyKey) -> Result<Option<Order>, StoreError> {
        read::order_by_key(&self.db, customer, key).await
    }

    async fn of_customer(
        &self,
        customer: &CustomerId,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Order>, StoreError> {
        read::orders_of_customer(&self.db, customer, after, limit).await
    }

    async fn waiting(&self, wait: Wait<'_>, limit: usize) -> Result<Vec<Order>, StoreError> {
        read::orders_waiting(&self.db, wait, limit).await
    }

    async fn commit(&self, mut changes: Changes) -> Result<(), StoreError> {
        // Two writers of overlapping batches take the rows in the same sequence, so neither waits for the other in a ring.
        changes.orders.sort_by(|a, b| a.id.cmp(&b.id));
        let changes = &changes;
        self.db
            .transaction(|mut tx| async move {
                write::changes(&mut tx, changes).await?;
                Ok(tx.commit_with(()).await?)
            })
            .await
    }
}

#[async_trait]
impl Menus for SqlStore {
    async fn menu(&self, store: &StoreId) -> Result<Option<Menu>, StoreError> {
        read::menu(&self.db, store).await
    }
}

#[async_trait]
impl Coupons for SqlStore {
    async fn free_coupon(&self, coupon: &CouponId) -> Result<Option<Coupon>, StoreError> {
        read::free_coupon(&self.db, coupon).await
    }
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
