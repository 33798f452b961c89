//! The subscription over a real WebSocket (graphql-transport-ws), with clients that come and go.

use crate::issuer::Issuer;
use crate::support::Place;
use baedal_events::store::Delivered;
use baedal_events::{DomainEvent, STORE_TOPIC};
use baedal_kit::log::{self, EventLog, Record};
use baedal_kit::serve::Running;
use baedal_marketing::domain::Rules;
use baedal_marketing::{Config, start};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const DELIVERIES: usize = 120;

pub fn config(folder: &TempDir, issuer: &str) -> Config {
    Config {
        listen: "127.0.0.1:0".parse().expect("an address"),
        database_url: format!("sqlite://{}/marketing.db?mode=rwc", folder.path().display()),
        events_url: format!("embedded:{}/events.db", folder.path().display()),
        issuer: issuer.to_owned(),
        jwks_url: None,
        audience: "baedal".into(),
        rules: Rules::default(),
        retention: baedal_kit::prune::Retention::default(),
    }
}

pub fn delivery(order: &str, customer: &str) -> Record {
    let event = Delivered {
        order_id: order.into(),
        store_id: "store-seoul".into(),
        customer_id: customer.into(),
        total: 18_000,
    };
    Record {
        key: event.key().to_owned(),
        payload: crate::support::said(&event, 1).to_json().into_bytes(),
    }
}

struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Client {
    /// Connects, says who it is, and subscribes.
    async fn subscribe(running: &Running, token: &str, after: Option<&str>) -> Client {
        let url = running.url().replace("http://", "ws://");
        let mut request = url.into_client_request().expect("a request");
        let protocol = "graphql-transport-ws".parse().expect("a value");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let (socket, _) = connect_async(request).await.expect("connected");
        let mut client = Client { socket };
        client
            .send(json!({"type": "connection_init", "payload": {"authorization": format!("Bearer {token}")}}))
            .await;
        assert_eq!(
            client.receive(5_000).await.expect("an answer")["type"],
            "connection_ack"
        );
        let query = "subscription($after:String){deliveryFeed(after:$after){cursor sequence order{id} store{id} points}}";
        let payload = json!({"query": query, "variables": {"after": after}});
        client
            .send(json!({"id": "1", "type": "subscribe", "payload": payload}))
            .await;
        client
    }

    async fn send(&mut self, message: Value) {
        self.socket
            .send(Message::text(message.to_string()))
            .await
            .expect("sent");
    }

    /// The next message of the protocol; none when the line is closed or nothing comes in time.
    async fn receive(&mut self, within_ms: u64) -> Option<Value> {
        let until = Instant::now() + Duration::from_millis(within_ms);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match timeout(left, self.socket.next()).await.ok()?? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).expect("JSON")),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next item; fails on anything else.
    async fn item(&mut self, within_ms: u64) -> Option<Value> {
        let message = self.receive(within_ms).await?;
        assert_eq!(message["type"], "next", "{message}");
        assert!(message["payload"]["errors"].is_null(), "{message}");
        Some(message["payload"]["data"]["deliveryFeed"].clone())
    }
}

/// Deliveries of two customers go on while the clients come and go.
async fn deliver_all(log: Arc<dyn EventLog>) {
    for n in 0..DELIVERIES {
        let records = ["anna", "bert"].map(|customer| delivery(&format!("{customer}-{n:03}"), customer));
        log.publish(STORE_TOPIC, records.to_vec())
            .await
            .expect("published");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A client that drops its line every few items, at another replica each time, and comes back with its cursor.
async fn read_with_reconnects(replicas: &[Running], token: &str) -> Vec<(u64, String)> {
    let (mut seen, mut cursor) = (Vec::new(), Some(baedal_kit::page::encode("0")));
    for round in 0.. {
        assert!(round < 200, "only {} items after {round} connections", seen.len());
        let mut client = Client::subscribe(&replicas[round % replicas.len()], token, cursor.as_deref()).await;
        for _ in 0..(1 + round * 7 % 11) {
            let Some(item) = client.item(2_000).await else {
                break;
            };
            cursor = item["cursor"].as_str().map(str::to_owned);
            let order = item["order"]["id"].as_str().expect("an id").to_owned();
            seen.push((item["sequence"].as_u64().expect("a number"), order));
            if seen.len() == DELIVERIES {
                return seen;
            }
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_comes_back_with_its_cursor_misses_nothing_and_sees_nothing_twice() {
    come_and_go(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_mongodb_too_it_misses_nothing_and_sees_nothing_twice() {
    if let Some(place) = Place::mongo() {
        come_and_go(Some(place.url)).await;
    }
}

async fn come_and_go(database_url: Option<String>) {
    let (folder, issuer) = (tempfile::tempdir().expect("a folder"), Issuer::start().await);
    let mut config = config(&folder, &issuer.url);
    config.database_url = database_url.unwrap_or(config.database_url);
    let log = log::open(&config.events_url).await.expect("a log");
    let replicas = [
        start(config.clone()).await.expect("started"),
        start(config).await.expect("started"),
    ];
    let delivering = tokio::spawn(deliver_all(log));
    let (anna, bert) = (
        issuer.token("anna", "order", 600),
        issuer.token("bert", "order", 600),
    );
    let read = tokio::join!(
        read_with_reconnects(&replicas, &anna),
        read_with_reconnects(&replicas, &bert)
    );
    delivering.await.expect("delivered");
    for (name, seen) in [("anna", read.0), ("bert", read.1)] {
        let numbers: Vec<u64> = seen.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (1..=DELIVERIES as u64).collect::<Vec<_>>(), "{name}");
        let mut orders: Vec<&String> = seen.iter().map(|(_, order)| order).collect();
        orders.sort();
        let expected: Vec<String> = (0..DELIVERIES).map(|n| format!("{name}-{n:03}")).collect();
        assert_eq!(
            orders,
            expected.iter().collect::<Vec<_>>(),
            "only the caller's own"
        );
    }
    for running in replicas {
        running.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_is_seen_within_a_second_at_every_replica() {
    let (folder, issuer) = (tempfile::tempdir().expect("a folder"), Issuer::start().await);
    let config = config(&folder, &issuer.url);
    let log = log::open(&config.events_url).await.expect("a log");
    let replicas = [
        start(config.clone()).await.expect("started"),
        start(config).await.expect("started"),
    ];
    let token = issuer.token("anna", "order", 600);
    let mut clients = Vec::new();
    for running in &replicas {
        clients.push(Client::subscribe(running, &token, None).await);
    }
    // Until both replicas have joined the log, and the subscriptions stand.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    for n in 0..10 {
        let began = Instant::now();
        log.publish(STORE_TOPIC, vec![delivery(&format!("order-{n}"), "anna")])
            .await
            .expect("published");
        for client in &mut clients {
            assert_eq!(client.item(5_000).await.expect("an item")["sequence"], n + 1);
        }
        let took = began.elapsed();
        println!("delivery {n} was at both replicas' clients after {took:?}");
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
    for running in replicas {
        running.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_are_refused_and_a_subscription_ends_with_its_token() {
    let (folder, issuer) = (tempfile::tempdir().expect("a folder"), Issuer::start().await);
    let running = start(config(&folder, &issuer.url)).await.expect("started");
    let mut owner = Client::subscribe(&running, &issuer.token("owner", "store", 600), None).await;
    let refused = owner.receive(5_000).await.expect("an answer").to_string();
    assert!(refused.contains("FORBIDDEN"), "{refused}");
    let mut lost = Client::subscribe(&running, &issuer.token("anna", "order", 600), Some("nonsense")).await;
    let refused = lost.receive(5_000).await.expect("an answer").to_string();
    assert!(refused.contains("INVALID_CURSOR"), "{refused}");
    let mut brief = Client::subscribe(&running, &issuer.token("anna", "order", 2), None).await;
    let began = Instant::now();
    let mut messages = 0;
    // It may say why before it closes; no item comes, and it does not stay open.
    while let Some(message) = brief.receive(10_000).await {
        assert!(message["payload"]["data"]["deliveryFeed"].is_null(), "{message}");
        messages += 1;
        assert!(messages < 5);
    }
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    running.shutdown().await;
}
