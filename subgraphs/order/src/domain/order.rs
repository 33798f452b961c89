//! The aggregate and its transitions.

use super::{
    Address, Basket, CancelReason, CouponId, CustomerId, Draft, Entry, Event, Failure, IdempotencyKey, Line,
    Millis, News, OrderId, Progress, State, Status, StoreId, What, Won,
};

/// One order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its identity.
    pub id: OrderId,
    /// Who ordered.
    pub customer: CustomerId,
    /// What the customer's client called the attempt; unique per customer.
    pub key: IdempotencyKey,
    /// From which store.
    pub store: StoreId,
    /// What, priced.
    pub lines: Vec<Line>,
    /// Where to.
    pub address: Address,
    /// The coupon it uses.
    pub coupon: Option<CouponId>,
    /// What the coupon takes off.
    pub discount: Won,
    /// What is paid.
    pub total: Won,
    /// When it was asked for.
    pub requested_at: Millis,
    /// Where it stands.
    pub state: State,
    /// Minutes until delivery, as the store said when it accepted.
    pub eta_minutes: Option<u32>,
    /// News that came before its turn.
    pub parked: Vec<(News, Millis)>,
    /// Everything heard, sorted.
    pub timeline: Vec<Entry>,
    /// How many events it has published.
    pub events: u64,
    /// How often it was saved; 0 = never. Guards against two writers.
    pub version: u64,
}

/// What a transition gives: the new order and what there is to tell the world.
pub type Step = (Order, Vec<Event>);

/// A transition that the state machine does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an order that is {} cannot be {wanted}", from.name())]
pub struct InvalidTransition {
    /// The status it has and keeps.
    pub from: Status,
    /// What was asked for.
    pub wanted: &'static str,
}

/// What becomes of a piece of news.
enum Verdict {
    /// It moves the order on.
    Now(State, Vec<Event>),
    /// Its turn has not come.
    Early,
    /// Its turn is over, or it changes nothing.
    Late,
}

impl Order {
    /// An order about to be paid.
    pub fn request(draft: Draft, at: Millis) -> Order {
        let Draft {
            id,
            basket,
            lines,
            discount,
            total,
        } = draft;
        let Basket {
            customer,
            key,
            store,
            address,
            coupon,
            ..
        } = basket;
        Order {
            id,
            customer,
            key,
            store,
            lines,
            address,
            coupon,
            discount,
            total,
            requested_at: at,
            state: State::PaymentPending { since: at },
            eta_minutes: None,
            parked: vec![],
            timeline: vec![],
            events: 0,
            version: 0,
        }
    }

    /// The payment was approved.
    pub fn place(self, at: Millis) -> Result<Step, InvalidTransition> {
        match self.state {
            State::PaymentPending { .. } => {
                let state = State::Underway {
                    progress: Progress::Placed,
                    since: at,
                };
                Ok(self.enter(state, vec![Event::Placed], at).unpark())
            }
            _ => Err(self.refuse("placed")),
        }
    }

    /// The payment was declined, or nobody knows.
    pub fn fail(self, failure: Failure, at: Millis) -> Result<Step, InvalidTransition> {
        match self.state {
            State::PaymentPending { .. } => {
                let event = Event::PaymentFailed {
                    code: failure.code(),
                    void: failure.wants_void(),
                };
                Ok(self
                    .enter(State::PaymentFailed { at, failure }, vec![event], at)
                    .unpark())
            }
            _ => Err(self.refuse("failed for want of payment")),
        }
    }

    /// The customer, or the clock, asks the store to give it up.
    pub fn request_cancel(self, reason: CancelReason, at: Millis) -> Result<Step, InvalidTransition> {
        match self.state {
            State::Underway { progress, .. } if progress.may_be_cancelled() => {
                let state = State::CancelRequested {
                    since: at,
                    from: progress,
                    reason,
                };
                Ok(self
                    .enter(state, vec![Event::CancelRequested { reason }], at)
                    .unpark())
            }
            _ => Err(self.refuse("asked to be cancelled")),
        }
    }

    /// Takes in what payment or the store tells. Never refuses: what is late changes nothing but the timeline, what is
    /// early waits, so that any sequence of the same news ends in the same order.
    pub fn hear(mut self, news: News, at: Millis) -> Step {
        self.note(news.what(), at);
        if let News::Accepted { eta_minutes } = news {
            self.eta_minutes = Some(eta_minutes);
        }
        if !self.parked.iter().any(|(parked, _)| parked.what() == news.what()) {
            self.parked.push((news, at));
        }
        Moved {
            order: self,
            events: vec![],
        }
        .unpark()
    }

    /// Whether its coupon is not free for another order.
    pub fn holds_coupon(&self) -> bool {
        self.coupon.is_some() && !matches!(self.state, State::PaymentFailed { .. } | State::Cancelled { .. })
    }

    /// Whether the basket asks for this very order.
    pub fn answers(&self, basket: &Basket) -> bool {
        let items = || self.lines.iter().map(|line| (&line.item, line.quantity));
        self.store == basket.store
            && self.address == basket.address
            && self.coupon == basket.coupon
            && items().eq(basket.items.iter().map(|(item, quantity)| (item, *quantity)))
    }

    fn enter(mut self, state: State, events: Vec<Event>, at: Millis) -> Moved {
        for event in &events {
            self.note(entry_of(event), at);
        }
        Moved {
            order: Order { state, ..self },
            events,
        }
    }

    fn refuse(&self, wanted: &'static str) -> InvalidTransition {
        InvalidTransition {
            from: self.state.status(),
            wanted,
        }
    }
}

fn entry_of(event: &Event) -> What {
    match event {
        Event::Placed => What::OrderPlaced,
        Event::PaymentFailed { .. } => What::OrderPaymentFailed,
        Event::CancelRequested { .. } => What::OrderCancelRequested,
        Event::Cancelled { .. } => What::OrderCancelled,
    }
}

/// An order between two states.
struct Moved {
    order: Order,
    events: Vec<Event>,
}

impl Moved {
    /// Lets parked news take effect for as long as some piece's turn has come, and forgets what is late.
    fn unpark(mut self) -> Step {
        loop {
            let mut waiting = std::mem::take(&mut self.order.parked);
            let mut moved = false;
            waiting.retain(|(news, at)| match verdict(&self.order.state, news, *at) {
                Verdict::Early => true,
                Verdict::Late => false,
                Verdict::Now(state, events) => {
                    events
                        .iter()
                        .for_each(|event| self.order.note(entry_of(event), *at));
                    self.order.state = state;
                    self.events.extend(events);
                    moved = true;
                    false
                }
            });
            self.order.parked = waiting;
            if !moved {
                // What waits is a set: its sequence tells only how it came.
                self.order.parked.sort_by_key(|(news, at)| (news.what(), *at));
                return (self.order, self.events);
            }
        }
    }
}

fn verdict(state: &State, news: &News, at: Millis) -> Verdict {
    match state {
        State::PaymentPending { .. } => match news {
            News::PaymentApproved | News::PaymentDeclined | News::PaymentVoided => Verdict::Late,
            _ => Verdict::Early,
        },
        State::Underway { progress, .. } => underway(*progress, news, at),
        State::CancelRequested { from, reason, since } => asked((*from, *reason, *since), news, at),
        State::CancelGranted { reason, .. } => refunded(*reason, news, at),
        State::Rejected { .. } => refunded(CancelReason::StoreRejected, news, at),
        State::PaymentFailed { .. } | State::Cancelled { .. } => Verdict::Late,
    }
}

fn underway(progress: Progress, news: &News, at: Millis) -> Verdict {
    if let Some(told) = news.progress() {
        return match told {
            told if told <= progress => Verdict::Late,
            told if Some(told) == progress.next() => Verdict::Now(
                State::Underway {
                    progress: told,
                    since: at,
                },
                vec![],
            ),
            _ => Verdict::Early,
        };
    }
    match news {
        News::Rejected { reason } if progress == Progress::Placed => rejected(reason, at),
        News::CancelAccepted if progress.may_be_cancelled() => granted(CancelReason::Customer, at),
        News::PaymentRefunded if progress.may_be_cancelled() => Verdict::Early,
        _ => Verdict::Late,
    }
}

/// The store has been asked to give the order up and has not answered yet.
fn asked((from, reason, since): (Progress, CancelReason, Millis), news: &News, at: Millis) -> Verdict {
    match news {
        News::Accepted { .. } if from == Progress::Placed => Verdict::Now(
            State::CancelRequested {
                since,
                from: Progress::Accepted,
                reason,
            },
            vec![],
        ),
        News::Accepted { .. } => Verdict::Late,
        News::Rejected { reason } if from == Progress::Placed => rejected(reason, at),
        News::CancelAccepted => granted(reason, since),
        News::CancelRefused => Verdict::Now(
            State::Underway {
                progress: from,
                since: at,
            },
            vec![],
        ),
        News::PaymentRefunded => Verdict::Early,
        news if news.progress().is_some() => Verdict::Early,
        _ => Verdict::Late,
    }
}

fn rejected(reason: &str, at: Millis) -> Verdict {
    let event = Event::Cancelled {
        reason: CancelReason::StoreRejected,
    };
    Verdict::Now(
        State::Rejected {
            at,
            reason: reason.to_owned(),
        },
        vec![event],
    )
}

fn granted(reason: CancelReason, since: Millis) -> Verdict {
    Verdict::Now(
        State::CancelGranted { since, reason },
        vec![Event::Cancelled { reason }],
    )
}

/// The store has given the order up: only the refund is waited for.
fn refunded(reason: CancelReason, news: &News, at: Millis) -> Verdict {
    match news {
        News::PaymentRefunded => Verdict::Now(State::Cancelled { at, reason }, vec![]),
        _ => Verdict::Late,
    }
}
