//! The topics of payment, store and marketing: every event becomes a command, and counts once.

use std::sync::Arc;

use async_trait::async_trait;
use baedal_events::{DomainEvent, marketing::CouponIssued, payment, store};
use baedal_kit::{
    consumer::{HandleError, Handler},
    envelope::Envelope,
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    app::{App, Incoming},
    domain::{
        Coupon, CouponId, CustomerId, Dish, InvalidValue, MenuItemId, MenuNews, News, OrderId, StoreId, Won,
    },
    policies::Command,
};

/// Topics order listens to.
pub const TOPICS: &[&str] = &[
    baedal_events::PAYMENT_TOPIC,
    baedal_events::STORE_TOPIC,
    baedal_events::MARKETING_TOPIC,
];

/// Order's ear.
pub struct Events {
    app: Arc<App>,
}

impl Events {
    /// Tells this application.
    pub fn new(app: Arc<App>) -> Events {
        Events { app }
    }
}

#[async_trait]
impl Handler for Events {
    fn version_of(&self, event_type: &str) -> Option<u32> {
        KNOWN.contains(&event_type).then_some(1)
    }

    async fn handle(&self, batch: &[Envelope]) -> Result<(), HandleError> {
        let mut incoming = Vec::with_capacity(batch.len());
        for envelope in batch {
            let command = command(envelope);
            let command = command.map_err(|error| {
                HandleError::Poison(format!("{} {}: {error}", envelope.r#type, envelope.id))
            })?;
            incoming.extend(command.map(|command| Incoming {
                event: envelope.id,
                command,
            }));
        }
        self.app
            .digest(&incoming)
            .await
            .map(drop)
            .map_err(|error| HandleError::Transient(error.into()))
    }
}

const KNOWN: &[&str] = &[
    payment::PaymentApproved::TYPE,
    payment::PaymentDeclined::TYPE,
    payment::PaymentVoided::TYPE,
    payment::PaymentRefunded::TYPE,
    store::OrderAccepted::TYPE,
    store::OrderRejected::TYPE,
    store::CookingStarted::TYPE,
    store::CookingFinished::TYPE,
    store::DeliveryStarted::TYPE,
    store::Delivered::TYPE,
    store::StoreCancelAccepted::TYPE,
    store::StoreCancelRefused::TYPE,
    store::StoreOpened::TYPE,
    store::StoreClosed::TYPE,
    store::MenuChanged::TYPE,
    store::ItemSoldOut::TYPE,
    CouponIssued::TYPE,
];

#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("its data does not fit: {0}")]
    Shape(#[from] serde_json::Error),
    #[error("{0}")]
    Value(#[from] InvalidValue),
    #[error("{0} is not a time")]
    Time(String),
}

fn command(envelope: &Envelope) -> Result<Option<Command>, Unreadable> {
    if let Some(news) = news(envelope)? {
        let order = OrderId::parse(&envelope.aggregate_id)?;
        return Ok(Some(Command::Hear {
            order,
            news,
            at: envelope.time,
        }));
    }
    let data = &envelope.data;
    Ok(match envelope.r#type.as_str() {
        store::StoreOpened::TYPE => Some(menu(
            &store::StoreOpened::from_data(data)?.store_id,
            MenuNews::Opened,
        )?),
        store::StoreClosed::TYPE => Some(menu(
            &store::StoreClosed::from_data(data)?.store_id,
            MenuNews::Closed,
        )?),
        store::MenuChanged::TYPE => Some(menu_changed(store::MenuChanged::from_data(data)?)?),
        store::ItemSoldOut::TYPE => {
            let sold = store::ItemSoldOut::from_data(data)?;
            let item = MenuItemId::parse(&sold.menu_item_id)?;
            Some(menu(
                &sold.store_id,
                MenuNews::SoldOut {
                    item,
                    as_of: sold.menu_version,
                },
            )?)
        }
        CouponIssued::TYPE => Some(Command::LearnCoupon(coupon(CouponIssued::from_data(data)?)?)),
        _ => None,
    })
}

/// What an event tells of an order, if it is about one.
fn news(envelope: &Envelope) -> Result<Option<News>, Unreadable> {
    Ok(Some(match envelope.r#type.as_str() {
        payment::PaymentApproved::TYPE => News::PaymentApproved,
        payment::PaymentDeclined::TYPE => News::PaymentDeclined,
        payment::PaymentVoided::TYPE => News::PaymentVoided,
        payment::PaymentRefunded::TYPE => News::PaymentRefunded,
        store::OrderAccepted::TYPE => News::Accepted {
            eta_minutes: store::OrderAccepted::from_data(&envelope.data)?.eta_minutes,
        },
        store::OrderRejected::TYPE => News::Rejected {
            reason: store::OrderRejected::from_data(&envelope.data)?.reason,
        },
        store::CookingStarted::TYPE => News::CookingStarted,
        store::CookingFinished::TYPE => News::CookingFinished,
        store::DeliveryStarted::TYPE => News::DeliveryStarted,
        store::Delivered::TYPE => News::Delivered,
        store::StoreCancelAccepted::TYPE => News::CancelAccepted,
        store::StoreCancelRefused::TYPE => News::CancelRefused,
        _ => return Ok(None),
    }))
}

fn menu(store: &str, news: MenuNews) -> Result<Command, InvalidValue> {
    Ok(Command::UpdateMenu {
        store: StoreId::parse(store)?,
        news,
    })
}

fn menu_changed(event: store::MenuChanged) -> Result<Command, InvalidValue> {
    let item = MenuItemId::parse(&event.item.menu_item_id)?;
    let store::MenuItem {
        name,
        price,
        sold_out,
        ..
    } = event.item;
    let dish = Dish {
        name,
        price: Won::parse(price)?,
        sold_out,
        as_of: event.menu_version,
    };
    menu(&event.store_id, MenuNews::Changed { item, dish })
}

fn coupon(event: CouponIssued) -> Result<Coupon, Unreadable> {
    let expires = OffsetDateTime::parse(&event.expires_at, &Rfc3339)
        .map_err(|_| Unreadable::Time(event.expires_at.clone()))?;
    Ok(Coupon {
        id: CouponId::parse(&event.coupon_id)?,
        customer: CustomerId::parse(&event.customer_id)?,
        amount: Won::parse(event.amount)?,
        expires_at: expires.unix_timestamp() * 1_000,
    })
}
