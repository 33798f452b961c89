//! That a request comes from the gateway: it must be signed with a secret that both share (`ROUTER_KEYS`).
//!
//! `_entities`, `_service` and what the graph hides are open to whoever reaches a subgraph, and a network is easier to get
//! into than a secret is to guess. A caller's token is verified besides, and decides what the caller may do.

use super::{MAX_BODY, http::refusal};
use crate::clock::{Clock, SystemClock};
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::Next,
    response::Response,
};
use baedal_token::message::{Claimed, Message, MessageError, SharedKey, SharedKeyError, verify};
use std::sync::Arc;

/// `ID:SECRET` of one or more keys, with commas between; the gateway signs with one of them.
pub const ROUTER_KEYS: &str = "ROUTER_KEYS";

/// Keys of gateways that are believed.
pub struct Proof {
    keys: Vec<SharedKey>,
    clock: Arc<dyn Clock>,
}

/// Why [`ROUTER_KEYS`] cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Not of its form.
    #[error("ROUTER_KEYS must be ID:SECRET, or several of them with commas between")]
    Form,
    /// A key is none.
    #[error("ROUTER_KEYS: {0}")]
    Key(#[from] SharedKeyError),
}

impl Proof {
    /// These keys, `ID:SECRET,…`, by this clock.
    pub fn new(keys: &str, clock: Arc<dyn Clock>) -> Result<Proof, ProofError> {
        let key = |pair: &str| {
            let (id, secret) = pair.trim().split_once(':').ok_or(ProofError::Form)?;
            Ok(SharedKey::new(id, secret.as_bytes())?)
        };
        let keys: Result<Vec<SharedKey>, ProofError> = keys.split(',').map(key).collect();
        Ok(Proof { keys: keys?, clock })
    }

    /// What the environment says; nothing is asked of requests if it says nothing.
    pub fn of_environment() -> Result<Option<Proof>, ProofError> {
        match std::env::var(ROUTER_KEYS) {
            Ok(keys) if !keys.trim().is_empty() => Proof::new(&keys, Arc::new(SystemClock)).map(Some),
            _ => Ok(None),
        }
    }

    fn check(&self, method: &str, path: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), MessageError> {
        let field = |name: &str| {
            let mut all = headers.get_all(name).iter();
            let first = all.next().and_then(|value| value.to_str().ok());
            // Two of them could be read in two ways.
            first.filter(|_| all.next().is_none())
        };
        let message = Message {
            method,
            path,
            body: Some(body),
        };
        let claimed = Claimed {
            content_digest: field("content-digest"),
            signature_input: field("signature-input"),
            signature: field("signature"),
        };
        let now = u64::try_from(self.clock.now_ms() / 1000).unwrap_or(0);
        verify(&self.keys, message, claimed, now)
    }
}

/// Lets signed requests through.
pub(super) async fn demand(State(proof): State<Arc<Proof>>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return refusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            "BAD_REQUEST",
            "the body is too large",
        );
    };
    match proof.check(head.method.as_str(), head.uri.path(), &head.headers, &body) {
        Ok(()) => next.run(Request::from_parts(head, Body::from(body))).await,
        Err(error) => {
            tracing::warn!(%error, "a request that is not the gateway's was refused");
            refusal(
                StatusCode::UNAUTHORIZED,
                "ROUTER_PROOF_REQUIRED",
                &error.to_string(),
            )
        }
    }
}
