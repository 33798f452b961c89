//! The HTTP side: the GraphQL endpoint (GraphQL over HTTP), health checks, and the connections they come on.

mod asking;
mod batch;
mod crowd;
pub mod csrf;
mod door;
pub mod graphql;
mod head;
pub mod health;
pub mod intake;
pub mod negotiate;
mod packed;
mod parts;
mod serve;
mod stall;
mod stream;
mod upload;
mod wire;

pub use health::Readiness;
pub use serve::serve;
pub use stream::{Reply, Reservations};

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{any, get};
use http::{HeaderValue, Method, header};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::callbacks;
use crate::embed;
use crate::forward::REQUEST_ID;
use crate::gateway::Gateway;

/// All routes: of a gateway, and the endpoints of its contracts.
pub fn router(gateway: &Arc<Gateway>, contracts: &[Arc<Gateway>]) -> Router {
    let cors = cors(gateway.config.cors.values());
    let endpoint = match gateway.layers.wrap_endpoint() {
        true => embed::wrapped(gateway),
        false => any(graphql::routed),
    };
    let routes = Router::new()
        .route(&gateway.config.path, endpoint)
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .with_state(Arc::clone(gateway));
    let routes = contracts.iter().fold(routes, |routes, contract| {
        let endpoint = Router::new().route(&contract.config.path, any(graphql::routed));
        routes.merge(endpoint.with_state(Arc::clone(contract)))
    });
    let routes = callbacks::mount(routes, gateway);
    match cors {
        Some(layer) => routes.layer(layer),
        None => routes,
    }
}

/// Named origins are echoed, all others get nothing; cookies are never allowed.
fn cors(origins: Vec<HeaderValue>) -> Option<CorsLayer> {
    (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers([REQUEST_ID, header::WWW_AUTHENTICATE, header::RETRY_AFTER])
            .max_age(Duration::from_secs(600))
    })
}
