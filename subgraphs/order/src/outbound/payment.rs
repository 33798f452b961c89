//! Payment over gRPC, behind the layers of `baedal-traffic`: bulkhead → circuit breaker → deadline → call. Nothing is
//! tried again here: whether a payment was made is asked by another way.

mod grpc;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use baedal_kit::deadline;
use baedal_traffic::{Ask, Layers, Outcome, Settings, Stopped, TokioClock, breaker, bulkhead};

pub use grpc::{AddressError, Answer, Call, GrpcCall, proto};

use crate::ports::{Approval, Charge, Payments};

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
            breaker: breaker::Settings {
                slow_call: Duration::from_millis(600),
                open_for: Duration::from_secs(2),
                ..breaker::Settings::default()
            },
        }
    }
}

impl Guards {
    /// The layers, before nothing called yet.
    pub fn layers(&self) -> Arc<Layers> {
        let settings = Settings {
            timeout: self.deadline,
            bulkhead: bulkhead::Settings {
                at_once: self.at_once,
                wait: self.turn,
                ..bulkhead::Settings::default()
            },
            breaker: self.breaker.clone(),
            ..Settings::default()
        };
        Arc::new(Layers::new("payment", settings, Arc::new(TokioClock::new())))
    }
}

/// `Payments` over any call, guarded.
pub struct GuardedPayments<C> {
    call: C,
    layers: Arc<Layers>,
}

impl<C: Call> GuardedPayments<C> {
    /// Guards a call.
    pub fn new(call: C, layers: Arc<Layers>) -> GuardedPayments<C> {
        GuardedPayments { call, layers }
    }
}

#[async_trait]
impl<C: Call> Payments for GuardedPayments<C> {
    async fn approve(&self, charge: &Charge) -> Approval {
        let settings = self.layers.settings();
        let open_for = settings.breaker.open_for;
        // Payment need not work for longer than the customer waits.
        let deadline = deadline::left().map_or(settings.timeout, |left| left.min(settings.timeout));
        if deadline.is_zero() {
            return unavailable("nobody waits for the payment any more", None);
        }
        let ask = Ask {
            within: deadline,
            patient: false,
        };
        let call = self.call.approve(charge, deadline);
        match self.layers.call(ask, call, judge).await {
            Ok(Answer::Approved) => Approval::Approved,
            Ok(Answer::Declined(reason)) => Approval::Declined { reason },
            Ok(Answer::Refused(reason)) => unavailable(&reason, None),
            Ok(Answer::Failed(reason)) => unavailable(&reason, Some(open_for)),
            Err(Stopped::TimedOut(_)) => unavailable("payment did not answer in time", Some(open_for)),
            Err(Stopped::Full) => unavailable("too many payments at once", Some(settings.timeout)),
            Err(Stopped::Open(left)) => unavailable("the circuit to payment is open", Some(left)),
        }
    }
}

/// Any answer is one, also a refusal.
fn judge(answer: &Answer) -> Outcome {
    match answer {
        Answer::Failed(_) => Outcome::Failure,
        Answer::Approved | Answer::Declined(_) | Answer::Refused(_) => Outcome::Success,
    }
}

fn unavailable(reason: &str, retry_after: Option<Duration>) -> Approval {
    Approval::Unavailable {
        reason: reason.to_owned(),
        retry_after,
    }
}
