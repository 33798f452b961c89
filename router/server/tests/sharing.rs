//! Equal requests under way share one execution, and nothing is shared that should not be.

use std::time::Duration;

use crate::support::issuer::Issuer;
use crate::support::{Client, Mode, World, auth_of};

const QUERY: &str = "{ me { name } }";
/// How long the subgraph takes: all requests of a test are under way within it.
const SLOW: Mode = Mode::Slow(Duration::from_millis(600));
const MEANWHILE: Duration = Duration::from_millis(150);

async fn sharing_world() -> World {
    let world = World::with(|config| {
        config.traffic.share_equal_requests = true;
        config.headers.propagate = vec!["x-tenant".into()];
    })
    .await;
    world.accounts.set_mode(SLOW);
    world.accounts.requests();
    world
}

#[tokio::test]
async fn equal_queries_under_way_are_one_and_later_ones_are_not() {
    let world = sharing_world().await;
    let (a, b, c) = (world.client(), world.client(), world.client());
    let (a, b, c) = tokio::join!(a.query(QUERY), b.query(QUERY), c.query(QUERY));
    for answer in [&a, &b, &c] {
        assert_eq!(answer.data()["me"]["name"], "Ada");
    }
    assert_eq!(world.accounts.requests().len(), 1);
    assert_ne!(a.header("x-request-id"), b.header("x-request-id"));
    world.query(QUERY).await.data();
    assert_eq!(world.accounts.requests().len(), 1);
}

#[tokio::test]
async fn nothing_is_shared_unless_it_is_switched_on() {
    let world = World::start().await;
    world.accounts.set_mode(SLOW);
    world.accounts.requests();
    let (a, b) = (world.client(), world.client());
    tokio::join!(a.query(QUERY), b.query(QUERY));
    assert_eq!(world.accounts.requests().len(), 2);
}

#[tokio::test]
async fn a_forwarded_header_or_another_text_sets_requests_apart() {
    let world = sharing_world().await;
    let (a, b) = (
        world.client().header("x-tenant", "a"),
        world.client().header("x-tenant", "b"),
    );
    let (c, d) = (world.client(), world.client());
    let other = "{ me { name } } # another";
    let (a, b, c, d) = tokio::join!(a.query(QUERY), b.query(QUERY), c.query(QUERY), d.query(other));
    for answer in [a, b, c, d] {
        assert_eq!(answer.data()["me"]["name"], "Ada");
    }
    let mut tenants: Vec<Option<String>> = world
        .accounts
        .requests()
        .iter()
        .map(|(headers, _)| {
            headers
                .get("x-tenant")
                .map(|tenant| tenant.to_str().expect("text").to_owned())
        })
        .collect();
    tenants.sort();
    assert_eq!(tenants, [None, None, Some("a".to_owned()), Some("b".to_owned())]);
}

#[tokio::test]
async fn tokens_set_requests_apart() {
    let issuer = Issuer::start().await;
    let auth = auth_of(&[&issuer]);
    let world = World::with(|config| {
        config.auth = Some(auth);
        config.traffic.share_equal_requests = true;
    })
    .await;
    world.accounts.set_mode(SLOW);
    world.accounts.requests();
    let (one, other) = (issuer.token("one"), issuer.token("other"));
    let client = |token: &str| world.client().bearer(token);
    let (a, b, c, d) = (client(&one), client(&one), client(&other), world.client());
    let answers = tokio::join!(a.query(QUERY), b.query(QUERY), c.query(QUERY), d.query(QUERY));
    drop(answers);
    assert_eq!(world.accounts.requests().len(), 3);
}

#[tokio::test]
async fn mutations_are_never_shared() {
    let world = sharing_world().await;
    world.products.set_mode(SLOW);
    world.products.requests();
    let mutation = "mutation { putOnShelf(upc: \"top-1\") { upc } }";
    let (a, b) = (world.client(), world.client());
    tokio::join!(a.query(mutation), b.query(mutation));
    assert_eq!(world.products.requests().len(), 2);
}

#[tokio::test]
async fn the_first_client_may_go_away() {
    let world = sharing_world().await;
    let first = world.client();
    let first = tokio::spawn(async move { first.query(QUERY).await });
    tokio::time::sleep(MEANWHILE).await;
    let second = world.client();
    let second = tokio::spawn(async move { second.query(QUERY).await });
    tokio::time::sleep(MEANWHILE).await;
    first.abort();
    let answer = second.await.expect("the second client is answered");
    assert_eq!(answer.data()["me"]["name"], "Ada");
    assert_eq!(world.accounts.requests().len(), 1);
}

#[tokio::test]
async fn when_all_clients_go_away_the_next_one_begins_anew() {
    let world = sharing_world().await;
    let gone = world.client();
    let gone = tokio::spawn(async move { gone.query(QUERY).await });
    tokio::time::sleep(MEANWHILE).await;
    gone.abort();
    tokio::time::sleep(MEANWHILE).await;
    world.query(QUERY).await.data();
    assert_eq!(world.accounts.requests().len(), 2);
}

#[tokio::test]
async fn an_error_of_the_first_is_not_taken_over() {
    let world = World::with(|config| {
        config.traffic.share_equal_requests = true;
        config.traffic.timeout = Duration::from_millis(500);
    })
    .await;
    world.accounts.set_mode(Mode::Slow(Duration::from_secs(2)));
    let query = |client: Client| tokio::spawn(async move { client.query(QUERY).await });
    let first = query(world.client());
    tokio::time::sleep(MEANWHILE).await;
    let others = [query(world.client()), query(world.client())];
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
