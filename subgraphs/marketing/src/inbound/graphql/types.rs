//! The types of this subgraph. Those of others appear only as references by key.

use super::access::{app, may_see};
use super::loaders::{BenefitsByOrder, CouponsById};
use super::shown;
use crate::domain::{Coupon, CouponState, Entry, EntryKind, FeedItem, Member};
use async_graphql::connection::Connection;
use async_graphql::dataloader::DataLoader;
use async_graphql::{
    Context, Enum, ID, InputValueError, InputValueResult, Object, Result, Scalar, ScalarType, SimpleObject,
    Value,
};
use baedal_kit::envelope::{parse_rfc3339, rfc3339};
use baedal_kit::error::coded;
use baedal_kit::page::{Cursor, Page, encode};
use std::sync::Arc;

/// A point in time, RFC 3339, in UTC. Held as ms since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(pub i64);

#[Scalar(
    name = "DateTime",
    specified_by_url = "https://scalars.graphql.org/andimarek/date-time"
)]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        parse_rfc3339(text)
            .map(DateTime)
            .ok_or_else(|| InputValueError::custom("not an RFC 3339 time"))
    }

    fn to_value(&self) -> Value {
        Value::String(rfc3339(self.0))
    }
}

/// What became of a coupon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum CouponStatus {
    /// Free to use.
    Issued,
    /// Held for an order that is on its way.
    Reserved,
    /// Used up.
    Redeemed,
    /// Not used in time.
    Expired,
}

/// 쿠폰: given for a delivered order, taken off one of the next.
pub struct CouponNode(pub Arc<Coupon>);

/// 쿠폰: given for a delivered order, taken off one of the next.
#[Object(name = "Coupon")]
impl CouponNode {
    async fn id(&self) -> ID {
        ID(self.0.id.clone())
    }

    /// The `sub` of the customer.
    async fn customer_id(&self) -> &str {
        &self.0.customer_id
    }

    /// What it takes off, in KRW.
    async fn amount(&self) -> i64 {
        self.0.amount
    }

    async fn status(&self) -> CouponStatus {
        match self.0.state {
            CouponState::Issued => CouponStatus::Issued,
            CouponState::Reserved { .. } => CouponStatus::Reserved,
            CouponState::Redeemed { .. } => CouponStatus::Redeemed,
            CouponState::Expired => CouponStatus::Expired,
        }
    }

    async fn issued_at(&self) -> DateTime {
        DateTime(self.0.issued_at)
    }

    async fn expires_at(&self) -> DateTime {
        DateTime(self.0.expires_at)
    }

    /// The delivered order it was given for.
    async fn issued_for(&self) -> OrderRef {
        OrderRef::of(&self.0.issued_for)
    }

    /// The order that has it, or used it up.
    async fn used_for(&self) -> Option<OrderRef> {
        match &self.0.state {
            CouponState::Reserved { order_id, .. } | CouponState::Redeemed { order_id } => {
                Some(OrderRef::of(order_id))
            }
            CouponState::Issued | CouponState::Expired => None,
        }
    }
}

/// An order of the order subgraph, of which this one knows what it earned.
pub struct OrderRef {
    /// Its id.
    pub id: ID,
}

impl OrderRef {
    /// By id.
    pub fn of(id: &str) -> OrderRef {
        OrderRef {
            id: ID(id.to_owned()),
        }
    }
}

#[Object(name = "Order")]
impl OrderRef {
    async fn id(&self) -> &ID {
        &self.id
    }

    /// The coupon given for it, once it is delivered; for its customer and operators.
    #[graphql(requires_scopes = "order", requires_scopes = "operator")]
    async fn coupon(&self, ctx: &Context<'_>) -> Result<Option<CouponNode>> {
        seen_coupon(ctx, Coupon::id_for(&self.id)).await
    }

    /// The points it earned, once it is delivered; for its customer and operators.
    #[graphql(requires_scopes = "order", requires_scopes = "operator")]
    async fn points_earned(&self, ctx: &Context<'_>) -> Result<Option<i64>> {
        let benefit = ctx
            .data_unchecked::<DataLoader<BenefitsByOrder>>()
            .load_one(self.id.0.clone())
            .await?;
        let delivery = benefit.as_ref().and_then(|benefit| benefit.delivery());
        Ok(delivery
            .filter(|delivery| may_see(ctx, &delivery.customer_id))
            .map(|delivery| delivery.points))
    }
}

/// A coupon, if there is one and the caller may see it.
pub async fn seen_coupon(ctx: &Context<'_>, id: String) -> Result<Option<CouponNode>> {
    let coupon = ctx
        .data_unchecked::<DataLoader<CouponsById>>()
        .load_one(id)
        .await?;
    Ok(coupon
        .filter(|coupon| may_see(ctx, &coupon.customer_id))
        .map(CouponNode))
}

/// A store of the store subgraph.
#[derive(SimpleObject)]
#[graphql(name = "Store", unresolvable)]
pub struct StoreRef {
    id: ID,
}

/// 포인트: a customer's account.
pub struct AccountNode(pub Member);

/// 포인트: a customer's account.
#[Object(name = "PointAccount")]
impl AccountNode {
    /// The sum of all entries, never below 0.
    async fn balance(&self) -> i64 {
        self.0.balance()
    }

    /// The ledger, newest first.
    async fn entries(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<Cursor, PointEntry>> {
        let page = Page::read(first, after)?;
        let before = page.after.as_deref().map(number).transpose()?;
        let entries = app(ctx)
            .views
            .entries_of(self.0.customer_id(), before, page.limit + 1)
            .await;
        let entries = entries.map_err(|error| shown(&error))?;
        let nodes = entries.into_iter().map(PointEntry::from).collect();
        Ok(page.connection(nodes, |entry: &PointEntry| entry.number.to_string()))
    }
}

/// Why points came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum PointEntryKind {
    /// 적립.
    Earned,
    /// 회수.
    Reversed,
}

/// One line of the ledger.
#[derive(SimpleObject)]
pub struct PointEntry {
    /// Its number in the account, from 1.
    number: u64,
    kind: PointEntryKind,
    /// Negative when taken back.
    points: i64,
    /// The balance afterwards.
    balance: i64,
    at: DateTime,
    order: OrderRef,
}

impl From<Entry> for PointEntry {
    fn from(entry: Entry) -> Self {
        let kind = match entry.kind {
            EntryKind::Earned => PointEntryKind::Earned,
            EntryKind::Reversed => PointEntryKind::Reversed,
        };
        let Entry {
            number,
            points,
            balance,
            at,
            order_id,
            ..
        } = entry;
        PointEntry {
            number,
            kind,
            points,
            balance,
            at: DateTime(at),
            order: OrderRef::of(&order_id),
        }
    }
}

/// What a feed item tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum FeedKind {
    /// 배송됨.
    Delivered,
}

/// One line of a customer's feed: a delivery and what it brought.
pub struct FeedNode(pub FeedItem);

/// One line of a customer's feed: a delivery and what it brought.
#[Object(name = "FeedItem")]
impl FeedNode {
    /// Where to go on: give it as `after`.
    async fn cursor(&self) -> String {
        encode(&self.0.sequence.to_string())
    }

    /// Its number in the feed, from 1, without gaps.
    async fn sequence(&self) -> u64 {
        self.0.sequence
    }

    async fn kind(&self) -> FeedKind {
        FeedKind::Delivered
    }

    /// The Korean term of the domain.
    async fn alias(&self) -> &'static str {
        "배송됨"
    }

    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// The delivered order. Nullable, so that the feed can be read while the order service is down.
    async fn order(&self) -> Option<OrderRef> {
        Some(OrderRef::of(&self.0.order_id))
    }

    /// The store it came from. Nullable, so that the feed can be read while the store service is down.
    async fn store(&self) -> Option<StoreRef> {
        Some(StoreRef {
            id: ID(self.0.store_id.clone()),
        })
    }

    /// Points earned.
    async fn points(&self) -> i64 {
        self.0.points
    }

    /// The coupon given.
    async fn coupon(&self, ctx: &Context<'_>) -> Result<Option<CouponNode>> {
        seen_coupon(ctx, self.0.coupon_id.clone()).await
    }
}

/// The number in a cursor of a feed or a ledger.
pub fn number(cursor: &str) -> Result<u64> {
    let number = cursor
        .parse::<u64>()
        .ok()
        .filter(|number| i64::try_from(*number).is_ok());
    number.ok_or_else(|| coded("INVALID_INPUT", "after is not a cursor of this list"))
}
