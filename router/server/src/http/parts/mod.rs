//! Answers in parts over HTTP: [`@defer`](https://github.com/graphql/graphql-spec/pull/1110) by
//! [`multipart/mixed`](https://github.com/graphql/graphql-over-http/blob/main/rfcs/IncrementalDelivery.md).
//!
//! What is wrong with the request is said by a status, as for any other; then the head goes out, and each part as soon
//! as it is there.

mod accept;
mod body;

pub use accept::{Spec, accepted};
pub use body::PartsBody;

use std::sync::Arc;

use baedal_executor::{Answer, Piece};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use tokio::sync::{mpsc, oneshot};

use super::asking;
use super::graphql;
use super::intake::{self, RequestBody};
use super::negotiate::{self, Format};
use super::stream::{Reply, tell_streamed};
use crate::errors::{Code, Refusal};
use crate::forward::{self, Forwarded};
use crate::gateway::Gateway;
use crate::jwt::Caller;
use crate::observe::{Answered, Told, Watch};
use crate::pipeline::{self, Delivery, Prepared};
use crate::request::{self, Asked};
use crate::traffic::{ClientKey, Peer, Who};

/// What became of a request.
pub enum Served {
    /// Its answer comes in parts.
    InParts(Response<Reply>),
    /// It is like any other; this is its body.
    Not(Bytes),
}

/// Answers a request in parts, if it defers anything.
pub async fn serve<B: RequestBody>(
    gateway: &Arc<Gateway>,
    peer: Option<Peer>,
    parts: &Parts,
    body: B,
    id: &HeaderValue,
    spec: Spec,
) -> Result<Served, Refusal> {
    let caller = graphql::enter(gateway, parts).await?;
    let (body, asked) = match parts.method {
        Method::GET => (Bytes::new(), graphql::from_get(gateway, parts)),
        Method::POST => {
            let body = intake::post_body(gateway, parts, body).await?;
            let request = request::from_json(&body, &gateway.config.limits);
            (body, request)
        }
        _ => return Ok(Served::Not(Bytes::new())),
    };
    // Who takes nothing else gets one part.
    let format = negotiate::format(&parts.headers);
    let Ok(asked) = asked else {
        return Ok(Served::Not(body));
    };
    if format.is_some() && !pipeline::defers(gateway, asked.clone()).await {
        return Ok(Served::Not(body));
    }
    let running = Running {
        client: gateway.traffic.client(peer, &parts.headers),
        gateway: Arc::clone(gateway),
        caller,
        asked,
        by_get: parts.method == Method::GET,
        plain: format == Some(Format::Json),
        id: forward::owned(id),
        watch: Watch::begin(gateway, &parts.headers),
        headers: forward::lasting(&parts.headers, &gateway.rules),
    };
    running.start(spec).await.map(Served::InParts)
}

/// A request whose answer comes in parts.
struct Running {
    gateway: Arc<Gateway>,
    caller: Caller,
    client: Option<ClientKey>,
    asked: Asked,
    by_get: bool,
    /// A refusal's status tells only how the HTTP request went.
    plain: bool,
    id: HeaderValue,
    watch: Watch,
    headers: http::HeaderMap,
}

impl Running {
    /// Runs it in a task of its own, which ends when nobody reads what it brings. (A mutation goes on.)
    async fn start(self, spec: Spec) -> Result<Response<Reply>, Refusal> {
        let (pieces, ready) = mpsc::unbounded_channel();
        let (admit, admitted) = oneshot::channel();
        let gateway = Arc::clone(&self.gateway);
        let task = gateway.tasks.spawn(self.run(spec, admit, pieces));
        let body = PartsBody::new(&gateway, ready, task.abort_handle());
        let lost = |_| Refusal::new(Code::Internal, "the gateway failed to run this request");
        admitted.await.map_err(lost)??;
        let mut response = Response::new(Reply::Parts(Box::new(body)));
        tell_streamed(response.headers_mut(), spec.content_type());
        Ok(response)
    }

    async fn run(
        self,
        spec: Spec,
        admit: oneshot::Sender<Result<(), Refusal>>,
        pieces: mpsc::UnboundedSender<Piece>,
    ) {
        let gateway = Arc::clone(&self.gateway);
        let prepared = async {
            let who = Who {
                caller: &self.caller,
                client: self.client.as_ref(),
            };
            gateway.traffic.admit(&who).await?;
            let inside = gateway.traffic.enter().await?;
            let asked = self.asked.clone();
            let (mut prepared, _) = pipeline::prepare_asked(&gateway, who, asked, Delivery::InParts).await?;
            asking::check_kind(prepared.kind(), self.by_get)?;
            prepared.refer_to(&self.id);
            Ok::<_, Refusal>((prepared, inside))
        };
        match prepared.await {
            Err(refusal) => {
                let status = refusal.code.status(self.plain);
                let outcome: Result<Answered, Refusal> = Err(refusal);
                self.watch.end(&self.id, status, &outcome);
                // Whoever has gone does not care.
                let _ = admit.send(outcome.map(drop));
            }
            Ok((prepared, _inside)) => {
                let _ = admit.send(Ok(()));
                let told = prepared.told();
                let answer = self.execute(prepared, spec, pieces).await;
                self.end(answer, told);
            }
        }
    }

    async fn execute(
        &self,
        prepared: Prepared,
        spec: Spec,
        pieces: mpsc::UnboundedSender<Piece>,
    ) -> Result<Answer, Refusal> {
        let forwarded = Forwarded::new(
            &self.headers,
            &self.gateway.rules,
            &self.id,
            self.watch.context(),
            self.caller.authorization.as_ref(),
        );
        let format = spec.format();
        prepared
            .execute_in_parts(&self.gateway, forwarded, format, pieces)
            .await
    }

    fn end(self, answer: Result<Answer, Refusal>, told: Told) {
        let outcome = answer.map(|answer| Answered { answer, told });
        self.watch.end(&self.id, StatusCode::OK, &outcome);
    }
}
