//! The commands of a store owner, and what operators may do.

use super::access::{OPERATOR, app, owner};
use super::shown;
use super::types::{MenuItemInput, OpenStoreInput, StoreNode, StoreOrderNode};
use crate::app::{AppError, NewItem};
use crate::domain::Store;
use crate::ports::Filed;
use async_graphql::{Context, ID, Object, Result};
use baedal_kit::auth::Caller;
use baedal_kit::ops::{self, RedriveNode};
use std::sync::Arc;

/// Root of the mutations.
pub struct Mutation;

#[Object]
impl Mutation {
    /// Founds a store, or opens one of the caller's closed stores again.
    #[graphql(requires_scopes = "store")]
    async fn open_store(&self, ctx: &Context<'_>, input: OpenStoreInput) -> Result<StoreNode> {
        store(
            app(ctx)
                .open_store(
                    owner(ctx)?,
                    input.store_id.as_deref().map(String::as_str),
                    &input.name,
                )
                .await,
        )
    }

    /// Closes one of the caller's stores.
    #[graphql(requires_scopes = "store")]
    async fn close_store(&self, ctx: &Context<'_>, store_id: ID) -> Result<StoreNode> {
        store(app(ctx).close_store(owner(ctx)?, &store_id).await)
    }

    /// Adds a dish, or changes it; it is on sale afterwards.
    #[graphql(requires_scopes = "store")]
    async fn set_menu_item(&self, ctx: &Context<'_>, store_id: ID, item: MenuItemInput) -> Result<StoreNode> {
        let item = NewItem {
            id: item.id.map(|id| id.0),
            name: item.name,
            price: item.price,
        };
        store(app(ctx).set_menu_item(owner(ctx)?, &store_id, item).await)
    }

    /// 품절: the dish cannot be ordered until it is set again.
    #[graphql(requires_scopes = "store")]
    async fn mark_sold_out(&self, ctx: &Context<'_>, store_id: ID, menu_item_id: ID) -> Result<StoreNode> {
        store(
            app(ctx)
                .mark_sold_out(owner(ctx)?, &store_id, &menu_item_id)
                .await,
        )
    }

    /// RECEIVED → ACCEPTED.
    #[graphql(requires_scopes = "store")]
    async fn accept_order(
        &self,
        ctx: &Context<'_>,
        order_id: ID,
        eta_minutes: u32,
    ) -> Result<StoreOrderNode> {
        ticket(app(ctx).accept_order(owner(ctx)?, &order_id, eta_minutes).await)
    }

    /// RECEIVED → REJECTED.
    #[graphql(requires_scopes = "store")]
    async fn reject_order(&self, ctx: &Context<'_>, order_id: ID, reason: String) -> Result<StoreOrderNode> {
        ticket(app(ctx).reject_order(owner(ctx)?, &order_id, &reason).await)
    }

    /// ACCEPTED → COOKING.
    #[graphql(requires_scopes = "store")]
    async fn start_cooking(&self, ctx: &Context<'_>, order_id: ID) -> Result<StoreOrderNode> {
        ticket(app(ctx).start_cooking(owner(ctx)?, &order_id).await)
    }

    /// COOKING → COOKED.
    #[graphql(requires_scopes = "store")]
    async fn finish_cooking(&self, ctx: &Context<'_>, order_id: ID) -> Result<StoreOrderNode> {
        ticket(app(ctx).finish_cooking(owner(ctx)?, &order_id).await)
    }

    /// COOKED → DELIVERING.
    #[graphql(requires_scopes = "store")]
    async fn start_delivery(&self, ctx: &Context<'_>, order_id: ID) -> Result<StoreOrderNode> {
        ticket(app(ctx).start_delivery(owner(ctx)?, &order_id).await)
    }

    /// DELIVERING → DELIVERED.
    #[graphql(requires_scopes = "store")]
    async fn complete_delivery(&self, ctx: &Context<'_>, order_id: ID) -> Result<StoreOrderNode> {
        ticket(app(ctx).complete_delivery(owner(ctx)?, &order_id).await)
    }

    /// For operators: applies these dead letters of the store service after all, or without ids those least often tried so
    /// far. At most 100 at a time.
    #[graphql(requires_scopes = "operator")]
    async fn redrive_store_dead_letters(
        &self,
        ctx: &Context<'_>,
        ids: Option<Vec<ID>>,
    ) -> Result<RedriveNode> {
        Caller::of(ctx).require(OPERATOR)?;
        ops::redrive(ctx, ids).await
    }

    /// For operators: gives these dead letters of the store service up for good; answers how many there were.
    #[graphql(requires_scopes = "operator")]
    async fn discard_store_dead_letters(&self, ctx: &Context<'_>, ids: Vec<ID>) -> Result<u64> {
        Caller::of(ctx).require(OPERATOR)?;
        ops::discard(ctx, ids).await
    }
}

fn store(result: std::result::Result<Store, AppError>) -> Result<StoreNode> {
    result.map(|store| StoreNode(Arc::new(store))).map_err(shown)
}

fn ticket(result: std::result::Result<Filed, AppError>) -> Result<StoreOrderNode> {
    result.map(|filed| StoreOrderNode(Arc::new(filed))).map_err(shown)
}
