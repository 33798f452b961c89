//! One look-up for all the stores, or tickets, that a request asks for at the same time.

use super::shown;
use crate::app::App;
use crate::domain::Store;
use crate::ports::{Filed, StoreError};
use async_graphql::Error;
use async_graphql::dataloader::Loader;
use std::collections::HashMap;
use std::sync::Arc;

/// Stores by id.
pub struct StoresById {
    /// The application.
    pub app: Arc<App>,
}

impl Loader<String> for StoresById {
    type Value = Arc<Store>;
    type Error = Error;

    async fn load(&self, ids: &[String]) -> Result<HashMap<String, Arc<Store>>, Error> {
        let found = self.app.stores.find(ids).await.map_err(hidden)?;
        Ok(found
            .into_iter()
            .map(|found| (found.state.details().id.clone(), Arc::new(found.state)))
            .collect())
    }
}

/// Tickets by order; an order that never became a ticket has none.
pub struct TicketsByOrder {
    /// The application.
    pub app: Arc<App>,
}

impl Loader<String> for TicketsByOrder {
    type Value = Arc<Filed>;
    type Error = Error;

    async fn load(&self, ids: &[String]) -> Result<HashMap<String, Arc<Filed>>, Error> {
        let found = self.app.tickets.find(ids).await.map_err(hidden)?;
        let tickets = found
            .into_iter()
            .filter(|filed| filed.order.received_at().is_some());
        Ok(tickets
            .map(|filed| (filed.order_id.clone(), Arc::new(filed)))
            .collect())
    }
}

fn hidden(error: StoreError) -> Error {
    shown(error.into())
}
