//! Order's part of the graph: orders with their items, status and timeline; placing and cancelling them.

mod error;
mod input;
mod mutation;
mod query;
mod types;

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    EmptySubscription, SDLExportOptions, Schema,
    dataloader::{DataLoader, Loader},
};
use baedal_kit::{auth::Caller, serve};
use baedal_traffic::Layers;

use crate::{
    app::{Actor, App},
    domain::{self, CustomerId, OrderId},
    ports::{Orders, StoreError},
};

pub use mutation::Mutation;
pub use query::Query;

/// The executable schema.
pub type OrderSchema = Schema<Query, Mutation, EmptySubscription>;

/// Scope of a customer.
const CUSTOMER: &str = "order";
/// Scope of an operator.
const OPERATOR: &str = "operator";

/// A schema over this application and the circuit its payments go through.
pub fn schema(app: Arc<App>, circuit: Arc<Layers>) -> OrderSchema {
    let loader = DataLoader::new(OrderLoader(app.orders().clone()), tokio::spawn).max_batch_size(200);
    serve::guarded(Schema::build(Query, Mutation, EmptySubscription))
        .data(app)
        .data(circuit)
        .data(loader)
        .finish()
}

/// The SDL as a subgraph publishes it.
pub fn sdl() -> String {
    Schema::build(Query, Mutation, EmptySubscription)
        .finish()
        .sdl_with_options(SDLExportOptions::new().federation().compose_directive())
}

/// Reads many orders at once.
struct OrderLoader(Arc<dyn Orders>);

impl Loader<OrderId> for OrderLoader {
    type Value = Arc<domain::Order>;
    type Error = Arc<StoreError>;

    async fn load(&self, keys: &[OrderId]) -> Result<HashMap<OrderId, Self::Value>, Self::Error> {
        let found = self.0.find_many(keys).await.map_err(Arc::new)?;
        Ok(found
            .into_iter()
            .map(|order| (order.id.clone(), Arc::new(order)))
            .collect())
    }
}

/// As whom the caller acts; nobody when the token gives no right to orders.
fn actor(caller: &Caller) -> Option<Actor> {
    if caller.has(OPERATOR) {
        return Some(Actor::Operator);
    }
    let customer = caller.subject().filter(|_| caller.has(CUSTOMER))?;
    CustomerId::parse(customer).ok().map(Actor::Customer)
}
