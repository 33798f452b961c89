//! The body of a stream: what the outbox holds, written when the client can take it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::Connection;
use super::dialect::Dialect;
use crate::errors::{Code, GraphqlError, subgraph_codes};
use crate::revocation::Alarm;
use crate::streams::Admitted;

/// Bytes that are gathered for one write, when several messages wait.
const CHUNK: usize = 16 * 1024;

/// A stream to one client.
pub struct StreamBody {
    connection: Connection,
    dialect: Dialect,
    /// The token of its reservation.
    reserved: Option<Box<str>>,
    closing: Pin<Box<WaitForCancellationFutureOwned>>,
    timer: Pin<Box<Sleep>>,
    /// When the caller's token is no longer valid.
    expires: Option<Instant>,
    /// Rings when it may be revoked.
    alarm: Alarm,
    begun: bool,
    ended: bool,
    /// A stop waits for the last words.
    _tracked: TaskTrackerToken,
    /// There is one client more as long as this is.
    _admitted: Admitted,
}

impl StreamBody {
    /// A stream of which nothing was sent.
    pub(super) fn new(
        connection: Connection,
        dialect: Dialect,
        reserved: Option<Box<str>>,
        admitted: Admitted,
    ) -> StreamBody {
        let gateway = &connection.gateway;
        let remaining = connection.caller.remaining();
        let expires = remaining.map(|remaining| Instant::now() + remaining);
        StreamBody {
            closing: Box::pin(gateway.closing.clone().cancelled_owned()),
            timer: Box::pin(tokio::time::sleep(beat(gateway.config.websocket.ping_interval))),
            _tracked: gateway.tasks.token(),
            _admitted: admitted,
            alarm: gateway.identity.alarm(),
            expires,
            dialect,
            reserved,
            begun: false,
            ended: false,
            connection,
        }
    }

    /// The next bytes; `None` at the end.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if !std::mem::replace(&mut self.begun, true) {
            return Poll::Ready(Some(self.dialect.opening().into()));
        }
        if self.connection.outbox.has_overflowed(cx) {
            let text = "more waits for this client than may (websocket.queue)";
            return self.break_off(subgraph_codes::SLOW_CONSUMER, text);
        }
        if self.closing.as_mut().poll(cx).is_ready() {
            return self.break_off(Code::ShuttingDown.name(), "the gateway is stopping");
        }
        if self.is_revoked(cx) {
            return self.break_off(Code::TokenRevoked.name(), "the token was revoked");
        }
        let chunk = self.gather();
        if !chunk.is_empty() {
            return Poll::Ready(Some(chunk.into()));
        }
        if self.timer.as_mut().poll(cx).is_ready() {
            if self.expires.is_some_and(|expires| expires <= Instant::now()) {
                return self.break_off(Code::InvalidToken.name(), "the token has expired");
            }
            self.set_timer();
            // Polled, so that it wakes.
            let _ = self.timer.as_mut().poll(cx);
            return Poll::Ready(Some(self.dialect.heartbeat().into()));
        }
        Poll::Pending
    }

    fn is_revoked(&mut self, cx: &mut Context<'_>) -> bool {
        let connection = &self.connection;
        let revoked = || connection.gateway.identity.is_revoked(&connection.caller);
        // Asked until it is silent, so that it wakes.
        while self.alarm.poll_rung(cx).is_ready() {
            if revoked() {
                return true;
            }
        }
        false
    }

    fn gather(&mut self) -> String {
        let mut chunk = String::new();
        while chunk.len() < CHUNK && !self.ended {
            let Some(out) = self.connection.outbox.pop() else {
                break;
            };
            if self.connection.operations.concerns(&out) {
                self.ended = self.dialect.write(out, &mut chunk);
            }
        }
        chunk
    }

    fn set_timer(&mut self) {
        let next = Instant::now() + beat(self.connection.gateway.config.websocket.ping_interval);
        let due = self.expires.map_or(next, |expires| expires.min(next));
        self.timer.as_mut().reset(due);
    }

    /// Ends with an error, and where the client can go on.
    fn break_off(&mut self, code: &'static str, text: &str) -> Poll<Option<Bytes>> {
        self.ended = true;
        let error = |cursor| {
            let error = GraphqlError::new(code, text, Vec::new()).at_cursor(cursor);
            serde_json::to_string(&[error]).expect("strings and numbers are JSON")
        };
        let cursors = self.connection.operations.end();
        let mut chunk = String::new();
        for (id, cursor) in &cursors {
            chunk.push_str(&self.dialect.broken_off(Some(id), &error(Some(cursor))));
        }
        if cursors.is_empty() {
            chunk.push_str(&self.dialect.broken_off(None, &error(None)));
        }
        Poll::Ready(Some(chunk.into()))
    }
}

impl Drop for StreamBody {
    fn drop(&mut self) {
        self.connection.outbox.close();
        self.connection.operations.end();
        if let Some(token) = &self.reserved {
            self.connection.gateway.reservations.release(token);
        }
    }
}

/// Browsers and proxies give up streams that are silent for a minute, some earlier.
fn beat(ping_interval: Duration) -> Duration {
    ping_interval.clamp(Duration::from_millis(10), Duration::from_secs(12))
}
