//! What can be read off a ticket's state.

use super::{Paid, Placed, Status, StoreOrder};
use crate::domain::Refused;

impl StoreOrder {
    /// Its name.
    pub fn status(&self) -> Status {
        match self {
            StoreOrder::Parked(_) => Status::Parked,
            StoreOrder::Received(_) => Status::Received,
            StoreOrder::Accepted(..) => Status::Accepted,
            StoreOrder::Rejected(..) => Status::Rejected,
            StoreOrder::Cancelled(..) => Status::Cancelled,
            StoreOrder::Cooking(..) => Status::Cooking,
            StoreOrder::Cooked(..) => Status::Cooked,
            StoreOrder::Delivering(..) => Status::Delivering,
            StoreOrder::Delivered(..) => Status::Delivered,
        }
    }

    /// The order, once it is known.
    pub fn placed(&self) -> Option<&Placed> {
        match self {
            StoreOrder::Parked(intake) | StoreOrder::Cancelled(intake, _) => intake.placed.as_ref(),
            StoreOrder::Received(ticket)
            | StoreOrder::Accepted(ticket, _)
            | StoreOrder::Rejected(ticket, _)
            | StoreOrder::Cooking(ticket, _)
            | StoreOrder::Cooked(ticket, _)
            | StoreOrder::Delivering(ticket, _)
            | StoreOrder::Delivered(ticket, _) => Some(&ticket.placed),
        }
    }

    /// The payment, once it is known.
    pub fn paid(&self) -> Option<&Paid> {
        match self {
            StoreOrder::Parked(intake) | StoreOrder::Cancelled(intake, _) => intake.paid.as_ref(),
            StoreOrder::Received(ticket)
            | StoreOrder::Accepted(ticket, _)
            | StoreOrder::Rejected(ticket, _)
            | StoreOrder::Cooking(ticket, _)
            | StoreOrder::Cooked(ticket, _)
            | StoreOrder::Delivering(ticket, _)
            | StoreOrder::Delivered(ticket, _) => Some(&ticket.paid),
        }
    }

    /// When the ticket was received; none if it never was.
    pub fn received_at(&self) -> Option<i64> {
        match self {
            StoreOrder::Parked(_) => None,
            StoreOrder::Cancelled(_, at) => *at,
            StoreOrder::Received(ticket)
            | StoreOrder::Accepted(ticket, _)
            | StoreOrder::Rejected(ticket, _)
            | StoreOrder::Cooking(ticket, _)
            | StoreOrder::Cooked(ticket, _)
            | StoreOrder::Delivering(ticket, _)
            | StoreOrder::Delivered(ticket, _) => Some(ticket.received_at),
        }
    }

    /// The promised minutes, from acceptance on.
    pub fn eta_minutes(&self) -> Option<u32> {
        match self {
            StoreOrder::Accepted(_, eta)
            | StoreOrder::Cooking(_, eta)
            | StoreOrder::Cooked(_, eta)
            | StoreOrder::Delivering(_, eta)
            | StoreOrder::Delivered(_, eta) => Some(*eta),
            _ => None,
        }
    }

    /// Why the order was rejected.
    pub fn reason(&self) -> Option<&str> {
        match self {
            StoreOrder::Rejected(_, reason) => Some(reason),
            _ => None,
        }
    }

    pub(super) fn not_while(&self, command: &'static str) -> Refused {
        Refused::InvalidTransition {
            subject: "order",
            command,
            from: self.status().name(),
        }
    }
}

impl Status {
    /// Every status, in the order of the state machine.
    pub const ALL: [Status; 9] = [
        Status::Parked,
        Status::Received,
        Status::Accepted,
        Status::Rejected,
        Status::Cancelled,
        Status::Cooking,
        Status::Cooked,
        Status::Delivering,
        Status::Delivered,
    ];

    /// As the API and the events write it.
    pub fn name(self) -> &'static str {
        match self {
            Status::Parked => "PARKED",
            Status::Received => "RECEIVED",
            Status::Accepted => "ACCEPTED",
            Status::Rejected => "REJECTED",
            Status::Cancelled => "CANCELLED",
            Status::Cooking => "COOKING",
            Status::Cooked => "COOKED",
            Status::Delivering => "DELIVERING",
            Status::Delivered => "DELIVERED",
        }
    }

    /// Reads what [`Status::name`] wrote.
    pub fn parse(name: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether `auto` mode has a next step for it.
    pub fn advances(self) -> bool {
        use Status::{Accepted, Cooked, Cooking, Delivering, Received};
        matches!(self, Received | Accepted | Cooking | Cooked | Delivering)
    }
}
