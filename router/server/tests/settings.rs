//! A changed configuration while requests are served: what it changes, and that it harms nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use baedal_router::Config;
use baedal_router::config::{ContractConfig, NamedContractConfig};

use crate::support::issuer::Issuer;
use crate::support::socket::{Came, Socket};
use crate::support::{Client, World, auth_of, config_of, eventually};

const ME: &str = "{ me { name } }";

/// A world, and the configuration it began with.
async fn world() -> (World, Config) {
    let mut kept = Config::default();
    let world = World::with(|config| kept = config.clone()).await;
    (world, kept)
}

async fn reload(world: &World, config: &Config) {
    let restart = world.gateway.reload(config).await.expect("it can be served");
    assert!(restart.is_empty(), "{restart:?}");
}

#[tokio::test]
async fn limits_follow() {
    let (world, mut config) = world().await;
    world.query(ME).await.data();
    config.limits.depth = 1;
    reload(&world, &config).await;
    assert_eq!(world.query(ME).await.code(), "DEPTH_LIMIT_EXCEEDED");
    config.limits.depth = 15;
    config.limits.body_bytes = 10;
    reload(&world, &config).await;
    assert_eq!(world.query(ME).await.code(), "BODY_TOO_LARGE");
}

#[tokio::test]
async fn introspection_errors_and_headers_follow() {
    let (world, mut config) = world().await;
    world
        .query("{ __typename __schema { queryType { name } } }")
        .await
        .data();
    config.introspection.enabled = false;
    config.errors.mask_subgraphs = true;
    config.headers.propagate = vec!["x-tenant".into()];
    reload(&world, &config).await;
    let refused = world.query("{ __schema { queryType { name } } }").await;
    assert_eq!(refused.code(), "INTROSPECTION_DISABLED");
    world.query(ME).await.data();
}

#[tokio::test]
async fn cors_and_the_path_follow() {
    let (world, mut config) = world().await;
    config.cors.origins = vec!["https://app.example.com".to_owned()];
    config.path = "/api".to_owned();
    let old = world.gateway.url();
    reload(&world, &config).await;
    assert!(world.gateway.url().ends_with("/api"), "{}", world.gateway.url());
    let response = reqwest::Client::new()
        .post(world.gateway.url())
        .header("origin", "https://app.example.com")
        .header("content-type", "application/json")
        .body(r#"{"query":"{ me { name } }"}"#)
        .send()
        .await
        .expect("an answer");
    let allowed = response.headers().get("access-control-allow-origin").cloned();
    assert_eq!(allowed.expect("it is named"), "https://app.example.com");
    let gone = reqwest::get(format!("{old}?query=x")).await.expect("an answer");
    assert_eq!(gone.status(), 404);
}

#[tokio::test]
async fn issuers_follow() {
    let (world, mut config) = world().await;
    let issuer = Issuer::start().await;
    let token = issuer.token("read:all");
    world.query(ME).await.data();
    config.auth = Some(auth_of(&[&issuer]));
    reload(&world, &config).await;
    let forged = world.client().bearer("nonsense").query(ME).await;
    assert_eq!(forged.status, 401);
    world.client().bearer(&token).query(ME).await.data();
    config.auth = None;
    reload(&world, &config).await;
    world.query(ME).await.data();
}

#[tokio::test]
async fn a_configuration_whose_graph_cannot_be_served_changes_nothing() {
    let (world, config) = world().await;
    let mut other = config.clone();
    other.limits.depth = 1;
    other.contract = Some(ContractConfig {
        include: ["nobody".to_owned()].into(),
        ..ContractConfig::default()
    });
    let refused = world.gateway.reload(&other).await.expect_err("nothing is left");
    assert!(!refused.to_string().is_empty());
    world.query(ME).await.data();
    assert!(
        world.gateway.concerns().is_empty(),
        "{:?}",
        world.gateway.concerns()
    );
    let mut good = config.clone();
    good.limits.depth = 1;
    reload(&world, &good).await;
    assert_eq!(world.query(ME).await.code(), "DEPTH_LIMIT_EXCEEDED");
}

/// Asks again and again until told to stop; how often, and how often something was wrong.
async fn ask(url: String, stop: Arc<AtomicBool>, failed: Arc<AtomicUsize>) -> usize {
    let client = Client::new(url);
    let mut asked = 0;
    while !stop.load(Ordering::Relaxed) {
        let answer = client
            .query("{ topProducts { name reviews { author { name } } } }")
            .await;
        if answer.status != 200 || !answer.errors().is_empty() {
            failed.fetch_add(1, Ordering::Relaxed);
        }
        asked += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    asked
}

#[tokio::test]
async fn thirty_changes_under_load_harm_nobody() {
    let (world, mut config) = world().await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket
        .subscribe("s", "subscription { sales(everyMs: 20) { cursor } }")
        .await;
    let (stop, failed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let askers: Vec<_> = (0..3)
        .map(|_| tokio::spawn(ask(world.gateway.url(), Arc::clone(&stop), Arc::clone(&failed))))
        .collect();
    for round in 0..30 {
        config.limits.aliases = 30 + round;
        config.headers.propagate = vec![format!("x-{round}").as_str().into()];
        config.csrf.enabled = round % 2 == 0;
        config.log.access = round % 2 == 0;
        reload(&world, &config).await;
    }
    stop.store(true, Ordering::Relaxed);
    for asker in askers {
        assert!(asker.await.expect("every request is answered") > 0);
    }
    assert_eq!(failed.load(Ordering::Relaxed), 0);
    assert!(matches!(socket.hear().await, Came::Message(next) if next["type"] == "next"));
}

const SECRET: &str = "{ topProducts { name price } }";

fn contract(name: &str, exclude: &str) -> NamedContractConfig {
    NamedContractConfig {
        name: name.to_owned(),
        path: format!("/{name}"),
        include: Default::default(),
        exclude: [exclude.to_owned()].into(),
    }
}

/// A world in which the price of a product is tagged, with contracts.
async fn tagged(contracts: Vec<NamedContractConfig>) -> (World, Config) {
    let (world, mut config) = world().await;
    let sdl = world.products.sdl();
    let sdl = sdl.replace("price: Int!", "price: Int! @tag(name: \"internal\")");
    let sdl = sdl.replace("import: [", "import: [\"@tag\", ");
    assert!(sdl.contains("\"@tag\""), "{sdl}");
    world.products.set_sdl(sdl);
    config.contracts = contracts;
    reload(&world, &config).await;
    (world, config)
}

fn at(world: &World, path: &str) -> Client {
    Client::new(world.gateway.url().replace("/graphql", path))
}

#[tokio::test]
async fn several_contracts_are_served_each_at_its_path() {
    let (world, mut config) = tagged(vec![
        contract("partners", "internal"),
        contract("all", "no-such-tag"),
    ])
    .await;
    world.query(SECRET).await.data();
    at(&world, "/all").query(SECRET).await.data();
    let partners = at(&world, "/partners");
    assert_eq!(partners.query(SECRET).await.code(), "GRAPHQL_VALIDATION_FAILED");
    partners.query("{ topProducts { name } }").await.data();
    let fields = "{ __type(name: \"Product\") { fields { name } } }";
    assert!(!partners.query(fields).await.data().to_string().contains("price"));
    assert!(world.query(fields).await.data().to_string().contains("price"));
    // A contract that goes answers no more; one that comes does.
    config.contracts = vec![contract("friends", "internal")];
    reload(&world, &config).await;
    let gone = reqwest::get(world.gateway.url().replace("/graphql", "/partners")).await;
    assert_eq!(gone.expect("an answer").status(), 404);
    let refused = at(&world, "/friends").query(SECRET).await;
    assert_eq!(refused.code(), "GRAPHQL_VALIDATION_FAILED");
    // All of them follow the subgraphs.
    let sdl = world
        .products
        .sdl()
        .replace("price: Int!", "extra: Int\n\tprice: Int!");
    world.products.set_sdl(sdl);
    eventually("the contract follows", || async {
        let answer = at(&world, "/friends").query(fields).await;
        answer.data().to_string().contains("extra")
    })
    .await;
}

#[tokio::test]
async fn a_stream_of_a_contract_that_goes_ends() {
    let (world, mut config) = tagged(vec![contract("partners", "internal")]).await;
    let url = world
        .gateway
        .url()
        .replace("/graphql", "/partners")
        .replace("http", "ws");
    let mut socket = Socket::ready_at(&url, None).await;
    socket
        .subscribe("s", "subscription { sales(everyMs: 20) { cursor } }")
        .await;
    assert_eq!(socket.message().await["type"], "next");
    config.contracts.clear();
    reload(&world, &config).await;
    let ended = async {
        loop {
            let message = socket.message().await;
            if message["type"] != "next" {
                return message;
            }
        }
    };
    let end = tokio::time::timeout(Duration::from_secs(10), ended)
        .await
        .expect("it ends");
    assert_eq!(end["type"], "error", "{end}");
}

#[tokio::test]
async fn contracts_that_cannot_work_are_refused() {
    let (world, _) = world().await;
    for (contracts, wanted) in [
        (vec![contract("graphql", "x")], "`contracts[0].path` is taken"),
        (vec![contract("a", "x"), contract("a", "x")], "is taken"),
        (vec![contract("health", "x")], "must not be /health"),
    ] {
        let mut config = config_of(&[&world.products]);
        config.contracts = contracts;
        let refused = config.check().expect_err(wanted).to_string();
        assert!(refused.contains(wanted), "{refused}");
    }
    let mut config = config_of(&[&world.products]);
    config.contracts = vec![contract("a", "x")];
    config.contracts[0].exclude.clear();
    let refused = config.check().expect_err("no tag").to_string();
    assert!(refused.contains("`contracts[0]` names no tag"), "{refused}");
}
