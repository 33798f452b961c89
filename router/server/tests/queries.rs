//! Queries over several subgraphs: joins, aliases, fragments, variables, conditions, introspection.

use serde_json::json;

use crate::support::World;

#[tokio::test]
async fn one_query_joins_three_subgraphs() {
    let world = World::start().await;
    let answer = world
        .query("{ topProducts { name reviews { body author { name email } product { price } } } me { name reviews { id } } }")
        .await;
    assert_eq!(
        *answer.data(),
        json!({
            "topProducts": [
                {"name": "Table", "reviews": [
                    {"body": "Love it", "author": {"name": "Ada", "email": "ada@example.com"}, "product": {"price": 899}},
                    {"body": "Could be better", "author": {"name": "Alan", "email": null}, "product": {"price": 899}},
                ]},
                {"name": "Couch", "reviews": [
                    {"body": "Too expensive", "author": {"name": "Ada", "email": "ada@example.com"}, "product": {"price": 1299}},
                ]},
            ],
            "me": {"name": "Ada", "reviews": [{"id": "r1"}, {"id": "r2"}]},
        })
    );
}

#[tokio::test]
async fn entities_of_a_list_are_fetched_in_one_call() {
    let world = World::start().await;
    world.query("{ latestReviews { author { name } } }").await.data();
    let calls = world.accounts.requests();
    assert_eq!(calls.len(), 1);
    let representations = calls[0].1["variables"]
        .as_object()
        .expect("variables")
        .values()
        .next()
        .expect("one");
    assert_eq!(
        representations.as_array().map(Vec::len),
        Some(2),
        "three reviews, two authors: {representations}"
    );
}

#[tokio::test]
async fn aliases_and_arguments_keep_their_places() {
    let world = World::start().await;
    let answer = world
        .query("{ cup: product(upc: \"top-3\") { n: name } table: product(upc: \"top-1\") { n: price one: reviews(first: 1) { id } all: reviews { id } } }")
        .await;
    let wanted = json!({
        "cup": {"n": "Cup"},
        "table": {"n": 899, "one": [{"id": "r1"}], "all": [{"id": "r1"}, {"id": "r3"}]},
    });
    assert_eq!(*answer.data(), wanted);
    assert_eq!(answer.body.to_string().find("cup").map(|_| ()), Some(()));
}

#[tokio::test]
async fn fragments_and_typename_work_over_subgraphs() {
    let world = World::start().await;
    let answer = world
        .query(
            "query { topProducts(first: 1) { ...P ... on Product { __typename } } } \
             fragment P on Product { name ...R } fragment R on Product { reviews(first: 1) { author { ...U } } } \
             fragment U on User { name __typename }",
        )
        .await;
    let wanted = json!({"topProducts": [
        {"name": "Table", "reviews": [{"author": {"name": "Ada", "__typename": "User"}}], "__typename": "Product"},
    ]});
    assert_eq!(*answer.data(), wanted);
}

#[tokio::test]
async fn variables_reach_the_subgraph_with_defaults_and_enums() {
    let world = World::start().await;
    let query = "query($f: ProductFilter!, $n: Int = 1) { find(filter: $f) { upc size } topProducts(first: $n) { upc } }";
    let answer = world
        .client()
        .with_variables(query, json!({"f": {"sizes": ["LARGE"], "maxPrice": 1000}}))
        .await;
    let wanted = json!({"find": [{"upc": "top-1", "size": "LARGE"}], "topProducts": [{"upc": "top-1"}]});
    assert_eq!(*answer.data(), wanted);
}

#[tokio::test]
async fn a_wrong_variable_is_told_before_anything_is_sent() {
    let world = World::start().await;
    let query = "query($f: ProductFilter!) { find(filter: $f) { upc } }";
    for variables in [
        json!({}),
        json!({"f": {"sizes": ["HUGE"]}}),
        json!({"f": {"limit": "x"}}),
        json!({"f": null}),
    ] {
        let answer = world.client().with_variables(query, variables.clone()).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "BAD_USER_INPUT"),
            "{variables}"
        );
        assert!(answer.body.get("data").is_none());
    }
    assert!(world.products.requests().is_empty());
}

#[tokio::test]
async fn skip_and_include_follow_their_variables() {
    let world = World::start().await;
    let query = "query($r: Boolean!, $n: Boolean = false) { me { id name @skip(if: $n) reviews @include(if: $r) { id } } }";
    let with = world.client().with_variables(query, json!({"r": true})).await;
    assert_eq!(
        *with.data(),
        json!({"me": {"id": "1", "name": "Ada", "reviews": [{"id": "r1"}, {"id": "r2"}]}})
    );
    world.reviews.requests();
    let without = world
        .client()
        .with_variables(query, json!({"r": false, "n": true}))
        .await;
    assert_eq!(*without.data(), json!({"me": {"id": "1"}}));
    assert!(
        world.reviews.requests().is_empty(),
        "what is not included is not fetched"
    );
    let again = world.client().with_variables(query, json!({"r": true})).await;
    assert_eq!(again.data(), with.data());
}

#[tokio::test]
async fn introspection_shows_the_public_schema_only() {
    let world = World::start().await;
    let answer = world.query("{ __schema { queryType { fields { name } } types { name } } __type(name: \"User\") { name } t: __typename }").await;
    let text = answer.data().to_string();
    assert!(
        text.contains("topProducts") && text.contains("latestReviews") && text.contains("\"me\""),
        "{text}"
    );
    assert!(
        !text.contains("_entities") && !text.contains("_service") && !text.contains("join__"),
        "{text}"
    );
    assert_eq!(answer.body["data"]["__type"], json!({"name": "User"}));
    assert_eq!(answer.body["data"]["t"], "Query");
}

#[tokio::test]
async fn entities_and_service_are_not_in_the_api() {
    let world = World::start().await;
    for query in [
        "{ _service { sdl } }",
        "{ _entities(representations: []) { __typename } }",
    ] {
        let answer = world.query(query).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "GRAPHQL_VALIDATION_FAILED"),
            "{query}"
        );
    }
}

#[tokio::test]
async fn the_operation_is_chosen_by_name() {
    let world = World::start().await;
    let query = "query A { me { id } } query B { me { name } }";
    let chosen = world
        .client()
        .post(json!({"query": query, "operationName": "B"}))
        .await;
    assert_eq!(*chosen.data(), json!({"me": {"name": "Ada"}}));
    for name in [json!(null), json!("C"), json!("")] {
        let answer = world
            .client()
            .post(json!({"query": query, "operationName": name}))
            .await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "OPERATION_RESOLUTION_FAILURE"),
            "{name}"
        );
    }
    let twice = world.query("query A { me { id } } query A { me { name } }").await;
    assert_eq!((twice.status, twice.code()), (400, "GRAPHQL_VALIDATION_FAILED"));
}

#[tokio::test]
async fn many_at_once_get_their_own_answers() {
    let world = World::start().await;
    let client = world.client();
    let one = |upc: String| {
        let client = &client;
        async move {
            let answer = client
                .with_variables("query($u: ID!) { product(upc: $u) { upc } }", json!({"u": upc}))
                .await;
            assert_eq!(*answer.data(), json!({"product": {"upc": upc}}));
        }
    };
    futures_util::future::join_all((0..60).map(|i| one(format!("top-{}", i % 3 + 1)))).await;
}
