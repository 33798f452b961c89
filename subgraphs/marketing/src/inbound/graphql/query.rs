//! What can be asked.

use super::access::{app, customer};
use super::shown;
use super::types::{AccountNode, CouponNode, FeedNode, OrderRef, number, seen_coupon};
use crate::domain::Member;
use async_graphql::connection::Connection;
use async_graphql::{Context, ID, Object, Result};
use baedal_kit::auth::Caller;
use baedal_kit::error::coded;
use baedal_kit::ops::{LetterNode, ServiceOperations, dead_letters, operations};
use baedal_kit::page::{Cursor, Page};
use std::sync::Arc;

/// Root of the queries.
pub struct Query;

#[Object]
impl Query {
    /// For operators: events of the marketing service that wait to be published, were applied, or were given up.
    #[graphql(requires_scopes = "operator")]
    async fn marketing_operations(&self, ctx: &Context<'_>) -> Result<ServiceOperations> {
        Caller::of(ctx).require("operator")?;
        operations(ctx).await
    }

    /// For operators: records the marketing service could not read or apply, oldest first.
    #[graphql(requires_scopes = "operator")]
    async fn marketing_dead_letters(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<Cursor, LetterNode>> {
        Caller::of(ctx).require("operator")?;
        dead_letters(ctx, first, after).await
    }

    /// The caller's coupons, newest first.
    #[graphql(requires_scopes = "order")]
    async fn my_coupons(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<Cursor, CouponNode>> {
        let customer = customer(ctx)?;
        let page = Page::read(first, after)?;
        let after = page.after.as_deref().map(position).transpose()?;
        let coupons = app(ctx).views.coupons_of(customer, after, page.limit + 1).await;
        let coupons = coupons.map_err(|error| shown(&error))?;
        let nodes = coupons
            .into_iter()
            .map(|coupon| CouponNode(Arc::new(coupon)))
            .collect();
        Ok(page.connection(nodes, |node: &CouponNode| {
            format!("{}:{}", node.0.issued_at, node.0.id)
        }))
    }

    /// The caller's points.
    #[graphql(requires_scopes = "order")]
    async fn my_points(&self, ctx: &Context<'_>) -> Result<AccountNode> {
        let customer = customer(ctx)?;
        let found = app(ctx)
            .books
            .members(&[customer.to_owned()])
            .await
            .map_err(|error| shown(&error))?;
        let member = found
            .into_iter()
            .next()
            .map_or_else(|| Member::new(customer), |found| found.state);
        Ok(AccountNode(member))
    }

    /// The caller's feed, oldest first; its cursors are those of `deliveryFeed`.
    #[graphql(requires_scopes = "order")]
    async fn my_feed(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<Cursor, FeedNode>> {
        let customer = customer(ctx)?;
        let page = Page::read(first, after)?;
        let after = page.after.as_deref().map(number).transpose()?.unwrap_or(0);
        let items = app(ctx).feeds.items_after(customer, after, page.limit + 1).await;
        let nodes = items
            .map_err(|error| shown(&error))?
            .into_iter()
            .map(FeedNode)
            .collect();
        Ok(page.connection(nodes, |node: &FeedNode| node.0.sequence.to_string()))
    }

    #[graphql(entity)]
    async fn coupon_entity(&self, ctx: &Context<'_>, id: ID) -> Result<Option<CouponNode>> {
        seen_coupon(ctx, id.0).await
    }

    #[graphql(entity)]
    async fn order_entity(&self, id: ID) -> OrderRef {
        OrderRef { id }
    }
}

fn position(cursor: &str) -> Result<(i64, String)> {
    let split = cursor
        .split_once(':')
        .and_then(|(at, id)| Some((at.parse().ok()?, id.to_owned())));
    split.ok_or_else(|| coded("INVALID_INPUT", "after is not a cursor of this list"))
}
