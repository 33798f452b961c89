//! One connection: what a client may say when, and what ends it.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use baedal_token::TokenError;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::close::Close;
use super::handshake::{Raw, Socket};
use super::message::{self, Dialect, Incoming};
use crate::errors::Code;
use crate::gateway::Gateway;
use crate::jwt::Caller;
use crate::pipeline::Delivery;
use crate::streams::{Admitted, Claim, Op, Operation, Operations, Origin, Out, Outbox};
use crate::{request, workers};

/// How long the farewell to a client may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// Bytes that pass unread after what is no frame.
const EBB_BYTES: usize = 16 * 1024 * 1024;
/// A beat of the heart is not shorter than this.
const SHORTEST_BEAT: Duration = Duration::from_millis(10);

/// Serves a connection to its end.
pub async fn run(
    gateway: Arc<Gateway>,
    (mut socket, dialect): (Socket, Option<Dialect>),
    client: (Origin, Caller, Admitted),
) {
    let _busy = workers::stay();
    let _open = gateway.observer.sockets.hold();
    let Some(dialect) = dialect else {
        let frame = Close::Subprotocol.frame(&[]);
        return farewell(&mut socket, Some(frame), FAREWELL).await;
    };
    let mut session = Session::new(Arc::clone(&gateway), dialect, client);
    let reason = session.serve(&mut socket).await;
    let frame = session.end(reason.as_ref());
    let patience = match reason {
        Some(Close::SlowConsumer) => gateway.config.websocket.ping_interval * 2,
        _ => FAREWELL,
    };
    Box::pin(last_words(&gateway, &mut socket, frame, patience)).await;
    if reason.is_some_and(|reason| reason.is_of_framing()) {
        // Nothing more could be read as messages.
        let _ = tokio::time::timeout(FAREWELL, Box::pin(ebb(socket.get_mut()))).await;
    }
}

/// Ends this side, and lets what the client still sends pass unread: see [`farewell`].
async fn ebb(raw: &mut Raw) -> std::io::Result<()> {
    raw.shutdown().await?;
    let (mut left, mut room) = (EBB_BYTES, [0; 4096]);
    while left > 0 {
        match raw.read(&mut room).await? {
            0 => break,
            count => left = left.saturating_sub(count),
        }
    }
    Ok(())
}

/// A client that is behind may take as long for its farewell as a silent one: it costs little by now. A stop does not wait
/// for it.
async fn last_words(gateway: &Gateway, socket: &mut Socket, frame: Option<CloseFrame>, patience: Duration) {
    let closing = async {
        gateway.closing.cancelled().await;
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        () = farewell(socket, frame, patience) => {}
        () = closing => {}
    }
}

/// Says it, and waits for the client to have heard: closed with words of the client unread, a connection takes away those
/// it has not read.
async fn farewell(socket: &mut Socket, frame: Option<CloseFrame>, patience: Duration) {
    let saying = async {
        // A client that has said farewell itself gets its own back, which waits to be written.
        let _ = socket.send(Message::Close(frame)).await;
        socket.flush().await?;
        while let Some(Ok(_)) = socket.next().await {}
        Ok::<(), Error>(())
    };
    // A client that does not take its farewell is cut.
    let _ = tokio::time::timeout(patience, saying).await;
}

struct Session {
    gateway: Arc<Gateway>,
    dialect: Dialect,
    origin: Arc<Origin>,
    outbox: Arc<Outbox>,
    operations: Operations,
    state: State,
    heard: bool,
    next_beat: Instant,
    /// When a second began, and what the client has said in it.
    second: (Instant, u32),
    admitted: Admitted,
}

enum State {
    /// Before `connection_init`, until the deadline. This caller sent the upgrade request.
    Waiting(Arc<Caller>, Instant),
    /// After `connection_ack`.
    Ready(Arc<Caller>, Option<Instant>),
}

/// What happens on a connection.
enum Turn {
    Heard(Option<Result<Message, Error>>),
    Overflowed,
    Broken,
}

impl Session {
    fn new(gateway: Arc<Gateway>, dialect: Dialect, client: (Origin, Caller, Admitted)) -> Session {
        let (origin, caller, admitted) = client;
        let now = Instant::now();
        let settings = &gateway.config.websocket;
        Session {
            outbox: Outbox::new(settings.queue),
            state: State::Waiting(Arc::new(caller), now + settings.init_timeout),
            next_beat: now + settings.ping_interval.max(SHORTEST_BEAT),
            gateway,
            dialect,
            origin: Arc::new(origin),
            operations: Operations::default(),
            heard: true,
            second: (now, 0),
            admitted,
        }
    }

    /// Reads and writes until there is a reason to close; `None` when the client has gone.
    async fn serve(&mut self, socket: &mut Socket) -> Option<Close> {
        let gateway = Arc::clone(&self.gateway);
        let mut closing = std::pin::pin!(gateway.closing.cancelled());
        let mut timer = std::pin::pin!(tokio::time::sleep_until(self.due()));
        let mut alarm = gateway.identity.alarm();
        loop {
            let step = tokio::select! {
                () = &mut closing => ControlFlow::Break(Some(Close::GoingAway)),
                () = &mut timer => self.time_is_up(),
                () = std::future::poll_fn(|cx| alarm.poll_rung(cx)) => self.look_again(),
                turn = std::future::poll_fn(|cx| self.turn(socket, cx)) => self.take(turn).await,
            };
            match step {
                ControlFlow::Break(reason) => return reason,
                ControlFlow::Continue(()) if timer.deadline() != self.due() => {
                    timer.as_mut().reset(self.due());
                }
                ControlFlow::Continue(()) => {}
            }
        }
    }

    /// Stops all that is under way. The frame tells how far streams were delivered.
    fn end(self, reason: Option<&Close>) -> Option<CloseFrame> {
        self.outbox.close();
        let cursors = self.operations.end();
        reason.map(|reason| reason.frame(&cursors))
    }

    /// Writes what waits, as far as the client takes it, and reads.
    fn turn(&self, socket: &mut Socket, cx: &mut Context<'_>) -> Poll<Turn> {
        if self.outbox.has_overflowed(cx) {
            return Poll::Ready(Turn::Overflowed);
        }
        while let Poll::Ready(room) = socket.poll_ready_unpin(cx) {
            if room.is_err() {
                return Poll::Ready(Turn::Broken);
            }
            let Some(out) = self.outbox.pop() else {
                match socket.poll_flush_unpin(cx) {
                    Poll::Ready(Err(_)) => return Poll::Ready(Turn::Broken),
                    _ => break,
                }
            };
            if self.operations.concerns(&out) && socket.start_send_unpin(self.dialect.write(out)).is_err() {
                return Poll::Ready(Turn::Broken);
            }
        }
        socket.poll_next_unpin(cx).map(Turn::Heard)
    }

    async fn take(&mut self, turn: Turn) -> ControlFlow<Option<Close>> {
        match turn {
            Turn::Heard(message) => self.hear(message).await,
            Turn::Overflowed => ControlFlow::Break(Some(Close::SlowConsumer)),
            Turn::Broken => ControlFlow::Break(None),
        }
    }

    /// When there is something to do though nothing happens.
    fn due(&self) -> Instant {
        match self.state {
            State::Waiting(_, until) | State::Ready(_, Some(until)) => until.min(self.next_beat),
            State::Ready(_, None) => self.next_beat,
        }
    }

    /// The issuer has revoked tokens: perhaps this one.
    fn look_again(&self) -> ControlFlow<Option<Close>> {
        let (State::Waiting(caller, _) | State::Ready(caller, _)) = &self.state;
        match self.gateway.identity.is_revoked(caller) {
            true => ControlFlow::Break(Some(Close::Forbidden("The token was revoked"))),
            false => ControlFlow::Continue(()),
        }
    }

    fn time_is_up(&mut self) -> ControlFlow<Option<Close>> {
        let now = Instant::now();
        match self.state {
            State::Waiting(_, until) if until <= now => ControlFlow::Break(Some(Close::InitTimeout)),
            State::Ready(_, Some(until)) if until <= now => {
                ControlFlow::Break(Some(Close::Forbidden("The token has expired")))
            }
            _ => self.beat(now),
        }
    }

    /// A client that was silent since the last beat is asked for a sign of life; after two beats it is gone, or does not
    /// read what waits for it.
    fn beat(&mut self, now: Instant) -> ControlFlow<Option<Close>> {
        if !std::mem::replace(&mut self.heard, false) {
            let reason = if self.outbox.is_empty() {
                Close::GoingAway
            } else {
                Close::SlowConsumer
            };
            return ControlFlow::Break(Some(reason));
        }
        self.next_beat = now + self.gateway.config.websocket.ping_interval.max(SHORTEST_BEAT);
        self.outbox.offer(Out::Ping);
        if let Some(beat) = self.dialect.heartbeat() {
            self.outbox.offer(beat);
        }
        ControlFlow::Continue(())
    }

    async fn hear(&mut self, message: Option<Result<Message, Error>>) -> ControlFlow<Option<Close>> {
        self.heard = true;
        if self.is_flood() {
            return ControlFlow::Break(Some(Close::Flood));
        }
        let said = match message {
            Some(Ok(Message::Text(text))) => self.dialect.read(&text),
            Some(Ok(Message::Binary(_))) => Err(Close::Invalid("Invalid message: binary")),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
                return ControlFlow::Continue(());
            }
            Some(Ok(Message::Close(_))) | None => return ControlFlow::Break(None),
            Some(Err(error)) => return ControlFlow::Break(Close::of(&error)),
        };
        match said {
            Ok(Incoming::Terminate) => ControlFlow::Break(None),
            Ok(incoming) => match self.act(incoming).await {
                Ok(()) => ControlFlow::Continue(()),
                Err(close) => ControlFlow::Break(Some(close)),
            },
            Err(close) => ControlFlow::Break(Some(close)),
        }
    }

    /// Whether the client says more than it may in a second.
    fn is_flood(&mut self) -> bool {
        let now = Instant::now();
        if now.duration_since(self.second.0) >= Duration::from_secs(1) {
            self.second = (now, 0);
        }
        self.second.1 += 1;
        self.second.1 > self.gateway.config.websocket.messages_per_second
    }

    async fn act(&mut self, incoming: Incoming) -> Result<(), Close> {
        match (incoming, &self.state) {
            (Incoming::Init(_), State::Ready(..)) => Err(Close::TooManyInits),
            // Rarely it fetches keys: it must not be a part of every session.
            (Incoming::Init(token), State::Waiting(..)) => Box::pin(self.init(token)).await,
            (Incoming::Ping(payload), _) => {
                self.outbox.offer(message::pong(payload.as_deref()));
                Ok(())
            }
            (Incoming::Pong | Incoming::Terminate, _) => Ok(()),
            (Incoming::Complete(id), _) => {
                self.operations.stop(&id);
                Ok(())
            }
            (Incoming::Subscribe(..), State::Waiting(..)) => Err(Close::Unauthorized),
            (Incoming::Subscribe(id, payload), State::Ready(caller, _)) => {
                self.subscribe(&id, &payload, Arc::clone(caller))
            }
        }
    }

    /// A token in `connection_init` counts; without one, that of the upgrade request.
    async fn init(&mut self, token: Option<String>) -> Result<(), Close> {
        let caller = match (token, &self.state) {
            (None, State::Waiting(caller, _)) => Arc::clone(caller),
            (token, _) => {
                let identity = &self.gateway.identity;
                let checked = identity.of_value(token.as_deref()).await;
                Arc::new(checked.map_err(refused)?)
            }
        };
        if let Some(user) = caller.subject() {
            self.admitted
                .of_user(user)
                .map_err(|_| Close::TooManyConnections)?;
        }
        let expires = caller.remaining().map(|remaining| Instant::now() + remaining);
        self.state = State::Ready(caller, expires);
        for out in self.dialect.acknowledged() {
            self.outbox.offer(out);
        }
        Ok(())
    }

    fn subscribe(&mut self, id: &str, payload: &str, caller: Arc<Caller>) -> Result<(), Close> {
        let config = &self.gateway.config;
        let request = match request::from_json(payload.as_bytes(), &config.limits) {
            Ok(request) => request,
            Err(refusal) if is_limit(refusal.code) => {
                self.refuse(id, &refusal.errors);
                return Ok(());
            }
            Err(_) => {
                return Err(Close::Invalid(
                    "Invalid message: `payload` is not a GraphQL request",
                ));
            }
        };
        let op = match self.operations.claim(id, config.websocket.max_operations) {
            Ok(op) => op,
            Err(Claim::InUse) => return Err(Close::InUse(id.to_owned())),
            Err(Claim::TooMany(refusal)) => {
                self.refuse(id, &refusal.errors);
                return Ok(());
            }
        };
        let operation = Operation {
            gateway: Arc::clone(&self.gateway),
            origin: Arc::clone(&self.origin),
            caller,
            outbox: Arc::clone(&self.outbox),
            operations: self.operations.clone(),
            op,
            by_get: false,
            delivery: match self.dialect {
                Dialect::Transport => Delivery::InParts,
                Dialect::Legacy => Delivery::Whole,
            },
        };
        operation.start(request);
        Ok(())
    }

    /// Of an operation that never began.
    fn refuse(&self, id: &str, errors: &[crate::errors::GraphqlError]) {
        let error = Out::Error(Op::new(id), message::errors(errors));
        if let Message::Text(text) = self.dialect.write(error) {
            self.outbox.offer(Out::Text(text.as_str().to_owned()));
        }
    }
}

fn refused(error: TokenError) -> Close {
    match error {
        TokenError::KeysUnavailable => Close::TryAgainLater,
        _ => Close::Forbidden("Forbidden"),
    }
}

/// Limits are errors of the operation; anything else that is wrong with a request is one of the protocol.
fn is_limit(code: Code) -> bool {
    matches!(
        code,
        Code::JsonTooDeep
            | Code::JsonTooManyValues
            | Code::VariablesTooLarge
            | Code::VariablesTooDeep
            | Code::VariablesTooManyValues
    )
}
