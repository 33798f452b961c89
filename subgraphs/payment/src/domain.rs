//! Payment (결제이력): the record of charging one order. Pure: no I/O, no clock, no format.
//!
//! ```text
//! REQUESTED → APPROVED | DECLINED | UNKNOWN        UNKNOWN → APPROVED | VOIDED
//! REQUESTED | UNKNOWN | APPROVED → VOID_PENDING → VOIDED
//! APPROVED → REFUND_PENDING → REFUNDED             nothing → VOIDED (a tombstone: a late approve is refused)
//! ```
//! The two `…_PENDING` states mean: decided and published by us, not yet confirmed by the provider.
//! Every other transition is refused and leaves the payment as it was.

mod event;
mod state;
mod value;

pub use event::{Event, Recorded};
pub use state::{State, Status};
pub use value::{CustomerId, InvalidValue, Millis, OrderId, Won};

/// One order's payment; there is never a second one for the same order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The order paid for; also the identity of the payment.
    pub order: OrderId,
    /// Who pays; unknown only for a tombstone left by a void that named no customer.
    pub customer: Option<CustomerId>,
    /// What is charged; zero for a tombstone.
    pub amount: Won,
    /// Where it stands.
    pub state: State,
    /// When it was first heard of.
    pub requested_at: Millis,
    /// How often it was saved; 0 = never. Guards against two writers.
    pub version: u64,
}

/// What a transition gives: the new payment and what there is to tell the world.
pub type Step = (Payment, Vec<Event>);

/// A transition that the state machine does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a payment that is {from:?} cannot be {wanted}")]
pub struct InvalidTransition {
    /// The status it has and keeps.
    pub from: Status,
    /// What was asked for.
    pub wanted: &'static str,
}

impl Payment {
    /// A charge about to be sent to the provider.
    pub fn requested(order: OrderId, customer: CustomerId, amount: Won, at: Millis) -> Payment {
        Payment {
            order,
            customer: Some(customer),
            amount,
            state: State::Requested { since: at },
            requested_at: at,
            version: 0,
        }
    }

    /// A void that came before its approve: refuses the approve when it comes.
    pub fn tombstone(order: OrderId, customer: Option<CustomerId>, reason: String, at: Millis) -> Step {
        let state = State::Voided {
            at,
            reason: reason.clone(),
        };
        let payment = Payment {
            order,
            customer,
            amount: Won::ZERO,
            state,
            requested_at: at,
            version: 0,
        };
        (
            payment,
            vec![Event::Voided {
                amount: Won::ZERO,
                reason,
            }],
        )
    }

    /// The provider charged the amount.
    pub fn approve(self, reference: String, at: Millis) -> Result<Step, InvalidTransition> {
        match self.state {
            State::Requested { .. } | State::Unknown { .. } => {
                let amount = self.amount;
                Ok((
                    self.with(State::Approved { at, reference }),
                    vec![Event::Approved { amount }],
                ))
            }
            _ => Err(self.refuse("approved")),
        }
    }

    /// The provider refused to charge.
    pub fn decline(self, reason: String, at: Millis) -> Result<Step, InvalidTransition> {
        match self.state {
            State::Requested { .. } => {
                let amount = self.amount;
                Ok((
                    self.with(State::Declined {
                        at,
                        reason: reason.clone(),
                    }),
                    vec![Event::Declined { amount, reason }],
                ))
            }
            _ => Err(self.refuse("declined")),
        }
    }

    /// The provider did not answer in time, so it may or may not have charged.
    pub fn lose(self, reason: String, at: Millis) -> Result<Step, InvalidTransition> {
        match self.state {
            State::Requested { .. } => Ok((self.with(State::Unknown { since: at, reason }), vec![])),
            _ => Err(self.refuse("unknown")),
        }
    }

    /// The order gave up the attempt: whatever the provider did is to be undone.
    pub fn void(self, reason: String, at: Millis) -> Result<Step, InvalidTransition> {
        match self.state {
            State::Requested { .. } | State::Unknown { .. } | State::Approved { .. } => {
                Ok((self.with(State::VoidPending { since: at, reason }), vec![]))
            }
            _ => Err(self.refuse("voided")),
        }
    }

    /// The provider confirmed that no charge stands, nor ever will.
    pub fn confirm_void(self, at: Millis) -> Result<Step, InvalidTransition> {
        match &self.state {
            State::VoidPending { reason, .. } | State::Unknown { reason, .. } => {
                let (amount, reason) = (self.amount, reason.clone());
                Ok((
                    self.with(State::Voided {
                        at,
                        reason: reason.clone(),
                    }),
                    vec![Event::Voided { amount, reason }],
                ))
            }
            _ => Err(self.refuse("confirmed as void")),
        }
    }

    /// The paid order was cancelled: the whole amount goes back.
    pub fn refund(self, reason: String, at: Millis) -> Result<Step, InvalidTransition> {
        match self.state {
            State::Approved {
                at: approved_at,
                ref reference,
            } => {
                let reference = reference.clone();
                Ok((
                    self.with(State::RefundPending {
                        approved_at,
                        reference,
                        since: at,
                        reason,
                    }),
                    vec![],
                ))
            }
            _ => Err(self.refuse("refunded")),
        }
    }

    /// The provider confirmed the refund.
    pub fn confirm_refund(self, at: Millis) -> Result<Step, InvalidTransition> {
        match &self.state {
            State::RefundPending {
                approved_at, reason, ..
            } => {
                let (amount, reason) = (self.amount, reason.clone());
                let state = State::Refunded {
                    approved_at: *approved_at,
                    at,
                    reason: reason.clone(),
                };
                Ok((self.with(state), vec![Event::Refunded { amount, reason }]))
            }
            _ => Err(self.refuse("confirmed as refunded")),
        }
    }

    /// Whether an approve with these terms is a repetition of the one recorded here.
    pub fn same_terms(&self, customer: &CustomerId, amount: Won) -> bool {
        let tombstone = matches!(self.state, State::Voided { .. }) && self.amount == Won::ZERO;
        tombstone || (self.amount == amount && self.customer.as_ref() == Some(customer))
    }

    fn with(self, state: State) -> Payment {
        Payment { state, ..self }
    }

    fn refuse(&self, wanted: &'static str) -> InvalidTransition {
        InvalidTransition {
            from: self.state.status(),
            wanted,
        }
    }
}
