//! What can be asked.

use super::access::{app, may_manage};
use super::loaders::StoresById;
use super::shown;
use super::types::{OrderRef, SalesNode, StoreNode, StoreOrderNode, TicketStatus, seen_ticket};
use crate::ports::BoardQuery;
use async_graphql::connection::Connection;
use async_graphql::dataloader::DataLoader;
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
    /// For operators: events of the store service that wait to be published, were applied, or were given up.
    #[graphql(requires_scopes = "operator")]
    async fn store_operations(&self, ctx: &Context<'_>) -> Result<ServiceOperations> {
        Caller::of(ctx).require("operator")?;
        operations(ctx).await
    }

    /// For operators: records the store service could not read or apply, oldest first.
    #[graphql(requires_scopes = "operator")]
    async fn store_dead_letters(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<Cursor, LetterNode>> {
        Caller::of(ctx).require("operator")?;
        dead_letters(ctx, first, after).await
    }

    /// All stores, by id.
    async fn stores(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<Cursor, StoreNode>> {
        let page = Page::read(first, after)?;
        let stores = app(ctx).stores.page(page.after.as_deref(), page.limit + 1).await;
        let stores = stores.map_err(|error| shown(error.into()))?;
        let nodes = stores
            .into_iter()
            .map(|store| StoreNode(Arc::new(store)))
            .collect();
        Ok(page.connection(nodes, |node: &StoreNode| node.0.details().id.clone()))
    }

    /// One store with its menu board.
    async fn store(&self, ctx: &Context<'_>, id: ID) -> Result<Option<StoreNode>> {
        let stores = ctx.data_unchecked::<DataLoader<StoresById>>();
        Ok(stores.load_one(id.0).await?.map(StoreNode))
    }

    /// The tickets of a store, oldest first; for its owner.
    #[graphql(requires_scopes = "store", requires_scopes = "operator")]
    async fn ticket_board(
        &self,
        ctx: &Context<'_>,
        store_id: ID,
        first: Option<i32>,
        after: Option<String>,
        status: Option<TicketStatus>,
    ) -> Result<Connection<Cursor, StoreOrderNode>> {
        may_manage(ctx, &store_id).await?;
        let page = Page::read(first, after)?;
        let after = page.after.as_deref().map(position).transpose()?;
        let status = status.map(Into::into);
        let query = BoardQuery {
            store_id: store_id.0,
            status,
            after,
            limit: page.limit + 1,
        };
        let filed = app(ctx)
            .board
            .tickets(query)
            .await
            .map_err(|error| shown(error.into()))?;
        let nodes = filed
            .into_iter()
            .map(|filed| StoreOrderNode(Arc::new(filed)))
            .collect();
        Ok(page.connection(nodes, |node: &StoreOrderNode| {
            format!(
                "{}:{}",
                node.0.order.received_at().unwrap_or_default(),
                node.0.order_id
            )
        }))
    }

    /// What a store sold; for its owner.
    #[graphql(requires_scopes = "store", requires_scopes = "operator")]
    async fn sales(&self, ctx: &Context<'_>, store_id: ID) -> Result<SalesNode> {
        may_manage(ctx, &store_id).await?;
        let sales = app(ctx)
            .board
            .sales(&store_id)
            .await
            .map_err(|error| shown(error.into()))?;
        Ok(sales.into())
    }

    #[graphql(entity)]
    async fn store_entity(&self, ctx: &Context<'_>, id: ID) -> Result<Option<StoreNode>> {
        self.store(ctx, id).await
    }

    #[graphql(entity)]
    async fn ticket_entity(&self, ctx: &Context<'_>, order_id: ID) -> Result<Option<StoreOrderNode>> {
        seen_ticket(ctx, &order_id).await
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
    split.ok_or_else(|| coded("INVALID_INPUT", "after is not a cursor of the ticket board"))
}
