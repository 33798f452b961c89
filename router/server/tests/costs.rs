//! C48, C56: what an operation may cost is estimated before it is planned, and refused above the budget.

use baedal_router::config::CostMode;
use serde_json::json;

use crate::support::{Client, World};

async fn metrics(world: &World) -> String {
    let addr = world.gateway.metrics_addr().expect("metrics are served");
    let page = reqwest::get(format!("http://{addr}/metrics")).await;
    page.expect("sent").text().await.expect("a page")
}

async fn told(change: impl FnOnce(&mut baedal_router::Config)) -> World {
    World::with(|config| {
        config.metrics.listen = Some(([127, 0, 0, 1], 0).into());
        change(config);
    })
    .await
}

#[tokio::test]
async fn a_huge_page_is_refused_by_default_wherever_the_number_comes_from() {
    let world = told(|_| ()).await;
    let by_variable = "query($n: Int!) { topProducts(first: $n) { upc } }";
    let refused = [
        world.query("{ topProducts(first: 99999999) { upc } }").await,
        world
            .client()
            .with_variables(by_variable, json!({"n": 99_999_999}))
            .await,
        world
            .query("query($n: Int! = 99999999) { topProducts(first: $n) { upc } }")
            .await,
    ];
    for answer in refused {
        assert_eq!(
            (answer.status, answer.code()),
            (400, "COST_LIMIT_EXCEEDED"),
            "{answer:?}"
        );
        let cost = &answer.errors()[0]["extensions"]["cost"];
        assert_eq!(*cost, json!({"estimate": 99_999_999, "limit": 1_000_000}));
    }
    assert!(world.products.requests().is_empty());
    let small = world.client().with_variables(by_variable, json!({"n": 1})).await;
    assert_eq!(*small.data(), json!({"topProducts": [{"upc": "top-1"}]}));
    let page = metrics(&world).await;
    assert!(
        page.contains("baedal_router_refused_total{code=\"COST_LIMIT_EXCEEDED\"} 3\n"),
        "{page}"
    );
    assert!(page.contains("baedal_router_operation_cost_count 4\n"), "{page}");
    assert!(
        page.contains("baedal_router_operation_cost_bucket{le=\"1\"} 1\n"),
        "{page}"
    );
}

#[tokio::test]
async fn nested_lists_multiply_and_conditions_count() {
    let world = World::with(|config| config.limits.cost.budget = 200).await;
    let query = "query($all: Boolean!) { topProducts(first: 2) { upc reviews @include(if: $all) { author { reviews { id } } } } }";
    // 2 × (1 + 10 × (1 + 1 + 10))
    let answer = world.client().with_variables(query, json!({"all": true})).await;
    assert_eq!(
        answer.errors()[0]["extensions"]["cost"],
        json!({"estimate": 242, "limit": 200}),
        "{answer:?}"
    );
    world
        .client()
        .with_variables(query, json!({"all": false}))
        .await
        .data();
    // Plain JSON has status 200, like every refusal of the GraphQL request.
    let plain = Client::new(world.gateway.url()).header("accept", "application/json");
    let answer = plain.with_variables(query, json!({"all": true})).await;
    assert_eq!((answer.status, answer.code()), (200, "COST_LIMIT_EXCEEDED"));
}

#[tokio::test]
async fn costs_can_be_measured_only_and_be_off() {
    let measured = told(|config| {
        config.limits.cost.mode = CostMode::Measure;
        config.limits.cost.budget = 1;
    })
    .await;
    measured
        .query("{ topProducts(first: 99999999) { upc } }")
        .await
        .data();
    assert!(
        metrics(&measured)
            .await
            .contains("baedal_router_operation_cost_count 1\n")
    );
    let off = told(|config| {
        config.limits.cost.mode = CostMode::Off;
        config.limits.cost.budget = 1;
    })
    .await;
    off.query("{ topProducts(first: 99999999) { upc } }").await.data();
    assert!(
        metrics(&off)
            .await
            .contains("baedal_router_operation_cost_count 0\n")
    );
}

#[tokio::test]
async fn the_schema_says_what_things_cost() {
    let world = World::with(|config| config.limits.cost.budget = 60).await;
    let sdl = world.products.sdl();
    let start = sdl.find("@link(").expect("a link");
    let list = start + sdl[start..].find(']').expect("its imports");
    let end = list + sdl[list..].find(')').expect("its end") + 1;
    let link = "@link(url: \"https://specs.apollo.dev/federation/v2.9\", import: [\"@key\", \"@shareable\", \"@cost\", \"@listSize\"])";
    let changed = format!("{}{link}{}", &sdl[..start], &sdl[end..])
        .replace("price: Int!", "price: Int! @cost(weight: 7)")
        .replace(
            "topProducts(first: Int! = 2): [Product!]!",
            "topProducts(first: Int): [Product!]! @listSize(slicingArguments: [\"first\"])",
        );
    assert!(changed.contains("@listSize(slicing"), "{changed}");
    world.products.set_sdl(changed);
    crate::support::eventually("the new schema is served", || async {
        world.query("{ topProducts { upc } }").await.code() == "SLICING_ARGUMENT_REQUIRED"
    })
    .await;
    let dear = world.query("{ topProducts(first: 8) { price } }").await;
    assert_eq!(
        dear.errors()[0]["extensions"]["cost"],
        json!({"estimate": 64, "limit": 60})
    );
    world.query("{ topProducts(first: 7) { price } }").await.data();
}
