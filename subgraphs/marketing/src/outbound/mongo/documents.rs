//! Aggregates as documents, and back. Fields are named like the columns of the SQL adapter.

use crate::domain::{Benefit, Coupon, CouponState, Delivery, End, Entry, EntryKind, FeedItem, Member};
use crate::ports::{Head, Tracked};
use mongodb::bson::{Bson, Document, doc};

/// A document that this service did not write like that.
#[derive(Debug, thiserror::Error)]
#[error("a stored document has no readable {0}")]
pub struct Malformed(&'static str);

pub fn benefit(benefit: &Benefit) -> Document {
    let delivery = benefit.delivery().map(|delivery| {
        doc! { "customer_id": &delivery.customer_id, "store_id": &delivery.store_id, "points": delivery.points,
        "at": delivery.at }
    });
    doc! {
        "coupon_id": benefit.coupon_id.clone(),
        "cancelled": benefit.end == Some(End::Cancelled),
        "delivery": delivery,
        "refunded": benefit.refunded,
    }
}

pub fn read_benefit(from: &Document) -> Result<(String, Tracked<Benefit>), Malformed> {
    let end = match from.get("delivery") {
        Some(Bson::Document(delivery)) => Some(End::Delivered(Delivery {
            customer_id: text(delivery, "customer_id")?,
            store_id: text(delivery, "store_id")?,
            points: int(delivery, "points")?,
            at: int(delivery, "at")?,
        })),
        _ => flag(from, "cancelled")?.then_some(End::Cancelled),
    };
    let coupon_id = from.get_str("coupon_id").ok().map(str::to_owned);
    let benefit = Benefit {
        coupon_id,
        end,
        refunded: flag(from, "refunded")?,
    };
    Ok((
        text(from, "_id")?,
        Tracked::loaded(benefit, number(from, "version")?),
    ))
}

pub fn coupon(coupon: &Coupon) -> Document {
    let (order_id, waiting) = match &coupon.state {
        CouponState::Reserved { order_id, waiting } => (Some(order_id.clone()), waiting.clone()),
        CouponState::Redeemed { order_id } => (Some(order_id.clone()), Vec::new()),
        CouponState::Issued | CouponState::Expired => (None, Vec::new()),
    };
    doc! {
        "customer_id": &coupon.customer_id,
        "amount": coupon.amount,
        "issued_for": &coupon.issued_for,
        "issued_at": coupon.issued_at,
        "expires_at": coupon.expires_at,
        "status": coupon.state.name(),
        "order_id": order_id,
        "waiting": waiting,
    }
}

pub fn read_coupon(from: &Document) -> Result<Tracked<Coupon>, Malformed> {
    let state = match from.get_str("status").unwrap_or_default() {
        "ISSUED" => CouponState::Issued,
        "RESERVED" => CouponState::Reserved {
            order_id: text(from, "order_id")?,
            waiting: texts(from, "waiting")?,
        },
        "REDEEMED" => CouponState::Redeemed {
            order_id: text(from, "order_id")?,
        },
        "EXPIRED" => CouponState::Expired,
        _ => return Err(Malformed("status")),
    };
    let coupon = Coupon {
        id: text(from, "_id")?,
        customer_id: text(from, "customer_id")?,
        amount: int(from, "amount")?,
        issued_for: text(from, "issued_for")?,
        issued_at: int(from, "issued_at")?,
        expires_at: int(from, "expires_at")?,
        state,
    };
    Ok(Tracked::loaded(coupon, number(from, "version")?))
}

pub fn member(member: &Member, now: i64) -> Document {
    doc! {
        "balance": member.balance(),
        "entries": member.entries() as i64,
        "feed": member.feed() as i64,
        "touched_at": now,
    }
}

pub fn read_member(from: &Document) -> Result<Tracked<Member>, Malformed> {
    let (balance, entries, feed) = (
        int(from, "balance")?,
        number(from, "entries")?,
        number(from, "feed")?,
    );
    Ok(Tracked::loaded(
        Member::stored(text(from, "_id")?, balance, entries, feed),
        number(from, "version")?,
    ))
}

pub fn read_head(from: &Document) -> Result<Head, Malformed> {
    let (sequence, touched_at) = (number(from, "feed")?, int(from, "touched_at")?);
    Ok(Head {
        customer_id: text(from, "_id")?,
        sequence,
        touched_at,
    })
}

pub fn entry(customer_id: &str, entry: &Entry) -> Document {
    doc! {
        "customer_id": customer_id,
        "number": entry.number as i64,
        "order_id": &entry.order_id,
        "kind": entry.kind.name(),
        "points": entry.points,
        "balance": entry.balance,
        "at": entry.at,
    }
}

pub fn read_entry(from: &Document) -> Result<Entry, Malformed> {
    Ok(Entry {
        number: number(from, "number")?,
        order_id: text(from, "order_id")?,
        kind: from
            .get_str("kind")
            .ok()
            .and_then(EntryKind::parse)
            .ok_or(Malformed("kind"))?,
        points: int(from, "points")?,
        balance: int(from, "balance")?,
        at: int(from, "at")?,
    })
}

pub fn item(item: &FeedItem) -> Document {
    doc! {
        "customer_id": &item.customer_id,
        "sequence": item.sequence as i64,
        "order_id": &item.order_id,
        "store_id": &item.store_id,
        "points": item.points,
        "coupon_id": &item.coupon_id,
        "at": item.at,
    }
}

pub fn read_item(from: &Document) -> Result<FeedItem, Malformed> {
    Ok(FeedItem {
        customer_id: text(from, "customer_id")?,
        sequence: number(from, "sequence")?,
        order_id: text(from, "order_id")?,
        store_id: text(from, "store_id")?,
        points: int(from, "points")?,
        coupon_id: text(from, "coupon_id")?,
        at: int(from, "at")?,
    })
}

fn text(from: &Document, key: &'static str) -> Result<String, Malformed> {
    from.get_str(key).map(str::to_owned).map_err(|_| Malformed(key))
}

fn texts(from: &Document, key: &'static str) -> Result<Vec<String>, Malformed> {
    let list = from.get_array(key).map_err(|_| Malformed(key))?;
    list.iter()
        .map(|one| one.as_str().map(str::to_owned).ok_or(Malformed(key)))
        .collect()
}

fn int(from: &Document, key: &'static str) -> Result<i64, Malformed> {
    match from.get(key) {
        Some(Bson::Int64(value)) => Ok(*value),
        Some(Bson::Int32(value)) => Ok(i64::from(*value)),
        _ => Err(Malformed(key)),
    }
}

fn number(from: &Document, key: &'static str) -> Result<u64, Malformed> {
    int(from, key).map(i64::unsigned_abs)
}

fn flag(from: &Document, key: &'static str) -> Result<bool, Malformed> {
    from.get_bool(key).map_err(|_| Malformed(key))
}
