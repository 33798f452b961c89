//! `/health/live`: the process answers, and no loop of it hangs. `/health/ready`: it can serve; if not, or not fully, why.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use crate::gateway::Gateway;
use crate::persisted::Documents;
use crate::supergraph::Status;
use crate::traffic::SubgraphView;

/// How ready the gateway is.
#[derive(Serialize)]
pub struct Readiness {
    /// `ready`, `degraded` or `not ready`.
    pub status: &'static str,
    reasons: Vec<String>,
    supergraph: Status,
    subgraphs: Vec<SubgraphView>,
    #[serde(skip)]
    serving: bool,
}

impl Readiness {
    /// At this moment.
    pub fn of(gateway: &Gateway) -> Readiness {
        let supergraph = gateway.status();
        let mut reasons = supergraph.reasons();
        let missing = gateway.identity.without_keys();
        reasons.extend(
            missing
                .iter()
                .map(|issuer| format!("the keys of the issuer {issuer} are not at hand")),
        );
        reasons.extend(gateway.identity.lists().filter_map(|list| list.reason()));
        reasons.extend(gateway.traffic.reasons());
        reasons.extend(gateway.valkey.as_ref().and_then(|valkey| valkey.reason()));
        reasons.extend(
            gateway
                .persisted
                .documents()
                .map(Documents::reasons)
                .unwrap_or_default(),
        );
        reasons.extend(gateway.bound.iter().flat_map(|bound| bound.reasons()));
        reasons.extend(gateway.events.reasons());
        reasons.extend(gateway.secrets.reasons());
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
        Readiness {
            status,
            reasons,
            supergraph,
            subgraphs: gateway.traffic.views(),
            serving,
        }
    }
}

/// 200 while all loops give signs of life, else 503 with those that do not: a restart helps then.
pub async fn live(State(gateway): State<Arc<Gateway>>) -> Response {
    let reasons = gateway.observer.hung();
    if reasons.is_empty() {
        return Json(serde_json::json!({"status": "live"})).into_response();
    }
    let body = serde_json::json!({"status": "hung", "reasons": reasons});
    (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
}

/// 200 when a supergraph is served (`ready`, or `degraded` with reasons), else 503 with reasons.
pub async fn ready(State(gateway): State<Arc<Gateway>>) -> Response {
    let readiness = Readiness::of(&gateway);
    let code = match readiness.serving {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (code, Json(readiness)).into_response()
}
