//! The graph: what it answers, to whom, with which codes.

use async_graphql::{Request, Response};
use baedal_kit::auth::Caller;
use baedal_order::{domain::News, inbound::graphql, outbound::payment::Guards, ports::Approval};
use serde_json::{Value, json};

use crate::support::{World, basket, caller, unavailable};

async fn ask(world: &World, who: Caller, query: &str) -> Response {
    graphql::schema(world.app.clone(), Guards::default().layers())
        .execute(Request::new(query).data(who))
        .await
}

fn me() -> Caller {
    caller("demo-customer", "openid order")
}

async fn data(world: &World, who: Caller, query: &str) -> Value {
    let answer = ask(world, who, query).await;
    assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    answer.data.into_json().unwrap()
}

async fn code(world: &World, who: Caller, query: &str) -> Value {
    let answer = ask(world, who, query).await;
    let errors = serde_json::to_value(&answer.errors).unwrap();
    errors[0]["extensions"]["code"].clone()
}

fn place(key: &str, item: &str, quantity: i32) -> String {
    format!(
        r#"mutation {{ placeOrder(input: {{ storeId: "store-seoul", items: [{{ menuItemId: "{item}", quantity: {quantity} }}],
            address: "서울", idempotencyKey: "{key}" }}) {{ id customerId status total discount store {{ id }} items {{ menuItemId name quantity unitPrice }}
            address usedCoupon {{ id }} failure {{ code }} placedAt timeline {{ status event alias }} unified {{ status paymentStatus ticketStatus entries {{ source event }} }} }} }}"#
    )
}

#[tokio::test]
async fn an_order_is_placed_and_shown_whole() {
    let world = World::new().await;
    let placed = data(&world, me(), &place("k1", "pizza", 2)).await;
    let order = &placed["placeOrder"];
    assert_eq!(order["total"], 46_000);
    assert_eq!(order["status"], "PLACED");
    assert_eq!(order["customerId"], "demo-customer");
    assert_eq!(order["store"], json!({ "id": "store-seoul" }));
    assert_eq!(
        order["items"],
        json!([{ "menuItemId": "pizza", "name": "피자", "quantity": 2, "unitPrice": 23_000 }])
    );
    assert_eq!(
        order["timeline"],
        json!([{ "status": "PLACED", "event": "OrderPlaced", "alias": "주문됨" }])
    );
    assert_eq!(
        order["unified"]["entries"],
        json!([{ "source": "ORDER", "event": "OrderPlaced" }])
    );
    assert!(
        order["placedAt"]
            .as_str()
            .unwrap()
            .starts_with("2027-01-15T08:00:00"),
        "{}",
        order["placedAt"]
    );
}

#[tokio::test]
async fn nobody_sees_or_touches_the_order_of_another() {
    let world = World::new().await;
    let id = world.app.place(basket("k1")).await.unwrap().id;
    let id = id.as_str();
    let read = format!(r#"{{ order(id: "{id}") {{ id }} }}"#);
    let entity = format!(
        r#"{{ _entities(representations: [{{ __typename: "Order", id: "{id}" }}]) {{ ... on Order {{ id }} }} }}"#
    );
    let cancel = format!(r#"mutation {{ cancelOrder(id: "{id}") {{ id }} }}"#);
    let other = || caller("demo-customer-2", "order");
    assert_eq!(data(&world, other(), &read).await, json!({ "order": null }));
    assert_eq!(
        data(&world, other(), &entity).await,
        json!({ "_entities": [null] })
    );
    assert_eq!(
        data(&world, Caller::Anonymous, &entity).await,
        json!({ "_entities": [null] })
    );
    assert_eq!(code(&world, other(), &cancel).await, "NOT_FOUND");
    assert_eq!(
        code(&world, caller("demo-customer", "openid"), &read).await,
        "FORBIDDEN"
    );
    assert_eq!(code(&world, Caller::Anonymous, &read).await, "UNAUTHENTICATED");
    assert_eq!(
        code(&world, Caller::Anonymous, &place("k9", "pizza", 1)).await,
        "UNAUTHENTICATED"
    );
    assert_eq!(
        code(&world, caller("demo-owner", "store"), &place("k9", "pizza", 1)).await,
        "FORBIDDEN"
    );
    assert_eq!(data(&world, me(), &read).await, json!({ "order": { "id": id } }));
    assert_eq!(
        data(&world, caller("demo-operator", "operator"), &entity).await,
        json!({ "_entities": [{ "id": id }] })
    );
}

#[tokio::test]
async fn every_refusal_has_its_code() {
    let world = World::new().await;
    assert_eq!(code(&world, me(), &place("k1", "cola", 1)).await, "SOLD_OUT");
    assert_eq!(
        code(&world, me(), &place("k1", "sushi", 1)).await,
        "MENU_ITEM_UNKNOWN"
    );
    assert_eq!(
        code(&world, me(), &place("k1", "pizza", 0)).await,
        "INVALID_INPUT"
    );
    assert_eq!(
        code(&world, me(), &place("k1", "pizza", -1)).await,
        "INVALID_INPUT"
    );
    assert_eq!(code(&world, me(), &place("", "pizza", 1)).await, "INVALID_INPUT");
    assert_eq!(
        code(
            &world,
            me(),
            &place("k1", "pizza", 1).replace("store-seoul", "store-x")
        )
        .await,
        "STORE_CLOSED"
    );
    assert_eq!(
        code(
            &world,
            me(),
            &place("k1", "pizza", 1).replace("address:", r#"couponId: "c1", address:"#)
        )
        .await,
        "COUPON_UNUSABLE"
    );
    assert_eq!(
        code(&world, me(), r#"mutation { cancelOrder(id: "nothing") { id } }"#).await,
        "NOT_FOUND"
    );
    assert_eq!(
        code(&world, me(), "{ myOrders(first: 101) { edges { cursor } } }").await,
        "INVALID_INPUT"
    );
    assert_eq!(
        code(&world, me(), r#"{ myOrders(after: "zz") { edges { cursor } } }"#).await,
        "INVALID_INPUT"
    );
    assert_eq!(
        code(&world, me(), "{ stuckOrders { edges { cursor } } }").await,
        "FORBIDDEN"
    );
    assert_eq!(
        code(&world, me(), "{ paymentCircuit { state } }").await,
        "FORBIDDEN"
    );
    let circuit = data(
        &world,
        caller("op", "operator"),
        "{ paymentCircuit { state opened } }",
    )
    .await;
    assert_eq!(
        circuit,
        json!({ "paymentCircuit": { "state": "CLOSED", "opened": 0 } })
    );
    data(&world, me(), &place("k1", "pizza", 1)).await;
    assert_eq!(
        code(&world, me(), &place("k1", "pizza", 2)).await,
        "IDEMPOTENCY_CONFLICT"
    );
    world.payment.say(Approval::Declined {
        reason: "LIMIT_EXCEEDED".to_owned(),
    });
    assert_eq!(
        code(&world, me(), &place("k2", "pizza", 1)).await,
        "PAYMENT_DECLINED"
    );
}

#[tokio::test]
async fn an_unavailable_payment_says_which_order_and_when_to_come_again() {
    let world = World::new().await;
    world.payment.say(unavailable());
    let answer = ask(&world, me(), &place("k1", "pizza", 1)).await;
    let error = &serde_json::to_value(&answer.errors).unwrap()[0]["extensions"];
    assert_eq!(
        (&error["code"], &error["retryAfterMs"]),
        (&json!("PAYMENT_UNAVAILABLE"), &json!(2_000))
    );
    let read = format!(
        r#"{{ order(id: {}) {{ status failure {{ code reason }} }} }}"#,
        error["orderId"]
    );
    let expected = json!({ "order": { "status": "PAYMENT_FAILED", "failure": { "code": "PAYMENT_UNAVAILABLE", "reason": null } } });
    assert_eq!(data(&world, me(), &read).await, expected);
}

#[tokio::test]
async fn a_cooking_order_cannot_be_cancelled() {
    let world = World::new().await;
    let id = world.app.place(basket("k1")).await.unwrap().id;
    world
        .hear(&id, &[News::Accepted { eta_minutes: 30 }, News::CookingStarted])
        .await;
    let cancel = format!(r#"mutation {{ cancelOrder(id: "{}") {{ id }} }}"#, id.as_str());
    assert_eq!(code(&world, me(), &cancel).await, "INVALID_TRANSITION");
}

#[tokio::test]
async fn orders_come_in_pages_that_join() {
    let world = World::new().await;
    for n in 0..5 {
        world.app.place(basket(&format!("k{n}"))).await.unwrap();
        world.clock.move_on(std::time::Duration::from_secs(1));
    }
    let first = data(
        &world,
        me(),
        "{ myOrders(first: 3) { edges { node { id } } pageInfo { hasNextPage endCursor } } }",
    )
    .await;
    assert_eq!(
        (
            &first["myOrders"]["pageInfo"]["hasNextPage"],
            first["myOrders"]["edges"].as_array().unwrap().len()
        ),
        (&json!(true), 3)
    );
    let rest = format!(
        "{{ myOrders(after: {}) {{ edges {{ node {{ id }} }} pageInfo {{ hasNextPage }} }} }}",
        first["myOrders"]["pageInfo"]["endCursor"]
    );
    let rest = data(&world, me(), &rest).await;
    assert_eq!(
        (
            &rest["myOrders"]["pageInfo"]["hasNextPage"],
            rest["myOrders"]["edges"].as_array().unwrap().len()
        ),
        (&json!(false), 2)
    );
    let stuck = data(
        &world,
        caller("op", "operator"),
        "{ stuckOrders(olderThanSeconds: 3) { edges { node { status } } } }",
    )
    .await;
    assert_eq!(
        stuck["stuckOrders"]["edges"].as_array().unwrap().len(),
        2,
        "{stuck}"
    );
}

#[test]
fn the_sdl_is_that_of_a_subgraph() {
    let sdl = baedal_order::sdl();
    for part in [
        r#"@key(fields: "id")"#,
        r#"@key(fields: "id", resolvable: false)"#,
        "specs.apollo.dev/federation/v2",
        "@requiresScopes(scopes: [[\"order\"], [\"operator\"]])",
        "myOrders(first: Int, after: String): OrderConnection!",
        "placeOrder(input: PlaceOrderInput!): Order!",
    ] {
        assert!(sdl.contains(part), "{part} is missing in\n{sdl}");
    }
}
