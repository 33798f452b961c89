//! The response cache by HTTP: what is asked of subgraphs, what caches in between are told, purges.

use std::time::Duration;

use baedal_router::config::{PurgeConfig, ResponsesConfig, ScopeConfig, SubgraphResponsesConfig};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Issuer, Mode, World, auth_of, config_of, eventually};

const SECRET: &str = "a secret of many characters";

fn cache(change: impl FnOnce(&mut ResponsesConfig)) -> ResponsesConfig {
    let mut responses = ResponsesConfig {
        enabled: true,
        ..ResponsesConfig::default()
    };
    change(&mut responses);
    responses
}

async fn world(change: impl FnOnce(&mut ResponsesConfig)) -> World {
    let responses = cache(change);
    World::with(|config| config.cache.responses = responses).await
}

async fn purge(world: &World, secret: &str, wish: Value) -> Answer {
    let addr = world.gateway.purge_addr().expect("it listens");
    let client = Client::new(format!("http://{addr}/purge")).bearer(secret);
    client.post(wish).await
}

/// How often each of accounts, products and reviews was asked since the last look.
fn asked(world: &World) -> [usize; 3] {
    [&world.accounts, &world.products, &world.reviews].map(|subgraph| subgraph.requests().len())
}

const TOP: &str = "{ topProducts { upc name reviews { body } } }";

#[tokio::test]
async fn what_a_subgraph_lets_be_kept_is_not_asked_for_again() {
    let world = world(|_| ()).await;
    world.products.set_header("cache-control", "max-age=60");
    let first = world.query(TOP).await;
    assert_eq!(first.header("cache-control"), "no-store", "reviews do not say so");
    assert_eq!(asked(&world), [0, 1, 1]);
    world.reviews.set_header("cache-control", "max-age=90");
    assert_eq!(world.query(TOP).await.data(), first.data());
    assert_eq!(asked(&world), [0, 0, 1]);
    let third = world.query(TOP).await;
    assert_eq!(third.data(), first.data());
    assert_eq!(asked(&world), [0, 0, 0]);
    assert!(
        third.header("cache-control").starts_with("public, max-age="),
        "{third:?}"
    );
    assert!(!third.header("age").is_empty());
    assert!(third.header("vary").contains("authorization"));
}

#[tokio::test]
async fn only_entities_that_are_not_kept_are_asked_for() {
    let world = world(|responses| responses.ttl = Some(Duration::from_secs(60))).await;
    let product = "query($upc: ID!) { product(upc: $upc) { upc reviews { body } } }";
    let one = world
        .client()
        .with_variables(product, json!({"upc": "top-1"}))
        .await;
    assert_eq!(asked(&world), [0, 1, 1]);
    let both = world
        .query("{ topProducts(first: 2) { upc reviews { body } } }")
        .await;
    assert_eq!(both.data()["topProducts"][0], one.data()["product"]);
    world.products.requests();
    let bodies = world.reviews.requests();
    let sent = bodies[0].1["variables"]["representations"]
        .as_array()
        .expect("a list");
    assert_eq!(
        (bodies.len(), sent.len()),
        (1, 1),
        "only of the second: {bodies:?}"
    );
    assert_eq!(sent[0]["upc"], "top-2");
    let plain = World::start().await;
    let same = plain
        .query("{ topProducts(first: 2) { upc reviews { body } } }")
        .await;
    assert_eq!(both.body, same.body);
}

#[tokio::test]
async fn nothing_is_kept_unless_it_is_switched_on() {
    let world = World::start().await;
    world.products.set_header("cache-control", "public, max-age=60");
    for _ in 0..2 {
        let answer = world.query("{ topProducts { name } }").await;
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(asked(&world), [0, 1, 0]);
    }
    assert!(world.gateway.purge_addr().is_none());
}

#[tokio::test]
async fn a_subgraph_can_be_left_out_and_no_store_is_obeyed() {
    let world = world(|responses| {
        responses.ttl = Some(Duration::from_secs(60));
        let off = SubgraphResponsesConfig {
            enabled: false,
            ..SubgraphResponsesConfig::default()
        };
        responses.subgraphs.insert("products".to_owned(), off);
    })
    .await;
    world.accounts.set_header("cache-control", "no-store");
    for _ in 0..2 {
        world.query("{ topProducts { name } users { name } }").await;
        assert_eq!(asked(&world), [1, 1, 0]);
    }
}

#[tokio::test]
async fn an_answer_with_errors_or_of_a_broken_subgraph_is_not_kept() {
    let world = world(|responses| responses.ttl = Some(Duration::from_secs(60))).await;
    let says = |text| Mode::Says(200, text);
    world.products.set_mode(says(
        r#"{"data":{"topProducts":null},"errors":[{"message":"x"}]}"#,
    ));
    let answer = world.query("{ topProducts { name } }").await;
    assert_eq!(answer.header("cache-control"), "no-store");
    world
        .products
        .set_mode(Mode::Says(503, r#"{"data":{"topProducts":[]}}"#));
    world.query("{ topProducts { name } }").await;
    asked(&world);
    world.products.set_mode(Mode::Well);
    assert_eq!(
        world.query("{ topProducts { name } }").await.data()["topProducts"][0]["name"],
        "Table"
    );
    assert_eq!(asked(&world), [0, 1, 0]);
}

#[tokio::test]
async fn errors_of_some_entities_are_at_their_places_beside_kept_ones() {
    let world = world(|responses| responses.ttl = Some(Duration::from_secs(60))).await;
    let product = "query($upc: ID!) { product(upc: $upc) { upc reviews { body } } }";
    world
        .client()
        .with_variables(product, json!({"upc": "top-1"}))
        .await;
    let broken =
        r#"{"data":{"_entities":[null]},"errors":[{"message":"no","path":["_entities",0,"reviews"]}]}"#;
    world.reviews.set_mode(Mode::Says(200, broken));
    let answer = world
        .query("{ topProducts(first: 2) { upc reviews { body } } }")
        .await;
    assert_eq!(answer.errors().len(), 1);
    assert_eq!(answer.errors()[0]["message"], "no");
    assert_eq!(answer.errors()[0]["path"], json!(["topProducts", 1, "reviews"]));
}

#[tokio::test]
async fn a_stale_answer_is_better_than_none_if_that_is_wished() {
    let world = world(|responses| {
        responses.ttl = Some(Duration::from_millis(50));
        responses.stale_if_error = Duration::from_secs(60);
    })
    .await;
    let first = world.query("{ topProducts { name } }").await;
    tokio::time::sleep(Duration::from_millis(80)).await;
    world.products.set_mode(Mode::Says(500, "down"));
    let stale = world.query("{ topProducts { name } }").await;
    assert_eq!(stale.data(), first.data());
    assert_eq!(stale.header("cache-control"), "no-store");
    assert_eq!(
        world.query("{ topProducts { upc } }").await.code(),
        "SUBGRAPH_HTTP_ERROR"
    );
}

#[tokio::test]
async fn one_of_many_equal_requests_asks() {
    let world = world(|responses| responses.ttl = Some(Duration::from_secs(60))).await;
    world.products.set_mode(Mode::Slow(Duration::from_millis(200)));
    let asking = (0..20).map(|_| world.query("{ topProducts { name } }"));
    let answers = futures_util::future::join_all(asking).await;
    assert!(answers.iter().all(|answer| answer.data() == answers[0].data()));
    assert_eq!(asked(&world), [0, 1, 0]);
}

#[tokio::test]
async fn what_is_answered_to_a_token_is_for_nobody_else() {
    let issuer = Issuer::start().await;
    let responses = cache(|responses| responses.ttl = Some(Duration::from_secs(60)));
    let auth = auth_of(&[&issuer]);
    let world = World::with(|config| {
        config.auth = Some(auth);
        config.cache.responses = responses;
    })
    .await;
    let client = |user: &str| world.client().bearer(&issuer.token_with(json!({"sub": user})));
    let (ada, bob) = (client("ada"), client("bob"));
    let calls = async |client: &Client| {
        let answer = client.query("{ topProducts { name } }").await;
        answer.data();
        assert!(
            answer.header("cache-control").starts_with("private"),
            "{answer:?}"
        );
        asked(&world)[1]
    };
    assert_eq!(
        [calls(&ada).await, calls(&ada).await, calls(&bob).await],
        [1, 0, 1]
    );
    let anonymous = world.query("{ topProducts { name } }").await;
    assert!(
        anonymous.header("cache-control").starts_with("private"),
        "{anonymous:?}"
    );
    assert_eq!(
        asked(&world)[1],
        1,
        "what nobody is answered may be other than what somebody is"
    );
    world.products.set_header("cache-control", "public");
    let calls = async |client: &Client| {
        client.query("{ topProducts { name price } }").await.data();
        asked(&world)[1]
    };
    assert_eq!(
        [calls(&ada).await, calls(&bob).await],
        [1, 0],
        "it says that it is for everyone"
    );
    let anonymous = world.query("{ topProducts { name price } }").await;
    assert!(
        anonymous.header("cache-control").starts_with("public"),
        "{anonymous:?}"
    );
    assert_eq!(asked(&world)[1], 0);
    world.products.set_header("cache-control", "private");
    let calls = async |client: &Client| {
        client.query("{ topProducts { price } }").await.data();
        asked(&world)[1]
    };
    assert_eq!(
        [calls(&ada).await, calls(&ada).await, calls(&bob).await],
        [1, 0, 1]
    );
    let nobody = world.client();
    assert_eq!([calls(&nobody).await, calls(&nobody).await], [1, 1]);
}

#[tokio::test]
async fn a_travelling_header_tells_answers_apart_unless_it_is_ignored() {
    for (ignored, wanted) in [(vec![], [1, 0, 1]), (vec!["X-Tenant".to_owned()], [1, 0, 0])] {
        let responses = cache(|responses| {
            responses.ttl = Some(Duration::from_secs(60));
            responses.ignored_headers = ignored;
        });
        let world = World::with(|config| {
            config.headers.propagate = vec!["x-tenant".into()];
            config.cache.responses = responses;
        })
        .await;
        let mut calls = Vec::new();
        for tenant in ["a", "a", "b"] {
            world
                .client()
                .header("x-tenant", tenant)
                .query("{ topProducts { name } }")
                .await;
            calls.push(asked(&world)[1]);
        }
        assert_eq!(calls, wanted);
    }
}

#[tokio::test]
async fn after_a_mutation_its_caller_reads_anew() {
    let world = world(|responses| responses.ttl = Some(Duration::from_secs(60))).await;
    let users = async || {
        world
            .query("{ users { name } topProducts { name } }")
            .await
            .data();
        asked(&world)
    };
    assert_eq!([users().await, users().await], [[1, 1, 0], [0, 0, 0]]);
    let done = world.query("mutation { accountsStep(step: 1) }").await;
    assert_eq!(done.data()["accountsStep"], 1);
    asked(&world);
    assert_eq!([users().await, users().await], [[1, 0, 0], [0, 0, 0]]);
}

#[tokio::test]
async fn answers_are_purged_by_http() {
    let world = world(|responses| {
        responses.ttl = Some(Duration::from_secs(60));
        let public = SubgraphResponsesConfig {
            scope: Some(ScopeConfig::Public),
            ..SubgraphResponsesConfig::default()
        };
        responses.subgraphs.insert("products".to_owned(), public);
        let listen = ([127, 0, 0, 1], 0).into();
        responses.purge = Some(PurgeConfig {
            listen,
            secret: SECRET.to_owned(),
        });
    })
    .await;
    world.products.set_header("cache-tag", "shelf, window");
    for (wish, wanted) in [
        (json!({"kind": "subgraph", "subgraph": "products"}), [0, 1, 0]),
        (json!({"kind": "type", "type": "Product"}), [0, 1, 1]),
        (
            json!({"kind": "entity", "type": "Product", "key": {"upc": "top-1"}}),
            [0, 1, 1],
        ),
        (json!([{"kind": "tag", "tag": "window"}]), [0, 1, 0]),
        (json!({"kind": "tag", "tag": "elsewhere"}), [0, 0, 0]),
        (json!({"kind": "all"}), [0, 1, 1]),
    ] {
        world.query(TOP).await;
        asked(&world);
        world.query(TOP).await;
        assert_eq!(asked(&world), [0, 0, 0]);
        let answer = purge(&world, SECRET, wish.clone()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let dropped = answer.body["dropped"].as_u64().expect("a number");
        assert_eq!(dropped > 0, wanted != [0, 0, 0], "{wish}: {dropped}");
        world.query(TOP).await;
        assert_eq!(asked(&world), wanted, "{wish}");
    }
}

#[tokio::test]
async fn a_purge_needs_the_secret_and_a_wish() {
    let world = world(|responses| {
        let listen = ([127, 0, 0, 1], 0).into();
        responses.purge = Some(PurgeConfig {
            listen,
            secret: SECRET.to_owned(),
        });
    })
    .await;
    let all = json!({"kind": "all"});
    for wrong in ["", "a secret of many character", "another secret altogether"] {
        let answer = purge(&world, wrong, all.clone()).await;
        assert_eq!((answer.status, answer.code()), (401, "PURGE_UNAUTHORIZED"));
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    let answer = purge(&world, SECRET, json!({"kind": "everything"})).await;
    assert_eq!((answer.status, answer.code()), (400, "PURGE_INVALID"));
    assert_eq!(purge(&world, SECRET, all).await.body, json!({"dropped": 0}));
    let public = Client::new(world.gateway.url().replace("/graphql", "/purge")).bearer(SECRET);
    assert_eq!(
        public.post(json!({"kind": "all"})).await.status,
        404,
        "not where clients are"
    );
}

#[tokio::test]
async fn a_reload_that_tells_callers_apart_in_another_way_begins_an_empty_cache_that_is_purged_like_the_first()
 {
    let keeping = cache(|responses| {
        responses.ttl = Some(Duration::from_secs(60));
        let listen = ([127, 0, 0, 1], 0).into();
        responses.purge = Some(PurgeConfig {
            listen,
            secret: SECRET.to_owned(),
        });
    });
    let responses = keeping.clone();
    let world = World::with(|config| config.cache.responses = responses).await;
    let mut config = config_of(&[&world.accounts, &world.products, &world.reviews]);
    config.cache.responses = keeping;
    let calls = async |tenant: &str| {
        let client = world.client().header("x-tenant", tenant);
        client.query("{ topProducts { name } }").await.data();
        asked(&world)[1]
    };
    assert_eq!([calls("a").await, calls("b").await], [1, 0], "tenants are alike");
    config.headers.propagate = vec!["x-tenant".into()];
    let restart = world.gateway.reload(&config).await.expect("it is taken over");
    assert!(restart.is_empty(), "{restart:?}");
    let told = [
        calls("a").await,
        calls("b").await,
        calls("a").await,
        calls("b").await,
    ];
    assert_eq!(
        told,
        [1, 1, 0, 0],
        "nothing of before is found, and tenants are told apart"
    );
    let wish = json!({"kind": "subgraph", "subgraph": "products"});
    let answer = purge(&world, SECRET, wish).await;
    assert_eq!(answer.body, json!({"dropped": 2}), "the cache of now");
    assert_eq!([calls("a").await, calls("a").await], [1, 0]);
    config.headers.propagate.clear();
    world.gateway.reload(&config).await.expect("it is taken over");
    assert_eq!(
        [calls("a").await, calls("b").await],
        [1, 0],
        "what was kept at first is gone"
    );
}

/// Records of a topic, in a folder in place of a broker.
struct Topic(tempfile::TempDir);

impl Topic {
    fn new() -> Topic {
        let topic = Topic(tempfile::tempdir().expect("a folder"));
        std::fs::create_dir(topic.0.path().join("stock")).expect("made");
        topic.append("");
        topic
    }

    fn append(&self, record: &str) {
        use std::io::Write;
        let file = self.0.path().join("stock/0.jsonl");
        let file = std::fs::OpenOptions::new().create(true).append(true).open(file);
        let line = if record.is_empty() {
            String::new()
        } else {
            format!("{{\"value\":{record}}}\n")
        };
        file.expect("opened").write_all(line.as_bytes()).expect("written");
    }
}

#[tokio::test]
async fn records_of_a_topic_drop_what_they_name() {
    let topic = Topic::new();
    let responses = cache(|responses| {
        responses.ttl = Some(Duration::from_secs(60));
        let when = json!({"at": "/type", "in": ["Sold", "Renamed"]});
        let product = json!({"type": "Product", "key": {"upc": "{$event.product.upc}"}});
        let on = json!({"broker": "main", "topic": "stock", "where": [when], "drop": [product, {"tag": "{$event.shelf}"}]});
        responses.purge_on = vec![serde_json::from_value(on).expect("good")];
    });
    let folder = topic.0.path().to_owned();
    let world = World::with(|config| {
        config.cache.responses = responses;
        let broker = json!({"files": folder});
        let broker = serde_json::from_value(broker).expect("good");
        config.brokers.insert("main".to_owned(), broker);
    })
    .await;
    // Not kept until the topic is read, and emptied then.
    eventually("answers are kept", || async {
        world.query(TOP).await.data();
        asked(&world);
        tokio::time::sleep(Duration::from_millis(50)).await;
        world.query(TOP).await.data();
        asked(&world) == [0, 0, 0]
    })
    .await;
    for (record, wanted) in [
        (r#"{"type": "Sold", "product": {"upc": "top-1"}}"#, true),
        (r#"{"type": "Seen", "product": {"upc": "top-1"}}"#, false),
        (r#"{"type": "Sold", "product": {}}"#, false),
        (r#"{"type": "Renamed", "product": {"upc": "elsewhere"}}"#, false),
        (r#"no JSON"#, false),
        (r#"{"type": "Renamed", "product": {"upc": "top-1"}}"#, true),
    ] {
        world.query(TOP).await.data();
        asked(&world);
        topic.append(record);
        tokio::time::sleep(Duration::from_millis(if wanted { 0 } else { 150 })).await;
        if wanted {
            eventually(record, || async {
                world.query(TOP).await.data();
                asked(&world)[1] == 1
            })
            .await;
        }
        world.query(TOP).await.data();
        assert_eq!(asked(&world), [0, 0, 0], "{record}");
    }
}

#[tokio::test]
async fn rules_for_records_that_cannot_work_are_refused() {
    for (on, wanted) in [
        (
            json!({"broker": "none", "topic": "t", "drop": [{"tag": "x"}]}),
            "purge_on[].broker",
        ),
        (
            json!({"broker": "main", "topic": "", "drop": [{"tag": "x"}]}),
            "purge_on[].topic",
        ),
        (
            json!({"broker": "main", "topic": "t", "drop": []}),
            "purge_on[].drop",
        ),
        (
            json!({"broker": "main", "topic": "t", "drop": [{"tag": "x", "type": "T"}]}),
            "purge_on[].drop",
        ),
        (
            json!({"broker": "main", "topic": "t", "drop": [{"tag": "x", "key": {"id": "1"}}]}),
            "purge_on[].drop",
        ),
        (
            json!({"broker": "main", "topic": "t", "where": [{"at": "x", "equals": 1}], "drop": [{"tag": "x"}]}),
            "purge_on[].where",
        ),
        (
            json!({"broker": "main", "topic": "t", "where": [{"at": "/x"}], "drop": [{"tag": "x"}]}),
            "purge_on[].where",
        ),
    ] {
        let mut config = baedal_router::Config::default();
        config.subgraphs.insert(
            "a".to_owned(),
            baedal_router::config::SubgraphConfig::at("http://a.example".parse().expect("a URL")),
        );
        let broker = json!({"files": "."});
        config
            .brokers
            .insert("main".to_owned(), serde_json::from_value(broker).expect("good"));
        config.cache.responses = cache(|responses| {
            responses.purge_on = vec![serde_json::from_value(on.clone()).expect("its form is good")]
        });
        let error = config.check().expect_err("it is refused").to_string();
        assert!(error.contains(wanted), "{on}: {error}");
    }
}
