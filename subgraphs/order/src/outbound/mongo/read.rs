//! Questions to the collections.

use futures_util::TryStreamExt;
use mongodb::bson::{self, Document, doc};

use super::MongoStore;
use crate::{
    domain::{Coupon, CouponId, CustomerId, IdempotencyKey, Menu, Millis, Order, OrderId, StoreId},
    outbound::record::{CouponDoc, MenuDoc, OrderDoc, broken},
    ports::{Position, StoreError, Wait},
};

pub(super) async fn orders_by_id(store: &MongoStore, ids: &[OrderId]) -> Result<Vec<Order>, StoreError> {
    let ids: Vec<&str> = ids.iter().map(OrderId::as_str).collect();
    let limit = ids.len();
    orders(store, doc! { "_id": { "$in": ids } }, doc! {}, limit).await
}

pub(super) async fn order_by_key(
    store: &MongoStore,
    customer: &CustomerId,
    key: &IdempotencyKey,
) -> Result<Option<Order>, StoreError> {
    let filter = doc! { "doc.customer": customer.as_str(), "doc.key": key.as_str() };
    Ok(orders(store, filter, doc! {}, 1).await?.pop())
}

pub(super) async fn orders_of_customer(
    store: &MongoStore,
    customer: &CustomerId,
    after: Option<Position>,
    limit: usize,
) -> Result<Vec<Order>, StoreError> {
    let after = after.unwrap_or(Position {
        at: Millis::MAX,
        order: String::new(),
    });
    let filter = doc! {
        "doc.customer": customer.as_str(),
        "$or": [{ "requested_at": { "$lt": after.at } }, { "requested_at": after.at, "_id": { "$lt": after.order } }],
    };
    orders(store, filter, doc! { "requested_at": -1, "_id": -1 }, limit).await
}

pub(super) async fn orders_waiting(
    store: &MongoStore,
    wait: Wait<'_>,
    limit: usize,
) -> Result<Vec<Order>, StoreError> {
    let statuses: Vec<&str> = wait.statuses.iter().map(|status| status.name()).collect();
    let mut filter = doc! { "status": { "$in": statuses }, "entered_at": { "$lt": wait.since } };
    if let Some(after) = wait.after {
        let rest = [
            doc! { "entered_at": { "$gt": after.at } },
            doc! { "entered_at": after.at, "_id": { "$gt": &after.order } },
        ];
        filter.insert("$or", rest.to_vec());
    }
    orders(store, filter, doc! { "entered_at": 1, "_id": 1 }, limit).await
}

pub(super) async fn menu(store: &MongoStore, id: &StoreId) -> Result<Option<Menu>, StoreError> {
    let Some(found) = store.menus().find_one(doc! { "_id": id.as_str() }).await? else {
        return Ok(None);
    };
    let version = found
        .get_i64("version")
        .map_err(|error| broken("menu", id.as_str(), error))?;
    part::<MenuDoc>(&found, "menu", id.as_str())?
        .read(id.as_str(), version)
        .map(Some)
}

pub(super) async fn free_coupon(store: &MongoStore, id: &CouponId) -> Result<Option<Coupon>, StoreError> {
    let key = doc! { "_id": id.as_str() };
    if store.holds().find_one(key.clone()).await?.is_some() {
        return Ok(None);
    }
    let Some(found) = store.coupons().find_one(key).await? else {
        return Ok(None);
    };
    part::<CouponDoc>(&found, "coupon", id.as_str())?
        .read(id.as_str())
        .map(Some)
}

async fn orders(
    store: &MongoStore,
    filter: Document,
    sort: Document,
    limit: usize,
) -> Result<Vec<Order>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut cursor = store.orders().find(filter).sort(sort).limit(limit).await?;
    let mut found = Vec::new();
    while let Some(document) = cursor.try_next().await? {
        found.push(order(&document)?);
    }
    Ok(found)
}

fn order(found: &Document) -> Result<Order, StoreError> {
    let id = found
        .get_str("_id")
        .map_err(|error| broken("order", "?", error))?;
    let version = found
        .get_i64("version")
        .map_err(|error| broken("order", id, error))?;
    part::<OrderDoc>(found, "order", id)?.read(id, version)
}

fn part<D: serde::de::DeserializeOwned>(found: &Document, what: &str, id: &str) -> Result<D, StoreError> {
    let part = found
        .get_document("doc")
        .map_err(|error| broken(what, id, error))?;
    bson::deserialize_from_document(part.clone()).map_err(|error| broken(what, id, error))
}
