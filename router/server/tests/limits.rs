//! C43–C53: what is too large is refused with its code, before it costs anything.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::World;

#[tokio::test]
async fn each_limit_has_its_code_and_status() {
    let world = World::start().await;
    let deep = format!(
        "{{ me {}{} }}",
        "{ reviews { author ".repeat(8),
        "{ id }".to_owned() + &"} }".repeat(8)
    );
    let aliases: String = (0..31).map(|i| format!("a{i}: __typename ")).collect();
    let roots: String = "__typename ".repeat(21);
    let directives = "@include(if: true) ".repeat(51);
    let tokens = "id ".repeat(16_000);
    let high = format!(
        "{{ product(upc: {}\"x\"{}) {{ upc }} }}",
        "[".repeat(300),
        "]".repeat(300)
    );
    for (query, code) in [
        (deep, "DEPTH_LIMIT_EXCEEDED"),
        (format!("{{ me {{ {aliases} }} }}"), "ALIAS_LIMIT_EXCEEDED"),
        (format!("{{ {roots} }}"), "ROOT_FIELD_LIMIT_EXCEEDED"),
        (
            format!("{{ me {directives} {{ id }} }}"),
            "DIRECTIVE_LIMIT_EXCEEDED",
        ),
        (format!("{{ me {{ {tokens} }} }}"), "TOKEN_LIMIT_EXCEEDED"),
        (high, "HEIGHT_LIMIT_EXCEEDED"),
    ] {
        let started = Instant::now();
        let answer = world.query(&query).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, code),
            "{:.200}",
            answer.body.to_string()
        );
        assert!(
            started.elapsed() < Duration::from_millis(500),
            "{code} took {:?}",
            started.elapsed()
        );
        let plain = world
            .client()
            .header("accept", "application/json")
            .query(&query)
            .await;
        assert_eq!((plain.status, plain.code()), (200, code));
    }
    assert!(world.accounts.requests().is_empty());
}

#[tokio::test]
async fn hostile_fragments_cost_nothing() {
    let world = World::start().await;
    let mut exponential = "{ me { ...F0 } }".to_owned();
    for i in 0..60 {
        exponential.push_str(&format!(
            " fragment F{i} on User {{ ...F{n} ...F{n} }}",
            n = i + 1
        ));
    }
    exponential.push_str(" fragment F60 on User { id }");
    let chain: String = (0..1800)
        .map(|i| format!(" fragment F{i} on User {{ ...F{} }}", i + 1))
        .collect();
    let chain = format!("{{ me {{ ...F0 }} }} {chain} fragment F1800 on User {{ id }}");
    let cyclic = "{ me { ...A } } fragment A on User { ...B } fragment B on User { ...A }".to_owned();
    let unused = "{ me { id } } fragment A on User { id }".to_owned();
    for (what, query) in [
        ("exponential", exponential),
        ("chain", chain),
        ("cyclic", cyclic),
        ("unused", unused),
    ] {
        let started = Instant::now();
        let answer = world.query(&query).await;
        assert_eq!(answer.status, 400, "{what}: {:.200}", answer.body.to_string());
        assert!(
            started.elapsed() < Duration::from_secs(1),
            "{what} took {:?}",
            started.elapsed()
        );
    }
}

#[tokio::test]
async fn hostile_variables_cost_nothing() {
    let world = World::start().await;
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let items = format!("[{}1]", "1,".repeat(150_000));
    for (what, value, status, code) in [
        ("nested", nested, 400, "JSON_TOO_DEEP"),
        ("items", items, 413, "JSON_TOO_MANY_VALUES"),
        ("infinite", "1e999".to_owned(), 400, "INVALID_JSON"),
        (
            "large",
            format!("\"{}\"", "x".repeat(10_000_000)),
            413,
            "BODY_TOO_LARGE",
        ),
    ] {
        let body = format!(
            r#"{{"query":"query($x: ProductFilter!) {{ find(filter: $x) {{ upc }} }}","variables":{{"x":{value}}}}}"#
        );
        let started = Instant::now();
        let answer = world.client().post_raw("application/json", body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{what}");
        assert!(
            started.elapsed() < Duration::from_secs(1),
            "{what} took {:?}",
            started.elapsed()
        );
    }
    let huge = json!({"n": 99999999999i64});
    let answer = world
        .client()
        .with_variables("query($n: Int) { topProducts(first: $n) { upc } }", huge)
        .await;
    assert_eq!(answer.code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn variables_fragments_and_operations_have_limits_that_are_counted() {
    let world = World::with(|config| {
        config.metrics.listen = Some(([127, 0, 0, 1], 0).into());
        config.limits.variables_bytes = 400;
        config.limits.variables_depth = 3;
        config.limits.variables_values = 20;
        config.limits.operations = 2;
        config.limits.fragments = 4;
    })
    .await;
    let query = "query($x: ProductFilter!) { find(filter: $x) { upc } }";
    let many: Vec<u32> = (0..30).collect();
    let mut codes = Vec::new();
    for (variables, status, code) in [
        (json!({"x": {"y": "a".repeat(500)}}), 413, "VARIABLES_TOO_LARGE"),
        (
            json!({"x": {"y": [[1]], "z": "pad this text well"}}),
            400,
            "VARIABLES_TOO_DEEP",
        ),
        (json!({"x": many}), 413, "VARIABLES_TOO_MANY_VALUES"),
    ] {
        let answer = world.client().with_variables(query, variables.clone()).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{answer:?}");
        let by_get = world
            .client()
            .header("graphql-require-preflight", "1")
            .get(&[("query", query), ("variables", &variables.to_string())])
            .await;
        assert_eq!((by_get.status, by_get.code()), (status, code));
        codes.push(code);
    }
    let spread = "{ me { ...F ...F ...F ...F ...F } } fragment F on User { id }";
    let operations = "query A { me { id } } query B { me { id } } query C { me { id } }";
    for (query, code) in [
        (spread, "FRAGMENT_LIMIT_EXCEEDED"),
        (operations, "OPERATION_LIMIT_EXCEEDED"),
    ] {
        let answer = world
            .client()
            .post(json!({"query": query, "operationName": "A"}))
            .await;
        assert_eq!((answer.status, answer.code()), (400, code), "{answer:?}");
        codes.push(code);
    }
    let addr = world.gateway.metrics_addr().expect("metrics are served");
    let page = reqwest::get(format!("http://{addr}/metrics"))
        .await
        .expect("sent");
    let page = page.text().await.expect("a page");
    for code in codes {
        assert!(
            page.contains(&format!("baedal_router_refused_total{{code=\"{code}\"}}")),
            "{code}: {page}"
        );
    }
    assert!(world.products.requests().is_empty() && world.accounts.requests().is_empty());
}

#[tokio::test]
async fn only_so_many_errors_are_reported() {
    let world = World::with(|config| config.limits.errors = 3).await;
    let unknown: String = (0..10).map(|i| format!("nothing{i} ")).collect();
    let answer = world.query(&format!("{{ {unknown} }}")).await;
    assert_eq!(
        (answer.errors().len(), answer.code()),
        (4, "GRAPHQL_VALIDATION_FAILED")
    );
    assert_eq!(answer.errors()[3]["extensions"]["code"], "TOO_MANY_ERRORS");
    let wrong = json!({"filter": {"sizes": vec!["HUGE"; 10]}});
    let query = "query($filter: ProductFilter!) { find(filter: $filter) { upc } }";
    let answer = world.client().with_variables(query, wrong).await;
    assert_eq!(
        (answer.errors().len(), answer.code()),
        (4, "BAD_USER_INPUT"),
        "{answer:?}"
    );
    // In an answer, too.
    world.reviews.set_mode(crate::support::Mode::Says(
        200,
        r#"{"data":null,"errors":[{"message":"1"},{"message":"2"},{"message":"3"},{"message":"4"},{"message":"5"}]}"#,
    ));
    let answer = world.query("{ latestReviews { id } }").await;
    assert_eq!(answer.errors().len(), 4, "{answer:?}");
    assert_eq!(answer.errors()[3]["extensions"]["code"], "TOO_MANY_ERRORS");
}

#[tokio::test]
async fn limits_over_a_websocket_are_error_messages() {
    let world = World::start().await;
    let mut socket = crate::support::socket::Socket::ready(&world.gateway, None).await;
    socket
        .subscribe("1", &format!("{{ {} }}", "__typename ".repeat(21)))
        .await;
    assert_eq!(
        socket.message().await["payload"][0]["extensions"]["code"],
        "ROOT_FIELD_LIMIT_EXCEEDED"
    );
    let nested = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    let text = format!(
        r#"{{"id":"2","type":"subscribe","payload":{{"query":"{{me{{id}}}}","variables":{{"x":{nested}}}}}}}"#
    );
    socket
        .raw(tokio_tungstenite::tungstenite::Message::text(text))
        .await;
    assert_eq!(
        socket.message().await["payload"][0]["extensions"]["code"],
        "JSON_TOO_DEEP"
    );
}

#[tokio::test]
async fn introspection_can_be_switched_off() {
    let world = World::with(|config| config.introspection.enabled = false).await;
    for query in [
        "{ __schema { queryType { name } } }",
        "{ me { id } x: __type(name: \"User\") { name } }",
    ] {
        let answer = world.query(query).await;
        assert_eq!((answer.status, answer.code()), (400, "INTROSPECTION_DISABLED"));
    }
    assert_eq!(
        *world.query("{ __typename }").await.data(),
        json!({"__typename": "Query"})
    );
    let misspelt = world.query("{ topProduct { upc } }").await;
    assert!(!misspelt.body.to_string().contains("topProducts"), "{misspelt:?}");
}

#[tokio::test]
async fn introspection_that_would_explode_is_refused() {
    let world = World::start().await;
    let nested = format!(
        "{{ __schema {{ types {{ {} name {} }} }} }}",
        "fields { type { ".repeat(6),
        "} } ".repeat(6)
    );
    let types = "{ __schema { types { interfaces { possibleTypes { interfaces { name } } } } } }".to_owned();
    let deep = format!(
        "{{ __type(name: \"User\") {{ fields {{ type {}name{} }} }} }}",
        "{ ofType ".repeat(20) + "{ ",
        "} ".repeat(21)
    );
    for query in [nested, types, deep] {
        let started = Instant::now();
        let answer = world.query(&query).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "INTROSPECTION_TOO_DEEP"),
            "{:.200}",
            answer.body.to_string()
        );
        assert!(started.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_plan_over_the_budget_is_refused_once_and_for_all() {
    let world = World::with(|config| config.limits.plan_budget = 5).await;
    for _ in 0..2 {
        let answer = world
            .query("{ topProducts { name reviews { body author { name } } } }")
            .await;
        assert_eq!((answer.status, answer.code()), (400, "PLAN_BUDGET_EXCEEDED"));
    }
    assert!(world.products.requests().is_empty());
}
