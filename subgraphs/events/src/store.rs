//! Events of the store service (상점): shops and menus (keyed by store), and tickets (keyed by order).

use crate::{STORE_TOPIC, event::event};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// 상점열림: the store takes orders. Published when it opens, and when it is first set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoreOpened {
    /// The store.
    pub store_id: String,
    /// Its name.
    pub name: String,
    /// Its owner (the `sub` of the owner's access token).
    pub owner_id: String,
}

event!(StoreOpened, "상점열림", STORE_TOPIC, key: store_id, StoreOpened {
    store_id: "store-seoul".into(),
    name: "서울통닭".into(),
    owner_id: "demo-owner".into(),
});

/// 상점닫힘: the store takes no orders until it opens again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoreClosed {
    /// The store.
    pub store_id: String,
}

event!(StoreClosed, "상점닫힘", STORE_TOPIC, key: store_id, StoreClosed { store_id: "store-seoul".into() });

/// A dish on the menu board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MenuItem {
    /// Its id, unique within the store.
    pub menu_item_id: String,
    /// Its name.
    pub name: String,
    /// Its price in KRW.
    pub price: i64,
    /// It cannot be ordered at the moment.
    pub sold_out: bool,
}

/// 메뉴변경됨: a dish was added or changed; carries the dish as it now is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MenuChanged {
    /// The store.
    pub store_id: String,
    /// Version of the store's menu after the change; a reader keeps the newest it has seen of each dish.
    pub menu_version: i64,
    /// The dish as it now is.
    pub item: MenuItem,
}

event!(MenuChanged, "메뉴변경됨", STORE_TOPIC, key: store_id, MenuChanged {
    store_id: "store-seoul".into(),
    menu_version: 1,
    item: MenuItem { menu_item_id: "tongdak".into(), name: "통닭".into(), price: 18_000, sold_out: false },
});

/// 품절됨: a dish cannot be ordered until the menu is changed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemSoldOut {
    /// The store.
    pub store_id: String,
    /// Version of the store's menu after the change.
    pub menu_version: i64,
    /// The dish.
    pub menu_item_id: String,
}

event!(ItemSoldOut, "품절됨", STORE_TOPIC, key: store_id, ItemSoldOut {
    store_id: "store-seoul".into(),
    menu_version: 2,
    menu_item_id: "tongdak".into(),
});

/// 주문수락됨: the store will cook it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderAccepted {
    /// The order.
    pub order_id: String,
    /// The store.
    pub store_id: String,
    /// Who ordered.
    pub customer_id: String,
    /// Minutes until delivery, as the store reckons.
    pub eta_minutes: u32,
}

event!(OrderAccepted, "주문수락됨", STORE_TOPIC, key: order_id, OrderAccepted {
    order_id: "order-1".into(),
    store_id: "store-seoul".into(),
    customer_id: "demo-customer".into(),
    eta_minutes: 30,
});

/// 주문거절됨: the store will not cook it. The order is cancelled and refunded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderRejected {
    /// The order.
    pub order_id: String,
    /// The store.
    pub store_id: String,
    /// Who ordered.
    pub customer_id: String,
    /// Why, in the owner's words.
    pub reason: String,
}

event!(OrderRejected, "주문거절됨", STORE_TOPIC, key: order_id, OrderRejected {
    order_id: "order-1".into(),
    store_id: "store-seoul".into(),
    customer_id: "demo-customer".into(),
    reason: "재료 소진".into(),
});

/// 요리시작됨: the dish is on the fire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CookingStarted {
    /// The order.
    pub order_id: String,
    /// The store.
    pub store_id: String,
    /// Who ordered.
    pub customer_id: String,
}

event!(CookingStarted, "요리시작됨", STORE_TOPIC, key: order_id, CookingStarted {
    order_id: "order-1".into(),
    store_id: "store-seoul".into(),
    customer_id: "demo-customer".into(),
});

/// 요리완료됨: the dish is ready to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CookingFinished {
    /// The order.
    pub order_id: String,
    /// The store.
    pub store_id: String,
    /// Who ordered.
    pub customer_id: String,
}

event!(CookingFinished, "요리완료됨", STORE_TOPIC, key: order_id, CookingFinished {
    order_id: "order-1".into(),
    store_id: "store-seoul".into(),
    customer_id: "demo-customer".into(),
});

/// 배달시작됨: a rider is on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryStarted {
    /// The order.
    pub order_id: String,
    /// The store.
    pub store_id: String,
    /// Who ordered.
    pub customer_id: String,
}

event!(DeliveryStarted, "배달시작됨", STORE_TOPIC, key: order_id, DeliveryStarted {
    order_id: "order-1".into(),
    store_id: "store-seoul".into(),
    customer_id: "demo-customer".into(),
});

/// 배송됨: the customer has it. Marketing gives points, a coupon and a feed item, once per order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivered {
    /// The order.
    pub order_id: String,
    /// The store.
    pub store_id: String,
    /// Who ordered.
    pub customer_id: String,
    /// What was paid, in KRW (points are a share of it).
    pub total: i64,
}

event!(Delivered, "배송됨", STORE_TOPIC, key: order_id, Delivered {
    order_id: "order-1".into(),
    store_id: "store-seoul".into(),
    customer_id: "demo-customer".into(),
    total: 17_000,
});

/// 주문취소수락됨: the store gives the ticket up; the order becomes CANCELLED and is refunded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoreCancelAccepted {
    /// The order.
    pub order_id: String,
    /// The store.
    pub store_id: String,
    /// Who ordered.
    pub customer_id: String,
}

event!(StoreCancelAccepted, "주문취소수락됨", STORE_TOPIC, key: order_id, StoreCancelAccepted {
    order_id: "order-1".into(),
    store_id: "store-seoul".into(),
    customer_id: "demo-customer".into(),
});

/// 주문취소거부됨: it is being cooked already; the order goes back to the status it had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoreCancelRefused {
    /// The order.
    pub order_id: String,
    /// The store.
    pub store_id: String,
    /// Who ordered.
    pub customer_id: String,
    /// The ticket's status that forbids it, e.g. `COOKING`.
    pub ticket_status: String,
}

event!(StoreCancelRefused, "주문취소거부됨", STORE_TOPIC, key: order_id, StoreCancelRefused {
    order_id: "order-1".into(),
    store_id: "store-seoul".into(),
    customer_id: "demo-customer".into(),
    ticket_status: "COOKING".into(),
});
