//! 통합주문상태: everything that was heard of an order, from order, payment and store, in the order it happened.

use super::{Millis, Order, Progress, Status};

/// What payment and the store tell about an order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum News {
    Accepted { eta_minutes: u32 },
    Rejected { reason: String },
    CookingStarted,
    CookingFinished,
    DeliveryStarted,
    Delivered,
    CancelAccepted,
    CancelRefused,
    PaymentApproved,
    PaymentDeclined,
    PaymentVoided,
    PaymentRefunded,
}

/// Which context speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Source {
    Order,
    Payment,
    Store,
}

/// A kind of entry. The sequence of the variants settles which of two entries of the same instant comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum What {
    PaymentApproved,
    PaymentDeclined,
    OrderPlaced,
    OrderPaymentFailed,
    OrderAccepted,
    OrderCancelRequested,
    OrderRejected,
    CookingStarted,
    CookingFinished,
    DeliveryStarted,
    Delivered,
    StoreCancelAccepted,
    StoreCancelRefused,
    OrderCancelled,
    PaymentVoided,
    PaymentRefunded,
}

/// One line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// When it happened, by the clock of who says so.
    pub at: Millis,
    /// What happened.
    pub what: What,
}

/// The view over all three contexts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unified {
    /// The order's own status.
    pub status: Status,
    /// Payment's, as far as it was heard.
    pub payment: Option<&'static str>,
    /// The ticket's, as far as it was heard.
    pub ticket: Option<&'static str>,
}

impl What {
    /// All kinds.
    pub const ALL: [What; 16] = [
        What::PaymentApproved,
        What::PaymentDeclined,
        What::OrderPlaced,
        What::OrderPaymentFailed,
        What::OrderAccepted,
        What::OrderCancelRequested,
        What::OrderRejected,
        What::CookingStarted,
        What::CookingFinished,
        What::DeliveryStarted,
        What::Delivered,
        What::StoreCancelAccepted,
        What::StoreCancelRefused,
        What::OrderCancelled,
        What::PaymentVoided,
        What::PaymentRefunded,
    ];

    /// The event's published name and its Korean term.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            What::PaymentApproved => ("PaymentApproved", "결제승인됨"),
            What::PaymentDeclined => ("PaymentDeclined", "결제거절됨"),
            What::OrderPlaced => ("OrderPlaced", "주문됨"),
            What::OrderPaymentFailed => ("OrderPaymentFailed", "결제실패됨"),
            What::OrderAccepted => ("OrderAccepted", "주문수락됨"),
            What::OrderCancelRequested => ("OrderCancelRequested", "주문취소요청됨"),
            What::OrderRejected => ("OrderRejected", "주문거절됨"),
            What::CookingStarted => ("CookingStarted", "요리시작됨"),
            What::CookingFinished => ("CookingFinished", "요리완료됨"),
            What::DeliveryStarted => ("DeliveryStarted", "배달시작됨"),
            What::Delivered => ("Delivered", "배송됨"),
            What::StoreCancelAccepted => ("StoreCancelAccepted", "주문취소수락됨"),
            What::StoreCancelRefused => ("StoreCancelRefused", "주문취소거부됨"),
            What::OrderCancelled => ("OrderCancelled", "주문취소됨"),
            What::PaymentVoided => ("PaymentVoided", "결제무효됨"),
            What::PaymentRefunded => ("PaymentRefunded", "결제취소됨"),
        }
    }

    /// Who says so.
    pub fn source(self) -> Source {
        match self {
            What::PaymentApproved | What::PaymentDeclined | What::PaymentVoided | What::PaymentRefunded => {
                Source::Payment
            }
            What::OrderPlaced
            | What::OrderPaymentFailed
            | What::OrderCancelRequested
            | What::OrderCancelled => Source::Order,
            _ => Source::Store,
        }
    }

    /// The order status it stands for, if it stands for one.
    pub fn order_status(self) -> Option<Status> {
        match self {
            What::OrderPlaced => Some(Status::Placed),
            What::OrderPaymentFailed => Some(Status::PaymentFailed),
            What::OrderAccepted => Some(Status::Accepted),
            What::OrderCancelRequested => Some(Status::CancelRequested),
            What::OrderRejected => Some(Status::Rejected),
            What::CookingStarted => Some(Status::Cooking),
            What::CookingFinished => Some(Status::Cooked),
            What::DeliveryStarted => Some(Status::Delivering),
            What::Delivered => Some(Status::Delivered),
            What::PaymentRefunded => Some(Status::Cancelled),
            _ => None,
        }
    }

    fn payment_status(self) -> Option<&'static str> {
        match self {
            What::PaymentApproved => Some("APPROVED"),
            What::PaymentDeclined => Some("DECLINED"),
            What::PaymentVoided => Some("VOIDED"),
            What::PaymentRefunded => Some("REFUNDED"),
            _ => None,
        }
    }

    fn ticket_status(self) -> Option<&'static str> {
        match self {
            What::OrderAccepted => Some("ACCEPTED"),
            What::OrderRejected => Some("REJECTED"),
            What::CookingStarted => Some("COOKING"),
            What::CookingFinished => Some("COOKED"),
            What::DeliveryStarted => Some("DELIVERING"),
            What::Delivered => Some("DELIVERED"),
            What::StoreCancelAccepted => Some("CANCELLED"),
            _ => None,
        }
    }
}

impl News {
    /// As an entry of the timeline.
    pub fn what(&self) -> What {
        match self {
            News::Accepted { .. } => What::OrderAccepted,
            News::Rejected { .. } => What::OrderRejected,
            News::CookingStarted => What::CookingStarted,
            News::CookingFinished => What::CookingFinished,
            News::DeliveryStarted => What::DeliveryStarted,
            News::Delivered => What::Delivered,
            News::CancelAccepted => What::StoreCancelAccepted,
            News::CancelRefused => What::StoreCancelRefused,
            News::PaymentApproved => What::PaymentApproved,
            News::PaymentDeclined => What::PaymentDeclined,
            News::PaymentVoided => What::PaymentVoided,
            News::PaymentRefunded => What::PaymentRefunded,
        }
    }

    /// How far the order has come, if the news is about that.
    pub(super) fn progress(&self) -> Option<Progress> {
        match self {
            News::Accepted { .. } => Some(Progress::Accepted),
            News::CookingStarted => Some(Progress::Cooking),
            News::CookingFinished => Some(Progress::Cooked),
            News::DeliveryStarted => Some(Progress::Delivering),
            News::Delivered => Some(Progress::Delivered),
            _ => None,
        }
    }
}

impl Order {
    /// Puts an entry in its place; the same entry twice is one.
    pub(super) fn note(&mut self, what: What, at: Millis) {
        let entry = Entry { at, what };
        if let Err(place) = self.timeline.binary_search(&entry) {
            self.timeline.insert(place, entry);
        }
    }

    /// The view over order, payment and store.
    pub fn unified(&self) -> Unified {
        let heard = || self.timeline.iter().map(|entry| entry.what);
        // The variants of `What` are sorted by how late they come, so the furthest one tells where a context stands.
        let payment = heard()
            .filter(|what| what.payment_status().is_some())
            .max()
            .and_then(What::payment_status);
        let ticket = heard()
            .filter(|what| what.ticket_status().is_some())
            .max()
            .and_then(What::ticket_status);
        Unified {
            status: self.state.status(),
            payment,
            ticket,
        }
    }
}
