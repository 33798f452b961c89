//! The schema changes under load: no request fails, streams that are still valid live on, the others are told where they
//! were.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::socket::{Came, Socket};
use crate::support::{Client, World, config_of, eventually};

fn cursor(message: &Value) -> u64 {
    let cursor = &message["payload"]["data"]["sales"]["cursor"];
    cursor.as_str().expect("a cursor").parse().expect("a number")
}

/// Adds a field to the products of the schema, and waits until it is served.
async fn change(world: &World, sdl: &str, name: &str) {
    world
        .products
        .set_sdl(sdl.replace("price: Int!", &format!("price: Int!\n\t{name}: Int")));
    eventually("the change is served", || async {
        let fields = world
            .query("{ __type(name: \"Product\") { fields { name } } }")
            .await;
        fields.data().to_string().contains(name)
    })
    .await;
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
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    asked
}

/// Reads a stream until told to stop: every event, none twice. How many there were.
async fn watch(mut socket: Socket, stop: Arc<AtomicBool>) -> u64 {
    socket
        .subscribe(
            "s",
            "subscription { sales(everyMs: 50) { cursor product { name reviews { id } } } }",
        )
        .await;
    let mut last = None;
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        let message = socket.message().await;
        assert_eq!(message["type"], "next", "{message}");
        let cursor = cursor(&message);
        assert!(
            last.is_none_or(|last| cursor == last + 1),
            "{cursor} after {last:?}"
        );
        last = Some(cursor);
        count += 1;
    }
    count
}

/// Asks on a new connection each time.
async fn come(url: String, stop: Arc<AtomicBool>, failed: Arc<AtomicUsize>) -> usize {
    let mut asked = 0;
    while !stop.load(Ordering::Relaxed) {
        let client = reqwest::Client::new();
        let body = json!({"query": "{ topProducts { name } }"}).to_string();
        let asking = client
            .post(&url)
            .header("content-type", "application/json")
            .body(body);
        match asking.send().await {
            Ok(answer) if answer.status() == 200 => {}
            _ => drop(failed.fetch_add(1, Ordering::Relaxed)),
        }
        asked += 1;
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    asked
}

/// Changes settings of each kind: those of a request, those of the engine, and how callers are told apart.
async fn reconfigure(world: &World, round: usize) {
    let mut config = config_of(&[&world.accounts, &world.products, &world.reviews]);
    config.cache.responses.enabled = true;
    config.limits.depth = 10 + round;
    config.traffic.timeout = Duration::from_secs(5 + round as u64);
    config.headers.propagate = vec![format!("x-round-{round}").as_str().into()];
    let restart = world.gateway.reload(&config).await.expect("it is taken over");
    assert!(restart.is_empty(), "{restart:?}");
}

#[tokio::test]
async fn ten_changes_under_load_harm_nobody() {
    let world = World::with(|config| config.cache.responses.enabled = true).await;
    let (stop, failed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut watchers = Vec::new();
    for _ in 0..20 {
        let socket = Socket::ready(&world.gateway, None).await;
        watchers.push(tokio::spawn(watch(socket, Arc::clone(&stop))));
    }
    let url = world.gateway.url();
    let mut askers = vec![tokio::spawn(come(
        url.clone(),
        Arc::clone(&stop),
        Arc::clone(&failed),
    ))];
    for _ in 0..2 {
        askers.push(tokio::spawn(ask(
            url.clone(),
            Arc::clone(&stop),
            Arc::clone(&failed),
        )));
    }
    let sdl = world.products.sdl();
    for round in 0..10 {
        match round % 2 {
            0 => change(&world, &sdl, &format!("field{round}")).await,
            _ => reconfigure(&world, round).await,
        }
    }
    let upstreams = world.products.open_sockets();
    stop.store(true, Ordering::Relaxed);
    for asker in askers {
        assert!(asker.await.expect("every request is answered") > 0);
    }
    for watcher in watchers {
        assert!(watcher.await.expect("no stream ends or has a gap") > 0);
    }
    assert_eq!(failed.load(Ordering::Relaxed), 0);
    assert_eq!(upstreams, 1, "the upstream is shared and lives on");
}

#[tokio::test]
async fn a_stream_that_is_not_valid_any_more_ends_with_its_cursor_and_the_connection_stays() {
    let world = World::start().await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket
        .subscribe("s", "subscription { sales { cursor product { price } } }")
        .await;
    let mut last = cursor(&socket.message().await);
    let gone = world.products.sdl().replace("price: Int!", "cost: Int");
    world.products.set_sdl(gone);
    let end = loop {
        let message = socket.message().await;
        if message["type"] != "next" {
            break message;
        }
        last = cursor(&message);
    };
    assert_eq!(end["type"], "error", "{end}");
    let extensions = &end["payload"][0]["extensions"];
    let wanted = json!({"code": "SUBSCRIPTION_SCHEMA_CHANGED", "cursor": last.to_string()});
    assert_eq!(*extensions, wanted);
    eventually("its upstream is closed", || async {
        world.products.open_sockets() == 0
    })
    .await;
    socket.subscribe("s", "{ me { id } }").await;
    assert!(matches!(socket.hear().await, Came::Message(next) if next["type"] == "next"));
}
