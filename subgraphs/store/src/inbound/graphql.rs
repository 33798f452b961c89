//! The store subgraph's GraphQL: stores and menus for everybody, tickets for those concerned.

mod access;
mod loaders;
mod mutation;
mod query;
mod types;

use crate::app::{App, AppError};
use crate::domain::Refused;
use async_graphql::dataloader::DataLoader;
use async_graphql::{EmptySubscription, Error, Schema};
use baedal_kit::error::coded;
use baedal_kit::serve::guarded;
use loaders::{StoresById, TicketsByOrder};
use std::sync::Arc;

pub use mutation::Mutation;
pub use query::Query;

/// The schema of this subgraph.
pub type StoreSchema = Schema<Query, Mutation, EmptySubscription>;

/// The schema over an application.
pub fn schema(app: Arc<App>) -> StoreSchema {
    guarded(Schema::build(Query, Mutation, EmptySubscription))
        .data(DataLoader::new(StoresById { app: app.clone() }, tokio::spawn))
        .data(DataLoader::new(TicketsByOrder { app: app.clone() }, tokio::spawn))
        .data(app)
        .finish()
}

/// The schema alone, to export its SDL.
pub fn bare() -> StoreSchema {
    guarded(Schema::build(Query, Mutation, EmptySubscription)).finish()
}

/// What a caller gets to see of an error: a code, and nothing of the database.
fn shown(error: AppError) -> Error {
    match &error {
        AppError::NotFound(_) => coded("NOT_FOUND", error.to_string()),
        AppError::Refused(Refused::InvalidTransition { .. }) => {
            coded("INVALID_TRANSITION", error.to_string())
        }
        AppError::Refused(Refused::InvalidInput(_)) => coded("INVALID_INPUT", error.to_string()),
        AppError::Busy => coded("BUSY", error.to_string()),
        AppError::Store(cause) => {
            tracing::error!(error = %cause, "a request failed at the database");
            coded(
                "UNAVAILABLE",
                "the store service cannot reach its database, try again later",
            )
        }
    }
}
