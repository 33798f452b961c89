//! The commands of the owner, and of `auto` mode.

use super::{StoreOrder, TicketEvent};
use crate::domain::{Decided, Refused, text};

const MAX_ETA_MINUTES: u32 = 240;
/// The estimate of a ticket that `auto` mode accepts.
const AUTO_ETA_MINUTES: u32 = 30;

impl StoreOrder {
    /// RECEIVED → ACCEPTED.
    pub fn accept(self, eta_minutes: u32) -> Decided<StoreOrder, TicketEvent> {
        if !(1..=MAX_ETA_MINUTES).contains(&eta_minutes) {
            let text = format!("etaMinutes must be 1 to {MAX_ETA_MINUTES}, it is {eta_minutes}");
            return Err(Refused::InvalidInput(text));
        }
        match self {
            StoreOrder::Received(ticket) => {
                let event = TicketEvent::OrderAccepted { eta_minutes };
                Ok((StoreOrder::Accepted(ticket, eta_minutes), vec![event]))
            }
            other => Err(other.not_while("acceptOrder")),
        }
    }

    /// RECEIVED → REJECTED.
    pub fn reject(self, reason: &str) -> Decided<StoreOrder, TicketEvent> {
        let reason = text("reason", reason, 200)?;
        match self {
            StoreOrder::Received(ticket) => {
                let event = TicketEvent::OrderRejected {
                    reason: reason.clone(),
                };
                Ok((StoreOrder::Rejected(ticket, reason), vec![event]))
            }
            other => Err(other.not_while("rejectOrder")),
        }
    }

    /// ACCEPTED → COOKING.
    pub fn start_cooking(self) -> Decided<StoreOrder, TicketEvent> {
        match self {
            StoreOrder::Accepted(ticket, eta) => Ok((
                StoreOrder::Cooking(ticket, eta),
                vec![TicketEvent::CookingStarted],
            )),
            other => Err(other.not_while("startCooking")),
        }
    }

    /// COOKING → COOKED.
    pub fn finish_cooking(self) -> Decided<StoreOrder, TicketEvent> {
        match self {
            StoreOrder::Cooking(ticket, eta) => Ok((
                StoreOrder::Cooked(ticket, eta),
                vec![TicketEvent::CookingFinished],
            )),
            other => Err(other.not_while("finishCooking")),
        }
    }

    /// COOKED → DELIVERING.
    pub fn start_delivery(self) -> Decided<StoreOrder, TicketEvent> {
        match self {
            StoreOrder::Cooked(ticket, eta) => Ok((
                StoreOrder::Delivering(ticket, eta),
                vec![TicketEvent::DeliveryStarted],
            )),
            other => Err(other.not_while("startDelivery")),
        }
    }

    /// DELIVERING → DELIVERED.
    pub fn complete_delivery(self) -> Decided<StoreOrder, TicketEvent> {
        match self {
            StoreOrder::Delivering(ticket, eta) => {
                Ok((StoreOrder::Delivered(ticket, eta), vec![TicketEvent::Delivered]))
            }
            other => Err(other.not_while("completeDelivery")),
        }
    }

    /// The next step of `auto` mode: whatever an owner who never hesitates would do.
    pub fn advance(self) -> Decided<StoreOrder, TicketEvent> {
        match self {
            StoreOrder::Received(_) => self.accept(AUTO_ETA_MINUTES),
            StoreOrder::Accepted(..) => self.start_cooking(),
            StoreOrder::Cooking(..) => self.finish_cooking(),
            StoreOrder::Cooked(..) => self.start_delivery(),
            StoreOrder::Delivering(..) => self.complete_delivery(),
            StoreOrder::Parked(_)
            | StoreOrder::Rejected(..)
            | StoreOrder::Cancelled(..)
            | StoreOrder::Delivered(..) => Err(self.not_while("advance")),
        }
    }
}
