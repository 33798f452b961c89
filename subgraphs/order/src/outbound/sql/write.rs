//! One transaction's worth of change, in as few statements as it takes: a batch of orders is one upsert.

use baedal_events::ORDER_TOPIC;
use baedal_kit::sql::{self, SqlError, Tx};
use sqlx::AssertSqlSafe;

use super::read::places;
use crate::{
    domain::{Coupon, Menu, Order},
    outbound::{
        CONSUMER, publish,
        record::{CouponDoc, MenuDoc, OrderDoc, column},
    },
    ports::{Changes, StoreError},
};

/// Orders per statement.
const ORDERS_AT_ONCE: usize = 50;

pub(super) async fn changes(tx: &mut Tx, changes: &Changes) -> Result<(), StoreError> {
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
    for orders in changes.orders.chunks(ORDERS_AT_ONCE) {
        save_orders(tx, orders).await?;
    }
    for order in &changes.orders {
        hold_coupon(tx, order).await?;
    }
    for menu in &changes.menus {
        save_menu(tx, menu).await?;
    }
    for coupon in &changes.coupons {
        save_coupon(tx, coupon).await?;
    }
    if !changes.events.is_empty() {
        sql::put_outbox(tx, ORDER_TOPIC, &publish::envelopes(&changes.events)).await?;
    }
    Ok(())
}

/// Writes each order over the version it was loaded with. A row that another has written since is left alone by the
/// upsert's condition, which shows in the count.
async fn save_orders(tx: &mut Tx, orders: &[Order]) -> Result<(), StoreError> {
    let rows: Vec<String> = (0..orders.len())
        .map(|row| format!("({})", places(row * 8 + 1, 8)))
        .collect();
    let text = format!(
        "INSERT INTO orders (id, customer_id, idempotency_key, status, entered_at, requested_at, version, doc) VALUES {}
         ON CONFLICT (id) DO UPDATE SET status = excluded.status, entered_at = excluded.entered_at, version = excluded.version,
             doc = excluded.doc WHERE orders.version = excluded.version - 1",
        rows.join(", ")
    );
    let mut query = sqlx::query(AssertSqlSafe(text));
    for order in orders {
        let doc = serde_json::to_string(&OrderDoc::of(order)).expect("an order is strings and integers");
        query = query
            .bind(order.id.as_str().to_owned())
            .bind(order.customer.as_str().to_owned())
            .bind(order.key.as_str().to_owned())
            .bind(order.state.status().name())
            .bind(order.state.entered_at())
            .bind(order.requested_at)
            .bind(column(order.version) + 1)
            .bind(doc);
    }
    match query.execute(tx.conn()).await {
        Ok(done) if done.rows_affected() == orders.len() as u64 => Ok(()),
        Ok(_) => Err(StoreError::Conflict),
        Err(error) if sql::is_unique_violation(&error) => Err(StoreError::Conflict),
        Err(error) => Err(SqlError::from(error).into()),
    }
}

async fn hold_coupon(tx: &mut Tx, order: &Order) -> Result<(), StoreError> {
    let Some(coupon) = &order.coupon else {
        return Ok(());
    };
    let new = order.version == 0;
    let statement = match (new, order.holds_coupon()) {
        (true, true) => {
            "INSERT INTO coupon_holds (coupon_id, order_id) VALUES ($1, $2) ON CONFLICT (coupon_id) DO NOTHING"
        }
        (false, false) => "DELETE FROM coupon_holds WHERE coupon_id = $1 AND order_id = $2",
        _ => return Ok(()),
    };
    let query = sqlx::query(statement)
        .bind(coupon.as_str().to_owned())
        .bind(order.id.as_str().to_owned());
    let done = query.execute(tx.conn()).await.map_err(SqlError::from)?;
    if new && done.rows_affected() == 0 {
        Err(StoreError::CouponTaken)
    } else {
        Ok(())
    }
}

async fn save_menu(tx: &mut Tx, menu: &Menu) -> Result<(), StoreError> {
    let doc = serde_json::to_string(&MenuDoc::of(menu)).expect("a menu is strings and integers");
    let query = sqlx::query(
        "INSERT INTO menus (store_id, version, doc) VALUES ($1, $2, $3)
         ON CONFLICT (store_id) DO UPDATE SET version = excluded.version, doc = excluded.doc
             WHERE menus.version = excluded.version - 1",
    );
    let query = query
        .bind(menu.store.as_str().to_owned())
        .bind(column(menu.version) + 1)
        .bind(doc);
    let done = query.execute(tx.conn()).await.map_err(SqlError::from)?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict)
    }
}

async fn save_coupon(tx: &mut Tx, coupon: &Coupon) -> Result<(), StoreError> {
    let doc = serde_json::to_string(&CouponDoc::of(coupon)).expect("a coupon is strings and integers");
    let query = sqlx::query(
        "INSERT INTO coupons (id, doc) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc",
    );
    query
        .bind(coupon.id.as_str().to_owned())
        .bind(doc)
        .execute(tx.conn())
        .await
        .map_err(SqlError::from)?;
    Ok(())
}
