//! One order is one trace, from the gateway to the last service that hears of its delivery; and nothing secret is told
//! on the way: not in the log, not in a trace, not in a metric, not in an error.
use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use baedal::demo::Account;
use baedal::login;
use baedal::settings::{Part, Settings, Told};
use baedal_tests::client::Client;
use baedal_tests::patience::until;
use baedal_tests::process::{Process, settings};
use baedal_tests::shop::{MY_ORDERS, PLACE_ORDER, Shop};
use baedal_tests::world::{free_port, free_ports};
use serde_json::{Value, json};

use super::collector::Collector;
use super::otlp::Span;

const PROGRAM: &str = env!("CARGO_BIN_EXE_baedal-process");
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CLIENT_SPAN: &str = "b7ad6b7169203331";
const ADDRESS: &str = "서울 비밀로 1234-5";
const WRONG_PASSWORD: &str = "wrong-guess-77421";

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_one_trace_and_nothing_secret_is_told() {
    let _alone = crate::alone().await;
    if let Err(error) = traced().await {
        panic!("{error:?}");
    }
}

async fn traced() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let collector = Collector::start().await?;
    let told = Told {
        gateway_metrics_port: Some(free_port()?),
        auth_metrics_port: Some(free_port()?),
        access_log: true,
    };
    let settings = Settings {
        told,
        ..settings(folder.path(), &free_ports()?)
    };
    let process = Process::start_with(
        PROGRAM,
        &settings,
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url),
            ("BAEDAL_LOG", "json"),
            ("RUST_LOG", "debug"),
        ],
    )?;
    let tokens = log_in(&settings, Account::Customer.password()).await?;
    let refused = log_in(&settings, WRONG_PASSWORD).await;
    ensure!(refused.is_err(), "a wrong password is refused");
    let shop = Shop {
        client: Client::new(settings.graphql(Part::Gateway)).with_token(&tokens.access),
        store_id: "store-seoul".to_owned(),
    };
    until(Duration::from_secs(60), || shop.knows_the_menu()).await?;

    let order = place(&settings, &tokens.access).await?;
    until(Duration::from_secs(30), || async {
        Ok(shop.status(&order).await? == "DELIVERED")
    })
    .await?;
    shop.client.data(MY_ORDERS, json!({ "first": 10 })).await?;
    until(Duration::from_secs(30), || async {
        Ok(whole(&of_trace(&collector)?))
    })
    .await
    .with_context(|| format!("{:#?}", of_trace(&collector)))?;
    check_tree(&of_trace(&collector)?)?;
    let pages = pages(&settings).await?;
    check_pages(&pages)?;

    ensure!(
        process.output().contains("\"target\":\"baedal_router::access\""),
        "{}",
        process.output()
    );
    let all = [process.output(), collector.text(), pages].join("\n");
    let mut secrets = vec![
        tokens.access.as_str(),
        ADDRESS,
        WRONG_PASSWORD,
        "?code=",
        "&code=",
        "eyJ",
    ];
    secrets.extend(Account::ALL.map(Account::password));
    secrets.extend(tokens.refresh.as_deref());
    check_secrets(&all, &secrets, &settings)?;
    ensure!(process.terminate()?, "it ends in order");
    Ok(())
}

async fn log_in(settings: &Settings, password: &str) -> Result<login::Tokens> {
    let account = Account::Customer;
    login::account::login(
        &settings.issuer(),
        None,
        account.login(),
        password,
        account.scopes(),
    )
    .await
}

/// Places an order in the client's own trace.
async fn place(settings: &Settings, token: &str) -> Result<String> {
    let variables = json!({ "input": {
        "storeId": "store-seoul", "address": ADDRESS, "idempotencyKey": "traced",
        "items": [{ "menuItemId": "tongdak", "quantity": 1 }],
    } });
    let answer = reqwest::Client::new()
        .post(settings.graphql(Part::Gateway))
        .bearer_auth(token)
        .header("traceparent", format!("00-{TRACE}-{CLIENT_SPAN}-01"))
        .header("x-request-id", "traced-order")
        .json(&json!({ "query": PLACE_ORDER, "variables": variables }))
        .send()
        .await?;
    ensure!(
        answer.headers()["x-request-id"] == "traced-order",
        "the id comes back"
    );
    let body: Value = answer.json().await?;
    let id = body["data"]["placeOrder"]["id"].as_str();
    Ok(id.with_context(|| body.to_string())?.to_owned())
}

fn of_trace(collector: &Collector) -> Result<Vec<Span>> {
    let spans = collector.spans()?.into_iter();
    Ok(spans.filter(|span| span.trace == TRACE).collect())
}

/// What must be there: the way there, and the way of each kind of event.
fn whole(spans: &[Span]) -> bool {
    let seen: BTreeSet<(&str, &str)> = spans
        .iter()
        .map(|span| (span.service.as_str(), span.name.as_str()))
        .collect();
    [
        ("gateway", "subgraph order"),
        ("order", "mutation placeOrder"),
        ("order", "PaymentService/Approve"),
        ("payment", "PaymentService/Approve"),
        ("store", "process OrderPlaced"),
        ("store", "process PaymentApproved"),
        ("marketing", "process OrderPlaced"),
        ("order", "process OrderAccepted"),
        ("order", "process Delivered"),
        ("marketing", "process Delivered"),
    ]
    .iter()
    .all(|wanted| seen.contains(wanted))
}

/// Every span stands below another of the trace, or below the client's, and no span ends before it began.
fn check_tree(spans: &[Span]) -> Result<()> {
    let mut ids: HashSet<&str> = spans.iter().map(|span| span.id.as_str()).collect();
    ensure!(ids.len() == spans.len(), "each span is told once");
    ids.insert(CLIENT_SPAN);
    for span in spans {
        ensure!(ids.contains(span.parent.as_str()), "below nothing: {span:?}");
        ensure!(span.start <= span.end && span.start > 0, "{span:?}");
    }
    let first: Vec<&Span> = spans.iter().filter(|span| span.parent == CLIENT_SPAN).collect();
    ensure!(first.len() == 1 && first[0].service == "gateway", "{first:?}");
    Ok(())
}

/// The metrics of all parts.
async fn pages(settings: &Settings) -> Result<String> {
    let mut all = String::new();
    let own = Part::SUBGRAPHS.map(|part| Some(settings.listen(part)));
    for addr in own
        .into_iter()
        .chain([settings.gateway_metrics(), settings.auth_metrics()])
    {
        let addr = addr.context("an address")?;
        let page = reqwest::get(format!("http://{addr}/metrics")).await?;
        all.push_str(&page.error_for_status()?.text().await?);
    }
    for part in [Part::Gateway, Part::Auth] {
        let public = reqwest::get(format!("http://{}/metrics", settings.listen(part))).await?;
        ensure!(public.status() == 404, "{part} tells everybody its metrics");
    }
    Ok(all)
}

fn check_pages(pages: &str) -> Result<()> {
    for line in [
        "baedal_router_request_seconds_count{operation=\"PlaceOrder\",outcome=\"ok\"} 1",
        "baedal_service_request_seconds_count{operation=\"mutation placeOrder\",outcome=\"ok\"} 1",
        "baedal_consumer_dead_letters_total{group=\"store\"} 0",
        "baedal_consumer_lag{group=\"marketing\"} ",
        "baedal_order_oldest_seconds{status=\"PLACED\"} ",
        "baedal_order_placements_total{outcome=\"placed\"} 1",
        "baedal_dead_letters{service=\"order\"} 0",
        "baedal_breaker_state{target=\"payment\"} 0",
        "baedal_auth_logins_total{outcome=\"wrong\"} 1",
        "baedal_router_subgraph_seconds_count{subgraph=\"order\",outcome=\"ok\"} ",
        "baedal_trace_spans_lost_total 0",
    ] {
        ensure!(pages.contains(line), "{line} is missing:\n{pages}");
    }
    Ok(())
}

fn check_secrets(all: &str, secrets: &[&str], settings: &Settings) -> Result<()> {
    // The banner names the demo accounts' passwords; it is meant for whoever starts the demo.
    let banner = baedal::banner::text(settings);
    let told = all.replace(&banner, "");
    for secret in secrets {
        let leaked = told.lines().find(|line| line.contains(secret));
        ensure!(leaked.is_none(), "{secret:?} is told: {leaked:?}");
    }
    Ok(())
}
