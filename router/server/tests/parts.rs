//! Answers in parts, and the rest of what the gateway does: rights, stops, names of documents, batches, files, counts.

use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::authorization::protected;
use crate::incremental::{APOLLO, DRAFT, Parts, held};
use crate::support::{Issuer, World};

const DEFERRED: &str = "{ topProducts(first: 1) { name ... @defer { reviews(first: 1) { body } } } }";

/// All data of parts by the draft, below the objects they belong to.
fn text(parts: &[Value]) -> String {
    parts.iter().map(Value::to_string).collect()
}

#[tokio::test]
async fn what_is_withheld_is_an_error_of_its_fragment_and_is_never_fetched() {
    let issuer = Issuer::start().await;
    let world = protected(Some(&issuer)).await;
    let query = r#"{ me { name ... @defer(label: "mail") { email } } product(upc: "top-1") { name ... @defer(label: "price") { price } } }"#;
    for accept in [DRAFT, APOLLO] {
        let parts = Parts::ask(&world, accept, query).await.all().await;
        assert_eq!(
            parts[0]["data"],
            json!({"me": {"name": "Ada"}, "product": {"name": "Table"}}),
            "{parts:?}"
        );
        let later = text(&parts[1..]);
        assert!(
            !later.contains("ada@example.com") && !later.contains("899"),
            "{later}"
        );
        // `email` may be null; `price` may not, so that its fragment is null as a whole.
        assert!(later.contains(r#""data":{"email":null}"#), "{later}");
        assert_eq!(later.matches("UNAUTHORIZED_FIELD_OR_TYPE").count(), 2, "{later}");
        assert!(later.contains(r#""hasNext":false"#), "{later}");
    }
    let sent: String = [&world.accounts, &world.products]
        .iter()
        .flat_map(|subgraph| subgraph.requests())
        .map(|(_, body)| body["query"].to_string())
        .collect();
    assert!(!sent.contains("email") && !sent.contains("price"), "{sent}");
    let known = reqwest::Client::new()
        .post(world.gateway.url())
        .header("accept", DRAFT)
        .header("content-type", "application/json")
        .bearer_auth(issuer.token("store"))
        .body(json!({ "query": query }).to_string());
    let later = text(&Parts::of(known).await.all().await[1..]);
    assert!(
        later.contains("ada@example.com") && later.contains("899"),
        "{later}"
    );
}

#[tokio::test]
async fn a_stop_waits_for_parts_that_are_under_way() {
    let world = World::start().await;
    let gate = held(&world);
    let mut parts = Parts::ask(&world, DRAFT, DEFERRED).await;
    assert_eq!(parts.next().await.expect("a part")["hasNext"], json!(true));
    let stopping = tokio::spawn(world.gateway.shutdown());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!stopping.is_finished(), "an answer is under way");
    gate.add_permits(10);
    let rest = parts.all().await;
    assert_eq!(
        rest[0]["incremental"][0]["data"],
        json!({"reviews": [{"body": "Love it"}]})
    );
    stopping.await.expect("no panic");
}

#[tokio::test]
async fn a_document_that_is_named_by_its_hash_defers_as_well() {
    let world = World::start().await;
    let hash: String = Sha256::digest(DEFERRED)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let named = json!({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash}}});
    let mut unknown = Parts::post(&world, DRAFT, named.clone()).await;
    assert!(unknown.content_type().starts_with("application/json"));
    while unknown.more().await {}
    assert!(
        unknown.read.contains("PERSISTED_QUERY_NOT_FOUND"),
        "{}",
        unknown.read
    );
    let mut both = named.clone();
    both["query"] = json!(DEFERRED);
    let first = Parts::post(&world, DRAFT, both).await.all().await;
    assert_eq!(first.len(), 2, "{first:?}");
    let by_name = Parts::post(&world, DRAFT, named.clone()).await.all().await;
    assert_eq!(by_name, first);
    let mut url = reqwest::Url::parse(&world.gateway.url()).expect("a URL");
    url.query_pairs_mut()
        .append_pair("extensions", &named["extensions"].to_string());
    let get = reqwest::Client::new().get(url).header("accept", DRAFT);
    let by_get = Parts::of(get.header("graphql-require-preflight", "1")).await;
    assert_eq!(by_get.all().await, first);
}

#[tokio::test]
async fn entries_of_a_batch_are_answered_whole() {
    let world = World::with(|config| config.batching.enabled = true).await;
    let batch = json!([{"query": DEFERRED}, {"query": "{ me { name } }"}]);
    let answer = Parts::post(&world, DRAFT, batch.clone()).await;
    assert!(answer.content_type().starts_with("application/json"));
    let answer: Value = serde_json::from_str(&answer.text().await).expect("JSON");
    let whole = json!({"topProducts": [{"name": "Table", "reviews": [{"body": "Love it"}]}]});
    assert_eq!(
        answer,
        json!([{"data": whole}, {"data": {"me": {"name": "Ada"}}}])
    );
    let only = Parts::post(&world, "multipart/mixed", batch).await;
    assert_eq!(only.response.status(), 406, "a batch has one answer, in JSON");
}

#[tokio::test]
async fn answers_in_parts_and_their_parts_are_counted() {
    let world = World::with(|config| {
        config.metrics.listen = Some(([127, 0, 0, 1], 0).into());
    })
    .await;
    let counted = async |part: &str| {
        let url = format!(
            "http://{}/metrics",
            world.gateway.metrics_addr().expect("metrics")
        );
        let page = reqwest::get(url)
            .await
            .expect("a page")
            .text()
            .await
            .expect("text");
        let name = format!("baedal_router_answer_parts_total{{part=\"{part}\"}} ");
        let line = page
            .lines()
            .find_map(|line| line.strip_prefix(&name).map(str::to_owned));
        line.map_or(0, |value| value.parse::<u64>().expect("a number"))
    };
    Parts::ask(&world, DRAFT, "{ me { name } }").await.text().await;
    assert_eq!((counted("first").await, counted("later").await), (0, 0));
    for _ in 0..3 {
        assert_eq!(Parts::ask(&world, DRAFT, DEFERRED).await.all().await.len(), 2);
    }
    assert_eq!((counted("first").await, counted("later").await), (3, 3));
}

#[tokio::test]
async fn a_streamed_list_comes_with_its_first_items_and_then_the_others() {
    let world = World::start().await;
    let gate = held(&world);
    let query = r#"{ topProducts(first: 2) @stream(label: "s", initialCount: 1) { name ... @defer(label: "r") { reviews(first: 1) { body } } } }"#;
    let mut parts = Parts::ask(&world, DRAFT, query).await;
    let first = parts.next().await.expect("a part");
    assert_eq!(
        first["data"],
        json!({"topProducts": [{"name": "Table"}]}),
        "{first}"
    );
    let mut items = Value::Null;
    // The others need nothing that is withheld: they come though the reviews do not.
    while items.is_null() {
        let part = parts.next().await.expect("a part");
        let found = part["incremental"].as_array().into_iter().flatten();
        items = found
            .map(|one| one["items"].clone())
            .find(Value::is_array)
            .unwrap_or_default();
    }
    assert_eq!(items, json!([{"name": "Couch"}]));
    gate.add_permits(10);
    let rest = text(&parts.all().await);
    assert!(
        rest.contains("Love it") && rest.contains("Too expensive"),
        "{rest}"
    );
}
