//! T6: consumers replay what they missed, replicas come and go, marketing may die, views stand alone, a hung process is
//! restarted, and contracts hold.
mod contracts;
mod hung;
mod marketing;

use std::time::Duration;

use anyhow::{Context, Result};
use baedal::demo::Account;
use baedal::settings::Part;

use super::{Options, Verdict};
use crate::audit::{Ledger, audit};
use crate::client::Client;
use crate::cluster::{Cluster, Knobs};
use crate::patience::until;
use crate::shop::Shop;
use crate::views::VIEWS;

/// How long a consumer group may take to catch up.
const CATCH_UP: Duration = Duration::from_secs(30);

/// Every clause.
pub async fn run(options: &Options) -> Result<Verdict> {
    let mut verdict = Verdict::new("T6: consumers, replicas, views, liveness, contracts");
    let mut cluster = options
        .platform(2, Knobs::default().patient(options.short))
        .await?;
    let shops = cluster.customers().await?;
    let mut orders = replay(options, &mut cluster, &shops[0], &mut verdict).await?;
    orders.extend(marketing::killed(options, &mut cluster, &mut verdict).await?);
    for part in [Part::Store, Part::Marketing, Part::Order] {
        cluster.stop(part).await?;
        cluster.balance(part).await?;
        cluster.grow(part).await?;
    }
    let more = come_and_go(options, &mut cluster, &shops[1], &mut verdict, orders.len()).await?;
    orders.extend(more);
    orders.extend(hung::restarted(&mut cluster, &shops[0], &mut verdict).await?);
    let audited = audit(&cluster.settings, &orders, CATCH_UP).await;
    verdict.audited(audited, orders.len());
    views(&mut cluster, &mut verdict).await?;
    contracts::stop_what_breaks(&mut verdict)?;
    cluster.shutdown().await?;
    Ok(verdict)
}

/// Marketing is down while orders are delivered; then it has all of them once.
async fn replay(
    options: &Options,
    cluster: &mut Cluster,
    shop: &Shop,
    verdict: &mut Verdict,
) -> Result<Vec<String>> {
    let count = options.pick(500, 30);
    cluster.stop(Part::Marketing).await?;
    let orders = shop.place_many(count, "t6-missed").await?;
    cluster.grow(Part::Marketing).await?;
    let caught_up = until(CATCH_UP, || async {
        Ok(Ledger::read(&cluster.settings).await?.feed.len() == count)
    });
    let caught_up = caught_up.await.is_ok();
    let found = Ledger::read(&cluster.settings).await?.feed.len();
    verdict.check(
        format!("a consumer that was down replays all {count} orders it missed, once each"),
        format!("{found} feed items"),
        caught_up && found == count,
    );
    Ok(orders)
}

/// One, three, one replica of every consumer while orders come in, after `before` others.
async fn come_and_go(
    options: &Options,
    cluster: &mut Cluster,
    shop: &Shop,
    verdict: &mut Verdict,
    before: usize,
) -> Result<Vec<String>> {
    let parts = [Part::Store, Part::Marketing, Part::Order];
    let (rounds, count) = options.pick((3, 200), (1, 20));
    let mut orders = Vec::new();
    for round in 0..rounds {
        for change in [Cluster::grow_twice as Change, Cluster::shrink_twice] {
            let placing = shop.clone();
            let key = format!("t6-{round}-{}", orders.len());
            let load = tokio::spawn(async move { placing.place_many(count, &key).await });
            for part in parts {
                change(cluster, part).await?;
            }
            orders.extend(load.await??);
        }
    }
    let wanted = before + orders.len();
    let all = || async { Ok(Ledger::read(&cluster.settings).await?.feed.len() >= wanted) };
    let in_time = until(CATCH_UP, all).await.is_ok();
    let ledger = Ledger::read(&cluster.settings).await?;
    let (feed, points) = (ledger.feed.len(), ledger.points.len());
    verdict.check(
        "replicas 1 → 3 → 1 cause no duplicate effect",
        format!("{wanted} orders, {feed} feed items, {points} entries of points"),
        in_time && feed == wanted,
    );
    Ok(orders)
}

type Change = for<'a> fn(&'a mut Cluster, Part) -> futures_util::future::LocalBoxFuture<'a, Result<()>>;

/// Each view answers with every other service down, directly and through the gateway.
async fn views(cluster: &mut Cluster, verdict: &mut Verdict) -> Result<()> {
    let customer = Shop {
        client: cluster.as_account(Account::Customer).await?,
        store_id: cluster.store_id.clone(),
    };
    let order = customer.place("tongdak", 1, "t6-views").await?;
    until(CATCH_UP, || async {
        Ok(customer.status(&order).await? == "DELIVERED")
    })
    .await?;
    let fed = || async {
        Ok(Ledger::read(&cluster.settings)
            .await?
            .feed
            .iter()
            .any(|item| item.2 == order))
    };
    until(CATCH_UP, fed)
        .await
        .context("the delivery is in the feed")?;
    let mut tokens = Vec::new();
    for view in &VIEWS {
        tokens.push(cluster.token(view.account).await?);
    }
    for part in Part::SUBGRAPHS {
        cluster.stop(part).await?;
    }
    let (mut silent, mut asked) = (Vec::new(), 0);
    for part in Part::SUBGRAPHS {
        cluster.grow(part).await?;
        for (view, token) in VIEWS.iter().zip(&tokens).filter(|(view, _)| view.part == part) {
            for url in [
                cluster.settings.graphql(part),
                cluster.settings.graphql(Part::Gateway),
            ] {
                let client = Client::new(url).with_token(token);
                asked += 1;
                if let Err(error) = view.answers(&client, &cluster.store_id).await {
                    silent.push(format!("{error:#}"));
                }
            }
        }
        cluster.stop(part).await?;
    }
    verdict.check(
        "each view answers with the other services down, directly and through the gateway",
        format!("{} of {asked} {}", asked - silent.len(), silent.join("; ")),
        silent.is_empty(),
    );
    Ok(())
}
