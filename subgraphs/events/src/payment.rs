//! Events of the payment service (결제).

use crate::{PAYMENT_TOPIC, event::event};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// 결제승인됨: the amount was charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentApproved {
    /// The order paid for.
    pub order_id: String,
    /// Who paid.
    pub customer_id: String,
    /// How much, in KRW.
    pub amount: i64,
}

event!(PaymentApproved, "결제승인됨", PAYMENT_TOPIC, key: order_id, PaymentApproved {
    order_id: "order-1".into(),
    customer_id: "demo-customer".into(),
    amount: 17_000,
});

/// 결제거절됨: nothing was charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentDeclined {
    /// The order that stays unpaid.
    pub order_id: String,
    /// Who would have paid.
    pub customer_id: String,
    /// How much, in KRW.
    pub amount: i64,
    /// Why, in a word the customer may see.
    pub reason: String,
}

event!(PaymentDeclined, "결제거절됨", PAYMENT_TOPIC, key: order_id, PaymentDeclined {
    order_id: "order-1".into(),
    customer_id: "demo-customer".into(),
    amount: 17_000,
    reason: "LIMIT_EXCEEDED".into(),
});

/// 결제무효됨: an attempt whose outcome its caller never learned was undone; nothing is, or stays, charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentVoided {
    /// The order.
    pub order_id: String,
    /// Who would have paid; absent when the void came before any attempt.
    #[serde(default)]
    pub customer_id: Option<String>,
    /// What was taken back, in KRW; 0 when nothing had been charged.
    pub amount: i64,
}

event!(PaymentVoided, "결제무효됨", PAYMENT_TOPIC, key: order_id, PaymentVoided {
    order_id: "order-1".into(),
    customer_id: Some("demo-customer".into()),
    amount: 18_000,
});

/// 결제취소됨: the whole amount went back to the customer. The order becomes CANCELLED, points are reversed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRefunded {
    /// The order.
    pub order_id: String,
    /// Who gets the money back.
    pub customer_id: String,
    /// How much, in KRW.
    pub amount: i64,
    /// Why it was refunded.
    pub reason: String,
}

event!(PaymentRefunded, "결제취소됨", PAYMENT_TOPIC, key: order_id, PaymentRefunded {
    order_id: "order-1".into(),
    customer_id: "demo-customer".into(),
    amount: 17_000,
    reason: "STORE_REJECTED".into(),
});
