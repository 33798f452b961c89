//! An order as a document.

use serde::{Deserialize, Serialize};

use super::{broken, count};
use crate::{
    domain::{
        Address, CancelReason, CouponId, CustomerId, Entry, Failure, IdempotencyKey, InvalidValue, Line,
        MenuItemId, Millis, News, Order, OrderId, Progress, Quantity, State, Status, StoreId, What, Won,
    },
    ports::StoreError,
};

/// Everything of an order but its id and version, which are columns.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::outbound) struct OrderDoc {
    customer: String,
    key: String,
    store: String,
    lines: Vec<LineDoc>,
    address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    coupon: Option<String>,
    discount: i64,
    total: i64,
    requested_at: Millis,
    state: StateDoc,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    eta_minutes: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parked: Vec<ParkedDoc>,
    timeline: Vec<EntryDoc>,
    events: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct LineDoc {
    item: String,
    name: String,
    quantity: u32,
    unit_price: i64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "SCREAMING_SNAKE_CASE")]
enum StateDoc {
    PaymentPending {
        since: Millis,
    },
    PaymentFailed {
        at: Millis,
        code: String,
        reason: String,
    },
    Underway {
        progress: String,
        since: Millis,
    },
    CancelRequested {
        since: Millis,
        from: String,
        reason: String,
    },
    CancelGranted {
        since: Millis,
        reason: String,
    },
    Rejected {
        at: Millis,
        reason: String,
    },
    Cancelled {
        at: Millis,
        reason: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
struct ParkedDoc {
    what: String,
    at: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    eta_minutes: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct EntryDoc {
    at: Millis,
    what: String,
}

#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Value(#[from] InvalidValue),
    #[error("{0} is not a word of the domain")]
    Word(String),
}

impl OrderDoc {
    pub(in crate::outbound) fn of(order: &Order) -> OrderDoc {
        OrderDoc {
            customer: order.customer.as_str().to_owned(),
            key: order.key.as_str().to_owned(),
            store: order.store.as_str().to_owned(),
            lines: order.lines.iter().map(line_doc).collect(),
            address: order.address.as_str().to_owned(),
            coupon: order.coupon.as_ref().map(|coupon| coupon.as_str().to_owned()),
            discount: order.discount.get(),
            total: order.total.get(),
            requested_at: order.requested_at,
            state: state_doc(&order.state),
            eta_minutes: order.eta_minutes,
            parked: order.parked.iter().map(parked_doc).collect(),
            timeline: order
                .timeline
                .iter()
                .map(|entry| EntryDoc {
                    at: entry.at,
                    what: entry.what.names().0.to_owned(),
                })
                .collect(),
            events: super::column(order.events),
        }
    }

    pub(in crate::outbound) fn read(self, id: &str, version: i64) -> Result<Order, StoreError> {
        let version = count("order", id, version)?;
        let events = count("order", id, self.events)?;
        self.order(id, version, events)
            .map_err(|error| broken("order", id, error))
    }

    fn order(self, id: &str, version: u64, events: u64) -> Result<Order, Broken> {
        Ok(Order {
            id: OrderId::parse(id)?,
            customer: CustomerId::parse(&self.customer)?,
            key: IdempotencyKey::parse(&self.key)?,
            store: StoreId::parse(&self.store)?,
            lines: self.lines.into_iter().map(line).collect::<Result<_, _>>()?,
            address: Address::parse(&self.address)?,
            coupon: self.coupon.as_deref().map(CouponId::parse).transpose()?,
            discount: Won::parse(self.discount)?,
            total: Won::parse(self.total)?,
            requested_at: self.requested_at,
            state: state(self.state)?,
            eta_minutes: self.eta_minutes,
            parked: self.parked.into_iter().map(parked).collect::<Result<_, _>>()?,
            timeline: self.timeline.into_iter().map(entry).collect::<Result<_, _>>()?,
            events,
            version,
        })
    }
}

fn line_doc(line: &Line) -> LineDoc {
    LineDoc {
        item: line.item.as_str().to_owned(),
        name: line.name.clone(),
        quantity: line.quantity.get(),
        unit_price: line.unit_price.get(),
    }
}

fn line(doc: LineDoc) -> Result<Line, InvalidValue> {
    Ok(Line {
        item: MenuItemId::parse(&doc.item)?,
        name: doc.name,
        quantity: Quantity::parse(i64::from(doc.quantity))?,
        unit_price: Won::parse(doc.unit_price)?,
    })
}

fn state_doc(state: &State) -> StateDoc {
    let word = |progress: Progress| Status::from(progress).name().to_owned();
    match state {
        State::PaymentPending { since } => StateDoc::PaymentPending { since: *since },
        State::PaymentFailed { at, failure } => StateDoc::PaymentFailed {
            at: *at,
            code: failure.code().to_owned(),
            reason: failure.reason().to_owned(),
        },
        State::Underway { progress, since } => StateDoc::Underway {
            progress: word(*progress),
            since: *since,
        },
        State::CancelRequested { since, from, reason } => StateDoc::CancelRequested {
            since: *since,
            from: word(*from),
            reason: reason.name().to_owned(),
        },
        State::CancelGranted { since, reason } => StateDoc::CancelGranted {
            since: *since,
            reason: reason.name().to_owned(),
        },
        State::Rejected { at, reason } => StateDoc::Rejected {
            at: *at,
            reason: reason.clone(),
        },
        State::Cancelled { at, reason } => StateDoc::Cancelled {
            at: *at,
            reason: reason.name().to_owned(),
        },
    }
}

fn state(doc: StateDoc) -> Result<State, Broken> {
    Ok(match doc {
        StateDoc::PaymentPending { since } => State::PaymentPending { since },
        StateDoc::PaymentFailed { at, code, reason } => State::PaymentFailed {
            at,
            failure: failure(&code, reason)?,
        },
        StateDoc::Underway { progress, since } => State::Underway {
            progress: progress_named(&progress)?,
            since,
        },
        StateDoc::CancelRequested { since, from, reason } => State::CancelRequested {
            since,
            from: progress_named(&from)?,
            reason: cancel_reason(&reason)?,
        },
        StateDoc::CancelGranted { since, reason } => State::CancelGranted {
            since,
            reason: cancel_reason(&reason)?,
        },
        StateDoc::Rejected { at, reason } => State::Rejected { at, reason },
        StateDoc::Cancelled { at, reason } => State::Cancelled {
            at,
            reason: cancel_reason(&reason)?,
        },
    })
}

fn failure(code: &str, reason: String) -> Result<Failure, Broken> {
    match code {
        "PAYMENT_DECLINED" => Ok(Failure::Declined { reason }),
        "PAYMENT_UNAVAILABLE" => Ok(Failure::Unavailable { reason }),
        other => Err(Broken::Word(other.to_owned())),
    }
}

fn progress_named(name: &str) -> Result<Progress, Broken> {
    use Progress::{Accepted, Cooked, Cooking, Delivered, Delivering, Placed};
    let all = [Placed, Accepted, Cooking, Cooked, Delivering, Delivered];
    all.into_iter()
        .find(|progress| Status::from(*progress).name() == name)
        .ok_or_else(|| Broken::Word(name.to_owned()))
}

fn cancel_reason(name: &str) -> Result<CancelReason, Broken> {
    let all = [
        CancelReason::Customer,
        CancelReason::NotAcceptedInTime,
        CancelReason::StoreRejected,
    ];
    all.into_iter()
        .find(|reason| reason.name() == name)
        .ok_or_else(|| Broken::Word(name.to_owned()))
}

fn entry(doc: EntryDoc) -> Result<Entry, Broken> {
    Ok(Entry {
        at: doc.at,
        what: what_named(&doc.what)?,
    })
}

fn what_named(name: &str) -> Result<What, Broken> {
    What::ALL
        .into_iter()
        .find(|what| what.names().0 == name)
        .ok_or_else(|| Broken::Word(name.to_owned()))
}

fn parked_doc((news, at): &(News, Millis)) -> ParkedDoc {
    let (eta_minutes, reason) = match news {
        News::Accepted { eta_minutes } => (Some(*eta_minutes), None),
        News::Rejected { reason } => (None, Some(reason.clone())),
        _ => (None, None),
    };
    ParkedDoc {
        what: news.what().names().0.to_owned(),
        at: *at,
        eta_minutes,
        reason,
    }
}

fn parked(doc: ParkedDoc) -> Result<(News, Millis), Broken> {
    let news = match what_named(&doc.what)? {
        What::OrderAccepted => News::Accepted {
            eta_minutes: doc.eta_minutes.unwrap_or_default(),
        },
        What::OrderRejected => News::Rejected {
            reason: doc.reason.unwrap_or_default(),
        },
        What::CookingStarted => News::CookingStarted,
        What::CookingFinished => News::CookingFinished,
        What::DeliveryStarted => News::DeliveryStarted,
        What::Delivered => News::Delivered,
        What::StoreCancelAccepted => News::CancelAccepted,
        What::StoreCancelRefused => News::CancelRefused,
        What::PaymentApproved => News::PaymentApproved,
        What::PaymentDeclined => News::PaymentDeclined,
        What::PaymentVoided => News::PaymentVoided,
        What::PaymentRefunded => News::PaymentRefunded,
        What::OrderPlaced | What::OrderPaymentFailed | What::OrderCancelRequested | What::OrderCancelled => {
            return Err(Broken::Word(doc.what));
        }
    };
    Ok((news, doc.at))
}
