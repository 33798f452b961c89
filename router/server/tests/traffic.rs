//! The layers before subgraphs and the door of the gateway, from outside.

use std::process::Stdio;
use std::time::{Duration, Instant};

use baedal_router::Config;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::support::{Answer, Client, Journal, Manner, Mode, Rogue, World, eventually, graphs};

/// `rank` is of `reviews`, and may be null.
const REVIEWS: &str = "{ product(upc: \"top-1\") { name rank } me { name } }";

fn config_with(timeout: u64, breaker: bool) -> impl FnOnce(&mut Config) {
    move |config| {
        config.traffic.timeout = Duration::from_millis(timeout);
        config.traffic.breaker.enabled = Some(breaker);
        config.traffic.breaker.min_calls = Some(5);
        config.traffic.breaker.probes = Some(2);
        config.traffic.breaker.open_for = Some(Duration::from_millis(500));
        config.traffic.breaker.window = Some(Duration::from_secs(60));
    }
}

async fn ready(world: &World) -> Value {
    let url = world.gateway.url().replace("/graphql", "/health/ready");
    Client::new(url).get(&[]).await.body
}

/// The state of a subgraph's circuit, as `/health/ready` tells it.
async fn circuit(world: &World, subgraph: &str) -> String {
    let ready = ready(world).await;
    let views = ready["subgraphs"].as_array().expect("a list").clone();
    let view = views.iter().find(|view| view["subgraph"] == subgraph);
    view.expect("it is told")["circuit"]
        .as_str()
        .expect("a state")
        .to_owned()
}

/// A subgraph never answers. Gives how many of twelve queries, one after the other, reach it.
async fn reached(world: &World) -> usize {
    world.reviews.set_mode(Mode::Slow(Duration::from_secs(30)));
    world.reviews.requests();
    for _ in 0..12 {
        let answer = world.query(REVIEWS).await;
        assert_eq!(answer.body["data"]["me"], json!({"name": "Ada"}), "{answer:?}");
        assert_eq!(
            answer.body["data"]["product"],
            json!({"name": "Table", "rank": null}),
            "{answer:?}"
        );
        assert_eq!(answer.errors()[0]["path"][0], "product", "{answer:?}");
    }
    world.reviews.requests().len()
}

#[tokio::test]
async fn a_subgraph_that_never_answers_is_not_called_any_more_until_it_does() {
    let world = World::with(config_with(100, true)).await;
    assert_eq!(circuit(&world, "reviews").await, "closed");
    assert_eq!(reached(&world).await, 5, "the least number of calls");
    let began = Instant::now();
    let answer = world.query(REVIEWS).await;
    if answer.code() == "SUBGRAPH_CIRCUIT_OPEN" {
        // Far below what a call takes that is made.
        assert!(
            began.elapsed() < Duration::from_millis(100),
            "{:?}",
            began.elapsed()
        );
        assert_eq!(circuit(&world, "reviews").await, "open");
    }
    let told = ready(&world).await;
    assert_eq!(told["status"], "degraded", "{told}");
    assert!(told["reasons"].to_string().contains("'reviews'"), "{told}");
    world.reviews.set_mode(Mode::Well);
    eventually("the circuit closes", async || {
        world.query(REVIEWS).await;
        circuit(&world, "reviews").await == "closed"
    })
    .await;
    world.query(REVIEWS).await.data();
    assert_eq!(ready(&world).await["status"], "ready");
}

#[tokio::test]
async fn without_the_breaker_a_dead_subgraph_is_called_for_ever() {
    let world = World::with(config_with(100, false)).await;
    assert_eq!(
        reached(&world).await,
        12,
        "sabotage: this is what the breaker prevents"
    );
}

#[tokio::test]
async fn errors_of_the_server_open_the_circuit_and_errors_of_the_client_do_not() {
    for (status, opens) in [(500, true), (503, true), (400, false), (404, false)] {
        let world = World::with(config_with(1_000, true)).await;
        world.reviews.set_mode(Mode::Says(status, "no"));
        for _ in 0..12 {
            world.query(REVIEWS).await;
        }
        let open = circuit(&world, "reviews").await != "closed";
        assert_eq!(open, opens, "{status}");
        assert_eq!(circuit(&world, "accounts").await, "closed");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_opens_nothing() {
    let world = World::with(config_with(30_000, true)).await;
    world.reviews.set_mode(Mode::Slow(Duration::from_secs(20)));
    for n in 1..=8 {
        let client = world.client();
        let asking = tokio::spawn(async move { client.query(REVIEWS).await });
        eventually("it is asked", async || world.reviews.requests().len() == 1).await;
        asking.abort();
        eventually("it is given up", async || world.reviews.given_up() == n).await;
    }
    assert_eq!(circuit(&world, "reviews").await, "closed");
}

/// Slow as in the source's load: 400 ms and up to 220 ms more.
#[tokio::test]
async fn a_slow_subgraph_takes_no_more_than_its_places_and_leaves_others_alone() {
    let world = World::with(|config| {
        config.traffic.timeout = Duration::from_millis(2_000);
        let reviews = config.subgraphs.get_mut("reviews").expect("it is there");
        reviews.traffic.bulkhead.at_once = Some(3);
        reviews.traffic.bulkhead.wait = Some(Duration::from_millis(5));
    })
    .await;
    world.reviews.set_mode(Mode::Slow(Duration::from_millis(620)));
    let client = world.client();
    let answers = join_all((0..12).map(|_| client.query(REVIEWS))).await;
    let busy: Vec<&Answer> = answers
        .iter()
        .filter(|answer| !answer.errors().is_empty())
        .collect();
    assert_eq!(busy.len(), 9);
    for answer in busy {
        assert_eq!(answer.code(), "SUBGRAPH_BUSY", "{answer:?}");
        assert_eq!(answer.body["data"]["me"], json!({"name": "Ada"}));
    }
    assert_eq!(world.reviews.requests().len(), 3);
}

#[tokio::test]
async fn more_requests_than_the_gateway_lets_in_are_turned_away_soon() {
    let world = World::with(|config| {
        config.traffic.shed.at_once = Some(4);
        config.traffic.shed.wait = Some(Duration::from_millis(5));
    })
    .await;
    world.reviews.set_mode(Mode::Slow(Duration::from_millis(1_500)));
    let client = world.client();
    let asked = (0..20).map(async |_| {
        let began = Instant::now();
        (client.query(REVIEWS).await, began.elapsed())
    });
    let answers = join_all(asked).await;
    let (served, turned_away): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|(answer, _)| answer.status == 200);
    assert_eq!((served.len(), turned_away.len()), (4, 16));
    for (answer, took) in turned_away {
        assert_eq!((answer.status, answer.code()), (503, "OVERLOADED"), "{answer:?}");
        assert_eq!(answer.header("retry-after"), "1");
        assert_eq!(answer.errors()[0]["extensions"]["retryAfterMs"], 1_000);
        assert!(took < Duration::from_millis(1_000), "{took:?}");
    }
    world.reviews.set_mode(Mode::Well);
    world.query(REVIEWS).await.data();
}

#[tokio::test]
async fn a_subgraph_is_told_how_long_it_is_waited_for() {
    let world = World::with(|config| config.traffic.timeout = Duration::from_millis(5_000)).await;
    world.query("{ me { name } }").await.data();
    let requests = world.accounts.requests();
    let told = requests[0].0["x-request-timeout-ms"].to_str().expect("text");
    let told: u64 = told.parse().expect("a number");
    assert!((1..=5_000).contains(&told), "{told}");
}

#[tokio::test]
async fn all_calls_of_a_request_share_its_time() {
    let world = World::with(|config| {
        config.traffic.request_timeout = Duration::from_millis(1_000);
    })
    .await;
    world.products.set_mode(Mode::Slow(Duration::from_millis(600)));
    world.reviews.set_mode(Mode::Slow(Duration::from_millis(10_000)));
    let began = Instant::now();
    let answer = world.query("{ topProducts { name reviews { id } } }").await;
    assert_eq!(answer.code(), "SUBGRAPH_TIMEOUT", "{answer:?}");
    assert!(
        began.elapsed() < Duration::from_millis(5_000),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(answer.errors()[0]["path"][0], "topProducts");
}

#[tokio::test]
async fn calls_take_turns_over_replicas_and_leave_out_one_that_is_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let sdl = folder.path().join("accounts.graphql");
    let text = graphs::accounts(&Journal::default()).await.sdl();
    std::fs::write(&sdl, text).expect("written");
    let answer = Manner::json(r#"{"data":{"me":{"name":"Ada"}}}"#);
    let replicas = [Rogue::start(answer.clone()).await, Rogue::start(answer).await];
    let world = World::with(|config| {
        let accounts = config.subgraphs.get_mut("accounts").expect("it is there");
        (accounts.url, accounts.sdl) = (Some(replicas[0].url()), Some(sdl));
        accounts.replicas = vec![replicas[1].url()];
    })
    .await;
    for _ in 0..20 {
        world.query("{ me { name } }").await.data();
    }
    assert_eq!(
        replicas.each_ref().map(|replica| replica.requests().len()),
        [10, 10]
    );
    replicas[1].be(Manner::Resets(Vec::new()));
    for _ in 0..30 {
        world.query("{ me { name } }").await.data();
    }
    let down = replicas[1].requests().len();
    assert!(down <= 15, "it was left out after {down} calls");
    let told = ready(&world).await;
    assert_eq!(told["status"], "degraded", "{told}");
    assert_eq!(circuit(&world, "accounts").await, "closed");
}

#[tokio::test]
async fn settings_are_taken_over_while_serving() {
    let mut kept = Config::default();
    let world = World::with(|config| kept = config.clone()).await;
    let reload = async |config: &Config| world.gateway.reload(config).await;
    world.reviews.set_mode(Mode::Slow(Duration::from_millis(300)));
    world.query(REVIEWS).await.data();
    kept.traffic.timeout = Duration::from_millis(50);
    kept.traffic.pool_max_idle = 3;
    assert_eq!(reload(&kept).await.expect("it works"), ["traffic.pool_max_idle"]);
    assert_eq!(world.query(REVIEWS).await.code(), "SUBGRAPH_TIMEOUT");
    let reviews = kept.subgraphs.get_mut("reviews").expect("it is there");
    reviews.timeout = Some(Duration::from_secs(5));
    reload(&kept).await.expect("it works");
    world.query(REVIEWS).await.data();
    kept.traffic.breaker.failure_rate = Some(7.0);
    let refused = reload(&kept).await.expect_err("a rate above 1");
    assert!(
        refused.to_string().contains("traffic.breaker.failure_rate"),
        "{refused}"
    );
    world.query(REVIEWS).await.data();
}

/// The gateway's program, with a configuration file that a test writes anew.
struct Program {
    _folder: tempfile::TempDir,
    file: std::path::PathBuf,
    child: tokio::process::Child,
    url: String,
}

impl Program {
    async fn start(config: &str) -> Program {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("router.yaml");
        std::fs::write(&file, config).expect("written");
        let mut child = Command::new(env!("CARGO_BIN_EXE_baedal-router"))
            .args(["serve", "--listen", "127.0.0.1:0", "--config"])
            .arg(&file)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("runs");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        let line = lines.next_line().await.expect("a line").expect("a line");
        let url = line
            .strip_prefix("baedal-router: GraphQL at ")
            .expect("the announcement");
        Program {
            _folder: folder,
            url: url.to_owned(),
            file,
            child,
        }
    }

    fn write(&self, config: &str) {
        std::fs::write(&self.file, config).expect("written");
    }

    async fn hang_up(&self) {
        let pid = self.child.id().expect("a process").to_string();
        let killed = Command::new("kill").args(["-HUP", &pid]).status().await;
        assert!(killed.expect("kill").success());
    }

    async fn reasons(&self) -> String {
        let url = self.url.replace("/graphql", "/health/ready");
        Client::new(url).get(&[]).await.body["reasons"].to_string()
    }
}

#[tokio::test]
async fn a_changed_file_is_taken_over_without_a_restart() {
    let accounts = graphs::accounts(&Journal::default()).await;
    let config = |timeout: &str| {
        format!(
            "subgraphs: {{ accounts: {{ url: \"{}\" }} }}\ntraffic: {{ timeout: {timeout}, breaker: {{ enabled: false }} }}\n",
            accounts.url()
        )
    };
    let program = Program::start(&config("30s")).await;
    let client = Client::new(program.url.clone());
    accounts.set_mode(Mode::Slow(Duration::from_millis(300)));
    client.query("{ me { name } }").await.data();
    program.write(&config("50ms"));
    program.hang_up().await;
    let is_short = async || client.query("{ me { name } }").await.code() == "SUBGRAPH_TIMEOUT";
    eventually("it is taken over at SIGHUP", is_short).await;
    program.write(&config("soon"));
    eventually("a file that cannot work is told", async || {
        program.reasons().await.contains("refused")
    })
    .await;
    assert!(is_short().await, "the settings before hold");
    program.write(&config("20s"));
    eventually("the file is watched", async || !is_short().await).await;
    assert!(!program.reasons().await.contains("refused"));
}
