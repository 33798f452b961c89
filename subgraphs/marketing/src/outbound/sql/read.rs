//! Rows as aggregates.

use crate::domain::{Benefit, Coupon, CouponState, Delivery, End, Entry, EntryKind, FeedItem, Member};
use crate::ports::{Head, Tracked};
use sqlx::any::AnyRow;
use sqlx::{Error, Row};

pub const BENEFIT: &str = "SELECT order_id, coupon_id, ended, customer_id, store_id, points, delivered_at, refunded, version FROM benefits";
pub const COUPON: &str =
    "SELECT id, customer_id, amount, issued_for, issued_at, expires_at, status, order_id, waiting,
        version FROM coupons";
pub const MEMBER: &str = "SELECT customer_id, balance, entries, feed, version FROM members";
pub const HEAD: &str = "SELECT customer_id, feed, touched_at FROM members";
pub const ITEM: &str = "SELECT customer_id, sequence, order_id, store_id, points, coupon_id, at FROM feed";
pub const ENTRY: &str = "SELECT number, order_id, kind, points, balance, at FROM ledger";

pub fn benefit(row: &AnyRow) -> Result<(String, Tracked<Benefit>), Error> {
    let (coupon_id, ended): (String, String) = (row.try_get(1)?, row.try_get(2)?);
    let end = match ended.as_str() {
        "DELIVERED" => Some(End::Delivered(Delivery {
            customer_id: row.try_get(3)?,
            store_id: row.try_get(4)?,
            points: row.try_get(5)?,
            at: row.try_get(6)?,
        })),
        "CANCELLED" => Some(End::Cancelled),
        _ => None,
    };
    let refunded = row.try_get::<i64, _>(7)? == 1;
    let coupon_id = Some(coupon_id).filter(|id| !id.is_empty());
    Ok((
        row.try_get(0)?,
        Tracked::loaded(
            Benefit {
                coupon_id,
                end,
                refunded,
            },
            number(row, 8)?,
        ),
    ))
}

pub fn coupon(row: &AnyRow) -> Result<Tracked<Coupon>, Error> {
    let (status, order_id, waiting): (String, String, String) =
        (row.try_get(6)?, row.try_get(7)?, row.try_get(8)?);
    let state = match status.as_str() {
        "ISSUED" => CouponState::Issued,
        "RESERVED" => {
            let waiting = serde_json::from_str(&waiting).map_err(|error| Error::Decode(error.into()))?;
            CouponState::Reserved { order_id, waiting }
        }
        "REDEEMED" => CouponState::Redeemed { order_id },
        "EXPIRED" => CouponState::Expired,
        other => return Err(unknown("coupon status", other)),
    };
    let coupon = Coupon {
        id: row.try_get(0)?,
        customer_id: row.try_get(1)?,
        amount: row.try_get(2)?,
        issued_for: row.try_get(3)?,
        issued_at: row.try_get(4)?,
        expires_at: row.try_get(5)?,
        state,
    };
    Ok(Tracked::loaded(coupon, number(row, 9)?))
}

pub fn member(row: &AnyRow) -> Result<Tracked<Member>, Error> {
    let member = Member::stored(row.try_get(0)?, row.try_get(1)?, number(row, 2)?, number(row, 3)?);
    Ok(Tracked::loaded(member, number(row, 4)?))
}

pub fn head(row: &AnyRow) -> Result<Head, Error> {
    Ok(Head {
        customer_id: row.try_get(0)?,
        sequence: number(row, 1)?,
        touched_at: row.try_get(2)?,
    })
}

pub fn item(row: &AnyRow) -> Result<FeedItem, Error> {
    Ok(FeedItem {
        customer_id: row.try_get(0)?,
        sequence: number(row, 1)?,
        order_id: row.try_get(2)?,
        store_id: row.try_get(3)?,
        points: row.try_get(4)?,
        coupon_id: row.try_get(5)?,
        at: row.try_get(6)?,
    })
}

pub fn entry(row: &AnyRow) -> Result<Entry, Error> {
    let kind: String = row.try_get(2)?;
    Ok(Entry {
        number: number(row, 0)?,
        order_id: row.try_get(1)?,
        kind: EntryKind::parse(&kind).ok_or_else(|| unknown("ledger kind", &kind))?,
        points: row.try_get(3)?,
        balance: row.try_get(4)?,
        at: row.try_get(5)?,
    })
}

fn number(row: &AnyRow, index: usize) -> Result<u64, Error> {
    row.try_get::<i64, _>(index).map(i64::unsigned_abs)
}

fn unknown(what: &str, value: &str) -> Error {
    Error::Decode(format!("unknown {what} {value:?}").into())
}
