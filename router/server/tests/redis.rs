//! What gateways share by Redis, on a real one (`REDIS_URL`, which `cargo xtask test` sets) and while there is none.

use std::num::NonZeroU32;
use std::time::Duration;

use baedal_router::Config;
use baedal_router::config::{ClientRateConfig, ForEach, OperationRateConfig, RedisConfig, StoreKind};
use baedal_router::valkey::{Away, Rate, Valkey};
use baedal_telemetry::Registry;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

use crate::persisted_queries::{ask, client, neighbour, tell};
use crate::support::subgraph::free_address;
use crate::support::{Answer, Client, World, eventually};

const QUERY: &str = "{ me { name } }";

/// Keys of their own for each test.
fn settings(url: Url) -> RedisConfig {
    let mut redis = RedisConfig::at(url);
    redis.prefix = format!("test-{}:", uuid::Uuid::new_v4().simple());
    redis.timeout = Duration::from_secs(2);
    redis
}

fn server() -> Option<RedisConfig> {
    let Ok(url) = std::env::var("REDIS_URL") else {
        eprintln!("REDIS_URL is not set: `cargo xtask test` runs this on a real server");
        return None;
    };
    Some(settings(url.parse().expect("REDIS_URL is a URL")))
}

/// A way to the server that can be cut.
struct Way {
    redis: RedisConfig,
    task: JoinHandle<()>,
}

impl Way {
    async fn to(server: &RedisConfig, at: std::net::SocketAddr) -> Way {
        let listener = TcpListener::bind(at).await.expect("the port is free");
        let there = (
            server.url.host_str().expect("a host").to_owned(),
            server.url.port().unwrap_or(6379),
        );
        let task = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                let there = there.clone();
                open.spawn(async move {
                    let mut far = TcpStream::connect(there).await.expect("the server is there");
                    // Either side may go.
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        let mut redis = server.clone();
        redis.url.set_host(Some("127.0.0.1")).expect("a host");
        redis.url.set_port(Some(at.port())).expect("a port");
        Way { redis, task }
    }

    async fn cut(self) {
        self.task.abort();
        // Its port is free once it has ended.
        let _ = self.task.await;
    }
}

fn apq(redis: &RedisConfig) -> impl Fn(&mut Config) + use<> {
    let redis = redis.clone();
    move |config| {
        config.redis = Some(redis.clone());
        config.apq.store = StoreKind::Redis;
    }
}

async fn readiness(world: &World) -> Value {
    let url = format!("http://{}/health/ready", world.gateway.addr());
    let answer = reqwest::get(url).await.expect("sent");
    assert_eq!(answer.status().as_u16(), 200, "it serves without Redis");
    answer.json().await.expect("JSON")
}

fn tells_of_redis(readiness: &Value) -> bool {
    let reasons = readiness["reasons"].as_array().expect("an array");
    let told = reasons
        .iter()
        .any(|reason| reason.as_str().is_some_and(|text| text.contains("Redis")));
    assert_eq!(told, readiness["status"] == "degraded", "{readiness}");
    told
}

#[tokio::test]
async fn a_query_that_one_gateway_knows_all_know() {
    let Some(redis) = server() else { return };
    let world = World::with(apq(&redis)).await;
    let other = neighbour(&world, apq(&redis)).await;
    let other = client(&other);
    assert_eq!(ask(&other, QUERY).await.code(), "PERSISTED_QUERY_NOT_FOUND");
    tell(&world.client(), QUERY).await.data();
    eventually("the other knows it, too", || async {
        ask(&other, QUERY).await.body.get("errors").is_none()
    })
    .await;
    let alone = neighbour(&world, |_| ()).await;
    assert_eq!(
        ask(&client(&alone), QUERY).await.code(),
        "PERSISTED_QUERY_NOT_FOUND"
    );
}

#[tokio::test]
async fn what_comes_back_is_looked_at() {
    let Some(redis) = server() else { return };
    let world = World::with(apq(&redis)).await;
    let forged = "{ users { name } }";
    let key = format!("{}apq:{}", redis.prefix, crate::persisted_queries::sha256(QUERY));
    let mut stream = TcpStream::connect(redis.url.socket_addrs(|| Some(6379)).expect("an address")[0])
        .await
        .expect("the server is there");
    let set = format!("SET {key} \"{forged}\" PX 60000\r\n");
    stream.write_all(set.as_bytes()).await.expect("written");
    let mut ok = [0; 5];
    stream.read_exact(&mut ok).await.expect("an answer");
    assert_eq!(&ok, b"+OK\r\n");
    assert_eq!(
        ask(&world.client(), QUERY).await.code(),
        "PERSISTED_QUERY_NOT_FOUND"
    );
}

#[tokio::test]
async fn without_redis_everything_goes_on_and_with_it_again() {
    let Some(redis) = server() else { return };
    let at = free_address().await;
    let way = Way::to(&redis, at).await;
    let world = World::with(apq(&way.redis)).await;
    tell(&world.client(), QUERY).await.data();
    assert!(!tells_of_redis(&readiness(&world).await));
    way.cut().await;
    eventually("it is told of", || async {
        ask(&world.client(), "{ users { id } }").await;
        tells_of_redis(&readiness(&world).await)
    })
    .await;
    ask(&world.client(), QUERY).await.data();
    tell(&world.client(), "{ me { id } }").await.data();
    ask(&world.client(), "{ me { id } }").await.data();
    let _way = Way::to(&redis, at).await;
    eventually("it is there again", || async {
        !tells_of_redis(&readiness(&world).await)
    })
    .await;
}

#[tokio::test]
async fn a_gateway_starts_without_it_and_does_not_wait_for_it() {
    let absent = free_address().await;
    let mut redis = settings(format!("redis://{absent}/0").parse().expect("a URL"));
    // One that takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    redis.timeout = Duration::from_millis(50);
    let mut mute = redis.clone();
    let port = silent.local_addr().expect("an address").port();
    mute.url.set_port(Some(port)).expect("a port");
    for redis in [redis, mute] {
        let world = World::with(apq(&redis)).await;
        assert!(tells_of_redis(&readiness(&world).await));
        assert_eq!(
            ask(&world.client(), QUERY).await.code(),
            "PERSISTED_QUERY_NOT_FOUND"
        );
        tell(&world.client(), QUERY).await.data();
        ask(&world.client(), QUERY).await.data();
    }
}

fn limited(redis: &RedisConfig, name: &'static str) -> impl Fn(&mut Config) + use<> {
    let redis = redis.clone();
    let count = |count| NonZeroU32::new(count).expect("not zero");
    let minute = Duration::from_secs(60);
    move |config| {
        config.redis = Some(redis.clone());
        let rates = &mut config.traffic.rate_limits;
        rates.store = StoreKind::Redis;
        rates.per_client = Some(ClientRateConfig {
            count: count(5),
            per: minute,
            burst: None,
            header: Some("x-real-ip".to_owned()),
        });
        rates.per_operation = vec![OperationRateConfig {
            name: Some(name.to_owned()),
            hash: None,
            for_each: ForEach::Gateway,
            count: count(1),
            per: minute,
            burst: None,
        }];
    }
}

#[tokio::test]
async fn gateways_count_together() {
    let Some(redis) = server() else { return };
    let world = World::with(limited(&redis, "Dear")).await;
    let other = neighbour(&world, limited(&redis, "Dear")).await;
    let from = |ip: &str| {
        [
            world.client().header("x-real-ip", ip),
            client(&other).header("x-real-ip", ip),
        ]
    };
    let [here, there] = from("10.0.0.1");
    for client in [&here, &there, &here, &there, &here] {
        client.query(QUERY).await.data();
    }
    for client in [&here, &there] {
        let refused = client.query(QUERY).await;
        assert_eq!((refused.status, refused.code()), (429, "RATE_LIMITED"));
        let seconds: u64 = refused.header("retry-after").parse().expect("seconds");
        assert!((1..=12).contains(&seconds), "one of five in a minute: {seconds}");
    }
    let [here, there] = from("10.0.0.2");
    there.query("query Dear { me { id } }").await.data();
    assert_eq!(
        here.query("query Dear { me { id } }").await.code(),
        "RATE_LIMITED"
    );
    here.query(QUERY).await.data();
}

#[tokio::test]
async fn without_redis_each_gateway_counts_for_itself() {
    let absent = free_address().await;
    let redis = settings(format!("redis://{absent}/0").parse().expect("a URL"));
    let world = World::with(limited(&redis, "Dear")).await;
    let other = neighbour(&world, limited(&redis, "Dear")).await;
    for client in [world.client(), client(&other)] {
        for _ in 0..5 {
            client.query(QUERY).await.data();
        }
        assert_eq!(client.query(QUERY).await.code(), "RATE_LIMITED");
    }
}

#[tokio::test]
async fn a_store_without_a_server_is_refused() {
    let error = async |change: fn(&mut Config)| {
        let mut config = Config::default();
        config.subgraphs.insert(
            "a".to_owned(),
            baedal_router::config::SubgraphConfig::at("http://127.0.0.1:9/".parse().expect("a URL")),
        );
        config.listen = ([127, 0, 0, 1], 0).into();
        change(&mut config);
        baedal_router::start(config)
            .await
            .err()
            .expect("refused")
            .to_string()
    };
    let text = error(|config| config.apq.store = StoreKind::Redis).await;
    assert!(text.contains("apq.store") && text.contains("redis.url"), "{text}");
    let text = error(|config| config.traffic.rate_limits.store = StoreKind::Redis).await;
    assert!(text.contains("traffic.rate_limits.store"), "{text}");
    let text =
        error(|config| config.redis = Some(RedisConfig::at("http://127.0.0.1/".parse().expect("a URL"))))
            .await;
    assert!(text.contains("redis.url") && text.contains("redis://"), "{text}");
}

/// The room itself, connected.
async fn valkey(redis: &RedisConfig) -> Valkey {
    let valkey = Valkey::new(redis, &Registry::default());
    valkey.connect().await;
    assert_eq!(valkey.reason(), None);
    valkey
}

#[tokio::test]
async fn values_live_as_long_as_they_may() {
    let Some(redis) = server() else { return };
    let valkey = valkey(&redis).await;
    let keys = ["a", "b"].map(|name| valkey.key("test", name));
    let minute = Duration::from_secs(60);
    assert_eq!(valkey.get(&keys[0]).await, Ok(None));
    for key in &keys {
        assert_eq!(valkey.set(key, b"\0\xffvalue", minute).await, Ok(()));
    }
    assert_eq!(valkey.get(&keys[0]).await, Ok(Some(b"\0\xffvalue".to_vec())));
    assert_eq!(valkey.delete(&keys).await, Ok(2));
    assert_eq!(
        (valkey.delete(&keys).await, valkey.delete(&[]).await),
        (Ok(0), Ok(0))
    );
    assert_eq!(valkey.set(&keys[0], b"x", Duration::ZERO).await, Ok(()));
    eventually("it is forgotten", || async {
        valkey.get(&keys[0]).await == Ok(None)
    })
    .await;
}

#[tokio::test]
async fn values_go_with_any_of_their_tags() {
    let Some(redis) = server() else { return };
    let valkey = valkey(&redis).await;
    let key = |name: &str| valkey.key("test", name);
    let tag = |name: &str| valkey.key("tag", name);
    let minute = Duration::from_secs(60);
    for (name, tags) in [
        ("1", vec![tag("store"), tag("store-1")]),
        ("2", vec![tag("store"), tag("store-2")]),
        ("3", vec![]),
    ] {
        valkey
            .set_tagged(&key(name), b"x", minute, &tags)
            .await
            .expect("kept");
    }
    let there = async || {
        let mut there = Vec::new();
        for name in ["1", "2", "3"] {
            if valkey.get(&key(name)).await.expect("an answer").is_some() {
                there.push(name);
            }
        }
        there
    };
    assert_eq!(valkey.delete_tagged(&[tag("other"), tag("store-1")]).await, Ok(1));
    assert_eq!(there().await, ["2", "3"]);
    assert_eq!(valkey.delete_tagged(&[tag("store")]).await, Ok(1));
    assert_eq!(there().await, ["3"]);
    // A tag lives as long as the last of its values, and no longer.
    let short = Duration::from_millis(1);
    for (name, ttl) in [("1", minute), ("2", short)] {
        valkey
            .set_tagged(&key(name), b"x", ttl, &[tag("t")])
            .await
            .expect("kept");
    }
    eventually("one has ended", || async { there().await == ["1", "3"] }).await;
    assert_eq!(valkey.delete_tagged(&[tag("t")]).await, Ok(1));
}

#[tokio::test]
async fn a_rate_is_used_up_and_comes_back() {
    let Some(redis) = server() else { return };
    let valkey = valkey(&redis).await;
    let count = |count| NonZeroU32::new(count).expect("not zero");
    let rate = Rate::of(baedal_traffic::rate::Settings {
        count: count(10),
        per: Duration::from_secs(1),
        burst: count(3),
        keys: 1,
    });
    let cell = valkey.key("rate", "cell");
    let mut wait = Duration::ZERO;
    let mut taken = 0;
    // At most a handful comes back while it is used up.
    for _ in 0..100 {
        match valkey.take(&cell, rate).await.expect("an answer") {
            Ok(()) => taken += 1,
            Err(after) => {
                wait = after;
                break;
            }
        }
    }
    assert!(taken >= 3, "{taken}");
    assert!(!wait.is_zero() && wait <= Duration::from_millis(101), "{wait:?}");
    tokio::time::sleep(wait).await;
    assert_eq!(valkey.take(&cell, rate).await, Ok(Ok(())));
    assert_eq!(valkey.take(&valkey.key("rate", "other"), rate).await, Ok(Ok(())));
}

#[tokio::test]
async fn a_server_that_refuses_a_command_is_there_still() {
    let Some(redis) = server() else { return };
    let valkey = valkey(&redis).await;
    let refused: Result<(), Away> = valkey.run(&::redis::cmd("NONSENSE")).await;
    assert_eq!(refused, Err(Away));
    assert!(valkey.reason().is_some_and(|why| why.contains("Redis")));
    assert_eq!(valkey.get(&valkey.key("test", "x")).await, Ok(None));
    assert_eq!(valkey.reason(), None);
}

/// Answers are kept in Redis, and dropped at `/purge`.
fn responses(redis: &RedisConfig) -> impl Fn(&mut Config) + use<> {
    let redis = redis.clone();
    move |config| {
        config.redis = Some(redis.clone());
        config.cache.responses.enabled = true;
        config.cache.responses.store = StoreKind::Redis;
        config.cache.responses.ttl = Some(Duration::from_secs(60));
        config.cache.responses.purge = Some(baedal_router::config::PurgeConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            secret: "a secret of many characters".to_owned(),
        });
    }
}

async fn purge(gateway: &baedal_router::Running, wish: Value) -> Answer {
    let addr = gateway.purge_addr().expect("it listens");
    let client = Client::new(format!("http://{addr}/purge")).bearer("a secret of many characters");
    client.post(wish).await
}

const TOP: &str = "{ topProducts { upc name reviews { body } } }";

#[tokio::test]
async fn an_answer_that_one_gateway_keeps_all_have_and_what_one_drops_none_has() {
    let Some(redis) = server() else { return };
    let world = World::with(responses(&redis)).await;
    let other = neighbour(&world, responses(&redis)).await;
    let (one, other_client) = (world.client(), client(&other));
    let calls = async |client: &Client| {
        client.query(TOP).await.data();
        [&world.products, &world.reviews].map(|subgraph| subgraph.requests().len())
    };
    assert_eq!(calls(&one).await, [1, 1]);
    assert_eq!(calls(&other_client).await, [0, 0], "the other finds it");
    let told = other_client.query(TOP).await;
    assert!(
        told.header("cache-control").starts_with("public, max-age="),
        "{told:?}"
    );
    for (wish, wanted, counted) in [
        (
            serde_json::json!({"kind": "entity", "type": "Product", "key": {"upc": "top-1"}}),
            [1, 1],
            true,
        ),
        (
            serde_json::json!({"kind": "type", "type": "Review"}),
            [0, 1],
            true,
        ),
        (
            serde_json::json!({"kind": "subgraph", "subgraph": "products"}),
            [1, 0],
            false,
        ),
        (
            serde_json::json!({"kind": "tag", "tag": "elsewhere"}),
            [0, 0],
            true,
        ),
        (serde_json::json!({"kind": "all"}), [1, 1], false),
    ] {
        let answer = purge(&other, wish.clone()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["dropped"].is_u64(), counted, "{wish}: {answer:?}");
        assert_eq!(calls(&one).await, wanted, "{wish}");
        assert_eq!(calls(&other_client).await, [0, 0], "{wish}");
    }
    // A mutation by way of one is known to the other.
    let users = async |client: &Client| {
        client.query("{ users { name } }").await.data();
        world.accounts.requests().len()
    };
    assert_eq!([users(&one).await, users(&other_client).await], [1, 0]);
    one.query("mutation { accountsStep(step: 1) }").await.data();
    world.accounts.requests();
    assert_eq!([users(&other_client).await, users(&one).await], [1, 0]);
}

#[tokio::test]
async fn without_redis_nothing_is_kept_and_a_drop_is_made_up_for() {
    let Some(redis) = server() else { return };
    let at = free_address().await;
    let way = Way::to(&redis, at).await;
    let world = World::with(responses(&way.redis)).await;
    let calls = async || {
        world.query("{ topProducts { name } }").await.data();
        world.products.requests().len()
    };
    assert_eq!([calls().await, calls().await], [1, 0]);
    way.cut().await;
    assert_eq!([calls().await, calls().await], [1, 1], "a miss, no error");
    let refused = purge(
        &world.gateway,
        serde_json::json!({"kind": "type", "type": "Product"}),
    )
    .await;
    assert_eq!((refused.status, refused.code()), (503, "PURGE_UNAVAILABLE"));
    let _way = Way::to(&redis, at).await;
    eventually("it is there again", || async {
        !tells_of_redis(&readiness(&world).await)
    })
    .await;
    assert_eq!(calls().await, 1, "what was to be dropped is");
    eventually("answers are kept again", || async { calls().await == 0 }).await;
}

/// Whoever can write to Redis can write anything.
#[tokio::test]
async fn what_is_no_answer_is_not_given_out() {
    let Some(redis) = server() else { return };
    let world = World::with(responses(&redis)).await;
    let calls = async || {
        world.query("{ topProducts { name } }").await.data();
        world.products.requests().len()
    };
    assert_eq!([calls().await, calls().await], [1, 0]);
    let valkey = valkey(&redis).await;
    let pattern = valkey.key("response", "*");
    let keys: Vec<String> = valkey.run(redis::cmd("KEYS").arg(pattern)).await.expect("keys");
    assert!(!keys.is_empty());
    for nonsense in [
        "",
        "A",
        "{\"data\":{\"topProducts\":[]}}",
        "A0000000000000001 1 9 9 9 all\n{",
    ] {
        for key in &keys {
            let minute = Duration::from_secs(60);
            valkey
                .set(key, nonsense.as_bytes(), minute)
                .await
                .expect("written");
        }
        assert_eq!(calls().await, 1, "{nonsense}");
    }
}
