//! Where a payment stands, with the data that belongs to that standing only.

use super::Millis;

/// The states of [`super::Payment`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum State {
    /// Written before the provider is asked, so that a crash leaves a trace.
    Requested { since: Millis },
    /// The provider holds the money under `reference`.
    Approved { at: Millis, reference: String },
    /// The provider refused.
    Declined { at: Millis, reason: String },
    /// The provider did not answer; reconciled by the sweep.
    Unknown { since: Millis, reason: String },
    /// To be undone at the provider.
    VoidPending { since: Millis, reason: String },
    /// No charge stands, nor ever will.
    Voided { at: Millis, reason: String },
    /// To be given back by the provider.
    RefundPending {
        approved_at: Millis,
        reference: String,
        since: Millis,
        reason: String,
    },
    /// Given back in full.
    Refunded {
        approved_at: Millis,
        at: Millis,
        reason: String,
    },
}

/// The name of a state without its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Status {
    Requested,
    Approved,
    Declined,
    Unknown,
    VoidPending,
    Voided,
    RefundPending,
    Refunded,
}

impl Status {
    /// All statuses.
    pub const ALL: [Status; 8] = [
        Status::Requested,
        Status::Approved,
        Status::Declined,
        Status::Unknown,
        Status::VoidPending,
        Status::Voided,
        Status::RefundPending,
        Status::Refunded,
    ];

    /// The published name.
    pub fn name(self) -> &'static str {
        match self {
            Status::Requested => "REQUESTED",
            Status::Approved => "APPROVED",
            Status::Declined => "DECLINED",
            Status::Unknown => "UNKNOWN",
            Status::VoidPending => "VOID_PENDING",
            Status::Voided => "VOIDED",
            Status::RefundPending => "REFUND_PENDING",
            Status::Refunded => "REFUNDED",
        }
    }

    /// The status of that name.
    pub fn named(name: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether something is still to be asked of the provider.
    pub fn is_open(self) -> bool {
        matches!(
            self,
            Status::Requested | Status::Unknown | Status::VoidPending | Status::RefundPending
        )
    }
}

impl State {
    /// Its name.
    pub fn status(&self) -> Status {
        match self {
            State::Requested { .. } => Status::Requested,
            State::Approved { .. } => Status::Approved,
            State::Declined { .. } => Status::Declined,
            State::Unknown { .. } => Status::Unknown,
            State::VoidPending { .. } => Status::VoidPending,
            State::Voided { .. } => Status::Voided,
            State::RefundPending { .. } => Status::RefundPending,
            State::Refunded { .. } => Status::Refunded,
        }
    }

    /// When it was entered.
    pub fn entered_at(&self) -> Millis {
        match self {
            State::Requested { since } | State::Unknown { since, .. } => *since,
            State::VoidPending { since, .. } | State::RefundPending { since, .. } => *since,
            State::Approved { at, .. } | State::Declined { at, .. } => *at,
            State::Voided { at, .. } | State::Refunded { at, .. } => *at,
        }
    }

    /// When the provider charged, if the charge counted at some time.
    pub fn approved_at(&self) -> Option<Millis> {
        match self {
            State::Approved { at, .. } => Some(*at),
            State::RefundPending { approved_at, .. } | State::Refunded { approved_at, .. } => {
                Some(*approved_at)
            }
            _ => None,
        }
    }

    /// When the money went back.
    pub fn refunded_at(&self) -> Option<Millis> {
        match self {
            State::Refunded { at, .. } => Some(*at),
            _ => None,
        }
    }

    /// Why it is not simply approved.
    pub fn reason(&self) -> Option<&str> {
        match self {
            State::Declined { reason, .. } | State::Unknown { reason, .. } => Some(reason),
            State::VoidPending { reason, .. } | State::Voided { reason, .. } => Some(reason),
            State::RefundPending { reason, .. } | State::Refunded { reason, .. } => Some(reason),
            State::Requested { .. } | State::Approved { .. } => None,
        }
    }
}
