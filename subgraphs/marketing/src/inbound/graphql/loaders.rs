//! One look-up for all the coupons, or orders, that a request asks for at the same time.

use super::shown;
use crate::app::App;
use crate::domain::{Benefit, Coupon};
use async_graphql::Error;
use async_graphql::dataloader::Loader;
use std::collections::HashMap;
use std::sync::Arc;

/// Coupons by id.
pub struct CouponsById {
    /// The application.
    pub app: Arc<App>,
}

impl Loader<String> for CouponsById {
    type Value = Arc<Coupon>;
    type Error = Error;

    async fn load(&self, ids: &[String]) -> Result<HashMap<String, Arc<Coupon>>, Error> {
        let found = self.app.books.coupons(ids).await.map_err(|error| shown(&error))?;
        Ok(found
            .into_iter()
            .map(|found| (found.state.id.clone(), Arc::new(found.state)))
            .collect())
    }
}

/// What is known of orders.
pub struct BenefitsByOrder {
    /// The application.
    pub app: Arc<App>,
}

impl Loader<String> for BenefitsByOrder {
    type Value = Arc<Benefit>;
    type Error = Error;

    async fn load(&self, order_ids: &[String]) -> Result<HashMap<String, Arc<Benefit>>, Error> {
        let found = self
            .app
            .books
            .benefits(order_ids)
            .await
            .map_err(|error| shown(&error))?;
        Ok(found
            .into_iter()
            .map(|(order_id, found)| (order_id, Arc::new(found.state)))
            .collect())
    }
}
