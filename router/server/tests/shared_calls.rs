//! Equal queries to a subgraph that are under way are one call, and nothing is shared that should not be.

use std::time::Duration;

use serde_json::json;

use crate::support::{Answer, Client, Issuer, Mode, World, auth_of};

/// How long the subgraph takes: all requests of a test are under way within it.
const SLOW: Mode = Mode::Slow(Duration::from_millis(900));
const MEANWHILE: Duration = Duration::from_millis(150);

async fn world() -> World {
    let world = World::with(|config| {
        config.traffic.share_equal_calls = true;
        config.headers.propagate = vec!["x-tenant".into()];
        config.metrics.listen = Some(([127, 0, 0, 1], 0).into());
    })
    .await;
    world.accounts.set_mode(SLOW);
    world.accounts.requests();
    world.products.requests();
    world
}

/// The metric's value for accounts.
async fn shared(world: &World) -> Option<String> {
    let addr = world.gateway.metrics_addr().expect("metrics are served");
    let answer = reqwest::get(format!("http://{addr}/metrics"))
        .await
        .expect("sent");
    let page = answer.text().await.expect("a page");
    let line = "baedal_router_shared_calls_total{subgraph=\"accounts\"} ";
    let found = page.lines().find_map(|each| each.strip_prefix(line));
    found.map(str::to_owned)
}

/// All at once, each by a client of its own.
async fn all(queries: impl Iterator<Item = (Client, String)>) -> Vec<Answer> {
    let asked: Vec<_> = queries
        .map(|(client, query)| tokio::spawn(async move { client.query(&query).await }))
        .collect();
    let mut answers = Vec::new();
    for one in asked {
        answers.push(one.await.expect("answered"));
    }
    answers
}

#[tokio::test]
async fn fifty_different_operations_that_ask_a_subgraph_the_same_are_one_call() {
    let world = world().await;
    let query = |n: usize| format!("query Q{n} {{ me {{ name }} p{n}: topProducts(first: 1) {{ upc }} }}");
    let answers = all((0..50).map(|n| (world.client(), query(n)))).await;
    for (n, answer) in answers.iter().enumerate() {
        let data = json!({ "me": { "name": "Ada" }, format!("p{n}"): [{ "upc": "top-1" }] });
        assert_eq!(answer.data(), &data);
    }
    assert_eq!(world.accounts.requests().len(), 1);
    assert_eq!(world.products.requests().len(), 50, "these differ");
    assert_eq!(shared(&world).await.as_deref(), Some("49"));
    world.query(&query(0)).await.data();
    assert_eq!(
        world.accounts.requests().len(),
        1,
        "what comes later is asked again"
    );
}

#[tokio::test]
async fn nothing_is_shared_unless_it_is_switched_on() {
    let world = World::start().await;
    world.accounts.set_mode(SLOW);
    world.accounts.requests();
    let query = |n: usize| format!("query Q{n} {{ me {{ name }} }}");
    all((0..2).map(|n| (world.client(), query(n)))).await;
    assert_eq!(world.accounts.requests().len(), 2);
}

#[tokio::test]
async fn a_forwarded_header_or_a_variable_sets_calls_apart() {
    let world = world().await;
    world.products.set_mode(SLOW);
    let client = |tenant: &str| world.client().header("x-tenant", tenant);
    let query = "{ me { name } }".to_owned();
    let clients = [client("a"), client("a"), client("b"), world.client()];
    all(clients.into_iter().map(|client| (client, query.clone()))).await;
    assert_eq!(world.accounts.requests().len(), 3);
    let with = |n: i32| {
        let client = world.client();
        tokio::spawn(async move {
            let query = "query ($n: Int!) { topProducts(first: $n) { upc } }";
            let answer = client.with_variables(query, json!({ "n": n })).await;
            answer.data()["topProducts"].as_array().map(Vec::len)
        })
    };
    let (one, other) = tokio::join!(with(1), with(2));
    assert_eq!(
        (one.expect("answered"), other.expect("answered")),
        (Some(1), Some(2))
    );
    assert_eq!(world.products.requests().len(), 2);
}

#[tokio::test]
async fn tokens_set_calls_apart() {
    let issuer = Issuer::start().await;
    let auth = auth_of(&[&issuer]);
    let world = World::with(|config| {
        config.auth = Some(auth);
        config.traffic.share_equal_calls = true;
    })
    .await;
    world.accounts.set_mode(SLOW);
    world.accounts.requests();
    let (one, other) = (issuer.token("one"), issuer.token("other"));
    let client = |token: &str| world.client().bearer(token);
    let clients = [client(&one), client(&one), client(&other), world.client()];
    all(clients
        .into_iter()
        .map(|client| (client, "{ me { name } }".to_owned())))
    .await;
    assert_eq!(world.accounts.requests().len(), 3);
}

#[tokio::test]
async fn mutations_are_never_one_call() {
    let world = world().await;
    world.products.set_mode(SLOW);
    let mutation = |n: usize| format!("mutation M{n} {{ putOnShelf(upc: \"top-1\") {{ upc }} }}");
    all((0..2).map(|n| (world.client(), mutation(n)))).await;
    assert_eq!(world.products.requests().len(), 2);
}

#[tokio::test]
async fn the_first_client_may_go_away() {
    let world = world().await;
    let (first, second) = (world.client(), world.client());
    let first = tokio::spawn(async move { first.query("query A { me { name } }").await });
    tokio::time::sleep(MEANWHILE).await;
    let second = tokio::spawn(async move { second.query("query B { me { name } }").await });
    tokio::time::sleep(MEANWHILE).await;
    first.abort();
    let answer = second.await.expect("the second client is answered");
    assert_eq!(answer.data()["me"]["name"], "Ada");
    assert_eq!(world.accounts.requests().len(), 1);
}

#[tokio::test]
async fn when_all_go_away_the_call_ends_and_the_next_one_begins_anew() {
    let world = world().await;
    let gone = world.client();
    let gone = tokio::spawn(async move { gone.query("query A { me { name } }").await });
    tokio::time::sleep(MEANWHILE).await;
    gone.abort();
    tokio::time::sleep(MEANWHILE).await;
    world.query("query B { me { name } }").await.data();
    assert_eq!(world.accounts.requests().len(), 2);
}

#[tokio::test]
async fn an_error_of_anothers_call_is_not_taken_over() {
    let world = World::with(|config| {
        config.traffic.share_equal_calls = true;
        config.traffic.timeout = Duration::from_millis(600);
    })
    .await;
    world.accounts.set_mode(Mode::Slow(Duration::from_secs(3)));
    let query = |client: Client, name: &str| {
        let query = format!("query {name} {{ me {{ name }} }}");
        tokio::spawn(async move { client.query(&query).await })
    };
    let first = query(world.client(), "A");
    tokio::time::sleep(MEANWHILE).await;
    let others = [query(world.client(), "B"), query(world.client(), "C")];
    tokio::time::sleep(MEANWHILE).await;
    world.accounts.set_mode(Mode::Well);
    world.accounts.requests();
    assert_eq!(first.await.expect("answered").code(), "SUBGRAPH_TIMEOUT");
    for other in others {
        assert_eq!(other.await.expect("answered").data()["me"]["name"], "Ada");
    }
    // One call for both; or two, if one was answered before the other came to ask again.
    assert!((1..=2).contains(&world.accounts.requests().len()));
}

#[test]
fn headers_that_travel_back_and_shared_calls_are_refused_together() {
    let text = "subgraphs: { a: { url: 'http://a.example/' } }";
    let mut config = baedal_router::config::parse(text, &|_| None).expect("reads");
    config.headers.respond = vec!["x-cost".into()];
    config.traffic.share_equal_calls = true;
    let told = config
        .check()
        .expect_err("nobody would have the headers")
        .to_string();
    assert!(told.contains("traffic.share_equal_calls"), "{told}");
}
