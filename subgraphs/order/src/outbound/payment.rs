//! Payment over gRPC, behind its layers: bulkhead → circuit breaker → deadline → call.

pub mod breaker;
mod bulkhead;
mod grpc;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

pub use bulkhead::{Bulkhead, Full};
pub use grpc::{Answer, Call, GrpcCall, proto};

use crate::ports::{Approval, Charge, Payments};
use breaker::{Breaker, Outcome, Rejected};

/// How calls to payment are guarded.
#[derive(Debug, Clone)]
pub struct Guards {
    /// How long one call may take.
    pub deadline: Duration,
    /// Calls at once; `None` turns the bulkhead off.
    pub at_once: Option<usize>,
    /// How long a call may wait for its turn.
    pub turn: Duration,
    /// When to stop calling for a while.
    pub breaker: breaker::Settings,
}

impl Default for Guards {
    fn default() -> Guards {
        Guards {
            deadline: Duration::from_millis(610),
            at_once: Some(256),
            turn: Duration::from_millis(25),
            breaker: breaker::Settings::default(),
        }
    }
}

/// `Payments` over any call, guarded.
pub struct GuardedPayments<C> {
    call: C,
    deadline: Duration,
    bulkhead: Option<Bulkhead>,
    breaker: Arc<Breaker>,
}

impl<C: Call> GuardedPayments<C> {
    /// Guards a call.
    pub fn new(call: C, guards: &Guards, breaker: Arc<Breaker>) -> GuardedPayments<C> {
        let bulkhead = guards.at_once.map(|at_once| Bulkhead::new(at_once, guards.turn));
        GuardedPayments {
            call,
            deadline: guards.deadline,
            bulkhead,
            breaker,
        }
    }
}

#[async_trait]
impl<C: Call> Payments for GuardedPayments<C> {
    async fn approve(&self, charge: &Charge) -> Approval {
        let _turn = match &self.bulkhead {
            Some(bulkhead) => match bulkhead.enter().await {
                Ok(turn) => Some(turn),
                Err(Full) => return unavailable("too many payments at once", Some(self.deadline)),
            },
            None => None,
        };
        let pass = match self.breaker.enter() {
            Ok(pass) => pass,
            Err(Rejected { retry_after }) => {
                return unavailable("the circuit to payment is open", Some(retry_after));
            }
        };
        let answered = tokio::time::timeout(self.deadline, self.call.approve(charge, self.deadline)).await;
        let answer = answered.unwrap_or_else(|_| Answer::Failed("payment did not answer in time".to_owned()));
        match answer {
            Answer::Approved => pass.finish(Outcome::Success, Approval::Approved),
            Answer::Declined(reason) => pass.finish(Outcome::Success, Approval::Declined { reason }),
            Answer::Refused(reason) => pass.finish(Outcome::Success, unavailable(&reason, None)),
            Answer::Failed(reason) => pass.finish(
                Outcome::Failure,
                unavailable(&reason, Some(self.breaker.settings().open_for)),
            ),
        }
    }
}

fn unavailable(reason: &str, retry_after: Option<Duration>) -> Approval {
    Approval::Unavailable {
        reason: reason.to_owned(),
        retry_after,
    }
}
