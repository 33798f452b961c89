//! What the graph shows of an order.

mod circuit;
mod scalar;
mod timeline;

use std::sync::Arc;

use async_graphql::{Enum, ID, Object, SimpleObject};

use crate::domain::{self, State, What};
pub use circuit::PaymentCircuit;
pub use scalar::DateTime;
pub use timeline::{TimelineEntry, UnifiedOrderStatus};

/// 주문: what a customer wants from a store, and how far it has come.
pub struct Order(pub(super) Arc<domain::Order>);

impl Order {
    pub(super) fn new(order: domain::Order) -> Order {
        Order(Arc::new(order))
    }
}

#[Object]
impl Order {
    /// Its identity in every context.
    pub async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    /// Who ordered.
    async fn customer_id(&self) -> ID {
        self.0.customer.as_str().into()
    }

    /// From which store. Nullable, so that an order can be read while the store service is down.
    async fn store(&self) -> Option<Store> {
        Some(Store {
            id: self.0.store.as_str().into(),
        })
    }

    /// What, at the prices of the moment of ordering.
    async fn items(&self) -> Vec<OrderItem> {
        self.0.lines.iter().map(OrderItem::of).collect()
    }

    /// 주소
    async fn address(&self) -> &str {
        self.0.address.as_str()
    }

    /// 주문상태
    async fn status(&self) -> OrderStatus {
        self.0.state.status().into()
    }

    /// What is paid, in KRW: the items' sum less the discount.
    async fn total(&self) -> i64 {
        self.0.total.get()
    }

    /// What the coupon takes off, in KRW.
    async fn discount(&self) -> i64 {
        self.0.discount.get()
    }

    /// The coupon it uses.
    async fn used_coupon(&self) -> Option<Coupon> {
        self.0.coupon.as_ref().map(|coupon| Coupon {
            id: coupon.as_str().into(),
        })
    }

    /// Why it came to nothing, if it did.
    async fn failure(&self) -> Option<OrderFailure> {
        OrderFailure::of(&self.0.state)
    }

    /// When it was asked for.
    async fn requested_at(&self) -> DateTime {
        DateTime(self.0.requested_at)
    }

    /// When it was paid and placed.
    async fn placed_at(&self) -> Option<DateTime> {
        self.0
            .timeline
            .iter()
            .find(|entry| entry.what == What::OrderPlaced)
            .map(|entry| DateTime(entry.at))
    }

    /// When it entered its status.
    async fn status_since(&self) -> DateTime {
        DateTime(self.0.state.entered_at())
    }

    /// Its statuses, as they came.
    async fn timeline(&self) -> Vec<TimelineEntry> {
        timeline::of(&self.0)
    }

    /// 통합주문상태: order, payment and store in one view.
    async fn unified(&self) -> UnifiedOrderStatus {
        UnifiedOrderStatus(self.0.clone())
    }
}

/// 가게, as far as order knows it.
#[derive(SimpleObject)]
#[graphql(unresolvable)]
pub struct Store {
    id: ID,
}

/// 쿠폰, as far as order knows it.
#[derive(SimpleObject)]
#[graphql(unresolvable)]
pub struct Coupon {
    id: ID,
}

/// 품목
#[derive(SimpleObject)]
pub struct OrderItem {
    /// Which dish of the store's menu.
    menu_item_id: ID,
    /// Its name when it was ordered.
    name: String,
    /// 수량
    quantity: u32,
    /// Price of one in KRW when it was ordered.
    unit_price: i64,
}

impl OrderItem {
    fn of(line: &domain::Line) -> OrderItem {
        OrderItem {
            menu_item_id: line.item.as_str().into(),
            name: line.name.clone(),
            quantity: line.quantity.get(),
            unit_price: line.unit_price.get(),
        }
    }
}

/// Why an order came to nothing.
#[derive(SimpleObject)]
pub struct OrderFailure {
    /// PAYMENT_DECLINED, PAYMENT_UNAVAILABLE, STORE_REJECTED, CUSTOMER or NOT_ACCEPTED_IN_TIME.
    code: String,
    /// In words, where there are any.
    reason: Option<String>,
}

impl OrderFailure {
    fn of(state: &State) -> Option<OrderFailure> {
        let (code, reason) = match state {
            // What went wrong on the way to payment is for the log; what payment said is for the customer.
            State::PaymentFailed { failure, .. } => (failure.code(), failure.told().map(str::to_owned)),
            State::Rejected { reason, .. } => {
                (domain::CancelReason::StoreRejected.name(), Some(reason.clone()))
            }
            State::Cancelled { reason, .. } => (reason.name(), None),
            State::PaymentPending { .. }
            | State::Underway { .. }
            | State::CancelRequested { .. }
            | State::CancelGranted { .. } => return None,
        };
        Some(OrderFailure {
            code: code.to_owned(),
            reason,
        })
    }
}

/// 주문상태
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::Status")]
pub enum OrderStatus {
    /// Being paid.
    PaymentPending,
    /// Not paid; nothing is charged.
    PaymentFailed,
    /// Paid; the store has it, or will.
    Placed,
    /// The store will cook it.
    Accepted,
    /// On the fire.
    Cooking,
    /// Ready to go.
    Cooked,
    /// A rider is on the way.
    Delivering,
    /// 배송됨
    Delivered,
    /// The store is asked to give it up, or the refund is on its way.
    CancelRequested,
    /// The store will not cook it; the refund is on its way.
    Rejected,
    /// Given up and refunded.
    Cancelled,
}
