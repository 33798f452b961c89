//! Questions to the tables.

use baedal_kit::sql::{Db, SqlError};
use sqlx::{AssertSqlSafe, Row, any::AnyRow};

use crate::{
    domain::{Coupon, CouponId, CustomerId, IdempotencyKey, Menu, Millis, Order, OrderId, StoreId},
    outbound::record::{CouponDoc, MenuDoc, OrderDoc, broken},
    ports::{Position, StoreError, Wait},
};

/// How many ids one statement names.
const IDS_AT_ONCE: usize = 500;

pub(super) async fn orders_by_id(db: &Db, ids: &[OrderId]) -> Result<Vec<Order>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(IDS_AT_ONCE) {
        let text = format!(
            "SELECT id, version, doc FROM orders WHERE id IN ({})",
            places(1, ids.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(text));
        for id in ids {
            query = query.bind(id.as_str().to_owned());
        }
        found.extend(orders(query.fetch_all(db.pool()).await)?);
    }
    Ok(found)
}

pub(super) async fn order_by_key(
    db: &Db,
    customer: &CustomerId,
    key: &IdempotencyKey,
) -> Result<Option<Order>, StoreError> {
    let query =
        sqlx::query("SELECT id, version, doc FROM orders WHERE customer_id = $1 AND idempotency_key = $2");
    let query = query
        .bind(customer.as_str().to_owned())
        .bind(key.as_str().to_owned());
    Ok(orders(query.fetch_all(db.pool()).await)?.pop())
}

pub(super) async fn orders_of_customer(
    db: &Db,
    customer: &CustomerId,
    after: Option<Position>,
    limit: usize,
) -> Result<Vec<Order>, StoreError> {
    let after = after.unwrap_or(Position {
        at: Millis::MAX,
        order: String::new(),
    });
    let query = sqlx::query(
        "SELECT id, version, doc FROM orders
         WHERE customer_id = $1 AND (requested_at < $2 OR (requested_at = $2 AND id < $3))
         ORDER BY requested_at DESC, id DESC LIMIT $4",
    );
    let query = query
        .bind(customer.as_str().to_owned())
        .bind(after.at)
        .bind(after.order)
        .bind(rows(limit));
    orders(query.fetch_all(db.pool()).await)
}

pub(super) async fn orders_waiting(db: &Db, wait: Wait<'_>, limit: usize) -> Result<Vec<Order>, StoreError> {
    let after = wait.after.cloned().unwrap_or(Position {
        at: Millis::MIN,
        order: String::new(),
    });
    let text = format!(
        "SELECT id, version, doc FROM orders
         WHERE entered_at < $1 AND (entered_at > $2 OR (entered_at = $2 AND id > $3)) AND status IN ({})
           AND status NOT IN ('DELIVERED', 'PAYMENT_FAILED', 'CANCELLED')
         ORDER BY entered_at, id LIMIT $4",
        places(5, wait.statuses.len())
    );
    let mut query = sqlx::query(AssertSqlSafe(text))
        .bind(wait.since)
        .bind(after.at)
        .bind(after.order)
        .bind(rows(limit));
    for status in wait.statuses {
        query = query.bind(status.name());
    }
    orders(query.fetch_all(db.pool()).await)
}

pub(super) async fn menu(db: &Db, store: &StoreId) -> Result<Option<Menu>, StoreError> {
    let query =
        sqlx::query("SELECT version, doc FROM menus WHERE store_id = $1").bind(store.as_str().to_owned());
    let Some(row) = query.fetch_optional(db.pool()).await.map_err(SqlError::from)? else {
        return Ok(None);
    };
    let doc: MenuDoc = document(&row, "menu", store.as_str())?;
    doc.read(store.as_str(), column(&row, "version")?).map(Some)
}

pub(super) async fn free_coupon(db: &Db, coupon: &CouponId) -> Result<Option<Coupon>, StoreError> {
    let query = sqlx::query(
        "SELECT doc FROM coupons WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM coupon_holds WHERE coupon_id = $1)",
    );
    let row = query
        .bind(coupon.as_str().to_owned())
        .fetch_optional(db.pool())
        .await
        .map_err(SqlError::from)?;
    let Some(row) = row else { return Ok(None) };
    let doc: CouponDoc = document(&row, "coupon", coupon.as_str())?;
    doc.read(coupon.as_str()).map(Some)
}

/// `$first, …`, that many.
pub(super) fn places(first: usize, count: usize) -> String {
    let places: Vec<String> = (first..first + count).map(|place| format!("${place}")).collect();
    places.join(", ")
}

fn orders(rows: Result<Vec<AnyRow>, sqlx::Error>) -> Result<Vec<Order>, StoreError> {
    rows.map_err(SqlError::from)?.iter().map(order).collect()
}

fn order(row: &AnyRow) -> Result<Order, StoreError> {
    let id: String = column(row, "id")?;
    let doc: OrderDoc = document(row, "order", &id)?;
    doc.read(&id, column(row, "version")?)
}

fn document<D: serde::de::DeserializeOwned>(row: &AnyRow, what: &str, id: &str) -> Result<D, StoreError> {
    let text: String = column(row, "doc")?;
    serde_json::from_str(&text).map_err(|error| broken(what, id, error))
}

fn column<'r, T>(row: &'r AnyRow, name: &str) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, sqlx::Any> + sqlx::Type<sqlx::Any>,
{
    Ok(row.try_get(name).map_err(SqlError::from)?)
}

fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
