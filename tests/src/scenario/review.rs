//! An open graph: a fifth service, in another language and with a store of its own, joins the running platform by one
//! line of the gateway's configuration, and leaves it again; nobody else changes, and no request fails.
mod service;

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use baedal::settings::Part;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::orders::Orders;
use super::verdict::time;
use super::{Options, Verdict};
use crate::audit::audit;
use crate::client::Client;
use crate::cluster::{Cluster, Knobs};
use crate::load::{Closed, Outcome, Report, Turn, closed};
use crate::patience::until;
use crate::shop::Shop;
use service::Service;

/// How long the gateway may take to notice its configuration, and events to arrive.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the books may take.
const SETTLED: Duration = Duration::from_secs(30);
const WRITE: &str = "mutation ($order: ID!) { writeReview(orderId: $order, stars: 5, text: \"바삭\") { id store { id name } } }";
const READ: &str = "query ($order: ID!, $store: ID!) {
  order(id: $order) { status review { stars text } }
  store(id: $store) { name stars reviews(first: 3) { stars order { id } } }
}";

/// Comes, answers, goes.
pub async fn run(options: &Options) -> Result<Verdict> {
    if !options.servers {
        bail!("the review service reads Kafka: this scenario needs real servers");
    }
    let mut verdict = Verdict::new("An open graph: the review service comes and goes");
    verdict.load_columns();
    let cluster = options
        .platform(2, Knobs::default().patient(options.short))
        .await?;
    let schemas = sdls(&cluster).await?;
    let shops = cluster.customers().await?;
    let orders = Orders::of(shops.clone(), options.seed);
    let (load, stop) = begin(options, &orders);
    let lived = live(&cluster, &shops, &mut verdict).await;
    tokio::time::sleep(options.lasts(10, 1)).await;
    stop.cancel();
    let report = load.await.context("the load")?;
    lived?;
    verdict.load("meanwhile", &report);
    let failed = report.failed().len();
    let told = format!("{failed} of {}", report.all().len());
    verdict.check(
        "0 failed requests meanwhile",
        told,
        failed == 0 && report.ok() > 0,
    );
    let unchanged = schemas == sdls(&cluster).await?;
    verdict.check("no other service's schema has changed", "", unchanged);
    let acknowledged = std::mem::take(&mut *orders.acknowledged().lock().expect("no holder panics"));
    let audited = audit(&cluster.settings, &acknowledged, SETTLED).await;
    verdict.audited(audited, acknowledged.len());
    cluster.shutdown().await?;
    Ok(verdict)
}

/// The service's life, with the demands on it.
async fn live(cluster: &Cluster, shops: &[Shop], verdict: &mut Verdict) -> Result<()> {
    let order = delivered(&shops[0], "review").await?;
    let service = Service::start(&cluster.settings).await?;
    let took = change(cluster, &shops[0].client, Some(&service)).await?;
    verdict.check(
        "it joins by configuration alone",
        format!("served after {}", time(took)),
        true,
    );
    let written = write(&shops[0].client, &order).await?;
    let store = written["writeReview"]["store"]["name"].clone();
    verdict.check(
        "a delivered order can be reviewed",
        written.to_string(),
        store.is_string(),
    );
    for (who, customer, code) in [
        ("its customer once more", &shops[0], "ALREADY_REVIEWED"),
        ("another customer", &shops[1], "NOT_DELIVERED"),
    ] {
        let found = customer.client.code(WRITE, json!({ "order": order })).await?;
        verdict.check(format!("{who} is refused with {code}"), &found, found == code);
    }
    let variables = json!({ "order": order, "store": cluster.store_id });
    let read = shops[0].client.data(READ, variables.clone()).await?;
    let holds = read["order"]["review"]["stars"] == 5
        && read["order"]["status"] == "DELIVERED"
        && read["store"]["name"] == store
        && read["store"]["stars"] == 5.0
        && read["store"]["reviews"][0]["order"]["id"] == order.as_str();
    verdict.check(
        "Order.review and Store.reviews answer, joined with their owners' fields",
        read.to_string(),
        holds,
    );
    let took = change(cluster, &shops[0].client, None).await?;
    service.stop().await?;
    verdict.check(
        "it leaves by configuration alone",
        format!("gone after {}", time(took)),
        true,
    );
    let after = delivered(&shops[1], "after-review").await?;
    verdict.check("orders go on without it", after, true);
    Ok(())
}

/// Places an order and waits until it is delivered.
async fn delivered(shop: &Shop, key: &str) -> Result<String> {
    let order = shop.place("tongdak", 1, key).await?;
    until(PATIENCE, || async {
        Ok(shop.status(&order).await? == "DELIVERED")
    })
    .await
    .context("the order is delivered")?;
    Ok(order)
}

/// Writes the review as soon as the service has heard of the delivery.
async fn write(client: &Client, order: &str) -> Result<Value> {
    let start = Instant::now();
    loop {
        match client.data(WRITE, json!({ "order": order })).await {
            Ok(written) => return Ok(written),
            Err(error) => {
                let waiting = error.to_string().contains("NOT_DELIVERED") && start.elapsed() < PATIENCE;
                ensure!(waiting, "the review is refused: {error:#}");
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Puts the service into the gateway's configuration or takes it out, and waits until the graph follows.
async fn change(cluster: &Cluster, client: &Client, service: Option<&Service>) -> Result<Duration> {
    let file = cluster.gateway_file()?;
    let text = fs::read_to_string(&file)?;
    let line = "  review: ";
    let text = match service {
        Some(service) => {
            let named = format!("subgraphs:\n{line}{{ url: \"{}\" }}\n", service.url());
            text.replacen("subgraphs:\n", &named, 1)
        }
        None => text
            .lines()
            .filter(|it| !it.starts_with(line))
            .map(|it| format!("{it}\n"))
            .collect(),
    };
    // At once, as an editor does it: nobody reads half a file.
    let new = file.with_extension("new");
    fs::write(&new, text)?;
    fs::rename(&new, &file)?;
    let start = Instant::now();
    let wanted = service.is_some();
    until(PATIENCE, || async {
        let data = client
            .data("{ __type(name: \"Review\") { name } }", json!({}))
            .await?;
        Ok(data["__type"].is_object() == wanted)
    })
    .await
    .context("the graph follows the configuration")?;
    Ok(start.elapsed())
}

/// The schemas of the platform's own services.
async fn sdls(cluster: &Cluster) -> Result<Vec<Value>> {
    let mut sdls = Vec::new();
    for part in Part::SUBGRAPHS {
        let client = Client::new(cluster.settings.graphql(part));
        sdls.push(client.data("{ _service { sdl } }", json!({})).await?);
    }
    Ok(sdls)
}

fn begin(options: &Options, orders: &Orders) -> (JoinHandle<Report>, CancellationToken) {
    let load = Closed {
        users: options.users(20, 4),
        lasts: Duration::from_secs(900),
        think: Duration::from_millis(200)..Duration::from_millis(800),
        seed: options.seed,
    };
    let stop = CancellationToken::new();
    let (orders, stopped) = (orders.clone(), stop.clone());
    let load =
        tokio::spawn(async move { closed(&load, &stopped, move |turn| act(orders.clone(), turn)).await });
    (load, stop)
}

/// Users order and look in turns.
async fn act(orders: Orders, turn: Turn) -> Outcome {
    if turn.number.is_multiple_of(2) {
        return orders.place(turn).await;
    }
    const LOOK: &str = "{ myOrders(first: 3) { nodes { id status store { id name } } } }";
    match orders.customer(turn.user).client.data(LOOK, json!({})).await {
        Ok(_) => Outcome::ok(),
        Err(error) => Outcome::refused(format!("looking: {error:#}"), None),
    }
}
