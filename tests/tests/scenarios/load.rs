//! The load generator and the balancer, on servers of a few lines.
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use baedal_tests::balancer::Balancer;
use baedal_tests::load::{Closed, Open, Outcome, closed, open};
use baedal_tests::patience::until;
use tokio_util::sync::CancellationToken;

/// A server that counts and says whether it is ready.
#[derive(Clone, Default)]
struct Server {
    ready: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
}

impl Server {
    async fn start() -> Result<(Server, SocketAddr)> {
        let server = Server::default();
        server.ready.store(true, Ordering::Relaxed);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let routes = axum::Router::new()
            .route("/health/ready", get(ready))
            .route("/", get(answer))
            .with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok((server, addr))
    }
}

async fn ready(State(server): State<Server>) -> StatusCode {
    match server.ready.load(Ordering::Relaxed) {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    }
}

async fn answer(State(server): State<Server>) -> &'static str {
    server.answered.fetch_add(1, Ordering::Relaxed);
    "here"
}

/// One request on a connection of its own.
async fn ask(url: &str) -> Result<()> {
    let http = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .build()?;
    let answer = http.get(url).send().await?.error_for_status()?;
    ensure!(answer.text().await? == "here");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balancer_spreads_connections_over_ready_backends_and_lets_old_ones_go_on() -> Result<()> {
    let ((first, first_addr), (second, second_addr)) = (Server::start().await?, Server::start().await?);
    let balancer = Balancer::start(0).await?;
    balancer.add(first_addr, first_addr);
    balancer.add(second_addr, second_addr);
    balancer.until_ready(2, Duration::from_secs(10)).await?;
    let url = format!("http://{}/", balancer.addr());
    let kept = reqwest::Client::builder().no_proxy().build()?;
    for _ in 0..10 {
        ask(&url).await?;
    }
    let before: Vec<u64> = balancer.counts().iter().map(|backend| backend.total).collect();
    ensure!(before == [5, 5], "{before:?}");
    // Both have a connection that is kept; then one is not ready any more.
    kept.get(&url).send().await?.text().await?;
    first.ready.store(false, Ordering::Relaxed);
    until(Duration::from_secs(10), || async {
        Ok(!balancer.counts()[0].ready)
    })
    .await?;
    let answered = first.answered.load(Ordering::Relaxed);
    for _ in 0..10 {
        ask(&url).await?;
    }
    ensure!(
        first.answered.load(Ordering::Relaxed) == answered,
        "nothing new goes where nothing is ready"
    );
    kept.get(&url).send().await?.text().await?;
    let both = first.answered.load(Ordering::Relaxed) + second.answered.load(Ordering::Relaxed);
    ensure!(both == 22, "what was open goes on: {both}");
    balancer.remove(second_addr);
    ensure!(balancer.counts().len() == 1);
    Ok(())
}

#[tokio::test]
async fn an_open_load_counts_the_time_that_requests_had_to_wait() -> Result<()> {
    let load = Open {
        rate: 200.0,
        lasts: Duration::from_millis(500),
        seed: 7,
    };
    // One at a time, 20 ms each: of 100 due in half a second, the last waits for more than a second.
    let turn = Arc::new(tokio::sync::Semaphore::new(1));
    let report = open(&load, move |_| {
        let turn = Arc::clone(&turn);
        async move {
            let _turn = turn.acquire().await.expect("never closed");
            tokio::time::sleep(Duration::from_millis(20)).await;
            Outcome::ok()
        }
    })
    .await;
    let count = report.ok();
    ensure!((60..=140).contains(&count), "{count} arrivals");
    let (longest, mean) = (report.all().longest(), report.all().mean());
    let least = Duration::from_millis(20) * u32::try_from(count)? - load.lasts;
    ensure!(
        longest + Duration::from_millis(50) >= least,
        "{longest:?}, {least:?}"
    );
    ensure!(mean > longest / 4, "{mean:?}");
    Ok(())
}

#[tokio::test]
async fn a_user_of_a_closed_load_waits_for_the_answer_and_as_long_as_told() -> Result<()> {
    let load = Closed {
        users: 3,
        lasts: Duration::from_millis(600),
        think: Duration::ZERO..Duration::ZERO,
        seed: 7,
    };
    let at_once = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let report = closed(&load, &CancellationToken::new(), move |turn| {
        let at_once = Arc::clone(&at_once);
        async move {
            assert!(at_once.fetch_add(1, Ordering::SeqCst) < 3);
            tokio::time::sleep(Duration::from_millis(10)).await;
            at_once.fetch_sub(1, Ordering::SeqCst);
            match turn.user {
                0 => Outcome::refused("BUSY", Some(Duration::from_secs(60))),
                _ => Outcome::ok(),
            }
        }
    })
    .await;
    ensure!(
        report.of("BUSY").len() == 1,
        "told to come in a minute: {:?}",
        report.of("BUSY").len()
    );
    ensure!((20..=120).contains(&report.ok()), "{}", report.ok());
    ensure!(
        start.elapsed() < Duration::from_secs(30),
        "a pause does not outlast the load"
    );
    Ok(())
}
