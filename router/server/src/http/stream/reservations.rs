//! Streams that were reserved, by their tokens: the single connection mode of graphql-sse.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Connection, Origin};
use crate::errors::{Code, Refusal};
use crate::gateway::Gateway;
use crate::jwt::Caller;
use crate::streams::{Operations, Outbox};

/// How long a reservation waits for its stream.
const PATIENCE: Duration = Duration::from_secs(30);
/// Reservations and streams of this kind at once.
const MOST: usize = 100_000;

/// All of them.
#[derive(Default)]
pub struct Reservations(Mutex<HashMap<Box<str>, Reservation>>);

/// What it needs of its connection: the gateway has it, and must not be had by it.
struct Reservation {
    origin: Arc<Origin>,
    caller: Arc<Caller>,
    outbox: Arc<Outbox>,
    operations: Operations,
    /// When nobody came by then, it is void; `None` while it is streamed to.
    until: Option<Instant>,
}

impl Reservation {
    fn connection(&self, gateway: &Arc<Gateway>) -> Connection {
        Connection {
            gateway: Arc::clone(gateway),
            origin: Arc::clone(&self.origin),
            caller: Arc::clone(&self.caller),
            outbox: Arc::clone(&self.outbox),
            operations: self.operations.clone(),
        }
    }
}

impl Reservations {
    /// Makes one. The token is a secret of its client.
    pub(super) fn reserve(&self, token: Box<str>, connection: Connection) -> Result<(), Refusal> {
        let now = Instant::now();
        let mut all = self.lock();
        let voided: Vec<_> = all
            .extract_if(|_, reservation| reservation.until.is_some_and(|until| until <= now))
            .collect();
        if all.len() >= MOST {
            let text = format!("there are {MOST} event streams already");
            return Err(Refusal::new(Code::TooManyOperations, text));
        }
        let Connection {
            origin,
            caller,
            outbox,
            operations,
            ..
        } = connection;
        let reservation = Reservation {
            origin,
            caller,
            outbox,
            operations,
            until: Some(now + PATIENCE),
        };
        all.insert(token, reservation);
        drop(all);
        for (_, reservation) in voided {
            reservation.operations.end();
        }
        Ok(())
    }

    /// The connection that a token stands for.
    pub(super) fn find(&self, gateway: &Arc<Gateway>, token: &str) -> Option<Connection> {
        self.lock().get(token).map(|found| found.connection(gateway))
    }

    /// Takes the place of the one stream of a reservation.
    pub(super) fn fulfil(&self, gateway: &Arc<Gateway>, token: &str) -> Result<Connection, Refusal> {
        let mut all = self.lock();
        let found = all.get_mut(token).ok_or_else(unknown)?;
        match found.until.take() {
            Some(_) => Ok(found.connection(gateway)),
            None => {
                let text = "this reservation has its stream; there is one for each";
                Err(Refusal::new(Code::StreamConflict, text))
            }
        }
    }

    /// Forgets it: its stream has ended.
    pub fn release(&self, token: &str) {
        let released = self.lock().remove(token);
        drop(released);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Reservation>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// No reservation has this token.
pub fn unknown() -> Refusal {
    Refusal::new(
        Code::StreamUnknown,
        "no event stream is reserved by this token; reserve one by PUT",
    )
}
