//! The list of all events: what is exported and what the contract test compares.

use crate::{DomainEvent, marketing::*, order::*, payment::*, store::*};
use schemars::schema_for;
use serde_json::Value;

/// One event of the published language.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The envelope's `type`.
    pub r#type: &'static str,
    /// Topic it is published to.
    pub topic: &'static str,
    /// The Korean term.
    pub alias: &'static str,
    /// Major version.
    pub version: u32,
    /// One example payload.
    pub example: Value,
    /// JSON Schema (draft 2020-12) of the payload.
    pub schema: Value,
}

impl Entry {
    fn of<E: DomainEvent>() -> Entry {
        Entry {
            r#type: E::TYPE,
            topic: E::TOPIC,
            alias: E::ALIAS,
            version: E::VERSION,
            example: E::example().to_data(),
            schema: schema_for!(E).to_value(),
        }
    }
}

/// Every event, grouped by producer in the order of the domain's story.
pub fn all() -> Vec<Entry> {
    vec![
        Entry::of::<OrderPlaced>(),
        Entry::of::<OrderPaymentFailed>(),
        Entry::of::<OrderCancelRequested>(),
        Entry::of::<OrderCancelled>(),
        Entry::of::<PaymentApproved>(),
        Entry::of::<PaymentDeclined>(),
        Entry::of::<PaymentVoided>(),
        Entry::of::<PaymentRefunded>(),
        Entry::of::<StoreOpened>(),
        Entry::of::<StoreClosed>(),
        Entry::of::<MenuChanged>(),
        Entry::of::<ItemSoldOut>(),
        Entry::of::<OrderAccepted>(),
        Entry::of::<OrderRejected>(),
        Entry::of::<CookingStarted>(),
        Entry::of::<CookingFinished>(),
        Entry::of::<DeliveryStarted>(),
        Entry::of::<Delivered>(),
        Entry::of::<StoreCancelAccepted>(),
        Entry::of::<StoreCancelRefused>(),
        Entry::of::<CouponIssued>(),
        Entry::of::<CouponRedeemed>(),
        Entry::of::<CouponReleased>(),
        Entry::of::<PointsEarned>(),
        Entry::of::<PointsReversed>(),
        Entry::of::<CampaignPublished>(),
    ]
}
