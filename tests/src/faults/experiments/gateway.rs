//! One of two gateways behind a balancer is killed again and again; and the auth server, whom nobody needs to go on.
use std::time::{Duration, Instant};

use anyhow::Result;
use baedal::demo::Account;
use baedal::login;
use baedal::settings::Part;

use super::services::blocking;
use crate::faults::fleet::Fleet;
use crate::faults::load::{Load, customer, customer_at};
use crate::faults::proxy::Proxy;
use crate::faults::random::Random;
use crate::faults::{Experiment, Facts, Plan, must};
use crate::world::free_ports;

/// 5.
pub const GATEWAY: Experiment = Experiment {
    name: "gateway-killed",
    fault: "kill -9 of one of two gateways behind a balancer",
    invariant: "what was acknowledged is there; a repetition with the same key gives the same order",
    net: "the idempotency key",
    runs: (2, 60),
    servers: false,
    run: |plan| Box::pin(gateway(plan)),
};

/// 6.
pub const AUTH: Experiment = Experiment {
    name: "auth-killed",
    fault: "kill -9 of the auth server",
    invariant: "tokens that were given hold throughout; nobody logs in meanwhile; logins work after its start",
    net: "keys that are remembered (all others are started anew while auth is away)",
    runs: (1, 20),
    servers: false,
    run: |plan| Box::pin(auth(plan)),
};

async fn gateway(plan: Plan) -> Result<Facts> {
    let mut fleet = Fleet::new(&plan.program)?;
    let variables = plan.variables("idempotency");
    let rest: Vec<Part> = Part::ALL
        .into_iter()
        .filter(|part| *part != Part::Gateway)
        .collect();
    fleet.enlist("rest", &rest, &variables);
    fleet.enlist("one", &[Part::Gateway], &variables);
    let mut second = fleet.settings.clone();
    (second.only, second.ports.gateway) = (vec![Part::Gateway], free_ports()?.gateway);
    let balancer = Proxy::start(vec![
        fleet.settings.listen(Part::Gateway),
        second.listen(Part::Gateway),
    ])
    .await?;
    fleet.enlist_as("two", second, &variables);
    blocking(|| {
        fleet
            .start("rest")
            .and_then(|_| fleet.start("one"))
            .and_then(|_| fleet.start("two"))
    })?;
    let url = format!("http://{}/graphql", balancer.address());
    let shop = customer_at(&fleet.settings, url).await?;
    let load = Load::start(&shop, 8, "gateway");
    load.goes_on(8, Duration::from_secs(60)).await?;
    let mut random = Random::new(plan.seed);
    for run in 0..plan.runs {
        let name = ["one", "two"][run as usize % 2];
        tokio::time::sleep(random.millis(50, 700)).await;
        blocking(|| fleet.kill(name))?;
        load.goes_on(3, plan.patience(Duration::from_secs(5))).await?;
        blocking(|| fleet.start(name))?;
    }
    let tally = load.stop().await;
    let ledger = plan.audit(&fleet.settings, &tally).await?;
    fleet.without_panics()?;
    Ok(vec![format!(
        "{} deaths, {} keys, {} orders, {} requests without an answer, audit clean",
        plan.runs,
        tally.keys,
        ledger.orders.len(),
        tally.unanswered
    )])
}

async fn auth(plan: Plan) -> Result<Facts> {
    let mut fleet = blocking(|| Fleet::of_two(&plan.program, &[Part::Auth], &[]))?;
    let shop = customer(&fleet.settings).await?;
    let load = Load::start(&shop, 4, "auth");
    load.goes_on(4, Duration::from_secs(60)).await?;
    let (mut random, mut back) = (Random::new(plan.seed), Duration::ZERO);
    for _ in 0..plan.runs {
        tokio::time::sleep(random.millis(50, 700)).await;
        blocking(|| fleet.kill("victim"))?;
        let account = Account::Customer2;
        let issuer = fleet.settings.issuer();
        let log_in = || {
            login::account::login(
                &issuer,
                None,
                account.login(),
                account.password(),
                account.scopes(),
            )
        };
        if plan.sabotage {
            blocking(|| fleet.kill("rest").and_then(|()| fleet.start("rest")))?;
        }
        must(log_in().await.is_err(), || {
            "a login succeeded without an auth server".to_owned()
        })?;
        load.goes_on(8, plan.patience(Duration::from_secs(10))).await?;
        let start = Instant::now();
        blocking(|| fleet.start("victim"))?;
        log_in().await?;
        back = back.max(start.elapsed());
    }
    let tally = load.stop().await;
    let rejected = tally.refused.keys().any(|code| code.starts_with("UNAUTH"));
    must(!rejected, || {
        format!("valid tokens were refused: {:?}", tally.refused)
    })?;
    let ledger = plan.audit(&fleet.settings, &tally).await?;
    fleet.without_panics()?;
    Ok(vec![
        format!(
            "{} deaths, {} orders meanwhile, audit clean",
            plan.runs,
            ledger.orders.len()
        ),
        plan.bound("slowest return of logins", back, Duration::from_secs(3))?,
    ])
}
