//! The records in MongoDB: the same documents, in collections of the service's own database.

mod read;
mod write;

use async_trait::async_trait;
use baedal_kit::{
    mongo::{Mongo, MongoError},
    retry::Transient,
};
use mongodb::{
    Collection, IndexModel,
    bson::{Document, doc},
    options::IndexOptions,
};

use crate::{
    domain::{Coupon, CouponId, CustomerId, IdempotencyKey, Menu, Order, OrderId, StoreId},
    ports::{Changes, Coupons, Menus, Orders, Position, StoreError, Wait},
};

/// Order's collections.
#[derive(Clone)]
pub struct MongoStore {
    mongo: Mongo,
}

impl MongoStore {
    /// Over an open database; creates collections (a transaction cannot) and indexes.
    pub async fn open(mongo: Mongo) -> Result<MongoStore, MongoError> {
        let store = MongoStore { mongo };
        store.prepare().await?;
        Ok(store)
    }

    async fn prepare(&self) -> Result<(), MongoError> {
        let unique = IndexOptions::builder().unique(true).build();
        let by_key = IndexModel::builder()
            .keys(doc! { "doc.customer": 1, "doc.key": 1 })
            .options(unique)
            .build();
        let of_customer = IndexModel::builder()
            .keys(doc! { "doc.customer": 1, "requested_at": -1, "_id": -1 })
            .build();
        let waiting = IndexModel::builder()
            .keys(doc! { "status": 1, "entered_at": 1, "_id": 1 })
            .build();
        self.orders()
            .create_indexes([by_key, of_customer, waiting])
            .await?;
        // An index on what is there anyway makes the collection, and does nothing the second time.
        for collection in [self.menus(), self.coupons(), self.holds()] {
            collection
                .create_index(IndexModel::builder().keys(doc! { "_id": 1 }).build())
                .await?;
        }
        Ok(())
    }

    fn orders(&self) -> Collection<Document> {
        self.mongo.db().collection("orders")
    }

    fn menus(&self) -> Collection<Document> {
        self.mongo.db().collection("menus")
    }

    fn coupons(&self) -> Collection<Document> {
        self.mongo.db().collection("coupons")
    }

    /// Which coupon is held by which order.
    fn holds(&self) -> Collection<Document> {
        self.mongo.db().collection("coupon_holds")
    }
}

#[async_trait]
impl Orders for MongoStore {
    async fn find(&self, order: &OrderId) -> Result<Option<Order>, StoreError> {
        Ok(read::orders_by_id(self, std::slice::from_ref(order)).await?.pop())
    }

    async fn find_many(&self, orders: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        read::orders_by_id(self, orders).await
    }

    async fn by_key(&self, customer: &CustomerId, key: &IdempotencyKey) -> Result<Option<Order>, StoreError> {
        read::order_by_key(self, customer, key).await
    }

    async fn of_customer(
        &self,
        customer: &CustomerId,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Order>, StoreError> {
        read::orders_of_customer(self, customer, after, limit).await
    }

    async fn waiting(&self, wait: Wait<'_>, limit: usize) -> Result<Vec<Order>, StoreError> {
        read::orders_waiting(self, wait, limit).await
    }

    async fn commit(&self, changes: Changes) -> Result<(), StoreError> {
        let changes = &changes;
        self.mongo
            .transaction(|mut tx| async move {
                write::changes(self, &mut tx, changes).await?;
                Ok(tx.commit_with(()).await?)
            })
            .await
    }
}

#[async_trait]
impl Menus for MongoStore {
    async fn menu(&self, store: &StoreId) -> Result<Option<Menu>, StoreError> {
        read::menu(self, store).await
    }
}

#[async_trait]
impl Coupons for MongoStore {
    async fn free_coupon(&self, coupon: &CouponId) -> Result<Option<Coupon>, StoreError> {
        read::free_coupon(self, coupon).await
    }
}

impl From<MongoError> for StoreError {
    fn from(error: MongoError) -> StoreError {
        StoreError::Failed {
            transient: error.is_transient(),
            message: error.to_string(),
        }
    }
}

impl From<mongodb::error::Error> for StoreError {
    fn from(error: mongodb::error::Error) -> StoreError {
        MongoError::from(error).into()
    }
}
