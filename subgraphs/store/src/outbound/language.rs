//! From what happened in the domain to the published language.

use crate::domain::{Asked, MenuItem, Status, StoreEvent, TicketEvent};
use baedal_events::{DomainEvent, store as say};
use baedal_kit::envelope::{Envelope, Fact, Origin};

/// Name of this service in envelopes.
const SOURCE: &str = "store";

/// The parts of an envelope that do not depend on the event.
pub struct Stamp {
    /// Id of the new event.
    pub id: uuid::Uuid,
    /// When it happened, in ms since 1970.
    pub time: i64,
    /// Its number in the aggregate's life.
    pub sequence: u64,
}

/// Whose order it is, and who cooks it.
#[derive(Clone, Copy)]
pub struct Parties<'a> {
    /// The order.
    pub order_id: &'a str,
    /// The store.
    pub store_id: &'a str,
    /// The customer.
    pub customer_id: &'a str,
    /// What was paid, in KRW.
    pub total: i64,
}

/// A store's event.
pub fn store_event(store_id: &str, event: StoreEvent, stamp: Stamp) -> Envelope {
    let store_id = store_id.to_owned();
    let menu_version = i64::try_from(stamp.sequence).unwrap_or(i64::MAX);
    match event {
        StoreEvent::Opened { name, owner_id } => seal(
            &say::StoreOpened {
                store_id,
                name,
                owner_id,
            },
            stamp,
        ),
        StoreEvent::Closed => seal(&say::StoreClosed { store_id }, stamp),
        StoreEvent::MenuChanged(item) => seal(
            &say::MenuChanged {
                store_id,
                menu_version,
                item: menu_item(item),
            },
            stamp,
        ),
        StoreEvent::ItemSoldOut { menu_item_id } => seal(
            &say::ItemSoldOut {
                store_id,
                menu_version,
                menu_item_id,
            },
            stamp,
        ),
    }
}

/// A ticket's event.
pub fn ticket_event(of: Parties<'_>, event: TicketEvent, stamp: Stamp) -> Envelope {
    let order_id = of.order_id.to_owned();
    let (store_id, customer_id) = (of.store_id.to_owned(), of.customer_id.to_owned());
    match event {
        TicketEvent::OrderAccepted { eta_minutes } => seal(
            &say::OrderAccepted {
                order_id,
                store_id,
                customer_id,
                eta_minutes,
            },
            stamp,
        ),
        TicketEvent::OrderRejected { reason } => seal(
            &say::OrderRejected {
                order_id,
                store_id,
                customer_id,
                reason,
            },
            stamp,
        ),
        TicketEvent::CookingStarted => seal(
            &say::CookingStarted {
                order_id,
                store_id,
                customer_id,
            },
            stamp,
        ),
        TicketEvent::CookingFinished => seal(
            &say::CookingFinished {
                order_id,
                store_id,
                customer_id,
            },
            stamp,
        ),
        TicketEvent::DeliveryStarted => seal(
            &say::DeliveryStarted {
                order_id,
                store_id,
                customer_id,
            },
            stamp,
        ),
        TicketEvent::Delivered => seal(
            &say::Delivered {
                order_id,
                store_id,
                customer_id,
                total: of.total,
            },
            stamp,
        ),
        TicketEvent::StoreCancelAccepted(asked) => cancel_accepted(order_id, asked, stamp),
        TicketEvent::StoreCancelRefused(asked, status) => cancel_refused(order_id, asked, status, stamp),
    }
}

fn cancel_accepted(order_id: String, asked: Asked, stamp: Stamp) -> Envelope {
    let (store_id, customer_id) = (asked.store_id, asked.customer_id);
    let accepted = say::StoreCancelAccepted {
        order_id,
        store_id,
        customer_id,
    };
    seal(&accepted, stamp)
}

fn cancel_refused(order_id: String, asked: Asked, status: Status, stamp: Stamp) -> Envelope {
    let refused = say::StoreCancelRefused {
        order_id,
        store_id: asked.store_id,
        customer_id: asked.customer_id,
        ticket_status: status.name().to_owned(),
    };
    seal(&refused, stamp)
}

fn menu_item(item: MenuItem) -> say::MenuItem {
    say::MenuItem {
        menu_item_id: item.id,
        name: item.name,
        price: item.price,
        sold_out: item.sold_out,
    }
}

fn seal<E: DomainEvent>(event: &E, stamp: Stamp) -> Envelope {
    let fact = Fact {
        r#type: E::TYPE,
        alias: E::ALIAS,
        version: E::VERSION,
        data: event.to_data(),
    };
    let origin = Origin {
        id: stamp.id,
        time: stamp.time,
        source: SOURCE,
    };
    Envelope::new(fact, origin, event.key(), stamp.sequence).correlated(event.key())
}
