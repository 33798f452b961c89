//! The page of metrics, on an address of its own (`metrics.listen`): what it tells is for operators, not for whoever can
//! reach the graph.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use baedal_telemetry::metrics::CONTENT_TYPE as TEXT_FORMAT;
use http::header::CONTENT_TYPE;
use tokio::net::TcpListener;

use crate::front::Front;
use crate::gateway::Gateway;
use crate::http::health;

/// Serves it until the gateway stops, and the health checks beside it.
pub async fn serve(listener: TcpListener, front: Arc<Front>) {
    let gateway = front.main();
    let closing = gateway.closing.clone();
    let routes = Router::new()
        .route("/metrics", get(page))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(move || health::ready(State(front.main()))))
        .with_state(gateway);
    let serving = axum::serve(listener, routes).with_graceful_shutdown(closing.cancelled_owned());
    if let Err(error) = serving.await {
        tracing::error!(%error, "metrics are served no more");
    }
}

async fn page(State(gateway): State<Arc<Gateway>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, TEXT_FORMAT)], gateway.observer.registry.page())
}
