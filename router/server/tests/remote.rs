//! A supergraph at a URL, and what is served while subgraphs are absent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use baedal_router::Config;
use baedal_router::config::{AbsentSubgraphs, SubgraphConfig};
use http::header::{ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use tokio::sync::Mutex;

use crate::support::graphs::{self, Journal};
use crate::support::{Client, Subgraph, config_of, eventually};

/// Serves a text with an ETag, and counts.
#[derive(Clone, Default)]
struct Registry {
    text: Arc<Mutex<String>>,
    whole: Arc<AtomicUsize>,
    unchanged: Arc<AtomicUsize>,
    broken: Arc<AtomicUsize>,
}

async fn answer(State(registry): State<Registry>, headers: HeaderMap) -> Response {
    if registry.broken.load(Ordering::SeqCst) > 0 {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let text = registry.text.lock().await.clone();
    let etag = format!("\"{}\"", text.len());
    if headers.get(IF_NONE_MATCH).is_some_and(|known| *known == *etag) {
        registry.unchanged.fetch_add(1, Ordering::SeqCst);
        return StatusCode::NOT_MODIFIED.into_response();
    }
    registry.whole.fetch_add(1, Ordering::SeqCst);
    ([(ETAG, etag)], text).into_response()
}

impl Registry {
    async fn start(text: String) -> (Registry, url::Url) {
        let registry = Registry {
            text: Arc::new(Mutex::new(text)),
            ..Registry::default()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}/supergraph", listener.local_addr().expect("an address"));
        let routes = Router::new()
            .route("/supergraph", get(answer))
            .with_state(registry.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (registry, url.parse().expect("a URL"))
    }
}

fn composed(subgraphs: &[&Subgraph]) -> String {
    let of = |subgraph: &&Subgraph| baedal_composition::Subgraph {
        name: subgraph.name.to_owned(),
        url: subgraph.url().to_string(),
        sdl: subgraph.sdl(),
    };
    let subgraphs: Vec<_> = subgraphs.iter().map(of).collect();
    baedal_composition::compose(&subgraphs)
        .expect("composes")
        .supergraph_sdl
}

fn config(url: url::Url) -> Config {
    let mut config = config_of(&[]);
    config.supergraph.url = Some(url);
    config
}

#[tokio::test]
async fn a_supergraph_at_a_url_is_served_and_asked_for_again_only_if_it_changed() {
    let accounts = graphs::accounts(&Journal::default()).await;
    let products = graphs::products(&Journal::default()).await;
    let (registry, url) = Registry::start(composed(&[&accounts])).await;
    let gateway = baedal_router::start(config(url)).await.expect("starts");
    let client = Client::new(gateway.url());
    client.query("{ me { name } }").await.data();
    eventually("it is asked whether it has changed", || async {
        registry.unchanged.load(Ordering::SeqCst) >= 2
    })
    .await;
    assert_eq!(registry.whole.load(Ordering::SeqCst), 1);
    *registry.text.lock().await = composed(&[&accounts, &products]);
    eventually("the other is served", || async {
        client.query("{ topProducts { name } }").await.errors().is_empty()
    })
    .await;
    *registry.text.lock().await = "type Query { a: Int }".to_owned();
    eventually("one that cannot be served is told", || async {
        gateway.concerns().join(" ").contains("not a supergraph")
    })
    .await;
    client.query("{ topProducts { name } }").await.data();
    registry.broken.store(1, Ordering::SeqCst);
    eventually("a failure is told", || async {
        gateway.concerns().join(" ").contains("502")
    })
    .await;
    client.query("{ topProducts { name } }").await.data();
    gateway.shutdown().await;
}

#[tokio::test]
async fn what_was_kept_serves_while_the_url_does_not_answer() {
    let accounts = graphs::accounts(&Journal::default()).await;
    let (registry, url) = Registry::start(composed(&[&accounts])).await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = config(url);
    config.supergraph.state_dir = Some(folder.path().to_owned());
    let gateway = baedal_router::start(config.clone()).await.expect("starts");
    gateway.shutdown().await;
    registry.broken.store(1, Ordering::SeqCst);
    let gateway = baedal_router::start(config).await.expect("starts");
    let client = Client::new(gateway.url());
    client.query("{ me { name } }").await.data();
    let told = gateway.concerns().join(" ");
    assert!(
        told.contains("last good one from disk") && told.contains("502"),
        "{told}"
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn absent_subgraphs_can_be_refused() {
    let accounts = graphs::accounts(&Journal::default()).await;
    let mut config = config_of(&[&accounts]);
    let nobody = SubgraphConfig::at("http://127.0.0.1:9/graphql".parse().expect("a URL"));
    config.subgraphs.insert("gone".to_owned(), nobody);
    config.supergraph.absent = AbsentSubgraphs::Refuse;
    let gateway = baedal_router::start(config.clone()).await.expect("starts");
    assert!(!gateway.is_ready());
    let told = gateway.concerns().join(" ");
    assert!(told.contains("subgraph 'gone'"), "{told}");
    config.supergraph.absent = AbsentSubgraphs::Tolerate;
    gateway.reload(&config).await.expect("the rest can be served");
    assert!(gateway.is_ready());
    // What is served goes on, also when another that is absent is to be refused.
    config.supergraph.absent = AbsentSubgraphs::Refuse;
    let refused = tokio::time::timeout(Duration::from_secs(10), gateway.reload(&config)).await;
    assert!(refused.expect("an answer").is_err());
    Client::new(gateway.url()).query("{ me { name } }").await.data();
    gateway.shutdown().await;
}

#[test]
fn a_url_and_a_file_are_one_too_many() {
    let mut config = config("http://registry.example/graph".parse().expect("a URL"));
    config.check().expect("one is enough");
    config.supergraph.file = Some("s.graphql".into());
    let refused = config.check().expect_err("two").to_string();
    assert!(refused.contains("supergraph.url"), "{refused}");
}
