//! Answers in parts: `@defer` over multipart, server-sent events and WebSocket.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::support::socket::Socket;
use crate::support::{Mode, World, eventually};

pub const APOLLO: &str = "multipart/mixed;deferSpec=20220824, application/json";
pub const DRAFT: &str = "multipart/mixed;incrementalSpec=v0.2, application/json";
const HEAD: &str = "Content-Type: application/json; charset=utf-8\r\n\r\n";

/// An answer that is read as it comes.
pub struct Parts {
    pub response: reqwest::Response,
    pub read: String,
}

impl Parts {
    pub async fn ask(world: &World, accept: &str, query: &str) -> Parts {
        Parts::post(world, accept, json!({ "query": query })).await
    }

    pub async fn post(world: &World, accept: &str, body: Value) -> Parts {
        let request = reqwest::Client::new()
            .post(world.gateway.url())
            .header("accept", accept)
            .header("content-type", "application/json")
            .body(body.to_string());
        Parts::of(request).await
    }

    pub async fn of(request: reqwest::RequestBuilder) -> Parts {
        Parts {
            response: request.send().await.expect("a response"),
            read: String::new(),
        }
    }

    pub fn content_type(&self) -> &str {
        self.response.headers()["content-type"].to_str().expect("text")
    }

    /// More of the body; false at its end.
    pub async fn more(&mut self) -> bool {
        let chunk = tokio::time::timeout(Duration::from_secs(20), self.response.chunk());
        let chunk = chunk
            .await
            .expect("nothing came in 20 s")
            .expect("no broken body");
        let Some(chunk) = chunk else { return false };
        self.read.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        true
    }

    /// The whole text.
    pub async fn text(mut self) -> String {
        while self.more().await {}
        self.read
    }

    /// The next part; `None` after the last.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((before, after)) = self.read.split_once("\r\n---") {
                let (before, after) = (before.to_owned(), after.to_owned());
                self.read = after;
                if let Some((_, body)) = before.split_once("\r\n\r\n") {
                    return Some(serde_json::from_str(body).expect("JSON"));
                }
                continue;
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// All parts.
    pub async fn all(mut self) -> Vec<Value> {
        let mut all = Vec::new();
        while let Some(part) = self.next().await {
            all.push(part);
        }
        assert_eq!(self.read, "--\r\n", "the last boundary ends the body");
        all
    }
}

pub fn held(world: &World) -> Arc<Semaphore> {
    let gate = Arc::new(Semaphore::new(0));
    world.reviews.set_mode(Mode::Held(Arc::clone(&gate)));
    gate
}

#[tokio::test]
async fn the_draft_is_written_with_ids() {
    let world = World::start().await;
    let query = r#"{ topProducts(first: 1) { upc ... @defer(label: "r") { reviews(first: 1) { body } } } }"#;
    let parts = Parts::ask(&world, DRAFT, query).await;
    let wanted = "multipart/mixed; boundary=\"-\"; incrementalSpec=v0.2";
    assert_eq!(parts.content_type(), wanted);
    let first = r#"{"data":{"topProducts":[{"upc":"top-1"}]},"pending":[{"id":"0","path":["topProducts",0],"label":"r"}],"hasNext":true}"#;
    let second = r#"{"incremental":[{"id":"0","data":{"reviews":[{"body":"Love it"}]}}],"completed":[{"id":"0"}],"hasNext":false}"#;
    let wanted = format!("\r\n---\r\n{HEAD}{first}\r\n---\r\n{HEAD}{second}\r\n-----\r\n");
    assert_eq!(parts.text().await, wanted);
    let parts = Parts::ask(&world, "multipart/mixed", query).await;
    assert_eq!(parts.content_type(), "multipart/mixed; boundary=\"-\"");
    assert_eq!(
        parts.text().await,
        wanted,
        "that is what nameless clients get, too"
    );
}

#[tokio::test]
async fn clients_of_apollo_get_paths_and_labels() {
    let world = World::start().await;
    let query = r#"{ topProducts { upc ...R @defer(label: "r") } } fragment R on Product { upc reviews(first: 1) { body } }"#;
    let parts = Parts::ask(&world, APOLLO, query).await;
    let wanted = "multipart/mixed; boundary=\"-\"; deferSpec=20220824";
    assert_eq!(parts.content_type(), wanted);
    let first = r#"{"data":{"topProducts":[{"upc":"top-1"},{"upc":"top-2"}]},"hasNext":true}"#;
    let second = concat!(
        r#"{"incremental":[{"data":{"upc":"top-1","reviews":[{"body":"Love it"}]},"path":["topProducts",0],"label":"r"},"#,
        r#"{"data":{"upc":"top-2","reviews":[{"body":"Too expensive"}]},"path":["topProducts",1],"label":"r"}],"hasNext":false}"#
    );
    let wanted = format!("\r\n---\r\n{HEAD}{first}\r\n---\r\n{HEAD}{second}\r\n-----\r\n");
    assert_eq!(parts.text().await, wanted);
}

#[tokio::test]
async fn a_slow_subgraph_of_a_deferred_fragment_does_not_delay_the_first_part() {
    let world = World::start().await;
    for accept in [DRAFT, APOLLO] {
        let gate = held(&world);
        let query = "{ me { name } topProducts { name ... @defer { reviews { body author { name } } } } }";
        let mut parts = Parts::ask(&world, accept, query).await;
        let first = parts.next().await.expect("a part");
        let names = json!({"me": {"name": "Ada"}, "topProducts": [{"name": "Table"}, {"name": "Couch"}]});
        assert_eq!((&first["data"], &first["hasNext"]), (&names, &json!(true)));
        eventually("reviews are asked meanwhile", || async {
            !world.reviews.requests().is_empty()
        })
        .await;
        gate.add_permits(100);
        let rest = parts.all().await;
        assert_eq!(rest.len(), 1, "{rest:?}");
        assert_eq!(
            (
                &rest[0]["hasNext"],
                rest[0]["incremental"].as_array().map(Vec::len)
            ),
            (&json!(false), Some(2))
        );
    }
}

#[tokio::test]
async fn a_deferred_field_of_the_same_subgraph_is_fetched_apart() {
    let world = World::start().await;
    let all = Parts::ask(
        &world,
        DRAFT,
        "{ topProducts(first: 1) { name ... @defer { price } } }",
    )
    .await
    .all()
    .await;
    assert_eq!(all[0]["data"], json!({"topProducts": [{"name": "Table"}]}));
    assert_eq!(
        all[1]["incremental"],
        json!([{"id": "0", "data": {"price": 899}}])
    );
    let asked = world.products.requests();
    let queries: Vec<&str> = asked
        .iter()
        .map(|(_, body)| body["query"].as_str().expect("a query"))
        .collect();
    assert_eq!(queries.len(), 2, "{queries:?}");
    assert!(
        !queries[0].contains("price") && queries[1].contains("_entities"),
        "{queries:?}"
    );
}

#[tokio::test]
async fn root_fields_can_be_deferred_and_start_at_once() {
    let world = World::start().await;
    let all = Parts::ask(
        &world,
        DRAFT,
        r#"{ me { name } ... @defer { topProducts(first: 1) { name } } }"#,
    )
    .await
    .all()
    .await;
    assert_eq!(all[0]["data"], json!({"me": {"name": "Ada"}}));
    assert_eq!(all[0]["pending"], json!([{"id": "0", "path": []}]));
    assert_eq!(
        all[1]["incremental"],
        json!([{"id": "0", "data": {"topProducts": [{"name": "Table"}]}}])
    );
}

#[tokio::test]
async fn a_fragment_in_a_fragment_comes_after_it() {
    let world = World::start().await;
    let query = r#"{ topProducts(first: 1) { upc ... @defer(label: "a") { name ... @defer(label: "b") { reviews(first: 1) { body } } } } }"#;
    for accept in [DRAFT, APOLLO] {
        let gate = held(&world);
        let mut parts = Parts::ask(&world, accept, query).await;
        assert_eq!(
            parts.next().await.expect("a part")["data"],
            json!({"topProducts": [{"upc": "top-1"}]})
        );
        let second = parts.next().await.expect("a part");
        assert_eq!(
            second["incremental"][0]["data"],
            json!({"name": "Table"}),
            "{second}"
        );
        assert_eq!(second["hasNext"], json!(true));
        gate.add_permits(100);
        let third = parts.next().await.expect("a part");
        assert_eq!(
            third["incremental"][0]["data"],
            json!({"reviews": [{"body": "Love it"}]}),
            "{third}"
        );
        if accept == DRAFT {
            assert_eq!(
                second["pending"],
                json!([{"id": "1", "path": ["topProducts", 0], "label": "b"}])
            );
            assert_eq!(
                (&second["completed"], &third["completed"]),
                (&json!([{"id": "0"}]), &json!([{"id": "1"}]))
            );
        }
        assert_eq!(third["hasNext"], json!(false));
    }
}

#[tokio::test]
async fn what_is_selected_besides_comes_once_and_at_once() {
    let world = World::start().await;
    let query = "{ topProducts(first: 1) { name reviews(first: 1) { body } ... @defer { name reviews(first: 1) { body author { name } } } } }";
    let all = Parts::ask(&world, DRAFT, query).await.all().await;
    assert_eq!(
        all[0]["data"],
        json!({"topProducts": [{"name": "Table", "reviews": [{"body": "Love it"}]}]})
    );
    let wanted = json!([{"id": "0", "subPath": ["reviews", 0], "data": {"author": {"name": "Ada"}}}]);
    assert_eq!(all[1]["incremental"], wanted);
    let all = Parts::ask(&world, APOLLO, query).await.all().await;
    let wanted = json!({"name": "Table", "reviews": [{"body": "Love it", "author": {"name": "Ada"}}]});
    assert_eq!(
        all[1]["incremental"],
        json!([{"path": ["topProducts", 0], "data": wanted}])
    );
    let nothing = "{ topProducts(first: 1) { name ... @defer { name } } }";
    let all = Parts::ask(&world, DRAFT, nothing).await.all().await;
    assert_eq!(
        all,
        [json!({"data": {"topProducts": [{"name": "Table"}]}, "hasNext": false})]
    );
}

#[tokio::test]
async fn a_null_that_must_not_be_ends_with_its_fragment() {
    let world = World::start().await;
    let query = r#"{ topProducts { name ... @defer(label: "s") { price stars } } }"#;
    let all = Parts::ask(&world, DRAFT, query).await.all().await;
    assert_eq!(all[0]["data"]["topProducts"][1], json!({"name": "Couch"}));
    let rest = all[1..]
        .iter()
        .flat_map(|part| part["completed"].as_array().cloned().unwrap_or_default());
    let failed: Vec<Value> = rest.filter(|one| one.get("errors").is_some()).collect();
    assert_eq!(failed.len(), 1, "{all:?}");
    // The subgraph does not say which field it was.
    assert_eq!(failed[0]["errors"][0]["path"][1], json!(1), "{failed:?}");
    let all = Parts::ask(&world, APOLLO, query).await.all().await;
    let entries: Vec<&Value> = all[1..]
        .iter()
        .flat_map(|part| part["incremental"].as_array().expect("a list"))
        .collect();
    assert_eq!(entries[0]["data"], json!({"price": 899, "stars": 4}));
    assert_eq!(
        (&entries[1]["data"], &entries[1]["label"]),
        (&Value::Null, &json!("s"))
    );
    assert_eq!(entries[1]["errors"][0]["path"][1], json!(1), "{entries:?}");
}

#[tokio::test]
async fn an_error_is_told_with_the_part_it_belongs_to() {
    let world = World::start().await;
    let query = r#"{ product(upc: "top-2") { name ... @defer { rank } } refuse }"#;
    for accept in [DRAFT, APOLLO] {
        let all = Parts::ask(&world, accept, query).await.all().await;
        let paths = |errors: &Value| -> Vec<Value> {
            let errors = errors.as_array().cloned().unwrap_or_default();
            errors.into_iter().map(|error| error["path"].clone()).collect()
        };
        assert_eq!(paths(&all[0]["errors"]), [json!(["refuse"])], "{all:?}");
        let told = &all[1]["incremental"][0];
        assert_eq!(
            (told["data"].clone(), told["errors"][0]["message"].clone()),
            (json!({"rank": null}), json!("not ranked"))
        );
        assert_eq!(paths(&told["errors"])[0][0], "product");
    }
}

#[tokio::test]
async fn a_subgraph_that_is_down_fails_the_fragment_alone() {
    let world = World::start().await;
    world.reviews.set_mode(Mode::Says(503, "down"));
    let query = "{ topProducts(first: 1) { name ... @defer { reviews { body } } } }";
    let all = Parts::ask(&world, DRAFT, query).await.all().await;
    assert_eq!(all[0]["data"], json!({"topProducts": [{"name": "Table"}]}));
    assert_eq!(all[0].get("errors"), None);
    let told = all[1].to_string();
    assert!(
        told.contains("SUBGRAPH_HTTP_ERROR") && told.contains("\"hasNext\":false"),
        "{told}"
    );
}

#[tokio::test]
async fn who_takes_one_answer_gets_all_of_it() {
    let world = World::start().await;
    let query = "{ topProducts(first: 1) { upc ... @defer { price } } }";
    let whole = json!({"topProducts": [{"upc": "top-1", "price": 899}]});
    assert_eq!(*world.query(query).await.data(), whole);
    assert_eq!(
        world.products.requests().len(),
        1,
        "nothing is fetched apart for it"
    );
    let asked = |variable: Value| json!({"query": "query($d: Boolean!) { topProducts(first: 1) { upc ... @defer(if: $d) { price } } }", "variables": {"d": variable}});
    let parts = Parts::post(&world, DRAFT, asked(json!(false))).await.all().await;
    assert_eq!(parts, [json!({"data": whole, "hasNext": false})]);
    let parts = Parts::post(&world, DRAFT, asked(json!(true))).await.all().await;
    assert_eq!(parts.len(), 2);
    let plain = Parts::ask(&world, DRAFT, "{ me { name } }").await;
    assert!(
        plain.content_type().starts_with("application/json"),
        "{}",
        plain.content_type()
    );
    assert_eq!(plain.text().await, r#"{"data":{"me":{"name":"Ada"}}}"#);
    let only = Parts::ask(&world, "multipart/mixed", "{ me { name } }")
        .await
        .all()
        .await;
    assert_eq!(only, [json!({"data": {"me": {"name": "Ada"}}, "hasNext": false})]);
}

#[tokio::test]
async fn misuse_is_refused_with_a_status() {
    let world = World::start().await;
    for (query, why) in [
        (
            "{ topProducts { ... @defer(label: \"a\") { upc } ... @defer(label: \"a\") { name } } }",
            "not unique",
        ),
        (
            "query($l: String) { topProducts { ... @defer(label: $l) { upc } } }",
            "label",
        ),
        (
            "mutation { ... @defer { accountsStep(step: 1) } }",
            "root selections of mutation",
        ),
        (
            "subscription { sold { upc ... @defer { name } } }",
            "subscription",
        ),
        (
            "{ topProducts @stream(label: \"a\") { upc ... @defer(label: \"a\") { name } } }",
            "used twice",
        ),
        (
            "subscription { s: sales { product { name } } sold @stream { upc } }",
            "subscription",
        ),
        ("{ me { name @stream } }", "is for lists"),
        ("{ me @defer { name } }", "defer"),
        ("{ me { ... @defer { nothing } } }", "nothing"),
    ] {
        let mut parts = Parts::ask(&world, DRAFT, query).await;
        let told = parts.response.status().as_u16();
        while parts.more().await {}
        let body: Value = serde_json::from_str(&parts.read).expect("JSON");
        let error = &body["errors"][0];
        assert_eq!(
            (told, &error["extensions"]["code"]),
            (200, &json!("GRAPHQL_VALIDATION_FAILED")),
            "{query}: {body}"
        );
        assert!(body.to_string().contains(why), "{query}: {body}");
    }
}

#[tokio::test]
async fn switched_off_the_directive_is_unknown() {
    let world = World::with(|config| config.incremental.enabled = false).await;
    let answer = world.query("{ me { ... @defer { name } } }").await;
    assert_eq!((answer.status, answer.code()), (400, "GRAPHQL_VALIDATION_FAILED"));
    let names = "{ __schema { directives { name } } }";
    assert!(!world.query(names).await.body.to_string().contains("defer"));
    let on = World::start().await;
    assert!(on.query(names).await.body.to_string().contains("\"defer\""));
}

#[tokio::test]
async fn a_mutation_can_defer_what_it_gives() {
    let world = World::start().await;
    let query = r#"mutation { a: putOnShelf(upc: "top-1") { upc ... @defer { reviews(first: 1) { body } } } b: productsStep(step: 7) }"#;
    let all = Parts::ask(&world, DRAFT, query).await.all().await;
    assert_eq!(all[0]["data"], json!({"a": {"upc": "top-1"}, "b": 7}));
    assert_eq!(
        all[1]["incremental"][0]["data"],
        json!({"reviews": [{"body": "Love it"}]})
    );
}

#[tokio::test]
async fn a_client_that_goes_away_ends_what_is_left() {
    let world = World::start().await;
    let _gate = held(&world);
    let query = "{ topProducts(first: 1) { name ... @defer { reviews { body } } } }";
    let mut parts = Parts::ask(&world, DRAFT, query).await;
    parts.next().await.expect("a part");
    drop(parts);
    eventually("the call is given up", || async { world.reviews.given_up() == 1 }).await;
}

#[tokio::test]
async fn parts_are_events_of_a_stream() {
    let world = World::start().await;
    let gate = held(&world);
    let query = "{ topProducts(first: 1) { name ... @defer { reviews(first: 1) { body } } } }";
    let mut stream = Parts::ask(&world, "text/event-stream", query).await;
    let first = r#"{"data":{"topProducts":[{"name":"Table"}]},"pending":[{"id":"0","path":["topProducts",0]}],"hasNext":true}"#;
    while !stream.read.contains("hasNext") {
        assert!(stream.more().await);
    }
    gate.add_permits(1);
    let second = r#"{"incremental":[{"id":"0","data":{"reviews":[{"body":"Love it"}]}}],"completed":[{"id":"0"}],"hasNext":false}"#;
    let wanted = format!(
        ":\n\nevent: next\ndata: {first}\n\nevent: next\ndata: {second}\n\nevent: complete\ndata:\n\n"
    );
    assert_eq!(stream.text().await, wanted);
}

#[tokio::test]
async fn parts_are_messages_of_a_socket() {
    let world = World::start().await;
    let gate = held(&world);
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket
        .subscribe(
            "q",
            "{ topProducts(first: 1) { name ... @defer(label: \"r\") { reviews(first: 1) { body } } } }",
        )
        .await;
    let first = json!({"data": {"topProducts": [{"name": "Table"}]}, "pending": [{"id": "0", "path": ["topProducts", 0], "label": "r"}], "hasNext": true});
    assert_eq!(
        socket.message().await,
        json!({"id": "q", "type": "next", "payload": first})
    );
    gate.add_permits(1);
    let second = json!({"incremental": [{"id": "0", "data": {"reviews": [{"body": "Love it"}]}}], "completed": [{"id": "0"}], "hasNext": false});
    assert_eq!(
        socket.message().await,
        json!({"id": "q", "type": "next", "payload": second})
    );
    assert_eq!(socket.message().await, json!({"id": "q", "type": "complete"}));
}
