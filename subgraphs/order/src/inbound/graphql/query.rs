//! Questions.

use std::{sync::Arc, time::Duration};

use async_graphql::{
    Context, ID, Object, Result,
    connection::{Connection, EmptyFields},
    dataloader::DataLoader,
};
use baedal_kit::{
    auth::Caller,
    error::coded,
    ops::{LetterNode, ServiceOperations, dead_letters, operations},
    page::{Cursor, Page},
};
use baedal_traffic::Layers;

use super::{
    CUSTOMER, OPERATOR, OrderLoader, actor, error,
    types::{Order, PaymentCircuit},
};
use crate::{
    app::App,
    domain::{CustomerId, Millis, OrderId, Status},
    ports::{Position, Wait},
};

/// Statuses an order does not stay in when all goes well.
const PASSING: [Status; 8] = [
    Status::PaymentPending,
    Status::Placed,
    Status::Accepted,
    Status::Cooking,
    Status::Cooked,
    Status::Delivering,
    Status::CancelRequested,
    Status::Rejected,
];

type Orders = Connection<Cursor, Order, EmptyFields, EmptyFields>;

/// Root of reading.
pub struct Query;

#[Object]
impl Query {
    /// For operators: events of the order service that wait to be published, were applied, or were given up.
    #[graphql(requires_scopes = "operator")]
    async fn order_operations(&self, ctx: &Context<'_>) -> Result<ServiceOperations> {
        Caller::of(ctx).require(OPERATOR)?;
        operations(ctx).await
    }

    /// For operators: records the order service could not read or apply, oldest first.
    #[graphql(requires_scopes = "operator")]
    async fn order_dead_letters(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<Cursor, LetterNode>> {
        Caller::of(ctx).require(OPERATOR)?;
        dead_letters(ctx, first, after).await
    }

    /// One of the caller's orders; an operator sees every order.
    #[graphql(requires_scopes = "order", requires_scopes = "operator")]
    async fn order(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Order>> {
        Caller::of(ctx).require_any(&[CUSTOMER, OPERATOR])?;
        visible(ctx, &id).await
    }

    /// The caller's orders, newest first.
    #[graphql(requires_scopes = "order")]
    async fn my_orders(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Orders> {
        let customer = CustomerId::parse(&Caller::of(ctx).require(CUSTOMER)?.sub).map_err(error::invalid)?;
        let page = Page::read(first, after)?;
        let after = page.after.as_deref().map(position).transpose()?;
        let orders = ctx.data_unchecked::<Arc<App>>().orders();
        let found = orders
            .of_customer(&customer, after, page.limit + 1)
            .await
            .map_err(|failed| error::store(&failed))?;
        Ok(
            page.connection(found.into_iter().map(Order::new).collect(), |order| {
                cursor(order.0.requested_at, order)
            }),
        )
    }

    /// For operators: orders that have been in a passing status for longer than this, longest first.
    #[graphql(requires_scopes = "operator")]
    async fn stuck_orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 60)] older_than_seconds: i32,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Orders> {
        Caller::of(ctx).require(OPERATOR)?;
        let age = u64::try_from(older_than_seconds)
            .map_err(|_| coded("INVALID_INPUT", "olderThanSeconds must not be negative"))?;
        let page = Page::read(first, after)?;
        let after = page.after.as_deref().map(position).transpose()?;
        let app = ctx.data_unchecked::<Arc<App>>();
        let since = app.now() - Duration::from_secs(age).as_millis() as Millis;
        let wait = Wait {
            statuses: &PASSING,
            since,
            after: after.as_ref(),
        };
        let found = app
            .orders()
            .waiting(wait, page.limit + 1)
            .await
            .map_err(|failed| error::store(&failed))?;
        Ok(
            page.connection(found.into_iter().map(Order::new).collect(), |order| {
                cursor(order.0.state.entered_at(), order)
            }),
        )
    }

    /// For operators: how calls to payment fare in the process that answers.
    #[graphql(requires_scopes = "operator")]
    async fn payment_circuit(&self, ctx: &Context<'_>) -> Result<PaymentCircuit> {
        Caller::of(ctx).require(OPERATOR)?;
        Ok(ctx.data_unchecked::<Arc<Layers>>().breaker().snapshot().into())
    }

    #[graphql(entity)]
    async fn order_by_id(&self, ctx: &Context<'_>, #[graphql(key)] id: ID) -> Result<Option<Order>> {
        visible(ctx, &id).await
    }
}

/// The order, if the caller may see it; someone else's is as if it were not there.
async fn visible(ctx: &Context<'_>, id: &str) -> Result<Option<Order>> {
    let (Ok(id), Some(actor)) = (OrderId::parse(id), actor(Caller::of(ctx))) else {
        return Ok(None);
    };
    let loader = ctx.data_unchecked::<DataLoader<OrderLoader>>();
    let found = loader.load_one(id).await.map_err(error::loaded)?;
    Ok(found.filter(|order| actor.sees(order)).map(Order))
}

fn cursor(at: Millis, order: &Order) -> String {
    format!("{at} {}", order.0.id.as_str())
}

fn position(cursor: &str) -> Result<Position> {
    let read = || {
        let (at, order) = cursor.split_once(' ')?;
        Some(Position {
            at: at.parse().ok()?,
            order: order.to_owned(),
        })
    };
    read().ok_or_else(|| coded("INVALID_INPUT", "after is not a cursor of this list"))
}
