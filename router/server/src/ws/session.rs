//! One connection: what a client may say when, and what ends it.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::ws::{Message, WebSocket};
use baedal_token::TokenError;
use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::close::Close;
use super::message::{self, Incoming};
use super::operation::Operation;
use super::outbox::Outbox;
use super::{PROTOCOL, Upgraded};
use crate::errors::{Code, Refusal};
use crate::gateway::Gateway;
use crate::jwt::Caller;
use crate::request;

/// Serves a connection to its end.
pub async fn run(gateway: Arc<Gateway>, socket: WebSocket, upgraded: Upgraded) {
    let spoken = socket
        .protocol()
        .is_some_and(|protocol| protocol.as_bytes() == PROTOCOL.as_bytes());
    let (sink, stream) = socket.split();
    let (outbox, writer) = Outbox::start(sink, gateway.config.websocket.queue);
    if spoken {
        Session::new(gateway, upgraded, outbox.clone())
            .serve(stream)
            .await;
    } else {
        outbox.close(Close::Subprotocol);
    }
    drop(outbox);
    // The writer says farewell within its own time limit.
    let _ = writer.await;
}

/// Operations under way on one connection, by id.
#[derive(Clone, Default)]
pub struct Operations(Arc<Mutex<HashMap<String, CancellationToken>>>);

impl Operations {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an id for an operation, which is stopped with its connection.
    fn claim(
        &self,
        id: &str,
        connection: &CancellationToken,
        limit: usize,
    ) -> Result<CancellationToken, Claim> {
        let mut under_way = self.lock();
        if under_way.contains_key(id) {
            return Err(Claim::InUse);
        }
        if under_way.len() >= limit {
            let message =
                format!("more than {limit} operations on one connection (websocket.max_operations)");
            return Err(Claim::TooMany(Refusal::new(Code::TooManyOperations, message)));
        }
        let stopped = connection.child_token();
        under_way.insert(id.to_owned(), stopped.clone());
        Ok(stopped)
    }

    fn stop(&self, id: &str) {
        if let Some(stopped) = self.lock().remove(id) {
            stopped.cancel();
        }
    }

    /// Frees the id of an operation that has ended (unless it is in use again by another).
    pub fn remove(&self, id: &str, ended: &CancellationToken) {
        if !ended.is_cancelled() {
            self.lock().remove(id);
        }
    }
}

/// Why an id cannot be taken.
enum Claim {
    /// By another operation.
    InUse,
    /// By too many.
    TooMany(Refusal),
}

struct Session {
    gateway: Arc<Gateway>,
    upgraded: Arc<Upgraded>,
    outbox: Outbox,
    operations: Operations,
    /// Cancelled at the end: parent of every operation's token.
    ended: CancellationToken,
    state: State,
    heard: bool,
}

enum State {
    /// Before `connection_init`, until the deadline.
    Waiting(Instant),
    /// After `connection_ack`.
    Ready(Arc<Caller>, Option<Instant>),
}

impl Session {
    fn new(gateway: Arc<Gateway>, upgraded: Upgraded, outbox: Outbox) -> Session {
        let deadline = Instant::now() + gateway.config.websocket.init_timeout;
        Session {
            gateway,
            upgraded: Arc::new(upgraded),
            outbox,
            operations: Operations::default(),
            ended: CancellationToken::new(),
            state: State::Waiting(deadline),
            heard: true,
        }
    }

    async fn serve(mut self, mut stream: SplitStream<WebSocket>) {
        let closing = self.gateway.closing.clone();
        let mut heartbeat = heartbeat(self.gateway.config.websocket.ping_interval);
        loop {
            let step = tokio::select! {
                () = closing.cancelled() => ControlFlow::Break(Some(Close::GoingAway)),
                () = self.outbox.closed() => ControlFlow::Break(None),
                close = self.state.deadline() => ControlFlow::Break(Some(close)),
                _ = heartbeat.tick() => self.beat(),
                message = stream.next() => self.hear(message).await,
            };
            if let ControlFlow::Break(reason) = step {
                if let Some(reason) = reason {
                    self.outbox.close(reason);
                }
                break;
            }
        }
        self.ended.cancel();
    }

    /// A client that was silent since the last beat is asked for a sign of life; after two beats it is gone.
    fn beat(&mut self) -> ControlFlow<Option<Close>> {
        if !std::mem::replace(&mut self.heard, false) {
            return ControlFlow::Break(Some(Close::GoingAway));
        }
        self.outbox.offer(Message::Ping(bytes::Bytes::new()));
        ControlFlow::Continue(())
    }

    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> ControlFlow<Option<Close>> {
        self.heard = true;
        let said = match message {
            Some(Ok(Message::Text(text))) => Incoming::read(&text),
            Some(Ok(Message::Binary(_))) => Err(Close::Invalid("Invalid message: binary")),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return ControlFlow::Continue(()),
            Some(Ok(Message::Close(_))) | None => return ControlFlow::Break(None),
            Some(Err(error)) => return ControlFlow::Break(too_big(&error)),
        };
        let outcome = match said {
            Ok(incoming) => self.act(incoming).await,
            Err(close) => Err(close),
        };
        match outcome {
            Ok(()) => ControlFlow::Continue(()),
            Err(close) => ControlFlow::Break(Some(close)),
        }
    }

    async fn act(&mut self, incoming: Incoming) -> Result<(), Close> {
        match (incoming, &self.state) {
            (Incoming::Init(_), State::Ready(..)) => Err(Close::TooManyInits),
            (Incoming::Init(token), State::Waiting(_)) => self.init(token).await,
            (Incoming::Ping(payload), _) => {
                self.outbox.offer(message::pong(payload.as_deref()));
                Ok(())
            }
            (Incoming::Pong, _) => Ok(()),
            (Incoming::Complete(id), _) => {
                self.operations.stop(&id);
                Ok(())
            }
            (Incoming::Subscribe(..), State::Waiting(_)) => Err(Close::Unauthorized),
            (Incoming::Subscribe(id, payload), State::Ready(caller, _)) => {
                self.subscribe(id, &payload, Arc::clone(caller))
            }
        }
    }

    /// A token in `connection_init` counts; without one, that of the upgrade request.
    async fn init(&mut self, token: Option<String>) -> Result<(), Close> {
        let caller = match token {
            Some(token) => self
                .gateway
                .identity
                .of_value(Some(&token))
                .await
                .map_err(refused)?,
            None => self.upgraded.caller.clone(),
        };
        let expires = caller.remaining().map(|remaining| Instant::now() + remaining);
        self.state = State::Ready(Arc::new(caller), expires);
        self.outbox.offer(message::ack());
        Ok(())
    }

    fn subscribe(&mut self, id: String, payload: &str, caller: Arc<Caller>) -> Result<(), Close> {
        let request = match request::from_json(payload.as_bytes(), &self.gateway.config.limits) {
            Ok(request) => request,
            Err(refusal) if is_limit(refusal.code) => {
                self.outbox.offer(message::errors(&id, &refusal.errors));
                return Ok(());
            }
            Err(_) => {
                return Err(Close::Invalid(
                    "Invalid message: `payload` is not a GraphQL request",
                ));
            }
        };
        let stopped =
            match self
                .operations
                .claim(&id, &self.ended, self.gateway.config.websocket.max_operations)
            {
                Ok(stopped) => stopped,
                Err(Claim::InUse) => return Err(Close::InUse(id)),
                Err(Claim::TooMany(refusal)) => {
                    self.outbox.offer(message::errors(&id, &refusal.errors));
                    return Ok(());
                }
            };
        let operation = Operation {
            gateway: Arc::clone(&self.gateway),
            upgraded: Arc::clone(&self.upgraded),
            caller,
            outbox: self.outbox.clone(),
            operations: self.operations.clone(),
            id,
            stopped,
        };
        self.gateway.tasks.spawn(operation.run(request));
        Ok(())
    }
}

impl State {
    /// Resolves when the state has lasted too long.
    async fn deadline(&self) -> Close {
        match self {
            State::Waiting(deadline) => {
                tokio::time::sleep_until(*deadline).await;
                Close::InitTimeout
            }
            State::Ready(_, Some(expires)) => {
                tokio::time::sleep_until(*expires).await;
                Close::Forbidden("The token has expired")
            }
            State::Ready(_, None) => std::future::pending().await,
        }
    }
}

fn heartbeat(period: std::time::Duration) -> Interval {
    let period = period.max(std::time::Duration::from_millis(10));
    let mut interval = tokio::time::interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

fn refused(error: TokenError) -> Close {
    match error {
        TokenError::KeysUnavailable => Close::TryAgainLater,
        _ => Close::Forbidden("Forbidden"),
    }
}

/// Limits are errors of the operation; anything else that is wrong with a request is one of the protocol.
fn is_limit(code: Code) -> bool {
    matches!(code, Code::JsonTooDeep | Code::JsonTooManyValues)
}

fn too_big(error: &axum::Error) -> Option<Close> {
    error
        .to_string()
        .to_ascii_lowercase()
        .contains("too long")
        .then_some(Close::TooBig)
}
