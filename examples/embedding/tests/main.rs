//! The example, with a subgraph that notes what it is sent.

use std::sync::{Arc, Mutex};

use axum::Json;
use axum::routing::post;
use baedal_example_embedding::counted::Counts;
use baedal_example_embedding::gateway;
use baedal_router::Config;
use baedal_router::config::SubgraphConfig;
use http::HeaderMap;
use serde_json::{Value, json};

type Seen = Arc<Mutex<Vec<String>>>;

/// A subgraph with one field.
async fn subgraph() -> (String, Seen) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}/graphql", listener.local_addr().expect("an address"));
    let seen = Seen::default();
    let noted = Arc::clone(&seen);
    let answer = move |headers: HeaderMap, Json(request): Json<Value>| async move {
        if request["query"].as_str().expect("a query").contains("_service") {
            return Json(json!({"data": {"_service": {"sdl": "type Query { stock: Int }"}}}));
        }
        let caller = headers
            .get("x-called-by")
            .map(|value| value.to_str().expect("text").to_owned());
        noted.lock().expect("a list").push(caller.unwrap_or_default());
        Json(json!({"data": {"stock": 7}}))
    };
    tokio::spawn(
        async move { axum::serve(listener, axum::Router::new().route("/graphql", post(answer))).await },
    );
    (url, seen)
}

async fn ask(url: &str, body: Value) -> (HeaderMap, Value) {
    let answer = reqwest::Client::new()
        .post(url)
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await
        .expect("an answer");
    let headers = answer.headers().clone();
    let text = answer.text().await.expect("text");
    (headers, serde_json::from_str(&text).expect("JSON"))
}

#[tokio::test]
async fn layers_see_what_comes_in_and_what_goes_out() {
    let (url, seen) = subgraph().await;
    let mut config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        ..Config::default()
    };
    let stock = SubgraphConfig::at(url.parse().expect("a URL"));
    config.subgraphs.insert("stock".to_owned(), stock);
    let counts = Arc::new(Counts::default());
    let running = gateway(config, &counts).start().await.expect("starts");

    let (headers, answer) = ask(&running.url(), json!({"query": "{ stock }"})).await;
    assert_eq!(answer, json!({"data": {"stock": 7}}));
    assert_eq!(headers["x-served-by"], "baedal-example");
    assert_eq!(seen.lock().expect("a list").as_slice(), ["baedal-example"]);
    assert_eq!(counts.read()["stock"], 1);

    // Answered by the program: it is not even in the schema.
    let greeting = json!({"query": "query Greeting { hello }", "operationName": "Greeting"});
    let (headers, answer) = ask(&running.url(), greeting).await;
    assert_eq!(answer["data"]["hello"], "from the program around the gateway");
    assert_eq!(headers["x-served-by"], "baedal-example");
    assert_eq!(counts.read()["stock"], 1, "no subgraph was asked");

    // What is wrong is told by the gateway, through the layers.
    let (headers, answer) = ask(&running.url(), json!({"query": "{ hello }"})).await;
    assert_eq!(
        answer["errors"][0]["extensions"]["code"],
        "GRAPHQL_VALIDATION_FAILED"
    );
    assert_eq!(headers["x-served-by"], "baedal-example");
    running.shutdown().await;
}
