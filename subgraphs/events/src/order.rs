//! Events of the order service (주문).

use crate::{ORDER_TOPIC, event::event};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One line of an order, priced by the order service from its replica of the menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderItem {
    /// Menu item of the store.
    pub menu_item_id: String,
    /// Its name when it was ordered.
    pub name: String,
    /// How many, at least 1.
    pub quantity: u32,
    /// Price of one, in KRW.
    pub unit_price: i64,
}

/// 주문됨: the payment was approved and the order stands. The store receives a ticket, the coupon is used up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderPlaced {
    /// The order.
    pub order_id: String,
    /// Who ordered (the `sub` of the access token).
    pub customer_id: String,
    /// Where.
    pub store_id: String,
    /// What, at least one line.
    pub items: Vec<OrderItem>,
    /// Where to deliver.
    pub address: String,
    /// What the customer paid, in KRW: the items' sum less `discount`.
    pub total: i64,
    /// What the coupon took off, in KRW; 0 without a coupon.
    pub discount: i64,
    /// The coupon used.
    #[serde(default)]
    pub coupon_id: Option<String>,
}

event!(OrderPlaced, "주문됨", ORDER_TOPIC, key: order_id, OrderPlaced {
    order_id: "order-1".into(),
    customer_id: "demo-customer".into(),
    store_id: "store-seoul".into(),
    items: vec![OrderItem {
        menu_item_id: "tongdak".into(),
        name: "통닭".into(),
        quantity: 1,
        unit_price: 18_000,
    }],
    address: "서울".into(),
    total: 17_000,
    discount: 1_000,
    coupon_id: Some("coupon-1".into()),
});

/// 결제실패됨: the order ended without a payment. Payment voids the attempt where its outcome is unknown, marketing
/// frees the coupon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderPaymentFailed {
    /// The order.
    pub order_id: String,
    /// Who ordered.
    pub customer_id: String,
    /// Where.
    pub store_id: String,
    /// What would have been paid, in KRW.
    pub total: i64,
    /// `PAYMENT_DECLINED` or `PAYMENT_UNAVAILABLE`.
    pub reason: String,
    /// The attempt may have reached the payment service (timeout, broken line): it must be voided there.
    pub void_payment: bool,
    /// The coupon that was reserved.
    #[serde(default)]
    pub coupon_id: Option<String>,
}

event!(OrderPaymentFailed, "결제실패됨", ORDER_TOPIC, key: order_id, OrderPaymentFailed {
    order_id: "order-1".into(),
    customer_id: "demo-customer".into(),
    store_id: "store-seoul".into(),
    total: 18_000,
    reason: "PAYMENT_UNAVAILABLE".into(),
    void_payment: true,
    coupon_id: None,
});

/// 주문취소요청됨: the customer, or the clock, asks the store to give the order up. The store alone decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderCancelRequested {
    /// The order.
    pub order_id: String,
    /// Who ordered.
    pub customer_id: String,
    /// The store that is asked.
    pub store_id: String,
    /// Why: `CUSTOMER` or `NOT_ACCEPTED_IN_TIME`.
    pub reason: String,
}

event!(OrderCancelRequested, "주문취소요청됨", ORDER_TOPIC, key: order_id, OrderCancelRequested {
    order_id: "order-1".into(),
    customer_id: "demo-customer".into(),
    store_id: "store-seoul".into(),
    reason: "CUSTOMER".into(),
});

/// 주문취소됨: the order will not be delivered. Payment refunds `total` in full, marketing releases the coupon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderCancelled {
    /// The order.
    pub order_id: String,
    /// Who ordered.
    pub customer_id: String,
    /// Where.
    pub store_id: String,
    /// Why: `CUSTOMER`, `NOT_ACCEPTED_IN_TIME` or `STORE_REJECTED`.
    pub reason: String,
    /// What was paid and is to be refunded, in KRW.
    pub total: i64,
    /// The coupon that was used.
    #[serde(default)]
    pub coupon_id: Option<String>,
}

event!(OrderCancelled, "주문취소됨", ORDER_TOPIC, key: order_id, OrderCancelled {
    order_id: "order-1".into(),
    customer_id: "demo-customer".into(),
    store_id: "store-seoul".into(),
    reason: "STORE_REJECTED".into(),
    total: 17_000,
    coupon_id: Some("coupon-1".into()),
});
