//! One transaction's worth of change: a batch of orders is one update command.
//!
//! A duplicate key inside a transaction aborts it, so what may be there already is looked for first; two that look at
//! the same moment are told apart by the server (a write conflict, which is tried again, or a duplicate key).

use baedal_events::ORDER_TOPIC;
use baedal_kit::mongo::{self, MongoTx};
use mongodb::{
    bson::{self, Document, doc},
    error::ErrorKind,
};

use super::MongoStore;
use crate::{
    domain::{Coupon, Menu, Order},
    outbound::{
        CONSUMER, publish,
        record::{CouponDoc, MenuDoc, OrderDoc, column},
    },
    ports::{Changes, StoreError},
};

/// The server's code for a key that is there already.
const DUPLICATE_KEY: i32 = 11_000;

pub(super) async fn changes(
    store: &MongoStore,
    tx: &mut MongoTx,
    changes: &Changes,
) -> Result<(), StoreError> {
    if !changes.seen.is_empty() {
        let new = mongo::first_times(tx, CONSUMER, &changes.seen).await?;
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
    for order in &changes.orders {
        hold_coupon(store, tx, order).await?;
    }
    save_orders(store, tx, &changes.orders).await?;
    for menu in &changes.menus {
        save_menu(store, tx, menu).await?;
    }
    for coupon in &changes.coupons {
        save_coupon(store, tx, coupon).await?;
    }
    if !changes.events.is_empty() {
        mongo::put_outbox(tx, ORDER_TOPIC, &publish::envelopes(&changes.events)).await?;
    }
    Ok(())
}

async fn save_orders(store: &MongoStore, tx: &mut MongoTx, orders: &[Order]) -> Result<(), StoreError> {
    let (new, known): (Vec<&Order>, Vec<&Order>) = orders.iter().partition(|order| order.version == 0);
    for order in new {
        insert_order(store, tx, order).await?;
    }
    if known.is_empty() {
        return Ok(());
    }
    let updates = known.iter().map(|order| {
        Ok(doc! { "q": { "_id": order.id.as_str(), "version": column(order.version) }, "u": document(order)? })
    });
    let updates = updates.collect::<Result<Vec<Document>, StoreError>>()?;
    let command = doc! { "update": "orders", "updates": updates };
    let answer = store
        .mongo
        .db()
        .run_command(command)
        .session(tx.session())
        .await?;
    let failed = answer.contains_key("writeErrors");
    let matched = answer.get_i32("n").unwrap_or(0);
    if failed || usize::try_from(matched).ok() != Some(known.len()) {
        Err(StoreError::Conflict)
    } else {
        Ok(())
    }
}

async fn insert_order(store: &MongoStore, tx: &mut MongoTx, order: &Order) -> Result<(), StoreError> {
    let key = doc! { "doc.customer": order.customer.as_str(), "doc.key": order.key.as_str() };
    if store
        .orders()
        .find_one(key)
        .session(tx.session())
        .await?
        .is_some()
    {
        return Err(StoreError::Conflict);
    }
    store
        .orders()
        .insert_one(document(order)?)
        .session(tx.session())
        .await
        .map_err(|error| duplicate(error, StoreError::Conflict))?;
    Ok(())
}

fn document(order: &Order) -> Result<Document, StoreError> {
    Ok(doc! {
        "_id": order.id.as_str(),
        "status": order.state.status().name(),
        "entered_at": order.state.entered_at(),
        "requested_at": order.requested_at,
        "version": column(order.version) + 1,
        "doc": part(&OrderDoc::of(order))?,
    })
}

async fn hold_coupon(store: &MongoStore, tx: &mut MongoTx, order: &Order) -> Result<(), StoreError> {
    let Some(coupon) = &order.coupon else {
        return Ok(());
    };
    match (order.version == 0, order.holds_coupon()) {
        (true, true) => {
            let found = store
                .holds()
                .find_one(doc! { "_id": coupon.as_str() })
                .session(tx.session())
                .await?;
            if found.is_some() {
                return Err(StoreError::CouponTaken);
            }
            let hold = doc! { "_id": coupon.as_str(), "order_id": order.id.as_str() };
            let done = store.holds().insert_one(hold).session(tx.session()).await;
            done.map_err(|error| duplicate(error, StoreError::CouponTaken))?;
        }
        (false, false) => {
            let hold = doc! { "_id": coupon.as_str(), "order_id": order.id.as_str() };
            store.holds().delete_one(hold).session(tx.session()).await?;
        }
        _ => {}
    }
    Ok(())
}

async fn save_menu(store: &MongoStore, tx: &mut MongoTx, menu: &Menu) -> Result<(), StoreError> {
    let id = menu.store.as_str();
    let document = doc! { "_id": id, "version": column(menu.version) + 1, "doc": part(&MenuDoc::of(menu))? };
    if menu.version == 0 {
        let done = store.menus().insert_one(document).session(tx.session()).await;
        return done
            .map(drop)
            .map_err(|error| duplicate(error, StoreError::Conflict));
    }
    let loaded = doc! { "_id": id, "version": column(menu.version) };
    let done = store
        .menus()
        .replace_one(loaded, document)
        .session(tx.session())
        .await?;
    if done.matched_count == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict)
    }
}

async fn save_coupon(store: &MongoStore, tx: &mut MongoTx, coupon: &Coupon) -> Result<(), StoreError> {
    let document = doc! { "_id": coupon.id.as_str(), "doc": part(&CouponDoc::of(coupon))? };
    let key = doc! { "_id": coupon.id.as_str() };
    store
        .coupons()
        .replace_one(key, document)
        .upsert(true)
        .session(tx.session())
        .await?;
    Ok(())
}

fn part<D: serde::Serialize>(doc: &D) -> Result<Document, StoreError> {
    bson::serialize_to_document(doc).map_err(|error| StoreError::Failed {
        message: error.to_string(),
        transient: false,
    })
}

fn duplicate(error: mongodb::error::Error, meaning: StoreError) -> StoreError {
    let code = match &*error.kind {
        ErrorKind::Write(mongodb::error::WriteFailure::WriteError(failed)) => failed.code,
        ErrorKind::Command(failed) => failed.code,
        _ => 0,
    };
    if code == DUPLICATE_KEY {
        meaning
    } else {
        error.into()
    }
}
