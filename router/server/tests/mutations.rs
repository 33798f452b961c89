//! Mutations run one after another, whatever subgraph they belong to.

use serde_json::json;

use crate::support::{World, eventually};

#[tokio::test]
async fn mutations_run_in_document_order_across_subgraphs() {
    let world = World::start().await;
    let answer = world
        .query(
            "mutation { a: productsStep(step: 1, afterMs: 80) b: reviewsStep(step: 2, afterMs: 40) \
             c: accountsStep(step: 3) d: productsStep(step: 4) }",
        )
        .await;
    assert_eq!(*answer.data(), json!({"a": 1, "b": 2, "c": 3, "d": 4}));
    assert_eq!(world.journal.read(), [1, 2, 3, 4]);
}

#[tokio::test]
async fn what_a_mutation_returns_is_joined() {
    let world = World::start().await;
    let answer = world
        .query("mutation { putOnShelf(upc: \"top-1\") { name reviews(first: 1) { author { name } } } }")
        .await;
    let wanted = json!({"putOnShelf": {"name": "Table", "reviews": [{"author": {"name": "Ada"}}]}});
    assert_eq!(*answer.data(), wanted);
}

#[tokio::test]
async fn a_failed_mutation_leaves_the_others_and_is_not_sent_twice() {
    let world = World::start().await;
    let answer = world
        .query("mutation { a: productsStep(step: 1) bad: putOnShelf(upc: \"x\") { upc } }")
        .await;
    assert_eq!(
        answer.body["data"],
        json!(null),
        "a non-null field failed: {answer:?}"
    );
    assert_eq!(answer.errors()[0]["path"], json!(["bad"]));
    assert_eq!(world.journal.read(), [1]);
}

#[tokio::test]
async fn a_mutation_runs_to_its_end_when_its_client_goes_away() {
    let world = World::start().await;
    let body =
        json!({"query": "mutation { a: productsStep(step: 1, afterMs: 400) b: reviewsStep(step: 2) }"});
    let request = reqwest::Client::new()
        .post(world.gateway.url())
        .header("content-type", "application/json")
        .timeout(std::time::Duration::from_millis(200))
        .body(body.to_string());
    assert!(
        request
            .send()
            .await
            .expect_err("the client gives up")
            .is_timeout()
    );
    eventually("both steps are done", || async { world.journal.read() == [1, 2] }).await;
}
