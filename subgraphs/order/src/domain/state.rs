//! Where an order stands, with the data that belongs to that standing only.

use super::{CancelReason, Millis};

/// How far a paid order has come, as its store tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Progress {
    Placed,
    Accepted,
    Cooking,
    Cooked,
    Delivering,
    Delivered,
}

impl Progress {
    /// What comes after it.
    pub fn next(self) -> Option<Progress> {
        match self {
            Progress::Placed => Some(Progress::Accepted),
            Progress::Accepted => Some(Progress::Cooking),
            Progress::Cooking => Some(Progress::Cooked),
            Progress::Cooked => Some(Progress::Delivering),
            Progress::Delivering => Some(Progress::Delivered),
            Progress::Delivered => None,
        }
    }

    /// The store can still be asked to give it up.
    pub fn may_be_cancelled(self) -> bool {
        self <= Progress::Accepted
    }
}

/// The states of [`super::Order`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum State {
    /// Written before payment is asked, so that a crash leaves a trace.
    PaymentPending { since: Millis },
    /// Not paid, and never will be.
    PaymentFailed { at: Millis, failure: Failure },
    /// Paid, and on its way.
    Underway { progress: Progress, since: Millis },
    /// The store is asked to give it up.
    CancelRequested {
        since: Millis,
        from: Progress,
        reason: CancelReason,
    },
    /// The store has given it up; the money is on its way back. Still shown as CANCEL_REQUESTED.
    CancelGranted { since: Millis, reason: CancelReason },
    /// The store will not cook it; the money is on its way back.
    Rejected { at: Millis, reason: String },
    /// Given up, and refunded.
    Cancelled { at: Millis, reason: CancelReason },
}

/// Why an order was not paid.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Failure {
    /// Payment said no: nothing was charged.
    Declined { reason: String },
    /// Payment did not say anything: what it may have charged is to be voided.
    Unavailable { reason: String },
}

impl Failure {
    /// The error code the customer gets.
    pub fn code(&self) -> &'static str {
        match self {
            Failure::Declined { .. } => "PAYMENT_DECLINED",
            Failure::Unavailable { .. } => "PAYMENT_UNAVAILABLE",
        }
    }

    /// In words.
    pub fn reason(&self) -> &str {
        match self {
            Failure::Declined { reason } | Failure::Unavailable { reason } => reason,
        }
    }

    /// What payment itself gave as reason.
    pub fn told(&self) -> Option<&str> {
        match self {
            Failure::Declined { reason } => Some(reason),
            Failure::Unavailable { .. } => None,
        }
    }

    /// Whether payment must make sure that nothing is charged.
    pub fn wants_void(&self) -> bool {
        matches!(self, Failure::Unavailable { .. })
    }
}

/// 주문상태, the name of a state without its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Status {
    PaymentPending,
    PaymentFailed,
    Placed,
    Accepted,
    Cooking,
    Cooked,
    Delivering,
    Delivered,
    CancelRequested,
    Rejected,
    Cancelled,
}

impl Status {
    /// All statuses.
    pub const ALL: [Status; 11] = [
        Status::PaymentPending,
        Status::PaymentFailed,
        Status::Placed,
        Status::Accepted,
        Status::Cooking,
        Status::Cooked,
        Status::Delivering,
        Status::Delivered,
        Status::CancelRequested,
        Status::Rejected,
        Status::Cancelled,
    ];

    /// The published name.
    pub fn name(self) -> &'static str {
        match self {
            Status::PaymentPending => "PAYMENT_PENDING",
            Status::PaymentFailed => "PAYMENT_FAILED",
            Status::Placed => "PLACED",
            Status::Accepted => "ACCEPTED",
            Status::Cooking => "COOKING",
            Status::Cooked => "COOKED",
            Status::Delivering => "DELIVERING",
            Status::Delivered => "DELIVERED",
            Status::CancelRequested => "CANCEL_REQUESTED",
            Status::Rejected => "REJECTED",
            Status::Cancelled => "CANCELLED",
        }
    }

    /// Nothing happens to the order any more.
    pub fn is_end(self) -> bool {
        matches!(
            self,
            Status::PaymentFailed | Status::Delivered | Status::Cancelled
        )
    }
}

impl From<Progress> for Status {
    fn from(progress: Progress) -> Status {
        match progress {
            Progress::Placed => Status::Placed,
            Progress::Accepted => Status::Accepted,
            Progress::Cooking => Status::Cooking,
            Progress::Cooked => Status::Cooked,
            Progress::Delivering => Status::Delivering,
            Progress::Delivered => Status::Delivered,
        }
    }
}

impl State {
    /// Its name.
    pub fn status(&self) -> Status {
        match self {
            State::PaymentPending { .. } => Status::PaymentPending,
            State::PaymentFailed { .. } => Status::PaymentFailed,
            State::Underway { progress, .. } => (*progress).into(),
            State::CancelRequested { .. } | State::CancelGranted { .. } => Status::CancelRequested,
            State::Rejected { .. } => Status::Rejected,
            State::Cancelled { .. } => Status::Cancelled,
        }
    }

    /// When it was entered.
    pub fn entered_at(&self) -> Millis {
        match self {
            State::PaymentPending { since } | State::Underway { since, .. } => *since,
            State::CancelRequested { since, .. } | State::CancelGranted { since, .. } => *since,
            State::PaymentFailed { at, .. } | State::Rejected { at, .. } | State::Cancelled { at, .. } => *at,
        }
    }
}
