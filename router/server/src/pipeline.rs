//! The corridor of a request, on one page:
//!
//! ```text
//! bytes → Request → Document → coerced variables → Program → Answer → bytes
//!   request.rs   engine.rs      (planner)        engine.rs  (executor)
//! ```
//!
//! HTTP and WebSocket both come in through [`prepare`], and go out through [`Prepared::execute`] or
//! [`Prepared::subscribe`].

use std::sync::Arc;

use baedal_executor::{Answer, ErrorPolicy, Inputs, Program, execute, execute_event, subscription_request};
use baedal_planner::plan::OperationKind;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::draw;
use crate::engine::{Document, Engine};
use crate::errors::{Code, GraphqlError, Refusal};
use crate::forward::Forwarded;
use crate::gateway::Gateway;
use crate::jwt::Caller;
use crate::refuse;
use crate::request::Request;
use crate::subgraphs::{Calls, Upstream, UpstreamItem};

/// An operation with all it needs, before the first byte goes to a subgraph.
pub struct Prepared {
    engine: Arc<Engine>,
    program: Arc<Program>,
    inputs: Inputs,
    kind: OperationKind,
}

/// Reads, validates, coerces, authorizes and plans.
pub async fn prepare(gateway: &Gateway, caller: &Caller, request: Request) -> Result<Prepared, Refusal> {
    let engine = gateway.engine().ok_or_else(not_ready)?;
    let document = engine.document(&request).await?;
    let kind = document.operation.kind();
    let coerced = document
        .operation
        .coerce_variables(engine.supergraph(), &request.variables)
        .map_err(refuse::variables)?;
    let coerced = Arc::new(coerced);
    let program = engine
        .program(&document, &coerced, &caller.access, draw::percent)
        .await?;
    let inputs = inputs(gateway, &engine, &document, &coerced);
    Ok(Prepared {
        engine,
        program,
        inputs,
        kind,
    })
}

impl Prepared {
    /// What the client asked for.
    pub fn kind(&self) -> OperationKind {
        self.kind
    }

    /// Whether a subscription has something to subscribe to; if not (its field is withheld from this caller), one
    /// answer says all.
    pub fn has_upstream(&self) -> bool {
        self.kind == OperationKind::Subscription
            && subscription_request(&self.program, &self.inputs).is_some()
    }

    /// Runs a query or mutation. A mutation that has begun runs to its end, also when its client goes away: half of it
    /// is what nobody asked for.
    pub async fn execute(self, gateway: &Arc<Gateway>, forwarded: Forwarded) -> Result<Answer, Refusal> {
        if self.kind != OperationKind::Mutation {
            return Ok(self.run(gateway, &forwarded).await);
        }
        let shared = Arc::clone(gateway);
        let running = gateway
            .tasks
            .spawn(async move { self.run(&shared, &forwarded).await });
        running.await.map_err(|stopped| {
            tracing::error!("a mutation did not end: {stopped}");
            Refusal::new(Code::Internal, "the gateway failed to run this mutation")
        })
    }

    /// Runs a query, in the task of whoever asks.
    pub async fn run(&self, gateway: &Gateway, forwarded: &Forwarded) -> Answer {
        execute(&self.program, &self.inputs, &self.calls(gateway, forwarded)).await
    }

    /// Starts a subscription.
    pub async fn subscribe(
        self,
        gateway: Arc<Gateway>,
        forwarded: Forwarded,
    ) -> Result<Events, Vec<GraphqlError>> {
        let call = subscription_request(&self.program, &self.inputs)
            .expect("a stream is asked for where there is an upstream");
        let settings = &gateway.config.subscriptions;
        let opened = self.calls(&gateway, &forwarded).open(call, settings).await;
        let upstream =
            opened.map_err(|error| vec![GraphqlError::new(error.code, error.message, Vec::new())])?;
        Ok(Events {
            prepared: self,
            gateway,
            forwarded,
            upstream,
        })
    }

    fn calls<'a>(&'a self, gateway: &'a Gateway, forwarded: &'a Forwarded) -> Calls<'a> {
        Calls {
            client: &gateway.client,
            endpoints: self.engine.endpoints(),
            forwarded,
        }
    }
}

/// A subscription under way. It keeps its snapshot: a schema change does not touch it.
pub struct Events {
    prepared: Prepared,
    gateway: Arc<Gateway>,
    forwarded: Forwarded,
    upstream: Upstream,
}

/// What the client of a subscription gets next.
pub enum Event {
    /// A GraphQL response.
    Answer(Bytes),
    /// The subgraph refused the operation: the array of errors, as far as the client may know them.
    Refused(Bytes),
    /// The end.
    Complete,
    /// The upstream was lost; why is for the log.
    Lost(String),
}

impl Events {
    /// The next event, with its fields of other subgraphs.
    pub async fn next(&mut self) -> Event {
        match self.upstream.next().await {
            UpstreamItem::Event(event) => Event::Answer(self.answer(event).await),
            UpstreamItem::Refused(errors) => Event::Refused(self.refusal(&errors).await),
            UpstreamItem::Complete => Event::Complete,
            UpstreamItem::Lost(why) => Event::Lost(why),
        }
    }

    async fn answer(&self, event: Bytes) -> Bytes {
        let Prepared { program, inputs, .. } = &self.prepared;
        let calls = self.prepared.calls(&self.gateway, &self.forwarded);
        execute_event(program, inputs, event, &calls).await.body
    }

    /// A refusal must not say more than an event without data would: the executor reads it as one, and checks, cuts
    /// and masks its errors like any others.
    async fn refusal(&self, errors: &Bytes) -> Bytes {
        let event = [b"{\"errors\":", errors.as_ref(), b"}"].concat();
        let answer = self.answer(event.into()).await;
        let Errors { errors } =
            serde_json::from_slice(&answer).expect("an answer to an event without data has errors");
        answer.slice_ref(errors.get().as_bytes())
    }

    /// Ends the upstream from this side.
    pub async fn stop(self) {
        self.upstream.stop().await;
    }
}

/// The errors of an answer.
#[derive(Deserialize)]
struct Errors<'a> {
    #[serde(borrow)]
    errors: &'a RawValue,
}

fn inputs(gateway: &Gateway, engine: &Engine, document: &Document, coerced: &Map<String, Value>) -> Inputs {
    let errors = &gateway.config.errors;
    let error_policy = match &errors.extensions {
        _ if errors.mask_subgraphs => ErrorPolicy::Mask,
        Some(names) => ErrorPolicy::PassOnly(Arc::clone(names)),
        None => ErrorPolicy::Pass,
    };
    let max_body = gateway.client.response_bytes();
    let mut inputs = Inputs {
        max_body,
        error_policy,
        name_subgraphs: errors.name_subgraphs,
        max_answer: gateway.config.limits.answer_bytes,
        ..Inputs::with_variables(coerced)
    };
    for (key, value) in document.operation.introspect(engine.supergraph(), coerced) {
        inputs.give(&key, value);
    }
    inputs
}

/// The refusal while there is no supergraph.
pub fn not_ready() -> Refusal {
    Refusal::new(
        Code::NotReady,
        "the gateway has no supergraph yet; /health/ready says why",
    )
}
