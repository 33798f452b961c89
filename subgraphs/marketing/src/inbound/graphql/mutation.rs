//! What operators may do. Coupons and points change by events only.

use super::access::OPERATOR;
use async_graphql::{Context, ID, Object, Result};
use baedal_kit::auth::Caller;
use baedal_kit::ops::{self, RedriveNode};

/// Root of the mutations.
pub struct Mutation;

#[Object]
impl Mutation {
    /// For operators: applies these dead letters of the marketing service after all, or without ids those least often tried so
    /// far. At most 100 at a time.
    #[graphql(requires_scopes = "operator")]
    async fn redrive_marketing_dead_letters(
        &self,
        ctx: &Context<'_>,
        ids: Option<Vec<ID>>,
    ) -> Result<RedriveNode> {
        Caller::of(ctx).require(OPERATOR)?;
        ops::redrive(ctx, ids).await
    }

    /// For operators: gives these dead letters of the marketing service up for good; answers how many there were.
    #[graphql(requires_scopes = "operator")]
    async fn discard_marketing_dead_letters(&self, ctx: &Context<'_>, ids: Vec<ID>) -> Result<u64> {
        Caller::of(ctx).require(OPERATOR)?;
        ops::discard(ctx, ids).await
    }
}
