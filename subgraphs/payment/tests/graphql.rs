//! The graph: what it answers, to whom.

use async_graphql::{Request, Response};
use baedal_kit::auth::Caller;
use baedal_payment::inbound::graphql;
use serde_json::{Value, json};

use crate::support::{World, approve, caller};

async fn ask(world: &World, who: Caller, query: &str) -> Response {
    graphql::schema(world.store.payments.clone())
        .execute(Request::new(query).data(who))
        .await
}

async fn data(world: &World, who: Caller, query: &str) -> Value {
    let answer = ask(world, who, query).await;
    assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    answer.data.into_json().unwrap()
}

async fn code(world: &World, who: Caller, query: &str) -> Value {
    serde_json::to_value(&ask(world, who, query).await.errors).unwrap()[0]["extensions"]["code"].clone()
}

#[tokio::test]
async fn a_payment_is_shown_to_who_paid_and_to_operators() {
    let world = World::new().await;
    world.app.approve(approve("o1"), None).await.unwrap();
    let read = r#"{ payment(orderId: "o1") { orderId amount status approvedAt refundedAt reason } }"#;
    let entity = r#"{ _entities(representations: [{ __typename: "Order", id: "o1" }, { __typename: "Order", id: "o2" }]) {
        ... on Order { id payment { amount } } } }"#;
    let own = r#"{ _entities(representations: [{ __typename: "Payment", orderId: "o1" }]) { ... on Payment { amount } } }"#;
    let (me, other) = (
        || caller("demo-customer", "order"),
        || caller("demo-customer-2", "order"),
    );
    let shown = json!({ "payment": { "orderId": "o1", "amount": 18_000, "status": "APPROVED",
        "approvedAt": "2027-01-15T08:00:00Z", "refundedAt": null, "reason": null } });
    assert_eq!(data(&world, me(), read).await, shown);
    assert_eq!(
        data(&world, caller("demo-operator", "operator"), read).await,
        shown
    );
    assert_eq!(data(&world, other(), read).await, json!({ "payment": null }));
    let seen = json!({ "_entities": [{ "id": "o1", "payment": { "amount": 18_000 } }, { "id": "o2", "payment": null }] });
    let hidden = json!({ "_entities": [{ "id": "o1", "payment": null }, { "id": "o2", "payment": null }] });
    assert_eq!(data(&world, me(), entity).await, seen);
    assert_eq!(data(&world, other(), entity).await, hidden);
    assert_eq!(data(&world, Caller::Anonymous, entity).await, hidden);
    assert_eq!(
        data(&world, me(), own).await,
        json!({ "_entities": [{ "amount": 18_000 }] })
    );
    assert_eq!(data(&world, other(), own).await, json!({ "_entities": [null] }));
    assert_eq!(code(&world, Caller::Anonymous, read).await, "UNAUTHENTICATED");
    assert_eq!(
        code(&world, caller("demo-owner", "store"), read).await,
        "FORBIDDEN"
    );
}

#[tokio::test]
async fn payments_come_in_pages_that_join() {
    let world = World::new().await;
    for n in 0..5 {
        world.app.approve(approve(&format!("o{n}")), None).await.unwrap();
        world.clock.move_on(std::time::Duration::from_secs(1));
    }
    let me = || caller("demo-customer", "order");
    let first = data(
        &world,
        me(),
        "{ myPayments(first: 3) { edges { node { orderId } } pageInfo { hasNextPage endCursor } } }",
    )
    .await;
    let first = &first["myPayments"];
    assert_eq!(
        (
            &first["pageInfo"]["hasNextPage"],
            first["edges"][0]["node"]["orderId"].as_str()
        ),
        (&json!(true), Some("o4"))
    );
    let rest = format!(
        "{{ myPayments(after: {}) {{ edges {{ node {{ orderId }} }} }} }}",
        first["pageInfo"]["endCursor"]
    );
    let rest = data(&world, me(), &rest).await;
    assert_eq!(
        rest["myPayments"]["edges"],
        json!([{ "node": { "orderId": "o1" } }, { "node": { "orderId": "o0" } }])
    );
    assert_eq!(
        code(&world, me(), "{ myPayments(first: 0) { edges { cursor } } }").await,
        "INVALID_INPUT"
    );
    assert_eq!(
        code(&world, Caller::Anonymous, "{ myPayments { edges { cursor } } }").await,
        "UNAUTHENTICATED"
    );
}

#[test]
fn the_sdl_is_that_of_a_subgraph() {
    let sdl = baedal_payment::sdl();
    for part in [
        r#"@key(fields: "orderId")"#,
        r#"@key(fields: "id")"#,
        "specs.apollo.dev/federation/v2",
        "payment: Payment",
    ] {
        assert!(sdl.contains(part), "{part} is missing in\n{sdl}");
    }
}
