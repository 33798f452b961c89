//! `/health/live`: the process answers. `/health/ready`: it can serve; if not, or not fully, why.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use crate::gateway::Gateway;
use crate::supergraph::Status;
use crate::traffic::SubgraphView;

#[derive(Serialize)]
struct Readiness {
    status: &'static str,
    reasons: Vec<String>,
    supergraph: Status,
    subgraphs: Vec<SubgraphView>,
}

/// Always 200 while the process answers.
pub async fn live() -> impl IntoResponse {
    Json(serde_json::json!({"status": "live"}))
}

/// 200 when a supergraph is served (`ready`, or `degraded` with reasons), else 503 with reasons.
pub async fn ready(State(gateway): State<Arc<Gateway>>) -> Response {
    let supergraph = gateway.status();
    let mut reasons = supergraph.reasons();
    let missing = gateway.identity.without_keys();
    reasons.extend(
        missing
            .iter()
            .map(|issuer| format!("the keys of the issuer {issuer} are not at hand")),
    );
    reasons.extend(gateway.traffic.reasons());
    let closing = gateway.stopping.is_cancelled();
    if closing {
        reasons.push("the gateway is stopping".to_owned());
    }
    let serving = gateway.engine().is_some() && !closing;
    let status = match (serving, reasons.is_empty()) {
        (false, _) => "not ready",
        (true, false) => "degraded",
        (true, true) => "ready",
    };
    let code = if serving {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        code,
        Json(Readiness {
            status,
            reasons,
            supergraph,
            subgraphs: gateway.traffic.views(),
        }),
    )
        .into_response()
}
