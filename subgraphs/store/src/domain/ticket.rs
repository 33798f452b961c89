//! StoreOrder (주문관리): the store's ticket for one order, and who wins "cancel or cook first".
//!
//! There is no ticket without both an order and an approved payment. The two come on different topics, in
//! either order: the first is parked until the other is there. A cancellation may even come before both.

mod commands;
mod read;

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
            StoreOrder::Parked(intake) => receive(
                Intake {
                    placed: Some(placed),
                    ..intake
                },
                now,
            ),
            StoreOrder::Cancelled(intake, at) => StoreOrder::Cancelled(
                Intake {
                    placed: intake.placed.or(Some(placed)),
                    ..intake
                },
                at,
            ),
            known => known,
        }
    }

    /// Notes the approved payment; a ticket is received if the order is there too.
    pub fn note_paid(self, paid: Paid, now: i64) -> StoreOrder {
        match self {
            StoreOrder::Parked(intake) => receive(
                Intake {
                    paid: Some(paid),
                    ..intake
                },
                now,
            ),
            StoreOrder::Cancelled(intake, at) => StoreOrder::Cancelled(
                Intake {
                    paid: intake.paid.or(Some(paid)),
                    ..intake
                },
                at,
            ),
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
                StoreOrder::Cancelled(
                    Intake {
                        placed: Some(ticket.placed),
                        paid: Some(ticket.paid),
                    },
                    at,
                )
            }
            settled => settled,
        }
    }
}

fn receive(intake: Intake, now: i64) -> StoreOrder {
    match intake {
        Intake {
            placed: Some(placed),
            paid: Some(paid),
        } => StoreOrder::Received(Ticket {
            placed,
            paid,
            received_at: now,
        }),
        waiting => StoreOrder::Parked(waiting),
    }
}
