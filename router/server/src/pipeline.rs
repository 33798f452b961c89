//! The corridor of a request, on one page:
//!
//! ```text
//! bytes → Request → Document → coerced variables → Program → Answer → bytes
//!   request.rs   engine.rs      (planner)        engine.rs  (executor)
//! ```
//!
//! HTTP and WebSocket both come in through [`prepare`], and go out through [`Prepared::execute`] or
//! [`crate::streams`].

use std::sync::Arc;

use apollo_compiler::Schema;
use baedal_executor::{
    Answer, CallError, ErrorPolicy, Format, Inputs, Piece, Program, SubgraphCall, execute, execute_event,
    execute_incremental, subscription_request,
};
use baedal_planner::explain::Explanation;
use baedal_planner::plan::OperationKind;
use bytes::Bytes;
use http::HeaderValue;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

mod inputs;

use self::inputs::inputs;
use crate::bound::{Wanted, Whereabouts};
use crate::draw;
use crate::engine::{Document, Engine};
use crate::errors::{Code, Refusal};
use crate::forward::{self, Forwarded};
use crate::gateway::Gateway;
use crate::jwt::Caller;
use crate::observe::Told;
use crate::persisted::Found;
use crate::refuse;
use crate::request::{Asked, Request};
use crate::responses::{Lens, Mode, Parts};
use crate::subgraphs::{Calls, Opening, Upstream};
use crate::traffic::Who;
use crate::upload::{Coming, WithFiles};

/// An operation with all it needs, before the first byte goes to a subgraph.
pub struct Prepared {
    engine: Arc<Engine>,
    program: Arc<Program>,
    inputs: Inputs,
    kind: OperationKind,
    document: Arc<Document>,
    /// What it is told of its parts, with a response cache.
    parts: Option<Arc<Parts>>,
}

/// How a client takes its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// At once.
    Whole,
    /// In parts, where the operation lets some come later.
    InParts,
}

/// Reads, validates, coerces, authorizes and plans.
pub async fn prepare(gateway: &Gateway, caller: &Caller, request: Request) -> Result<Prepared, Refusal> {
    prepare_if(gateway, caller, &request, (None, Delivery::Whole)).await
}

/// The same of a request as it was sent, its document there or named, which counts for rate limits of its operation.
pub async fn prepare_asked(
    gateway: &Gateway,
    who: Who<'_>,
    asked: Asked,
    delivery: Delivery,
) -> Result<(Prepared, Request), Refusal> {
    let found = found(gateway, asked).await?;
    let prepared = prepare_if(gateway, who.caller, &found.request, (Some(&who), delivery)).await?;
    Ok((prepared, gateway.persisted.keep(found)))
}

/// Whether a request lets a part of its answer come later.
pub async fn defers(gateway: &Gateway, asked: Asked) -> bool {
    let (Ok(found), Some(engine)) = (found(gateway, asked).await, gateway.engine()) else {
        return false;
    };
    let document = engine.document(&found.request).await;
    document.is_ok_and(|document| document.operation.is_incremental())
}

async fn found(gateway: &Gateway, asked: Asked) -> Result<Found, Refusal> {
    match gateway.persisted.plain(asked) {
        Ok(request) => Ok(Found::from(request)),
        Err(asked) => Box::pin(gateway.persisted.find(*asked)).await,
    }
}

async fn prepare_if(
    gateway: &Gateway,
    caller: &Caller,
    request: &Request,
    (counted, delivery): (Option<&Who<'_>>, Delivery),
) -> Result<Prepared, Refusal> {
    gateway.identity.admits(caller)?;
    let engine = gateway.engine().ok_or_else(not_ready)?;
    let document = engine.document(request).await?;
    let kind = document.operation.kind();
    if let Some(who) = counted {
        let name = document.operation.name();
        gateway.traffic.admit_operation(who, name, &request.query).await?;
    }
    let coerced = document
        .operation
        .coerce_variables(engine.supergraph(), &request.variables)
        .map_err(|errors| refuse::variables(errors).at_most(gateway.config.limits.errors))?;
    engine.check_cost(&document, &coerced)?;
    let coerced = Arc::new(coerced);
    let in_parts = delivery == Delivery::InParts;
    let program = engine
        .program(&document, &coerced, &caller.access, in_parts, draw::percent)
        .await?;
    let inputs = inputs(gateway, &engine, &document, &coerced);
    Ok(Prepared {
        engine,
        program,
        inputs,
        kind,
        document,
        parts: gateway
            .responses
            .as_ref()
            .map(|responses| Arc::new(responses.parts())),
    })
}

impl Prepared {
    /// What the client asked for.
    pub fn kind(&self) -> OperationKind {
        self.kind
    }

    /// Lets masked errors name the request under which the log has them in full.
    pub fn refer_to(&mut self, id: &HeaderValue) {
        if self.inputs.error_policy == ErrorPolicy::Mask {
            self.inputs.reference = Some(forward::text(Some(id)).into());
        }
    }

    /// What is told of it.
    pub fn told(&self) -> Told {
        Told {
            operation: Arc::clone(&self.document.told),
            program: Arc::clone(&self.program),
            parts: self.parts.clone(),
        }
    }

    /// Whether a subscription has something to subscribe to; if not (its field is withheld from this caller), one
    /// answer says all.
    pub fn has_upstream(&self) -> bool {
        self.kind == OperationKind::Subscription && self.upstream().is_some()
    }

    /// Runs a query or mutation. A mutation that has begun runs to its end, also when its client goes away: half of it
    /// is what nobody asked for.
    pub async fn execute(self, gateway: &Arc<Gateway>, forwarded: Forwarded) -> Result<Answer, Refusal> {
        if self.kind != OperationKind::Mutation {
            // Boxed: the futures around it are moved with every request.
            return Ok(Box::pin(self.run(gateway, &forwarded)).await);
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

    /// The same with files: the fetch that takes them, and what comes of them.
    pub async fn run_with_files(
        &self,
        gateway: &Gateway,
        forwarded: &Forwarded,
        (taker, coming): (usize, Coming),
    ) -> Answer {
        let calls = Calls {
            until: Instant::now() + gateway.config.uploads.timeout,
            ..self.calls(gateway, forwarded)
        };
        let calls = WithFiles::new(calls, taker, coming);
        execute(&self.program, &self.inputs, &calls).await
    }

    /// Whether the answer comes in parts.
    pub fn comes_in_parts(&self) -> bool {
        self.program.incremental().is_some()
    }

    /// Runs a query or mutation, and hands on each part of the answer; what is given back has no body. A mutation that
    /// has begun runs to its end here, too.
    pub async fn execute_in_parts(
        self,
        gateway: &Arc<Gateway>,
        forwarded: Forwarded,
        format: Format,
        pieces: UnboundedSender<Piece>,
    ) -> Result<Answer, Refusal> {
        let is_mutation = self.kind == OperationKind::Mutation;
        let shared = Arc::clone(gateway);
        let run = async move {
            let calls = self.calls(&shared, &forwarded);
            let in_parts = self.comes_in_parts();
            let mut is_first = true;
            let deliver = |piece: Piece| {
                let first = std::mem::take(&mut is_first);
                let first = in_parts.then_some(first);
                shared.observer.count_part(shared.contract(), &piece.body, first);
                // Whoever does not listen any more needs no part.
                let _ = pieces.send(piece);
            };
            execute_incremental(&self.program, &self.inputs, &calls, format, deliver).await
        };
        if !is_mutation {
            return Ok(run.await);
        }
        gateway.tasks.spawn(run).await.map_err(|stopped| {
            tracing::error!("a mutation did not end: {stopped}");
            Refusal::new(Code::Internal, "the gateway failed to run this mutation")
        })
    }

    /// What a subscription asks its upstream; `None` if there is nothing to ask.
    pub fn upstream(&self) -> Option<SubgraphCall<'_>> {
        subscription_request(&self.program, &self.inputs)
    }

    /// Whether it was prepared for the supergraph that is served now.
    pub fn is_current(&self, gateway: &Gateway) -> bool {
        let served = gateway.engine();
        served.is_some_and(|served| Arc::ptr_eq(&served, &self.engine))
    }

    /// Whether a stream that was opened for `other` is one for this, too.
    pub fn has_same_upstream(&self, other: &Prepared) -> bool {
        let asked = |prepared: &Prepared| {
            let call = prepared.upstream()?;
            // Where nobody serves it, the request is all that can differ.
            let endpoint = prepared.engine.endpoints().get(call.subgraph);
            let url = endpoint.map(|endpoint| endpoint.stream_url.clone());
            Some((call.subgraph.to_owned(), url, call.body))
        };
        asked(self) == asked(other)
    }

    /// Why its plan is as it is.
    pub fn explanation(&self) -> Explanation {
        baedal_planner::explain(self.engine.supergraph(), self.program.plan())
    }

    /// The compiled plan.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// Values of variables, as JSON texts.
    pub fn variables(&self) -> &[(Box<str>, Bytes)] {
        &self.inputs.variables
    }

    /// The schema clients see.
    pub fn schema(&self) -> &Schema {
        self.engine.supergraph().api_schema()
    }

    /// Opens a subscription's upstream, after where another was, if that is known.
    pub async fn open(
        &self,
        gateway: &Gateway,
        caller: &Caller,
        forwarded: &Forwarded,
        after: Option<Whereabouts>,
    ) -> Result<Upstream, CallError> {
        let within = gateway.config.subscriptions.connect_timeout;
        if let Some(bound) = &gateway.bound {
            let wanted = Wanted {
                caller,
                after,
                within,
            };
            if let Some(opened) = Box::pin(bound.open(self, wanted)).await {
                return opened.map(|stream| Upstream::Bound(Box::new(stream)));
            }
        }
        let call = self.upstream().expect("a stream has an upstream");
        let opening = Opening {
            client: &gateway.client,
            settings: &gateway.config.subscriptions,
            forwarded,
            callbacks: gateway.callbacks.as_ref(),
        };
        self.calls(gateway, forwarded).open(call, opening).await
    }

    /// The answer to an event, with its fields of other subgraphs.
    pub async fn event(&self, gateway: &Gateway, forwarded: &Forwarded, event: Bytes) -> Bytes {
        let calls = Calls {
            patient: true,
            ..self.calls(gateway, forwarded)
        };
        if let Some(call) = self.upstream().filter(|_| calls.masks) {
            calls.log_masked(call.subgraph, &event);
        }
        execute_event(&self.program, &self.inputs, event, &calls)
            .await
            .body
    }

    /// What clients may know of a refusal: an array of errors. It must not say more than an event without data would:
    /// the executor reads it as one, and checks, cuts and masks its errors like any others.
    pub async fn refusal(&self, gateway: &Gateway, forwarded: &Forwarded, errors: &Bytes) -> Bytes {
        let event = [b"{\"errors\":", errors.as_ref(), b"}"].concat();
        let answer = self.event(gateway, forwarded, event.into()).await;
        let Errors { errors } =
            serde_json::from_slice(&answer).expect("an answer to an event without data has errors");
        answer.slice_ref(errors.get().as_bytes())
    }

    /// Calls of now on; all of them together have the time of one request.
    fn calls<'a>(&'a self, gateway: &'a Gateway, forwarded: &'a Forwarded) -> Calls<'a> {
        let until = Instant::now() + gateway.traffic.request_timeout();
        Calls {
            client: &gateway.client,
            layers: gateway.layers.subgraphs(),
            engine: &self.engine,
            shared: gateway.calls.as_ref(),
            forwarded,
            until,
            patient: false,
            observer: &gateway.observer,
            masks: gateway.config.errors.mask_subgraphs,
            lens: self.lens(gateway, forwarded, until),
        }
    }

    /// What is kept of answers, as this request sees it. An event is about something new: nothing that is kept is for it.
    fn lens<'a>(&'a self, gateway: &'a Gateway, forwarded: &Forwarded, until: Instant) -> Option<Lens<'a>> {
        let (responses, parts) = (gateway.responses.as_deref()?, self.parts.as_deref()?);
        let mode = match self.kind {
            OperationKind::Query => Mode::Reads,
            OperationKind::Mutation => Mode::Writes,
            OperationKind::Subscription => return None,
        };
        let caller = responses.caller(forwarded);
        if caller.is_named {
            parts.named();
        }
        Some(Lens {
            responses,
            graph: self.engine.kept()?,
            caller,
            parts,
            mode,
            until,
        })
    }
}

/// The errors of an answer.
#[derive(Deserialize)]
struct Errors<'a> {
    #[serde(borrow)]
    errors: &'a RawValue,
}

/// The refusal while there is no supergraph.
pub fn not_ready() -> Refusal {
    Refusal::new(
        Code::NotReady,
        "the gateway has no supergraph yet; /health/ready says why",
    )
}
