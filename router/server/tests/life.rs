//! The supergraph's life: subgraphs that change, are absent, come later; files; the last good one on disk.

use serde_json::json;

use crate::support::graphs::{self, Journal};
use crate::support::subgraph::free_address;
use crate::support::{Client, Subgraph, World, config_of, eventually};

async fn ready(gateway: &baedal_router::Running) -> crate::support::Answer {
    Client::new(gateway.url().replace("/graphql", "/health/ready"))
        .method("GET")
        .await
}

#[tokio::test]
async fn a_changed_sdl_is_served_without_a_restart() {
    let world = World::start().await;
    assert_eq!(
        world.query("{ product(upc: \"top-1\") { colour } }").await.code(),
        "GRAPHQL_VALIDATION_FAILED"
    );
    let changed = world
        .products
        .sdl()
        .replace("price: Int!", "price: Int!\n\tcolour: String");
    world.products.set_sdl(changed);
    eventually("the new field is known", || async {
        world
            .query("{ __type(name: \"Product\") { fields { name } } }")
            .await
            .data()
            .to_string()
            .contains("colour")
    })
    .await;
    world.query("{ product(upc: \"top-1\") { price } }").await.data();
}

#[tokio::test]
async fn a_change_that_does_not_compose_changes_nothing_and_is_reported() {
    let world = World::start().await;
    let good = world.products.sdl();
    world
        .products
        .set_sdl(good.replace("name: String!", "name: Missing!"));
    eventually("the refusal is told", || async {
        !world.gateway.concerns().is_empty()
    })
    .await;
    world.query("{ product(upc: \"top-1\") { name } }").await.data();
    let told = ready(&world.gateway).await;
    assert_eq!(
        (told.status, &told.body["status"]),
        (200, &json!("degraded")),
        "{told:?}"
    );
    assert!(told.body["reasons"].to_string().contains("refused"), "{told:?}");
    world.products.set_sdl(good);
    eventually("the refusal is forgotten", || async {
        world.gateway.concerns().is_empty()
    })
    .await;
}

#[tokio::test]
async fn requests_never_fail_while_the_schema_changes() {
    let world = World::start().await;
    let client = world.client();
    let sdl = world.products.sdl();
    let asked = world.products.asked_sdl();
    for round in 0..40 {
        world
            .products
            .set_sdl(sdl.replace("price: Int!", &format!("price: Int!\n\tfield{round}: Int")));
        for _ in 0..5 {
            client
                .query("{ topProducts { name reviews { author { name } } } }")
                .await
                .data();
        }
    }
    assert!(world.products.asked_sdl() > asked);
}

#[tokio::test]
async fn a_subgraph_that_appears_later_joins() {
    let journal = Journal::default();
    let accounts = graphs::accounts(&journal).await;
    let addr = free_address().await;
    let mut config = config_of(&[&accounts]);
    let url = format!("http://{addr}/graphql").parse().expect("a URL");
    config.subgraphs.insert(
        "products".to_owned(),
        baedal_router::config::SubgraphConfig::at(url),
    );
    let gateway = baedal_router::start(config)
        .await
        .expect("an absent subgraph does not stop the start");
    let client = Client::new(gateway.url());
    client.query("{ me { name } }").await.data();
    let told = ready(&gateway).await;
    assert_eq!(
        (told.status, &told.body["status"]),
        (200, &json!("degraded")),
        "{told:?}"
    );
    assert!(told.body["reasons"].to_string().contains("products"));
    let (schema, sdl) = graphs::products_schema(&journal);
    let products = Subgraph::start_at("products", addr, schema, sdl).await;
    eventually("it joins", || async {
        client
            .query("{ topProducts { name } me { name } }")
            .await
            .errors()
            .is_empty()
    })
    .await;
    eventually("all is well", || async { gateway.concerns().is_empty() }).await;
    products.stop().await;
    eventually("it is missed", || async { !gateway.concerns().is_empty() }).await;
    client
        .query("{ __type(name: \"Product\") { name } me { name } }")
        .await
        .data();
    let partial = client.query("{ topProducts { name } }").await;
    assert_eq!(
        partial.code(),
        "SUBGRAPH_UNREACHABLE",
        "its last known schema is still served: {partial:?}"
    );
}

#[tokio::test]
async fn with_no_subgraph_at_all_it_waits_and_says_so() {
    let journal = Journal::default();
    let addr = free_address().await;
    let mut config = config_of(&[]);
    let url = format!("http://{addr}/graphql").parse().expect("a URL");
    config.subgraphs.insert(
        "products".to_owned(),
        baedal_router::config::SubgraphConfig::at(url),
    );
    let gateway = baedal_router::start(config).await.expect("it starts");
    let client = Client::new(gateway.url());
    let answer = client.query("{ topProducts { name } }").await;
    assert_eq!((answer.status, answer.code()), (503, "SUPERGRAPH_NOT_READY"));
    assert_eq!(ready(&gateway).await.status, 503);
    let (schema, sdl) = graphs::products_schema(&journal);
    let _products = Subgraph::start_at("products", addr, schema, sdl).await;
    eventually("it serves", || async {
        client.query("{ topProducts { name } }").await.status == 200
    })
    .await;
}

#[tokio::test]
async fn the_last_good_supergraph_serves_while_subgraphs_are_down() {
    let state = tempfile::tempdir().expect("a folder");
    let journal = Journal::default();
    let (accounts, products) = (graphs::accounts(&journal).await, graphs::products(&journal).await);
    let mut config = config_of(&[&accounts, &products]);
    config.supergraph.state_dir = Some(state.path().to_owned());
    let first = baedal_router::start(config.clone()).await.expect("it starts");
    assert!(first.is_ready());
    first.shutdown().await;
    products.stop().await;
    let second = baedal_router::start(config).await.expect("it starts");
    let client = Client::new(second.url());
    let answer = client.query("{ me { name } topProducts { name } }").await;
    assert_eq!(
        answer.code(),
        "SUBGRAPH_UNREACHABLE",
        "the absent subgraph's fields are still known: {answer:?}"
    );
    client.query("{ me { name } }").await.data();
}

#[tokio::test]
async fn a_supergraph_file_is_served_and_watched() {
    let journal = Journal::default();
    let accounts = graphs::accounts(&journal).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("supergraph.graphql");
    let compose = |sdl: String| {
        let subgraph = baedal_composition::Subgraph {
            name: "accounts".into(),
            url: accounts.url().to_string(),
            sdl,
        };
        baedal_composition::compose(&[subgraph])
            .expect("composes")
            .supergraph_sdl
    };
    std::fs::write(&file, compose(accounts.sdl())).expect("written");
    let mut config = config_of(&[]);
    config.supergraph.file = Some(file.clone());
    let gateway = baedal_router::start(config).await.expect("it starts");
    let client = Client::new(gateway.url());
    client.query("{ me { name } }").await.data();
    std::fs::write(&file, "type Query { not: ASupergraph }").expect("written");
    eventually("the refusal is told", || async { !gateway.concerns().is_empty() }).await;
    client.query("{ me { name } }").await.data();
    std::fs::write(
        &file,
        compose(
            accounts
                .sdl()
                .replace("email: String", "email: String\n\tphone: String"),
        ),
    )
    .expect("written");
    eventually("the change is served", || async {
        client
            .query("{ __type(name: \"User\") { fields { name } } }")
            .await
            .body
            .to_string()
            .contains("phone")
    })
    .await;
}

#[tokio::test]
async fn files_that_cannot_be_used_stop_the_start_with_a_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = config_of(&[]);
    config.supergraph.file = Some(folder.path().join("none.graphql"));
    let missing = baedal_router::start(config.clone())
        .await
        .map(drop)
        .expect_err("no such file")
        .to_string();
    assert!(missing.contains("none.graphql"), "{missing}");
    std::fs::write(folder.path().join("none.graphql"), "type Query {").expect("written");
    let broken = baedal_router::start(config)
        .await
        .map(drop)
        .expect_err("no supergraph")
        .to_string();
    assert!(broken.contains("supergraph"), "{broken}");
}

#[tokio::test]
async fn a_taken_port_is_told_with_what_to_do() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let accounts = graphs::accounts(&Journal::default()).await;
    let mut config = config_of(&[&accounts]);
    config.listen = taken.local_addr().expect("an address");
    let message = baedal_router::start(config)
        .await
        .map(drop)
        .expect_err("taken")
        .to_string();
    assert!(
        message.contains("cannot listen") && message.contains("--listen"),
        "{message}"
    );
}

/// Reasons in `/health/ready`, after the gateway has looked a few times more.
async fn lasting_reasons(gateway: &baedal_router::Running) -> String {
    tokio::time::sleep(std::time::Duration::from_millis(350)).await;
    ready(gateway).await.body["reasons"].to_string()
}

#[tokio::test]
async fn the_kept_supergraph_does_not_hide_why_there_is_no_new_one() {
    let state = tempfile::tempdir().expect("a folder");
    let journal = Journal::default();
    let (accounts, products) = (graphs::accounts(&journal).await, graphs::products(&journal).await);
    let mut config = config_of(&[&accounts, &products]);
    config.supergraph.state_dir = Some(state.path().to_owned());
    let first = baedal_router::start(config.clone()).await.expect("it starts");
    first.shutdown().await;
    let good = products.sdl();
    products.set_sdl(good.replace("name: String!", "name: Missing!"));
    let second = baedal_router::start(config).await.expect("it starts");
    for _ in 0..2 {
        let reasons = lasting_reasons(&second).await;
        assert!(
            reasons.contains("last good one from disk") && reasons.contains("INVALID_GRAPHQL"),
            "{reasons}"
        );
    }
    Client::new(second.url())
        .query("{ me { name } topProducts { name } }")
        .await
        .data();
    products.set_sdl(good);
    eventually("all is well", || async { second.concerns().is_empty() }).await;
}

#[tokio::test]
async fn a_file_that_cannot_be_read_for_a_while_leaves_no_trace_and_hides_no_refusal() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, away) = (folder.path().join("s.graphql"), folder.path().join("away"));
    let subgraph = baedal_composition::Subgraph {
        name: "a".into(),
        url: "http://127.0.0.1:9/graphql".into(),
        sdl: "type Query { a: Int }".into(),
    };
    let composed = baedal_composition::compose(&[subgraph]).expect("composes");
    std::fs::write(&file, composed.supergraph_sdl).expect("written");
    let mut config = config_of(&[]);
    config.supergraph.file = Some(file.clone());
    let gateway = baedal_router::start(config).await.expect("it starts");
    std::fs::rename(&file, &away).expect("moved");
    eventually("it is missed", || async { !gateway.concerns().is_empty() }).await;
    std::fs::rename(&away, &file).expect("moved");
    eventually("all is well", || async { gateway.concerns().is_empty() }).await;

    std::fs::write(&file, "type Query { not: ASupergraph }").expect("written");
    eventually("the refusal is told", || async { !gateway.concerns().is_empty() }).await;
    std::fs::rename(&file, &away).expect("moved");
    eventually("both are told", || async { gateway.concerns().len() == 2 }).await;
    std::fs::rename(&away, &file).expect("moved");
    eventually("it can be read", || async { gateway.concerns().len() == 1 }).await;
    let reasons = lasting_reasons(&gateway).await;
    assert!(reasons.contains("not a supergraph"), "{reasons}");
}

/// What a contract leaves out cannot be asked for, also when it gets its tag while the gateway runs; the rest is served.
#[tokio::test]
async fn a_contract_hides_what_bears_an_excluded_tag() {
    let contract = baedal_router::config::ContractConfig {
        exclude: ["internal".to_owned()].into(),
        ..Default::default()
    };
    let world = World::with(|config| config.contract = Some(contract)).await;
    world
        .query("{ product(upc: \"top-1\") { name price } }")
        .await
        .data();
    let tagged = world
        .products
        .sdl()
        .replace("price: Int!", "price: Int! @tag(name: \"internal\")");
    assert!(tagged.contains("\"@tag\""), "{tagged}");
    world.products.set_sdl(tagged);
    eventually("the field is gone", || async {
        let answer = world
            .query("{ __type(name: \"Product\") { fields { name } } }")
            .await;
        !answer.data().to_string().contains("price")
    })
    .await;
    let refused = world.query("{ product(upc: \"top-1\") { price } }").await;
    assert_eq!(refused.code(), "GRAPHQL_VALIDATION_FAILED");
    world.query("{ product(upc: \"top-1\") { name } }").await.data();
}

#[tokio::test]
async fn a_stop_is_seen_at_once_and_cuts_nobody() {
    let world = World::with(|config| {
        config.traffic.shutdown_delay = std::time::Duration::from_millis(800);
    })
    .await;
    let mode = crate::support::Mode::Slow(std::time::Duration::from_millis(1_500));
    world.accounts.set_mode(mode);
    let client = Client::new(world.gateway.url());
    let slow = tokio::spawn({
        let client = Client::new(world.gateway.url());
        async move { client.query("{ me { name } }").await }
    });
    let ready = Client::new(world.gateway.url().replace("/graphql", "/health/ready"));
    let mut socket = crate::support::socket::Socket::ready(&world.gateway, None).await;
    assert_eq!(ready.method("GET").await.status, 200);
    let begun = std::time::Instant::now();
    let stopping = tokio::spawn(world.gateway.shutdown());
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(ready.method("GET").await.status, 503, "balancers see it");
    client.query("{ topProducts { name } }").await.data();
    assert_eq!(socket.close_code().await, 1001);
    drop(socket);
    slow.await.expect("no panic").data();
    stopping.await.expect("no panic");
    assert!(begun.elapsed() < std::time::Duration::from_secs(15));
}
