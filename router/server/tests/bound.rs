//! Subscriptions that are bound to topics: events, rules, cursors, restarts, a broker that is away, what does not fit.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use baedal_router::Config;
use baedal_router::config::{BoundConfig, BrokerConfig, SubgraphConfig, parse};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::socket::Socket;
use crate::support::{Issuer, World, auth_of, config_of, eventually};

const SDL: &str = "
extend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\", import: [\"@key\"])
type Subscription {
  moved(upc: ID, mine: Boolean, after: String): Move
}
type Move { cursor: String! number: Int! to: Place product: Product! }
type Place { shelf: String! }
type Product @key(fields: \"upc\", resolvable: false) { upc: ID! }
";

const BOUND: &str = "
- field: moved
  broker: main
  topic: moves
  payload: /data
  key: $args.upc
";

const MOVED: &str = "subscription($a: String) { moved(after: $a) { cursor number } }";

/// A broker in a folder, and the subgraph that declares its events.
struct Broker {
    folder: TempDir,
}

impl Broker {
    fn new(partitions: usize) -> Broker {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("moves.graphql"), SDL).expect("written");
        let broker = Broker { folder };
        std::fs::create_dir_all(broker.path().join("moves")).expect("made");
        (0..partitions).for_each(|partition| broker.append(partition, ""));
        broker
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("broker")
    }

    fn append(&self, partition: usize, lines: &str) {
        let file = self.path().join(format!("moves/{partition}.jsonl"));
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(file)
            .expect("opened");
        file.write_all(lines.as_bytes()).expect("written");
    }

    /// A move of a product, for somebody.
    fn moves(&self, partition: usize, upc: &str, who: &str, number: u64) {
        let data = json!({"number": number, "to": {"shelf": "s"}, "product": {"upc": upc}});
        let record = json!({"key": upc, "value": {"who": who, "data": data}});
        self.append(partition, &format!("{record}\n"));
    }

    fn bind(&self, config: &mut Config, bound: &str) {
        bind(
            config,
            &self.path(),
            &self.folder.path().join("moves.graphql"),
            bound,
        );
    }

    async fn world(&self, change: impl FnOnce(&mut Config)) -> World {
        World::with(|config| {
            self.bind(config, BOUND);
            change(config);
        })
        .await
    }
}

fn bind(config: &mut Config, folder: &Path, sdl: &Path, bound: &str) {
    let broker = BrokerConfig {
        files: Some(folder.to_owned()),
        ..BrokerConfig::default()
    };
    config.brokers.insert("main".to_owned(), broker);
    config.subscriptions.bound = bindings(bound);
    let subgraph = SubgraphConfig {
        r#virtual: true,
        sdl: Some(sdl.to_owned()),
        ..SubgraphConfig::default()
    };
    config.subgraphs.insert("moves".to_owned(), subgraph);
}

fn bindings(text: &str) -> Vec<BoundConfig> {
    let text = format!("subscriptions:\n  bound:{}", text.replace('\n', "\n    "));
    parse(&text, &|_| None).expect("reads").subscriptions.bound
}

async fn subscribed(world: &World, query: &str, variables: Value) -> Socket {
    let mut socket = Socket::ready(&world.gateway, None).await;
    subscribe(&mut socket, query, variables).await;
    socket
}

async fn subscribe(socket: &mut Socket, query: &str, variables: Value) {
    let payload = json!({"query": query, "variables": variables});
    socket
        .say(json!({"id": "m", "type": "subscribe", "payload": payload}))
        .await;
    // The stream has to begin before what it is to see.
    tokio::time::sleep(Duration::from_millis(400)).await;
}

/// The number of the next move, and its cursor.
async fn next(socket: &mut Socket) -> (u64, String) {
    let message = socket.message().await;
    let moved = &message["payload"]["data"]["moved"];
    let number = moved["number"].as_u64().unwrap_or_else(|| panic!("{message}"));
    (number, moved["cursor"].as_str().unwrap_or_default().to_owned())
}

async fn refused(socket: &mut Socket) -> String {
    let message = socket.message().await;
    assert_eq!(message["type"], "error", "{message}");
    message["payload"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn records_are_events_and_entities_come_from_the_graph() {
    let broker = Broker::new(2);
    broker.moves(0, "top-1", "ada", 1);
    let world = broker.world(|_| ()).await;
    let query = "subscription { m: moved { n: number __typename to { shelf } product { name reviews(first: 1) { body } } } }";
    let mut socket = subscribed(&world, query, json!({})).await;
    let mut of_two = subscribed(
        &world,
        "subscription { moved(upc: \"top-2\") { number } }",
        json!({}),
    )
    .await;
    broker.moves(0, "top-1", "ada", 2);
    let moved = json!({"n": 2, "__typename": "Move", "to": {"shelf": "s"},
        "product": {"name": "Table", "reviews": [{"body": "Love it"}]}});
    assert_eq!(socket.message().await["payload"], json!({"data": {"m": moved}}));
    broker.moves(1, "top-2", "ada", 3);
    assert_eq!(next(&mut of_two).await.0, 3, "the first had another key");
    let message = socket.message().await;
    assert_eq!(message["payload"]["data"]["m"]["product"]["name"], "Couch");
}

#[tokio::test]
async fn records_that_are_no_events_are_passed_over() {
    let broker = Broker::new(1);
    let world = broker.world(|_| ()).await;
    let mut socket = subscribed(&world, MOVED, json!({})).await;
    broker.append(0, "nonsense\n{\"key\": \"a\", \"value\": null}\n{\"key\": \"a\", \"value\": {\"data\": 7}}\n{\"value\": []}\n");
    broker.moves(0, "top-1", "ada", 5);
    assert_eq!(next(&mut socket).await.0, 5);
}

#[tokio::test]
async fn what_an_event_lacks_is_null_as_the_schema_allows() {
    let broker = Broker::new(1);
    let world = broker.world(|_| ()).await;
    let mut socket = subscribed(
        &world,
        "subscription { moved { number to { shelf } } }",
        json!({}),
    )
    .await;
    broker.append(0, "{\"value\": {\"data\": {\"number\": 1}}}\n");
    assert_eq!(
        socket.message().await["payload"]["data"],
        json!({"moved": {"number": 1, "to": null}})
    );
    broker.append(0, "{\"value\": {\"data\": {\"to\": null}}}\n");
    let message = socket.message().await;
    assert_eq!(message["payload"]["data"], json!({"moved": null}), "{message}");
    assert!(message["payload"]["errors"][0].is_object(), "{message}");
}

#[tokio::test]
async fn a_claim_decides_who_sees_which_event_also_when_it_is_replayed() {
    let issuer = Issuer::start().await;
    let auth = auth_of(&[&issuer]);
    let broker = Broker::new(1);
    let world = broker
        .world(|config| {
            config.auth = Some(auth);
            let mine = format!("{BOUND}  where: [{{ at: /who, equals: $claims.sub }}]\n");
            config.subscriptions.bound = bindings(&mine);
        })
        .await;
    let token = |sub: &str| issuer.token_with(json!({"sub": sub}));
    let mut ada = Socket::ready(&world.gateway, Some(&token("ada"))).await;
    subscribe(&mut ada, MOVED, json!({})).await;
    let mut alan = Socket::ready(&world.gateway, Some(&token("alan"))).await;
    subscribe(&mut alan, MOVED, json!({})).await;
    for (who, number) in [("ada", 1), ("alan", 2), ("eve", 3), ("ada", 4), ("alan", 5)] {
        broker.moves(0, "top-1", who, number);
    }
    let (first, cursor) = next(&mut ada).await;
    assert_eq!((first, next(&mut ada).await.0), (1, 4));
    assert_eq!((next(&mut alan).await.0, next(&mut alan).await.0), (2, 5));
    // A cursor of somebody else begins there, and shows what is one's own.
    let mut thief = Socket::ready(&world.gateway, Some(&token("alan"))).await;
    subscribe(&mut thief, MOVED, json!({"a": cursor})).await;
    assert_eq!((next(&mut thief).await.0, next(&mut thief).await.0), (2, 5));
    let mut nobody = Socket::ready(&world.gateway, None).await;
    subscribe(&mut nobody, MOVED, json!({})).await;
    assert_eq!(refused(&mut nobody).await, "SUBSCRIPTION_REFUSED");
}

#[tokio::test]
async fn a_client_that_comes_back_after_a_restart_misses_nothing_and_sees_nothing_twice() {
    let broker = Broker::new(3);
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    let mut written = 0;
    for round in 0..4 {
        let world = broker.world(|_| ()).await;
        let mut socket = subscribed(&world, MOVED, json!({"a": cursor})).await;
        for _ in 0..30 {
            broker.moves(written as usize % 3, "top-1", "ada", written);
            written += 1;
        }
        // It leaves before all of it has come, but for the last time.
        let enough = if round == 3 {
            written as usize
        } else {
            seen.len() + 17
        };
        while seen.len() < enough {
            let (number, at) = next(&mut socket).await;
            seen.push(number);
            cursor = json!(at);
        }
        world.gateway.shutdown().await;
        drop(socket);
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..written).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_change_of_the_schema_leaves_no_gap_even_without_a_cursor() {
    let broker = Broker::new(1);
    let world = broker.world(|_| ()).await;
    let query = "subscription { moved { number product { upc name } } }";
    let mut socket = subscribed(&world, query, json!({})).await;
    broker.moves(0, "top-1", "ada", 0);
    assert_eq!(next(&mut socket).await.0, 0);
    // The virtual subgraph tells the name itself from now on: its request is another.
    let named = SDL.replace(
        "resolvable: false) { upc: ID! }",
        "resolvable: false) { upc: ID! name: String! @shareable }",
    );
    let named = named.replace("\"@key\"", "\"@key\", \"@shareable\"");
    let products = world.products.sdl();
    world
        .products
        .set_sdl(products.replacen("name: String!", "name: String! @shareable", 1));
    std::fs::write(broker.folder.path().join("moves.graphql"), named).expect("written");
    let mut last = 0;
    for number in 1..60 {
        let data = json!({"number": number, "product": {"upc": "top-1", "name": "Told"}});
        broker.append(
            0,
            &format!("{}\n", json!({"key": "top-1", "value": {"data": data}})),
        );
        let message = socket.message().await;
        assert_eq!(message["payload"]["data"]["moved"]["number"], number, "{message}");
        if message["payload"]["data"]["moved"]["product"]["name"] == "Told" {
            last += 1;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(last > 0, "the new schema was never taken");
}

#[tokio::test]
async fn cursors_that_are_none_or_too_old_are_told_by_their_codes() {
    let broker = Broker::new(1);
    for number in 0..3 {
        broker.moves(0, "top-1", "ada", number);
    }
    let world = broker.world(|_| ()).await;
    let mut socket = subscribed(&world, MOVED, json!({})).await;
    broker.moves(0, "top-1", "ada", 3);
    let (_, cursor) = next(&mut socket).await;
    for none in ["", "x", "17", &cursor[..4], &format!("{cursor}AAAA!")] {
        let mut socket = subscribed(&world, MOVED, json!({"a": none})).await;
        assert_eq!(refused(&mut socket).await, "CURSOR_INVALID", "{none}");
    }
    drop(socket);
    world.gateway.shutdown().await;
    let file = broker.path().join("moves/0.jsonl");
    std::fs::write(&file, "{\"first\": 9}\n").expect("written");
    let world = broker.world(|_| ()).await;
    let mut old = subscribed(&world, MOVED, json!({"a": cursor})).await;
    assert_eq!(refused(&mut old).await, "CURSOR_EXPIRED");
}

async fn ready(world: &World) -> Value {
    let url = world.gateway.url().replace("/graphql", "/health/ready");
    let answer = reqwest::get(url)
        .await
        .expect("an answer")
        .text()
        .await
        .expect("text");
    serde_json::from_str(&answer).expect("JSON")
}

#[tokio::test]
async fn a_broker_that_is_away_is_told_in_health_and_streams_go_on_when_it_is_back() {
    let broker = Broker::new(1);
    let world = broker.world(|_| ()).await;
    let mut socket = subscribed(&world, MOVED, json!({})).await;
    broker.moves(0, "top-1", "ada", 1);
    assert_eq!(next(&mut socket).await.0, 1);
    assert_eq!(ready(&world).await["status"], "ready");
    let away = broker.path().with_extension("away");
    std::fs::rename(broker.path(), &away).expect("moved");
    eventually("it is told", || async {
        let ready = ready(&world).await;
        ready["status"] == "degraded"
            && ready["reasons"]
                .to_string()
                .contains("the topic `moves` of the broker `main`")
    })
    .await;
    let mut late = subscribed(&world, MOVED, json!({})).await;
    std::fs::rename(&away, broker.path()).expect("moved back");
    broker.moves(0, "top-1", "ada", 2);
    assert_eq!(next(&mut socket).await.0, 2);
    assert_eq!(next(&mut late).await.0, 2, "the reader knew where it was");
    eventually("it is ready again", || async {
        ready(&world).await["status"] == "ready"
    })
    .await;
}

#[tokio::test]
async fn a_topic_that_is_not_there_refuses_the_subscription() {
    let broker = Broker::new(0);
    let world = broker.world(|_| ()).await;
    let mut socket = subscribed(&world, MOVED, json!({})).await;
    assert_eq!(refused(&mut socket).await, "SUBGRAPH_UNREACHABLE");
}

#[tokio::test]
async fn what_does_not_fit_the_graph_is_refused_with_all_its_mistakes() {
    let broker = Broker::new(1);
    let why = async |bound: &str, sdl: &str| {
        std::fs::write(broker.folder.path().join("moves.graphql"), sdl).expect("written");
        let mut config = config_of(&[]);
        broker.bind(&mut config, bound);
        let folder = broker.folder.path();
        std::fs::write(folder.join("other.graphql"), "type Query { a: Int }").expect("written");
        let mut other = SubgraphConfig::at("http://127.0.0.1:9/graphql".parse().expect("a URL"));
        other.sdl = Some(folder.join("other.graphql"));
        config.subgraphs.insert("other".to_owned(), other);
        match baedal_router::start(config).await {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    };
    let sdl = SDL.replace(
        "type Product @key(fields: \"upc\", resolvable: false) { upc: ID! }",
        "type Product { upc: ID! }",
    );
    assert_eq!(why(BOUND, &sdl).await, "");
    let wrong = BOUND.replace("$args.upc", "$args.ups");
    assert!(
        why(&wrong, &sdl)
            .await
            .contains("`$args.ups`, which the field does not have")
    );
    let strange = sdl.replace("moved(", "removed(");
    let told = why(BOUND, &strange).await;
    assert!(
        told.contains("subgraph 'moves' is virtual: nobody answers `Subscription.removed`"),
        "{told}"
    );
    let more = format!("{BOUND}{}", BOUND.replace("field: moved", "field: gone"));
    let told = why(&more, &sdl).await;
    assert!(told.contains("names the field `gone`"), "{told}");
    let asked = format!("{sdl} type Query {{ moves: Int }}");
    assert!(why(BOUND, &asked).await.contains("nobody answers `Query.moves`"));
    let list = sdl.replace("): Move", "): [Move]");
    assert!(why(BOUND, &list).await.contains("must return one object"));
    let numbers = sdl
        .replace("after: String", "after: Int")
        .replace("cursor: String!", "cursor: Int!");
    let told = why(BOUND, &numbers).await;
    assert!(
        told.contains("takes cursors") && told.contains("tells cursors"),
        "{told}"
    );
}

#[test]
fn a_configuration_that_cannot_work_is_refused() {
    let check = |text: &str| {
        let text = format!("subgraphs: {{ a: {{ url: \"http://a.example/\" }} }}\n{text}");
        match parse(&text, &|_| None) {
            Ok(config) => config.check().map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    };
    let broker = "brokers: { main: { kafka: { servers: [\"127.0.0.1:9092\"] } } }\n";
    let bound =
        |rest: &str| format!("{broker}subscriptions: {{ bound: [{{ field: f, topic: t, {rest} }}] }}");
    assert_eq!(
        check(&bound(
            "broker: main, key: $args.id, where: [{ at: /x, equals: 1 }]"
        )),
        Ok(())
    );
    for (bad, told) in [
        (
            "brokers: { main: {} }".to_owned(),
            "needs one of `kafka` and `files`",
        ),
        (
            "brokers: { main: { kafka: { servers: [] } } }".to_owned(),
            "list of host:port",
        ),
        (
            "brokers: { main: { kafka: { servers: [kafka] } } }".to_owned(),
            "list of host:port",
        ),
        (
            "brokers: { main: { files: x, replays: 0 } }".to_owned(),
            "replays",
        ),
        (
            bound("broker: other"),
            "`other` is not in `brokers` (known: main)",
        ),
        (bound("broker: main, payload: data"), "JSON pointer"),
        (bound("broker: main, key: id"), "$args.NAME or $claims.NAME"),
        (
            bound("broker: main, where: [{ at: /x }]"),
            "either `equals` or `in`",
        ),
        (
            bound("broker: main, where: [{ at: /x, equals: $claims.sub }]"),
            "there is no `auth`",
        ),
        (bound("broker: main, topics: x"), "topic"),
        ("subgraphs: { a: { virtual: true } }".to_owned(), "duplicate"),
    ] {
        let error = check(&bad).expect_err(&bad);
        assert!(error.contains(told), "{bad}: {error}");
    }
    let alone = |text: &str| {
        parse(text, &|_| None)
            .expect("reads")
            .check()
            .map_err(|error| error.to_string())
    };
    assert!(
        alone("subgraphs: { a: { virtual: true } }")
            .expect_err("no SDL")
            .contains("needs `sdl`")
    );
    let both = "subgraphs: { a: { virtual: true, sdl: a.graphql, url: \"http://a.example/\" } }";
    assert!(alone(both).expect_err("served").contains("nobody serves it"));
}

/// A topic on Kafka, if there is one, with a record in each of its partitions.
mod on_kafka {
    use rdkafka::ClientConfig;
    use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
    use rdkafka::client::DefaultClientContext;
    use rdkafka::producer::{FutureProducer, FutureRecord};

    use super::*;

    struct Topic {
        servers: String,
        name: String,
        producer: FutureProducer,
    }

    impl Topic {
        async fn new() -> Option<Topic> {
            let Ok(servers) = std::env::var("KAFKA_BROKERS") else {
                eprintln!("not run: KAFKA_BROKERS is not set");
                return None;
            };
            let mut config = ClientConfig::new();
            config.set("bootstrap.servers", &servers);
            let admin: AdminClient<DefaultClientContext> = config.create().expect("an admin");
            let name = format!("moves.{}", uuid::Uuid::new_v4());
            let new = NewTopic::new(&name, 4, TopicReplication::Fixed(1));
            let made = admin.create_topics([&new], &AdminOptions::new()).await;
            assert!(made.expect("an answer").iter().all(Result::is_ok));
            let producer = config.create().expect("a producer");
            Some(Topic {
                servers,
                name,
                producer,
            })
        }

        async fn moves(&self, upc: &str, number: u64) {
            let data = json!({"number": number, "product": {"upc": upc}});
            let value = json!({"data": data}).to_string();
            let record = FutureRecord::to(&self.name).key(upc).payload(&value);
            let sent = self.producer.send(record, Duration::from_secs(10));
            sent.await.expect("delivered");
        }
    }

    #[tokio::test]
    async fn a_client_misses_nothing_and_sees_nothing_twice_over_restarts() {
        let Some(topic) = Topic::new().await else {
            return;
        };
        let sdl = Broker::new(0);
        let (mut seen, mut cursor, mut written) = (Vec::new(), Value::Null, 0);
        for round in 0..3 {
            let world = sdl
                .world(|config| {
                    let kafka = format!(
                        "brokers: {{ main: {{ kafka: {{ servers: [\"{}\"] }} }} }}",
                        topic.servers
                    );
                    config.brokers = parse(&kafka, &|_| None).expect("reads").brokers;
                    config.subscriptions.bound[0].topic.clone_from(&topic.name);
                })
                .await;
            let query = "subscription($a: String) { moved(upc: \"top-1\", after: $a) { cursor number product { name } } }";
            let mut socket = subscribed(&world, query, json!({"a": cursor})).await;
            for _ in 0..20 {
                topic.moves("top-2", 1_000).await;
                topic.moves("top-1", written).await;
                written += 1;
            }
            let enough = if round == 2 {
                written as usize
            } else {
                seen.len() + 13
            };
            while seen.len() < enough {
                let (number, at) = next(&mut socket).await;
                seen.push(number);
                cursor = json!(at);
            }
            world.gateway.shutdown().await;
        }
        assert_eq!(
            seen,
            (0..written).collect::<Vec<_>>(),
            "one key is one partition: in order"
        );
    }
}
