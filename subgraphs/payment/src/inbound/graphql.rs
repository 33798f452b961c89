//! Payment's part of the graph: payments, and the payment of an order.

use async_graphql::{
    Context, EmptySubscription, Enum, Error, Object, Result, Schema, SimpleObject,
    connection::{Connection, EmptyFields},
    dataloader::{DataLoader, Loader},
};
use baedal_kit::{
    auth::Caller,
    error::coded,
    ops::{LetterNode, ServiceOperations, dead_letters, operations},
    page::{Cursor, Page},
    serve,
};
use std::{collections::HashMap, sync::Arc};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

mod mutation;

pub use mutation::Mutation;

use crate::{
    domain::{self, CustomerId, Millis, OrderId},
    ports::{Payments, Position, StoreError},
};

/// The executable schema.
pub type PaymentSchema = Schema<Query, Mutation, EmptySubscription>;

/// A schema over these records.
pub fn schema(payments: Arc<dyn Payments>) -> PaymentSchema {
    let loader = DataLoader::new(PaymentLoader(payments.clone()), tokio::spawn).max_batch_size(200);
    serve::guarded(Schema::build(Query, Mutation, EmptySubscription))
        .data(payments)
        .data(loader)
        .finish()
}

/// The SDL as a subgraph publishes it.
pub fn sdl() -> String {
    Schema::build(Query, Mutation, EmptySubscription)
        .finish()
        .sdl_with_options(
            async_graphql::SDLExportOptions::new()
                .federation()
                .compose_directive(),
        )
}

/// Reads payments of many orders at once.
struct PaymentLoader(Arc<dyn Payments>);

impl Loader<OrderId> for PaymentLoader {
    type Value = Arc<domain::Payment>;
    type Error = Arc<StoreError>;

    async fn load(&self, keys: &[OrderId]) -> Result<HashMap<OrderId, Self::Value>, Self::Error> {
        let found = self.0.find_many(keys).await.map_err(Arc::new)?;
        Ok(found
            .into_iter()
            .map(|payment| (payment.order.clone(), Arc::new(payment)))
            .collect())
    }
}

/// Root of reading.
pub struct Query;

#[Object]
impl Query {
    /// For operators: events of the payment service that wait to be published, were applied, or were given up.
    #[graphql(requires_scopes = "operator")]
    async fn payment_operations(&self, ctx: &Context<'_>) -> Result<ServiceOperations> {
        Caller::of(ctx).require("operator")?;
        operations(ctx).await
    }

    /// For operators: records the payment service could not read or apply, oldest first.
    #[graphql(requires_scopes = "operator")]
    async fn payment_dead_letters(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<Cursor, LetterNode>> {
        Caller::of(ctx).require("operator")?;
        dead_letters(ctx, first, after).await
    }

    /// The payment of one of the caller's orders; an operator sees every payment.
    #[graphql(requires_scopes = "order", requires_scopes = "operator")]
    async fn payment(&self, ctx: &Context<'_>, order_id: async_graphql::ID) -> Result<Option<Payment>> {
        Caller::of(ctx).require_any(&["order", "operator"])?;
        visible(ctx, &order_id).await
    }

    /// The caller's payments, newest first.
    #[graphql(requires_scopes = "order")]
    async fn my_payments(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<Cursor, Payment, EmptyFields, EmptyFields>> {
        let customer = CustomerId::parse(&Caller::of(ctx).require("order")?.sub)
            .map_err(|error| coded("FORBIDDEN", error.to_string()))?;
        let page = Page::read(first, after)?;
        let after = page.after.as_deref().map(position).transpose()?;
        let payments = ctx.data_unchecked::<Arc<dyn Payments>>();
        let found = payments
            .of_customer(&customer, after, page.limit + 1)
            .await
            .map_err(failed)?;
        let rows = found
            .into_iter()
            .map(|payment| Payment(Arc::new(payment)))
            .collect();
        Ok(page.connection(rows, |Payment(payment)| {
            format!("{} {}", payment.requested_at, payment.order.as_str())
        }))
    }

    #[graphql(entity)]
    async fn payment_of_order(
        &self,
        ctx: &Context<'_>,
        #[graphql(key)] order_id: async_graphql::ID,
    ) -> Result<Option<Payment>> {
        visible(ctx, &order_id).await
    }

    #[graphql(entity)]
    async fn order_by_id(&self, id: async_graphql::ID) -> Order {
        Order { id }
    }
}

/// The payment, if the caller may see it; someone else's is as if it were not there.
async fn visible(ctx: &Context<'_>, order_id: &str) -> Result<Option<Payment>> {
    let caller = Caller::of(ctx);
    let Ok(order) = OrderId::parse(order_id) else {
        return Ok(None);
    };
    let loader = ctx.data_unchecked::<DataLoader<PaymentLoader>>();
    let found = loader.load_one(order).await.map_err(|error| log(&error))?;
    let own = |payment: &domain::Payment| {
        let customer = payment.customer.as_ref().map(CustomerId::as_str);
        caller
            .claims()
            .is_ok_and(|claims| claims.has_scope("order") && Some(claims.sub.as_str()) == customer)
    };
    Ok(found
        .filter(|payment| caller.has("operator") || own(payment))
        .map(Payment))
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

fn failed(error: StoreError) -> Error {
    log(&error)
}

fn log(error: &StoreError) -> Error {
    tracing::error!(%error, "reading payments failed");
    coded("STORE_UNAVAILABLE", "payments cannot be read at the moment")
}

/// 결제이력: what became of charging one order.
pub struct Payment(Arc<domain::Payment>);

#[Object]
impl Payment {
    /// The order paid for.
    async fn order_id(&self) -> async_graphql::ID {
        self.0.order.as_str().into()
    }

    /// In KRW.
    async fn amount(&self) -> i64 {
        self.0.amount.get()
    }

    /// Where it stands.
    async fn status(&self) -> PaymentStatus {
        self.0.state.status().into()
    }

    /// When it was charged.
    async fn approved_at(&self) -> Option<DateTime> {
        self.0.state.approved_at().map(DateTime)
    }

    /// When it was given back.
    async fn refunded_at(&self) -> Option<DateTime> {
        self.0.state.refunded_at().map(DateTime)
    }

    /// Why it was declined, voided or refunded.
    async fn reason(&self) -> Option<&str> {
        self.0.state.reason()
    }
}

/// An order, as far as payment knows it.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Order {
    id: async_graphql::ID,
}

#[async_graphql::ComplexObject]
impl Order {
    /// Its payment; null when there is none yet or it is not the caller's.
    async fn payment(&self, ctx: &Context<'_>) -> Result<Option<Payment>> {
        visible(ctx, &self.id).await
    }
}

/// 결제상태
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::Status")]
pub enum PaymentStatus {
    /// Being asked of the provider.
    Requested,
    /// Charged.
    Approved,
    /// Refused by the provider.
    Declined,
    /// The provider did not answer; being reconciled.
    Unknown,
    /// Given up; being undone at the provider.
    VoidPending,
    /// Nothing is charged.
    Voided,
    /// Being given back.
    RefundPending,
    /// Given back in full.
    Refunded,
}

/// A time, RFC 3339.
#[derive(Clone, Copy)]
pub struct DateTime(Millis);

/// RFC 3339 in UTC.
#[async_graphql::Scalar]
impl async_graphql::ScalarType for DateTime {
    fn parse(value: async_graphql::Value) -> async_graphql::InputValueResult<Self> {
        let async_graphql::Value::String(text) = &value else {
            return Err(async_graphql::InputValueError::expected_type(value));
        };
        let at = OffsetDateTime::parse(text, &Rfc3339)?;
        Ok(DateTime((at.unix_timestamp_nanos() / 1_000_000) as Millis))
    }

    fn to_value(&self) -> async_graphql::Value {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000);
        let text = at.ok().and_then(|at| at.format(&Rfc3339).ok());
        text.map_or(async_graphql::Value::Null, async_graphql::Value::String)
    }
}
