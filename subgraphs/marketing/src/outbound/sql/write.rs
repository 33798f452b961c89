//! Decisions as rows: many in one statement, each only if it is still at the version that was decided on.

use super::{TxError, chunks, values};
use crate::domain::{Benefit, Coupon, CouponState, End, Entry, FeedItem, Member};
use crate::ports::{SaveError, Tracked};
use baedal_kit::sql::Tx;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyArguments;
use sqlx::query::Query;

type Statement<'q> = Query<'q, sqlx::Any, AnyArguments>;

/// A table whose rows are replaced by version: its name, and its columns, of which the first is the key.
struct Table(&'static str, &'static [&'static str]);

const BENEFITS: Table = Table(
    "benefits",
    &[
        "order_id",
        "coupon_id",
        "ended",
        "customer_id",
        "store_id",
        "points",
        "delivered_at",
        "refunded",
    ],
);
const COUPONS: Table = Table(
    "coupons",
    &[
        "id",
        "customer_id",
        "amount",
        "issued_for",
        "issued_at",
        "expires_at",
        "status",
        "order_id",
        "waiting",
    ],
);
const MEMBERS: Table = Table(
    "members",
    &["customer_id", "balance", "entries", "feed", "touched_at"],
);

pub async fn benefits(tx: &mut Tx, rows: &[(String, Tracked<Benefit>)]) -> Result<(), TxError> {
    for some in chunks(rows) {
        let bind =
            |query, (id, one): &(String, Tracked<Benefit>)| versions(benefit(query, id, &one.state), one);
        replace(tx, &BENEFITS, some, bind).await?;
    }
    Ok(())
}

pub async fn coupons(tx: &mut Tx, rows: &[Tracked<Coupon>]) -> Result<(), TxError> {
    for some in chunks(rows) {
        replace(tx, &COUPONS, some, |query, one| {
            versions(coupon(query, &one.state), one)
        })
        .await?;
    }
    Ok(())
}

pub async fn members(tx: &mut Tx, rows: &[Tracked<Member>], now: i64) -> Result<(), TxError> {
    for some in chunks(rows) {
        let bind = |query: Statement<'static>, one: &Tracked<Member>| {
            let member = &one.state;
            let query = query.bind(member.customer_id().to_owned()).bind(member.balance());
            versions(
                query
                    .bind(member.entries() as i64)
                    .bind(member.feed() as i64)
                    .bind(now),
                one,
            )
        };
        replace(tx, &MEMBERS, some, bind).await?;
    }
    Ok(())
}

pub async fn entries(tx: &mut Tx, rows: &[(String, Entry)]) -> Result<(), TxError> {
    for some in chunks(rows) {
        let rows = values(some.len(), 7);
        let sql = format!(
            "INSERT INTO ledger (customer_id, number, order_id, kind, points, balance, at) VALUES {rows}"
        );
        let query = some
            .iter()
            .fold(sqlx::query(AssertSqlSafe(sql)), |query, (customer, entry)| {
                let query = query
                    .bind(customer.clone())
                    .bind(entry.number as i64)
                    .bind(entry.order_id.clone());
                query
                    .bind(entry.kind.name())
                    .bind(entry.points)
                    .bind(entry.balance)
                    .bind(entry.at)
            });
        query.execute(tx.conn()).await?;
    }
    Ok(())
}

pub async fn feed(tx: &mut Tx, rows: &[FeedItem]) -> Result<(), TxError> {
    for some in chunks(rows) {
        let rows = values(some.len(), 7);
        let sql = format!(
            "INSERT INTO feed (customer_id, sequence, order_id, store_id, points, coupon_id, at) VALUES {rows}"
        );
        let query = some.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, item| {
            let query = query
                .bind(item.customer_id.clone())
                .bind(item.sequence as i64)
                .bind(item.order_id.clone());
            query
                .bind(item.store_id.clone())
                .bind(item.points)
                .bind(item.coupon_id.clone())
                .bind(item.at)
        });
        query.execute(tx.conn()).await?;
    }
    Ok(())
}

/// Inserts and replaces in one statement; a row that is not at the version decided on is left alone, and missed.
async fn replace<T>(
    tx: &mut Tx,
    Table(name, columns): &Table,
    rows: &[T],
    bind: impl Fn(Statement<'static>, &T) -> Statement<'static>,
) -> Result<(), TxError> {
    let columns: Vec<&str> = columns.iter().copied().chain(["version", "decided_on"]).collect();
    let set: Vec<String> = columns[1..]
        .iter()
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    let sql = format!(
        "INSERT INTO {name} ({}) VALUES {} ON CONFLICT ({}) DO UPDATE SET {} WHERE {name}.version = excluded.decided_on",
        columns.join(", "),
        values(rows.len(), columns.len()),
        columns[0],
        set.join(", "),
    );
    let query = rows.iter().fold(sqlx::query(AssertSqlSafe(sql)), bind);
    let written = query.execute(tx.conn()).await?.rows_affected();
    if written == rows.len() as u64 {
        Ok(())
    } else {
        Err(TxError::Refused(SaveError::Conflict))
    }
}

fn versions<'q, T>(query: Statement<'q>, one: &Tracked<T>) -> Statement<'q> {
    query.bind(one.after() as i64).bind(one.before as i64)
}

fn benefit(query: Statement<'static>, order_id: &str, benefit: &Benefit) -> Statement<'static> {
    let ended = match &benefit.end {
        Some(End::Delivered(_)) => "DELIVERED",
        Some(End::Cancelled) => "CANCELLED",
        None => "",
    };
    let delivery = benefit.delivery();
    let of = |text: fn(&crate::domain::Delivery) -> &String| delivery.map(text).cloned().unwrap_or_default();
    query
        .bind(order_id.to_owned())
        .bind(benefit.coupon_id.clone().unwrap_or_default())
        .bind(ended)
        .bind(of(|delivery| &delivery.customer_id))
        .bind(of(|delivery| &delivery.store_id))
        .bind(delivery.map_or(0, |delivery| delivery.points))
        .bind(delivery.map_or(0, |delivery| delivery.at))
        .bind(i64::from(benefit.refunded))
}

fn coupon(query: Statement<'static>, coupon: &Coupon) -> Statement<'static> {
    let (order_id, waiting) = match &coupon.state {
        CouponState::Reserved { order_id, waiting } => (order_id.clone(), waiting.clone()),
        CouponState::Redeemed { order_id } => (order_id.clone(), Vec::new()),
        CouponState::Issued | CouponState::Expired => Default::default(),
    };
    query
        .bind(coupon.id.clone())
        .bind(coupon.customer_id.clone())
        .bind(coupon.amount)
        .bind(coupon.issued_for.clone())
        .bind(coupon.issued_at)
        .bind(coupon.expires_at)
        .bind(coupon.state.name())
        .bind(order_id)
        .bind(serde_json::to_string(&waiting).expect("a list of strings is JSON"))
}
