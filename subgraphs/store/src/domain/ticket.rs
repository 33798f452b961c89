//! StoreOrder (주문관리): the store's ticket for one order, and who wins "cancel or cook first".
//!
//! There is no ticket without both an order and an approved payment. The two come on different topics, in
//! either order: the first is parked until the other is there. A cancellation may even come before both.

use super::{Decided, Refused, text};

const MAX_ETA_MINUTES: u32 = 240;
/// The estimate of a ticket that `auto` mode accepts.
const AUTO_ETA_MINUTES: u32 = 30;

/// One ordered dish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which item of the menu.
    pub menu_item_id: String,
    /// Its name when it was ordered.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// Price of one in KRW when it was ordered.
    pub unit_price: i64,
}

/// What OrderPlaced told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Which store is to cook.
    pub store_id: String,
    /// `sub` of the customer.
    pub customer_id: String,
    /// The dishes.
    pub lines: Vec<Line>,
    /// Where to deliver.
    pub address: String,
    /// What the customer pays, in KRW.
    pub total: i64,
    /// When, in ms since 1970.
    pub placed_at: i64,
}

/// What PaymentApproved told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// In KRW.
    pub amount: i64,
}

/// The two facts a ticket is made of, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intake {
    /// The order.
    pub placed: Option<Placed>,
    /// Its payment.
    pub paid: Option<Paid>,
}

/// A ticket: both facts are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The order.
    pub placed: Placed,
    /// Its payment.
    pub paid: Paid,
    /// When the second of the two came, in ms since 1970.
    pub received_at: i64,
}

/// The store's side of one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreOrder {
    /// Not a ticket yet: the order or its payment is missing.
    Parked(Intake),
    /// 접수: waits for the owner.
    Received(Ticket),
    /// 수락, with the promised minutes.
    Accepted(Ticket, u32),
    /// 거절, with the reason.
    Rejected(Ticket, String),
    /// 취소: never cooked. Facts that come later are still noted, so that any order of arrival ends the same.
    Cancelled(Intake, Option<i64>),
    /// 요리중.
    Cooking(Ticket, u32),
    /// 요리완료.
    Cooked(Ticket, u32),
    /// 배달중.
    Delivering(Ticket, u32),
    /// 배송완료.
    Delivered(Ticket, u32),
}

/// The name of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Not shown to anybody.
    Parked,
    /// 접수.
    Received,
    /// 수락.
    Accepted,
    /// 거절.
    Rejected,
    /// 취소.
    Cancelled,
    /// 요리중.
    Cooking,
    /// 요리완료.
    Cooked,
    /// 배달중.
    Delivering,
    /// 배송완료.
    Delivered,
}

/// What happened to a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketEvent {
    /// 주문수락됨.
    OrderAccepted {
        /// Promised minutes until delivery.
        eta_minutes: u32,
    },
    /// 주문거절됨.
    OrderRejected {
        /// Why.
        reason: String,
    },
    /// 요리시작됨.
    CookingStarted,
    /// 요리완료됨.
    CookingFinished,
    /// 배달시작됨.
    DeliveryStarted,
    /// 배송됨.
    Delivered,
    /// The cancellation won.
    StoreCancelAccepted(Asked),
    /// Cooking won.
    StoreCancelRefused(Asked, Status),
}

/// Who asks which store to give an order up; the order itself may not have come yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The store.
    pub store_id: String,
    /// `sub` of the customer.
    pub customer_id: String,
}

impl Default for StoreOrder {
    fn default() -> Self {
        StoreOrder::Parked(Intake::default())
    }
}

/// The transitions that events of other contexts ask for. They never fail: an event is a fact.
impl StoreOrder {
    /// Notes the order; a ticket is received if it is paid too.
    pub fn note_placed(self, placed: Placed, now: i64) -> StoreOrder {
        match self {
            StoreOrder::Parked(intake) => receive(Intake { placed: Some(placed), ..intake }, now),
            StoreOrder::Cancelled(intake, at) => {
                StoreOrder::Cancelled(Intake { placed: intake.placed.or(Some(placed)), ..intake }, at)
            }
            known => known,
        }
    }

    /// Notes the approved payment; a ticket is received if the order is there too.
    pub fn note_paid(self, paid: Paid, now: i64) -> StoreOrder {
        match self {
            StoreOrder::Parked(intake) => receive(Intake { paid: Some(paid), ..intake }, now),
            StoreOrder::Cancelled(intake, at) => {
                StoreOrder::Cancelled(Intake { paid: intake.paid.or(Some(paid)), ..intake }, at)
            }
            known => known,
        }
    }

    /// Decides a request to cancel: until cooking starts the cancellation wins, from then on cooking does.
    pub fn request_cancel(self, asked: Asked) -> (StoreOrder, Vec<TicketEvent>) {
        match self {
            StoreOrder::Cancelled(..) => (self, Vec::new()),
            StoreOrder::Rejected(..) => (self, vec![TicketEvent::StoreCancelAccepted(asked)]),
            StoreOrder::Parked(_) | StoreOrder::Received(_) | StoreOrder::Accepted(..) => {
                (self.cancel(), vec![TicketEvent::StoreCancelAccepted(asked)])
            }
            StoreOrder::Cooking(..)
            | StoreOrder::Cooked(..)
            | StoreOrder::Delivering(..)
            | StoreOrder::Delivered(..) => {
                let refused = TicketEvent::StoreCancelRefused(asked, self.status());
                (self, vec![refused])
            }
        }
    }

    /// The order is off (cancelled, voided or refunded elsewhere): nothing may be cooked for it. What is
    /// already being cooked cannot be undone and stays as it is.
    pub fn cancel(self) -> StoreOrder {
        match self {
            StoreOrder::Parked(intake) => StoreOrder::Cancelled(intake, None),
            StoreOrder::Received(ticket) | StoreOrder::Accepted(ticket, _) => {
                let at = Some(ticket.received_at);
                StoreOrder::Cancelled(Intake { placed: Some(ticket.placed), paid: Some(ticket.paid) }, at)
            }
            settled => settled,
        }
    }
}

/// The commands of the owner, and of `auto` mode.
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
                let event = TicketEvent::OrderRejected { reason: reason.clone() };
                Ok((StoreOrder::Rejected(ticket, reason), vec![event]))
            }
            other => Err(other.not_while("rejectOrder")),
        }
    }

    /// ACCEPTED → COOKING.
    pub fn start_cooking(self) -> Decided<StoreOrder, TicketEvent> {
        match self {
            StoreOrder::Accepted(ticket, eta) => {
                Ok((StoreOrder::Cooking(ticket, eta), vec![TicketEvent::CookingStarted]))
            }
            other => Err(other.not_while("startCooking")),
        }
    }

    /// COOKING → COOKED.
    pub fn finish_cooking(self) -> Decided<StoreOrder, TicketEvent> {
        match self {
            StoreOrder::Cooking(ticket, eta) => {
                Ok((StoreOrder::Cooked(ticket, eta), vec![TicketEvent::CookingFinished]))
            }
            other => Err(other.not_while("finishCooking")),
        }
    }

    /// COOKED → DELIVERING.
    pub fn start_delivery(self) -> Decided<StoreOrder, TicketEvent> {
        match self {
            StoreOrder::Cooked(ticket, eta) => {
                Ok((StoreOrder::Delivering(ticket, eta), vec![TicketEvent::DeliveryStarted]))
            }
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

/// What can be read off a state.
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

    fn not_while(&self, command: &'static str) -> Refused {
        Refused::InvalidTransition { subject: "order", command, from: self.status().name() }
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

fn receive(intake: Intake, now: i64) -> StoreOrder {
    match intake {
        Intake { placed: Some(placed), paid: Some(paid) } => {
            StoreOrder::Received(Ticket { placed, paid, received_at: now })
        }
        waiting => StoreOrder::Parked(waiting),
    }
}
