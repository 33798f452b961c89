//! The timeline of an order, alone and together with payment and store.

use std::sync::Arc;

use async_graphql::{Enum, ID, Object, SimpleObject};

use super::{DateTime, OrderStatus};
use crate::domain::{self, Order, Source};

/// A status of the order and the event that brought it.
#[derive(SimpleObject)]
pub struct TimelineEntry {
    /// The status.
    status: OrderStatus,
    /// When.
    at: DateTime,
    /// The event, e.g. `CookingStarted`.
    event: &'static str,
    /// The event's Korean term.
    alias: &'static str,
}

pub(super) fn of(order: &Order) -> Vec<TimelineEntry> {
    let entry = |entry: &domain::Entry| {
        let (event, alias) = entry.what.names();
        let status = entry.what.order_status()?.into();
        Some(TimelineEntry {
            status,
            at: DateTime(entry.at),
            event,
            alias,
        })
    };
    order.timeline.iter().filter_map(entry).collect()
}

/// 통합주문상태: what order, payment and store have told, from order's own records.
pub struct UnifiedOrderStatus(pub(super) Arc<Order>);

#[Object]
impl UnifiedOrderStatus {
    /// Of which order.
    async fn order_id(&self) -> ID {
        self.0.id.as_str().into()
    }

    /// The order's own status.
    async fn status(&self) -> OrderStatus {
        self.0.state.status().into()
    }

    /// What payment told last.
    async fn payment_status(&self) -> Option<&'static str> {
        self.0.unified().payment
    }

    /// What the store told last.
    async fn ticket_status(&self) -> Option<&'static str> {
        self.0.unified().ticket
    }

    /// Minutes until delivery, as the store said when it accepted.
    async fn eta_minutes(&self) -> Option<u32> {
        self.0.eta_minutes
    }

    /// Everything that was told, as it happened.
    async fn entries(&self) -> Vec<UnifiedEntry> {
        self.0.timeline.iter().map(UnifiedEntry::of).collect()
    }
}

/// Something one of the three contexts told.
#[derive(SimpleObject)]
pub struct UnifiedEntry {
    /// Who.
    source: OrderContext,
    /// When.
    at: DateTime,
    /// The event.
    event: &'static str,
    /// The event's Korean term.
    alias: &'static str,
}

impl UnifiedEntry {
    fn of(entry: &domain::Entry) -> UnifiedEntry {
        let (event, alias) = entry.what.names();
        UnifiedEntry {
            source: entry.what.source().into(),
            at: DateTime(entry.at),
            event,
            alias,
        }
    }
}

/// A context that has something to say about an order.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Source")]
pub enum OrderContext {
    /// 주문
    Order,
    /// 결제
    Payment,
    /// 상점
    Store,
}
