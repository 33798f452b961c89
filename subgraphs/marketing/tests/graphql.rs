//! The API: what it answers, and to whom.

use crate::support::{CUSTOMER, Place, caller, delivered, told, using};
use async_graphql::Request;
use baedal_kit::auth::Caller;
use baedal_marketing::policies::Fact;
use baedal_marketing::{MarketingSchema, schema};
use futures_util::StreamExt;
use serde_json::{Value, json};

async fn ask(schema: &MarketingSchema, caller: Option<Caller>, query: &str) -> Value {
    serde_json::to_value(schema.execute(request(caller, query)).await).expect("JSON")
}

/// The first answer of a subscription.
async fn first(schema: &MarketingSchema, caller: Option<Caller>, query: &str) -> Value {
    let mut answers = Box::pin(schema.execute_stream(request(caller, query)));
    serde_json::to_value(answers.next().await.expect("an answer")).expect("JSON")
}

fn request(caller: Option<Caller>, query: &str) -> Request {
    let request = Request::new(query);
    match caller {
        Some(caller) => request.data(caller),
        None => request,
    }
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or("none")
}

fn customer() -> Option<Caller> {
    Some(caller(CUSTOMER, "order"))
}

/// Three deliveries, one of them refunded, one with the coupon of another.
async fn opened() -> (Place, MarketingSchema) {
    let place = Place::sqlite();
    let replica = place.replica().await;
    let events = [
        told("o-1", delivered(CUSTOMER)),
        told("o-2", delivered(CUSTOMER)),
        told("o-3", using("coupon-o-1")),
        told("o-3", delivered(CUSTOMER)),
        told(
            "o-2",
            Fact::PaymentRefunded {
                at: crate::support::START,
            },
        ),
    ];
    replica.take_in(&events).await;
    (place, schema(replica.app))
}

#[tokio::test]
async fn a_customer_sees_coupons_points_and_feed() {
    let (_place, schema) = opened().await;
    let query = "{myCoupons{nodes{id amount status issuedFor{id} usedFor{id}}} \
                 myPoints{balance entries(first:2){nodes{number kind points balance order{id}} pageInfo{hasNextPage endCursor}}} \
                 myFeed{nodes{sequence kind alias points order{id pointsEarned coupon{id}} store{id} coupon{id}}}}";
    let answer = ask(&schema, customer(), query).await;
    assert_eq!(code(&answer), "none", "{answer}");
    let data = &answer["data"];
    assert_eq!(
        data["myCoupons"]["nodes"][2],
        json!({"id": "coupon-o-1", "amount": 1000, "status": "REDEEMED",
        "issuedFor": {"id": "o-1"}, "usedFor": {"id": "o-3"}})
    );
    assert_eq!(data["myPoints"]["balance"], 1_800);
    assert_eq!(
        data["myPoints"]["entries"]["nodes"][0],
        json!({"number": 4, "kind": "REVERSED", "points": -900, "balance": 1800, "order": {"id": "o-2"}})
    );
    assert_eq!(
        data["myFeed"]["nodes"][0],
        json!({"sequence": 1, "kind": "DELIVERED", "alias": "배송됨", "points": 900,
        "order": {"id": "o-1", "pointsEarned": 900, "coupon": {"id": "coupon-o-1"}}, "store": {"id": "store-1"},
        "coupon": {"id": "coupon-o-1"}})
    );
}

#[tokio::test]
async fn lists_come_in_pages() {
    let (_place, schema) = opened().await;
    for (list, nodes, first, second) in [
        ("myCoupons", "id", json!("coupon-o-3"), json!("coupon-o-2")),
        ("myFeed", "sequence", json!(1), json!(2)),
    ] {
        let page = |after: String| {
            format!("{{{list}(first:1{after}){{nodes{{{nodes}}} pageInfo{{endCursor hasNextPage}}}}}}")
        };
        let one = ask(&schema, customer(), &page(String::new())).await;
        assert_eq!(one["data"][list]["nodes"][0][nodes], first, "{one}");
        let after = format!(",after:{}", one["data"][list]["pageInfo"]["endCursor"]);
        let two = ask(&schema, customer(), &page(after)).await;
        assert_eq!(two["data"][list]["nodes"][0][nodes], second, "{two}");
        for bad in [",after:\"zz\"", ",after:\"abcd\""] {
            assert_eq!(
                code(&ask(&schema, customer(), &page(bad.into())).await),
                "INVALID_INPUT"
            );
        }
    }
    let page = |after: String| {
        format!(
            "{{myPoints{{entries(first:3{after}){{nodes{{number}} pageInfo{{endCursor hasNextPage}}}}}}}}"
        )
    };
    let one = ask(&schema, customer(), &page(String::new())).await;
    let one = &one["data"]["myPoints"]["entries"];
    assert_eq!(one["pageInfo"]["hasNextPage"], true);
    let two = ask(
        &schema,
        customer(),
        &page(format!(",after:{}", one["pageInfo"]["endCursor"])),
    )
    .await;
    assert_eq!(
        two["data"]["myPoints"]["entries"]["nodes"],
        json!([{"number": 1}])
    );
}

#[tokio::test]
async fn the_callers_own_and_nobody_elses() {
    let (_place, schema) = opened().await;
    for field in [
        "myCoupons{nodes{id}}",
        "myPoints{balance}",
        "myFeed{nodes{sequence}}",
    ] {
        let query = format!("{{{field}}}");
        assert_eq!(
            code(&ask(&schema, None, &query).await),
            "UNAUTHENTICATED",
            "{field}"
        );
        assert_eq!(
            code(&ask(&schema, Some(caller("owner", "store")), &query).await),
            "FORBIDDEN",
            "{field}"
        );
    }
    let other = Some(caller("customer-2", "order"));
    let answer = ask(
        &schema,
        other,
        "{myCoupons{nodes{id}} myPoints{balance} myFeed{nodes{sequence}}}",
    )
    .await;
    assert_eq!(
        answer["data"],
        json!({"myCoupons": {"nodes": []}, "myPoints": {"balance": 0}, "myFeed": {"nodes": []}})
    );
}

#[tokio::test]
async fn an_order_shows_what_it_earned_to_those_concerned() {
    let (_place, schema) = opened().await;
    let query = "{_entities(representations:[{__typename:\"Order\",id:\"o-1\"},{__typename:\"Coupon\",id:\"coupon-o-1\"},\
                 {__typename:\"Order\",id:\"nothing\"}]){...on Order{coupon{id} pointsEarned} ...on Coupon{amount}}}";
    let nothing = json!({"coupon": null, "pointsEarned": null});
    let seen = json!([{"coupon": {"id": "coupon-o-1"}, "pointsEarned": 900}, {"amount": 1000}, nothing]);
    let hidden = json!([nothing, null, nothing]);
    for (who, expected) in [
        (customer(), &seen),
        (Some(caller("operator", "operator")), &seen),
        (None, &hidden),
        (Some(caller("customer-2", "order")), &hidden),
        (Some(caller(CUSTOMER, "openid")), &hidden),
        (Some(caller("owner", "store")), &hidden),
    ] {
        let answer = ask(&schema, who, query).await;
        assert_eq!(&answer["data"]["_entities"], expected, "{answer}");
    }
}

#[tokio::test]
async fn a_subscription_is_refused_with_a_code() {
    let (_place, schema) = opened().await;
    let live = "subscription{deliveryFeed{sequence}}";
    assert_eq!(code(&first(&schema, None, live).await), "UNAUTHENTICATED");
    assert_eq!(
        code(&first(&schema, Some(caller("owner", "store")), live).await),
        "FORBIDDEN"
    );
    let beyond = baedal_kit::page::encode("99");
    let far = baedal_kit::page::encode("18446744073709551615");
    for bad in ["nonsense", "", "zz", "2d31", &beyond, &far] {
        let query = format!("subscription{{deliveryFeed(after:\"{bad}\"){{sequence}}}}");
        assert_eq!(
            code(&first(&schema, customer(), &query).await),
            "INVALID_CURSOR",
            "{bad:?}"
        );
    }
}

#[tokio::test]
async fn a_feeds_cursors_are_those_of_the_subscription() {
    let (_place, schema) = opened().await;
    let page = ask(
        &schema,
        customer(),
        "{myFeed(first:2){nodes{cursor} pageInfo{endCursor}}}",
    )
    .await;
    let page = &page["data"]["myFeed"];
    assert_eq!(page["nodes"][1]["cursor"], page["pageInfo"]["endCursor"]);
    let query = format!(
        "subscription{{deliveryFeed(after:{}){{sequence order{{id}}}}}}",
        page["pageInfo"]["endCursor"]
    );
    let answer = first(&schema, customer(), &query).await;
    assert_eq!(
        answer["data"]["deliveryFeed"],
        json!({"sequence": 3, "order": {"id": "o-3"}})
    );
}

#[test]
fn the_sdl_is_federation_2_with_the_entities_of_the_contract() {
    let sdl = baedal_marketing::sdl();
    for line in [
        "type Coupon @key(fields: \"id\")",
        "type Order @key(fields: \"id\")",
        "type Store @key(fields: \"id\", resolvable: false)",
        "deliveryFeed(after: String): FeedItem!",
        "pointsEarned: Int",
        "https://specs.apollo.dev/federation/v2",
    ] {
        assert!(sdl.contains(line), "{line} in\n{sdl}");
    }
    assert_eq!(sdl, baedal_marketing::sdl(), "the same every time");
}
