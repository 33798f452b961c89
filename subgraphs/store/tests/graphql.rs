//! The API: what it answers, and to whom.

use crate::support::{CUSTOMER, OWNER, Place, STORE, caller, ordered};
use async_graphql::Request;
use baedal_kit::auth::Caller;
use baedal_store::{StoreSchema, schema};
use serde_json::{Value, json};

async fn ask(schema: &StoreSchema, caller: Option<Caller>, query: &str) -> Value {
    let request = Request::new(query);
    let request = match caller {
        Some(caller) => request.data(caller),
        None => request,
    };
    serde_json::to_value(schema.execute(request).await).expect("JSON")
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or("none")
}

fn owner() -> Option<Caller> {
    Some(caller(OWNER, "store"))
}

async fn opened() -> (Place, StoreSchema) {
    let place = Place::sqlite();
    let (_, app) = place.opened().await;
    app.take_in(&ordered("o-1")).await.expect("taken in");
    app.take_in(&ordered("o-2")).await.expect("taken in");
    let schema = schema(app);
    (place, schema)
}

#[tokio::test]
async fn menus_are_for_everybody() {
    let (_place, schema) = opened().await;
    let answer = ask(
        &schema,
        None,
        "{stores{nodes{id name isOpen menu{id name price soldOut}}}}",
    )
    .await;
    let item = json!({"id": "tongdak", "name": "통닭", "price": 18000, "soldOut": false});
    let store = json!({"id": STORE, "name": "가게", "isOpen": true, "menu": [item]});
    assert_eq!(answer["data"]["stores"]["nodes"], json!([store]));
}

#[tokio::test]
async fn stores_and_the_board_come_in_pages() {
    let (_place, schema) = opened().await;
    let board = |after: &str| {
        format!(
            "{{ticketBoard(storeId:\"{STORE}\",first:1{after}){{nodes{{orderId}} pageInfo{{hasNextPage endCursor}}}}}}"
        )
    };
    let first = ask(&schema, owner(), &board("")).await;
    let first = &first["data"]["ticketBoard"];
    assert_eq!(
        (&first["nodes"][0]["orderId"], &first["pageInfo"]["hasNextPage"]),
        (&json!("o-1"), &json!(true))
    );
    let after = format!(",after:{}", first["pageInfo"]["endCursor"]);
    let second = ask(&schema, owner(), &board(&after)).await;
    let second = &second["data"]["ticketBoard"];
    assert_eq!(
        (&second["nodes"][0]["orderId"], &second["pageInfo"]["hasNextPage"]),
        (&json!("o-2"), &json!(false))
    );
    for bad in [",after:\"zz\"", ",after:\"abcd\"", ",first:101"] {
        let answer = ask(&schema, owner(), &board(bad).replace("first:1,first", "first")).await;
        assert_eq!(code(&answer), "INVALID_INPUT", "{bad}: {answer}");
    }
}

#[tokio::test]
async fn an_owner_runs_the_store() {
    let (_place, schema) = opened().await;
    let moved = |field: &str| format!("mutation{{{field}{{status etaMinutes}}}}");
    for (field, status) in [
        ("acceptOrder(orderId:\"o-1\",etaMinutes:25)", "ACCEPTED"),
        ("startCooking(orderId:\"o-1\")", "COOKING"),
        ("finishCooking(orderId:\"o-1\")", "COOKED"),
        ("startDelivery(orderId:\"o-1\")", "DELIVERING"),
        ("completeDelivery(orderId:\"o-1\")", "DELIVERED"),
    ] {
        let answer = ask(&schema, owner(), &moved(field)).await;
        let name = field.split('(').next().expect("a name");
        assert_eq!(
            answer["data"][name],
            json!({"status": status, "etaMinutes": 25}),
            "{answer}"
        );
    }
    let again = ask(&schema, owner(), &moved("startCooking(orderId:\"o-1\")")).await;
    assert_eq!(code(&again), "INVALID_TRANSITION");
    let rejected = ask(
        &schema,
        owner(),
        "mutation{rejectOrder(orderId:\"o-2\",reason:\"재료 소진\"){status reason}}",
    )
    .await;
    assert_eq!(
        rejected["data"]["rejectOrder"],
        json!({"status": "REJECTED", "reason": "재료 소진"})
    );
    let sales = ask(
        &schema,
        owner(),
        &format!("{{sales(storeId:\"{STORE}\"){{orders revenue dishes{{name quantity revenue}}}}}}"),
    )
    .await;
    let dish = json!({"name": "통닭", "quantity": 1, "revenue": 18000});
    assert_eq!(
        sales["data"]["sales"],
        json!({"orders": 1, "revenue": 18000, "dishes": [dish]})
    );
}

#[tokio::test]
async fn an_owner_keeps_the_menu() {
    let (_place, schema) = opened().await;
    let opened = ask(
        &schema,
        owner(),
        "mutation{openStore(input:{name:\"새 가게\"}){id isOpen ownerId}}",
    )
    .await;
    let opened = &opened["data"]["openStore"];
    assert_eq!(
        (&opened["isOpen"], &opened["ownerId"]),
        (&json!(true), &json!(OWNER))
    );
    let id = &opened["id"];
    let set = format!(
        "mutation{{setMenuItem(storeId:{id},item:{{id:\"a\",name:\"피자\",price:23000}}){{menu{{id price}}}}}}"
    );
    let set = ask(&schema, owner(), &set).await;
    assert_eq!(
        set["data"]["setMenuItem"]["menu"],
        json!([{"id": "a", "price": 23000}])
    );
    let out = ask(
        &schema,
        owner(),
        &format!("mutation{{markSoldOut(storeId:{id},menuItemId:\"a\"){{menu{{soldOut}}}}}}"),
    )
    .await;
    assert_eq!(out["data"]["markSoldOut"]["menu"][0]["soldOut"], true);
    let close = format!("mutation{{closeStore(storeId:{id}){{isOpen}}}}");
    assert_eq!(
        ask(&schema, owner(), &close).await["data"]["closeStore"]["isOpen"],
        false
    );
    assert_eq!(code(&ask(&schema, owner(), &close).await), "INVALID_TRANSITION");
    let again = format!("mutation{{openStore(input:{{storeId:{id},name:\"또\"}}){{isOpen name}}}}");
    assert_eq!(
        ask(&schema, owner(), &again).await["data"]["openStore"],
        json!({"isOpen": true, "name": "또"})
    );
    let bad = format!("mutation{{setMenuItem(storeId:{id},item:{{name:\"\",price:1}}){{id}}}}");
    assert_eq!(code(&ask(&schema, owner(), &bad).await), "INVALID_INPUT");
}

#[tokio::test]
async fn commands_need_the_owner() {
    let (_place, schema) = opened().await;
    let fields = [
        format!("closeStore(storeId:\"{STORE}\"){{id}}"),
        format!("setMenuItem(storeId:\"{STORE}\",item:{{name:\"a\",price:1}}){{id}}"),
        format!("markSoldOut(storeId:\"{STORE}\",menuItemId:\"tongdak\"){{id}}"),
        format!("openStore(input:{{storeId:\"{STORE}\",name:\"mine\"}}){{id}}"),
        "acceptOrder(orderId:\"o-1\",etaMinutes:20){orderId}".into(),
        "rejectOrder(orderId:\"o-1\",reason:\"no\"){orderId}".into(),
        "startCooking(orderId:\"o-1\"){orderId}".into(),
        "finishCooking(orderId:\"o-1\"){orderId}".into(),
        "startDelivery(orderId:\"o-1\"){orderId}".into(),
        "completeDelivery(orderId:\"o-1\"){orderId}".into(),
    ];
    for field in fields {
        let query = format!("mutation{{{field}}}");
        for (who, expected) in [
            (None, "UNAUTHENTICATED"),
            (Some(caller(CUSTOMER, "order")), "FORBIDDEN"),
            (Some(caller("operator", "operator")), "FORBIDDEN"),
            (Some(caller("owner-2", "store")), "NOT_FOUND"),
        ] {
            let answer = ask(&schema, who, &query).await;
            assert_eq!(code(&answer), expected, "{query}: {answer}");
            let nothing = ask(
                &schema,
                owner(),
                &query.replace(STORE, "nothing").replace("o-1", "nothing"),
            )
            .await;
            if expected == "NOT_FOUND" {
                assert_eq!(
                    answer["errors"][0]["message"], nothing["errors"][0]["message"],
                    "the same answer"
                );
            }
        }
    }
    let untouched = ask(&schema, None, "{stores{nodes{isOpen menu{soldOut}}}}").await;
    assert_eq!(
        untouched["data"]["stores"]["nodes"],
        json!([{"isOpen": true, "menu": [{"soldOut": false}]}])
    );
}

#[tokio::test]
async fn boards_and_sales_are_for_the_owner_and_operators() {
    let (_place, schema) = opened().await;
    for field in [
        "ticketBoard(storeId:\"ID\"){nodes{orderId}}",
        "sales(storeId:\"ID\"){orders}",
    ] {
        let query = format!("{{{}}}", field.replace("ID", STORE));
        for (who, expected) in [
            (None, "UNAUTHENTICATED"),
            (Some(caller(CUSTOMER, "order")), "FORBIDDEN"),
            (Some(caller("owner-2", "store")), "NOT_FOUND"),
            (owner(), "none"),
            (Some(caller("operator", "operator")), "none"),
        ] {
            assert_eq!(code(&ask(&schema, who, &query).await), expected, "{query}");
        }
    }
}

#[tokio::test]
async fn a_ticket_is_seen_by_those_concerned_and_by_nobody_else() {
    let (_place, schema) = opened().await;
    let query = "{_entities(representations:[{__typename:\"Order\",id:\"o-1\"},{__typename:\"StoreOrder\",orderId:\"o-1\"},\
                 {__typename:\"Order\",id:\"nothing\"}]){...on Order{ticket{status store{id}}} ...on StoreOrder{status}}}";
    let seen = json!([{"ticket": {"status": "RECEIVED", "store": {"id": STORE}}}, {"status": "RECEIVED"}, {"ticket": null}]);
    let hidden = json!([{"ticket": null}, null, {"ticket": null}]);
    for (who, expected) in [
        (Some(caller(CUSTOMER, "order")), &seen),
        (owner(), &seen),
        (Some(caller("operator", "operator")), &seen),
        (None, &hidden),
        (Some(caller("customer-2", "order")), &hidden),
        (Some(caller("owner-2", "store")), &hidden),
        (Some(caller(CUSTOMER, "openid")), &hidden),
    ] {
        let answer = ask(&schema, who, query).await;
        assert_eq!(&answer["data"]["_entities"], expected, "{answer}");
    }
}

#[test]
fn the_sdl_is_federation_2_with_the_entities_of_the_contract() {
    let sdl = baedal_store::sdl();
    for line in [
        "type Store @key(fields: \"id\")",
        "type StoreOrder @key(fields: \"orderId\")",
        "type Order @key(fields: \"id\")",
        "ticket: StoreOrder",
        "scalar DateTime",
        "https://specs.apollo.dev/federation/v2",
    ] {
        assert!(sdl.contains(line), "{line} in\n{sdl}");
    }
    assert_eq!(sdl, baedal_store::sdl(), "the same every time");
}
