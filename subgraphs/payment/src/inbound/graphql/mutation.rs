//! What operators may do. Charging, voiding and refunding come by gRPC and by events only.

use async_graphql::{Context, ID, Object, Result};
use baedal_kit::{
    auth::Caller,
    ops::{self, RedriveNode},
};

/// Root of writing.
pub struct Mutation;

#[Object]
impl Mutation {
    /// For operators: applies these dead letters of the payment service after all, or without ids those least often tried so
    /// far. At most 100 at a time.
    #[graphql(requires_scopes = "operator")]
    async fn redrive_payment_dead_letters(
        &self,
        ctx: &Context<'_>,
        ids: Option<Vec<ID>>,
    ) -> Result<RedriveNode> {
        Caller::of(ctx).require("operator")?;
        ops::redrive(ctx, ids).await
    }

    /// For operators: gives these dead letters of the payment service up for good; answers how many there were.
    #[graphql(requires_scopes = "operator")]
    async fn discard_payment_dead_letters(&self, ctx: &Context<'_>, ids: Vec<ID>) -> Result<u64> {
        Caller::of(ctx).require("operator")?;
        ops::discard(ctx, ids).await
    }
}
