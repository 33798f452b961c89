//! One request on its way from its body to its answer: prepared, and executed alone or together with its equals.

use std::sync::Arc;

use baedal_planner::plan::OperationKind;
use baedal_telemetry::TraceContext;
use http::HeaderValue;

use crate::errors::{Code, Refusal};
use crate::forward::{Carried, Forwarded};
use crate::gateway::Gateway;
use crate::observe::{Answered, Watch};
use crate::pipeline::{self, Delivery, Prepared};
use crate::request::{self, Asked};
use crate::sharing::{self, Sharing};
use crate::traffic::Who;

/// Who asks, and what is known of the request besides its body.
pub struct Asking<'a> {
    /// The gateway.
    pub gateway: &'a Arc<Gateway>,
    /// By token and connection.
    pub who: Who<'a>,
    /// By request and trace.
    pub ids: Ids<'a>,
}

/// What tells requests of one caller apart.
#[derive(Clone, Copy)]
pub struct Ids<'a> {
    /// The request id.
    pub request: &'a HeaderValue,
    trace: TraceContext,
    /// Where what travels back is gathered, if anything does.
    carried: Option<&'a Arc<Carried>>,
}

impl<'a> Ids<'a> {
    /// Those of a request that is watched.
    pub fn new(request: &'a HeaderValue, watch: &Watch, carried: Option<&'a Arc<Carried>>) -> Ids<'a> {
        let trace = watch.context();
        Ids {
            request,
            trace,
            carried,
        }
    }

    /// The same of another request, within the same answer.
    pub fn of(self, watch: &Watch) -> Ids<'a> {
        let trace = watch.context();
        Ids { trace, ..self }
    }

    /// What travels on, with them.
    pub fn complete(&self, forwarded: Forwarded) -> Forwarded {
        forwarded
            .with_ids(self.request, self.trace)
            .carrying(self.carried)
    }
}

impl Asking<'_> {
    /// What one request, which is no subscription, is to be executed with.
    pub async fn prepare(&self, body: &[u8]) -> Result<Prepared, Refusal> {
        let asked = request::from_json(body, &self.gateway.config.limits)?;
        let (prepared, _) = pipeline::prepare_asked(self.gateway, self.who, asked, Delivery::Whole).await?;
        check_kind(prepared.kind(), false)?;
        Ok(prepared)
    }

    /// The same of a request that came by GET, from its beginning.
    pub async fn by_get(&self, asked: Asked, forwarded: Forwarded) -> Result<Answered, Refusal> {
        let (prepared, _) = pipeline::prepare_asked(self.gateway, self.who, asked, Delivery::Whole).await?;
        check_kind(prepared.kind(), true)?;
        self.alone(prepared, forwarded).await
    }

    /// Executes it for nobody else.
    pub async fn alone(&self, mut prepared: Prepared, forwarded: Forwarded) -> Result<Answered, Refusal> {
        prepared.refer_to(self.ids.request);
        let forwarded = self.ids.complete(forwarded);
        let told = prepared.told();
        let answer = prepared.execute(self.gateway, forwarded).await?;
        Ok(Answered { answer, told })
    }

    /// Joins an equal request before this one is even read. Errors that came of another's are not taken over: what made
    /// them may be past, so this request is executed too, once, together with all others in its place.
    pub async fn shared(
        &self,
        sharing: &Arc<Sharing>,
        key: sharing::Key,
        body: &[u8],
        forwarded: Forwarded,
    ) -> Result<Answered, Refusal> {
        if let Some(seat) = sharing.join(&key) {
            let told = seat.told();
            match seat.wait().await {
                Some(answer) if answer.errors == 0 => return Ok(Answered { answer, told }),
                _ => {}
            }
        }
        let mut prepared = self.prepare(body).await?;
        if prepared.kind() != OperationKind::Query {
            return self.alone(prepared, forwarded).await;
        }
        prepared.refer_to(self.ids.request);
        let forwarded = self.ids.complete(forwarded);
        let (gateway, told) = (Arc::clone(self.gateway), prepared.told());
        let executed = Box::pin(async move { prepared.run(&gateway, &forwarded).await });
        let seat = sharing.join_or_begin(&key, told.clone(), executed);
        let lost = || Refusal::new(Code::Internal, "the gateway failed to run this query");
        let answer = seat.wait().await.ok_or_else(lost)?;
        Ok(Answered { answer, told })
    }
}

/// Whether an operation may come as it did.
pub fn check_kind(kind: OperationKind, is_get: bool) -> Result<(), Refusal> {
    match kind {
        OperationKind::Query => Ok(()),
        OperationKind::Mutation if is_get => Err(Refusal::new(Code::MutationByGet, "send mutations by POST")),
        OperationKind::Mutation => Ok(()),
        OperationKind::Subscription => Err(Refusal::new(
            Code::SubscriptionNeedsWebSocket,
            "subscriptions are streamed: use a WebSocket (graphql-transport-ws) at this same path, or accept \
             text/event-stream or multipart/mixed;subscriptionSpec=1.0",
        )),
    }
}
