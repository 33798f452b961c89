//! The marketing subgraph's GraphQL: a customer's coupons, points and live feed.

mod access;
mod feed;
mod loaders;
mod mutation;
mod query;
mod types;

use crate::app::App;
use crate::ports::BooksError;
use async_graphql::dataloader::DataLoader;
use async_graphql::{Error, Schema, SchemaBuilder};
use baedal_kit::error::coded;
use baedal_kit::serve::guarded;
use loaders::{BenefitsByOrder, CouponsById};
use std::sync::Arc;

pub use feed::Subscription;
pub use mutation::Mutation;
pub use query::Query;

/// The schema of this subgraph.
pub type MarketingSchema = Schema<Query, Mutation, Subscription>;

/// The schema over an application.
pub fn schema(app: Arc<App>) -> MarketingSchema {
    builder()
        .data(DataLoader::new(CouponsById { app: app.clone() }, tokio::spawn))
        .data(DataLoader::new(
            BenefitsByOrder { app: app.clone() },
            tokio::spawn,
        ))
        .data(app)
        .finish()
}

/// The schema alone, to export its SDL.
pub fn bare() -> MarketingSchema {
    builder().finish()
}

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    guarded(Schema::build(Query, Mutation, Subscription)).enable_subscription_in_federation()
}

/// What a caller gets to see of a failing database: that it fails, and nothing of it.
fn shown(error: &BooksError) -> Error {
    tracing::error!(%error, "a request failed at the database");
    coded(
        "UNAVAILABLE",
        "the marketing service cannot reach its database, try again later",
    )
}
