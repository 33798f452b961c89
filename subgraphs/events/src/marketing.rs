//! Events of the marketing service (마케팅).

use crate::{MARKETING_TOPIC, event::event};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// 쿠폰발행됨: a customer owns a new coupon. Keyed by the delivered order it was given for, else by the coupon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CouponIssued {
    /// The coupon.
    pub coupon_id: String,
    /// Whose it is.
    pub customer_id: String,
    /// What it takes off an order, in KRW.
    pub amount: i64,
    /// The delivered order it was given for; absent for a campaign's coupon.
    #[serde(default)]
    pub order_id: Option<String>,
    /// The campaign it was given in.
    #[serde(default)]
    pub campaign_id: Option<String>,
    /// Until when it can be used, RFC 3339.
    pub expires_at: String,
}

impl CouponIssued {
    /// The coupon itself where no order stands behind it.
    fn order_or_coupon(&self) -> &str {
        self.order_id.as_deref().unwrap_or(&self.coupon_id)
    }
}

impl crate::DomainEvent for CouponIssued {
    const TYPE: &'static str = "CouponIssued";
    const ALIAS: &'static str = "쿠폰발행됨";
    const VERSION: u32 = 1;
    const TOPIC: &'static str = MARKETING_TOPIC;

    fn key(&self) -> &str {
        self.order_or_coupon()
    }

    fn example() -> Self {
        CouponIssued {
            coupon_id: "coupon-1".into(),
            customer_id: "demo-customer".into(),
            amount: 1_000,
            order_id: Some("order-0".into()),
            campaign_id: None,
            expires_at: "2026-12-31T15:00:00Z".into(),
        }
    }
}

/// 쿠폰사용됨: the coupon is used up by an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CouponRedeemed {
    /// The coupon.
    pub coupon_id: String,
    /// Whose it was.
    pub customer_id: String,
    /// The order it was used for.
    pub order_id: String,
}

event!(CouponRedeemed, "쿠폰사용됨", MARKETING_TOPIC, key: order_id, CouponRedeemed {
    coupon_id: "coupon-1".into(),
    customer_id: "demo-customer".into(),
    order_id: "order-1".into(),
});

/// 쿠폰반환됨: the order it was used for came to nothing; it can be used again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CouponReleased {
    /// The coupon.
    pub coupon_id: String,
    /// Whose it is.
    pub customer_id: String,
    /// The order that came to nothing.
    pub order_id: String,
}

event!(CouponReleased, "쿠폰반환됨", MARKETING_TOPIC, key: order_id, CouponReleased {
    coupon_id: "coupon-1".into(),
    customer_id: "demo-customer".into(),
    order_id: "order-1".into(),
});

/// 포인트적립됨: points for a delivered order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PointsEarned {
    /// Whose account.
    pub customer_id: String,
    /// The order.
    pub order_id: String,
    /// How many, above 0.
    pub points: i64,
    /// The account's balance afterwards.
    pub balance: i64,
}

event!(PointsEarned, "포인트적립됨", MARKETING_TOPIC, key: order_id, PointsEarned {
    customer_id: "demo-customer".into(),
    order_id: "order-1".into(),
    points: 170,
    balance: 170,
});

/// 포인트회수됨: points taken back because the order was refunded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PointsReversed {
    /// Whose account.
    pub customer_id: String,
    /// The order.
    pub order_id: String,
    /// How many were taken back, above 0.
    pub points: i64,
    /// The account's balance afterwards, never below 0.
    pub balance: i64,
}

event!(PointsReversed, "포인트회수됨", MARKETING_TOPIC, key: order_id, PointsReversed {
    customer_id: "demo-customer".into(),
    order_id: "order-1".into(),
    points: 170,
    balance: 0,
});

/// 캠페인발행됨: a campaign gives coupons from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CampaignPublished {
    /// The campaign.
    pub campaign_id: String,
    /// Its name.
    pub name: String,
    /// What its coupons take off, in KRW.
    pub coupon_amount: i64,
    /// When it ends, RFC 3339; absent while it is open-ended.
    #[serde(default)]
    pub ends_at: Option<String>,
}

event!(CampaignPublished, "캠페인발행됨", MARKETING_TOPIC, key: campaign_id, CampaignPublished {
    campaign_id: "campaign-1".into(),
    name: "첫 주문 할인".into(),
    coupon_amount: 2_000,
    ends_at: Some("2026-12-31T15:00:00Z".into()),
});
