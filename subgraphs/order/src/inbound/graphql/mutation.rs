//! Commands.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use baedal_kit::{
    auth::Caller,
    deadline,
    error::coded,
    ops::{self, RedriveNode},
    telemetry::trace::carried,
};

use super::{CUSTOMER, OPERATOR, actor, error, input::PlaceOrderInput, types::Order};
use crate::{app::App, domain::OrderId};

/// Root of writing.
pub struct Mutation;

#[Object]
impl Mutation {
    /// 주문하기: prices the dishes from the store's menu, charges the customer, places the order.
    #[graphql(requires_scopes = "order")]
    async fn place_order(&self, ctx: &Context<'_>, input: PlaceOrderInput) -> Result<Order> {
        let basket = input.basket(&Caller::of(ctx).require(CUSTOMER)?.sub)?;
        let app = ctx.data_unchecked::<Arc<App>>().clone();
        // In a task of its own: a client that hangs up or waits no longer does not leave a charge half recorded.
        let placing = deadline::carried(carried(async move { app.place(basket).await }));
        let placed = tokio::spawn(placing).await;
        let placed = placed.map_err(|_| {
            coded(
                "INTERNAL",
                "placing the order did not finish; send it again with the same key",
            )
        })?;
        placed.map(Order::new).map_err(error::app)
    }

    /// 주문취소: asks the store to give the order up, as long as it is not being cooked.
    #[graphql(requires_scopes = "order", requires_scopes = "operator")]
    async fn cancel_order(&self, ctx: &Context<'_>, id: ID) -> Result<Order> {
        let caller = Caller::of(ctx);
        caller.require_any(&[CUSTOMER, OPERATOR])?;
        let unknown = || coded("NOT_FOUND", format!("there is no order {}", id.as_str()));
        let order = OrderId::parse(&id).map_err(|_| unknown())?;
        let actor = actor(caller).ok_or_else(unknown)?;
        let app = ctx.data_unchecked::<Arc<App>>();
        app.cancel(&actor, &order)
            .await
            .map(Order::new)
            .map_err(error::app)
    }

    /// For operators: applies these dead letters of the order service after all, or without ids those least often tried so
    /// far. At most 100 at a time.
    #[graphql(requires_scopes = "operator")]
    async fn redrive_order_dead_letters(
        &self,
        ctx: &Context<'_>,
        ids: Option<Vec<ID>>,
    ) -> Result<RedriveNode> {
        Caller::of(ctx).require(OPERATOR)?;
        ops::redrive(ctx, ids).await
    }

    /// For operators: gives these dead letters of the order service up for good; answers how many there were.
    #[graphql(requires_scopes = "operator")]
    async fn discard_order_dead_letters(&self, ctx: &Context<'_>, ids: Vec<ID>) -> Result<u64> {
        Caller::of(ctx).require(OPERATOR)?;
        ops::discard(ctx, ids).await
    }
}
