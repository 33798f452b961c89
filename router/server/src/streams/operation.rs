//! One operation on a connection of a client, whatever the protocol: from its request to its answer, or to its place in a
//! stream.

use std::sync::Arc;

use baedal_executor::{Answer, Format, Piece};
use baedal_planner::plan::OperationKind;
use baedal_telemetry::TraceContext;
use baedal_telemetry::trace::Kind;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::channel::Member;
use super::cursor::CursorArgument;
use super::hub::Joining;
use super::key::Key;
use super::operations::Operations;
use super::outbox::{Event, Op, Out, Outbox};
use super::pump::{Pump, Source};
use crate::errors::{Code, Refusal};
use crate::forward::{self, Forwarded};
use crate::gateway::Gateway;
use crate::jwt::Caller;
use crate::observe::{Answered, Watch};
use crate::pipeline::{self, Delivery, Prepared};
use crate::request::{Asked, Request};
use crate::traffic::{ClientKey, Who};

/// What is kept of the request a connection began with.
pub struct Origin {
    /// Those of its headers that can travel on.
    pub headers: HeaderMap,
    /// Its request id.
    pub id: HeaderValue,
    /// Where it came from, where a limit asks for it.
    pub client: Option<ClientKey>,
}

/// What an operation needs of its connection.
pub struct Operation {
    /// The gateway.
    pub gateway: Arc<Gateway>,
    /// What the connection began with.
    pub origin: Arc<Origin>,
    /// Who asks.
    pub caller: Arc<Caller>,
    /// Where messages go.
    pub outbox: Arc<Outbox>,
    /// Operations under way on the connection.
    pub operations: Operations,
    /// This one.
    pub op: Arc<Op>,
    /// Whether it came by GET, which changes nothing.
    pub by_get: bool,
    /// How the client takes its answer.
    pub delivery: Delivery,
}

impl Operation {
    /// Begins it in a task of its own, which ends with the operation.
    pub fn start(self, asked: Asked) {
        self.spawn(|operation| async move {
            match operation.prepare(asked).await {
                Ok((prepared, request)) => operation.run(prepared, request).await,
                Err(refusal) => {
                    operation.gateway.refused(&refusal);
                    operation.refuse(&refusal).await;
                }
            }
        });
    }

    async fn prepare(&self, asked: Asked) -> Result<(Prepared, Request), Refusal> {
        let who = self.who();
        self.gateway.traffic.admit(&who).await?;
        pipeline::prepare_asked(&self.gateway, who, asked, self.delivery).await
    }

    /// Who asks, for rate limits.
    fn who(&self) -> Who<'_> {
        Who {
            caller: &self.caller,
            client: self.origin.client.as_ref(),
        }
    }

    /// The same of one that is prepared.
    pub fn start_prepared(self, prepared: Prepared, request: Request) {
        self.spawn(|operation| operation.run(prepared, request));
    }

    fn spawn<F: Future<Output = ()> + Send + 'static>(self, run: impl FnOnce(Operation) -> F) {
        let (operations, op, tasks) = (
            self.operations.clone(),
            Arc::clone(&self.op),
            self.gateway.tasks.clone(),
        );
        let task = tasks.spawn(run(self));
        operations.runs(&op, task.abort_handle());
    }

    async fn run(self, mut prepared: Prepared, request: Request) {
        prepared.refer_to(&self.origin.id);
        if prepared.kind() == OperationKind::Subscription && prepared.has_upstream() {
            return self.join(prepared, request);
        }
        if self.by_get && prepared.kind() == OperationKind::Mutation {
            return self
                .refuse(&Refusal::new(Code::MutationByGet, "send mutations by POST"))
                .await;
        }
        let watch = Watch::begin(&self.gateway, &self.origin.headers);
        let told = prepared.told();
        let in_parts = prepared.comes_in_parts();
        let executing = self.execute(prepared, watch.context());
        let outcome = executing.await.map(|answer| Answered { answer, told });
        watch.end(&self.origin.id, StatusCode::OK, &outcome);
        match outcome {
            // It was answered part by part.
            Ok(_) if in_parts => self.outbox.send(Out::Complete(Arc::clone(&self.op))).await,
            Ok(answered) => self.answer(answered.answer.body).await,
            Err(refusal) => self.refuse(&refusal).await,
        }
    }

    async fn execute(&self, prepared: Prepared, trace: TraceContext) -> Result<Answer, Refusal> {
        let _inside = self.gateway.traffic.enter().await?;
        if !prepared.comes_in_parts() {
            return prepared.execute(&self.gateway, self.forwarded(trace)).await;
        }
        // Subgraphs are not kept waiting by a client that reads slowly; there are no more parts than an answer has room for.
        let (pieces, mut ready) = tokio::sync::mpsc::unbounded_channel();
        let forwarded = self.forwarded(trace);
        let executing = prepared.execute_in_parts(&self.gateway, forwarded, Format::Pending, pieces);
        let telling = async {
            while let Some(Piece { body, .. }) = ready.recv().await {
                self.tell(body).await;
            }
        };
        let (answer, ()) = tokio::join!(executing, telling);
        answer
    }

    async fn answer(&self, body: Bytes) {
        self.tell(body).await;
        self.outbox.send(Out::Complete(Arc::clone(&self.op))).await;
    }

    async fn tell(&self, body: Bytes) {
        let body = Utf8Bytes::try_from(body).expect("an answer is JSON, and so UTF-8");
        let event = Arc::new(Event::new(body, None));
        self.outbox.send(Out::Next(Arc::clone(&self.op), event)).await;
    }

    /// A refusal that is an answer is the only one.
    async fn refuse(&self, refusal: &Refusal) {
        if refusal.code.is_answer() {
            return self.answer(refusal.body().into()).await;
        }
        let errors = serde_json::to_vec(&refusal.errors).expect("strings and numbers are JSON");
        self.outbox
            .send(Out::Error(Arc::clone(&self.op), errors.into()))
            .await;
    }

    /// Takes a place in the stream of this subscription, which begins if it is not under way.
    fn join(self, prepared: Prepared, request: Request) {
        let settings = &self.gateway.config.subscriptions;
        let of_caller = Forwarded::of_caller(
            &self.origin.headers,
            &self.gateway.rules,
            self.caller.authorization.as_ref(),
        );
        let key = Key::new(&prepared, &of_caller.identity());
        let argument = CursorArgument::of(prepared.schema(), &request, &settings.cursor_argument);
        let given = argument.as_ref().and_then(|argument| argument.given(&request));
        let joining = Joining {
            member: Member {
                outbox: Arc::clone(&self.outbox),
                op: Arc::clone(&self.op),
            },
            from_the_start: given.is_some(),
            shared: settings.share,
        };
        let source = Source {
            request,
            caller: Arc::clone(&self.caller),
            forwarded: self.forwarded(self.trace(&prepared)),
            argument,
        };
        let gateway = Arc::clone(&self.gateway);
        let begun = key.clone();
        let begin = move |channel| {
            let pump = Pump::new(Arc::clone(&gateway), channel, begun, source, prepared);
            gateway.tasks.spawn(pump.run());
        };
        let mut seat = self.gateway.streams.join(&key, joining, begin);
        let contract = self.gateway.contract();
        seat.count(self.gateway.observer.subscriptions.with(&[contract]).hold());
        self.operations.streams(&self.op, seat);
    }

    /// The trace of a stream's beginning: what comes later belongs to the traces of what caused it.
    fn trace(&self, prepared: &Prepared) -> TraceContext {
        let parent = forward::trace_context(&self.origin.headers);
        let tracer = &self.gateway.observer.tracer;
        let mut span = tracer.begin("subscribe", Kind::Server, parent);
        if span.is_kept() {
            span.rename(format!("subscribe {}", prepared.told().operation.name));
        }
        span.context()
    }

    fn forwarded(&self, trace: TraceContext) -> Forwarded {
        Forwarded::new(
            &self.origin.headers,
            &self.gateway.rules,
            &self.origin.id,
            trace,
            self.caller.authorization.as_ref(),
        )
    }
}
