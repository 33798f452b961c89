//! T3: payment is slow. The load and the delay are those of the source: 100 users for 60 s, 400 + U(0, 220) ms, and a
//! deadline of 610 ms, so that 95.45 % can succeed at best.
mod circuit;

use std::time::Duration;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use super::orders::{self, Orders};
use super::{Options, Verdict};
use crate::audit::audit;
use crate::cluster::{Cluster, Knobs};
use crate::load::{Closed, Report, closed};
use circuit::Watch;

/// How many payments a slow payment works on at once.
const CAPACITY: u32 = 10;
/// How long the books may take after so much load (the events of failed orders among it).
const SETTLED: Duration = Duration::from_secs(60);

/// T3a: as many payments at once as come.
pub async fn unlimited(options: &Options) -> Result<Verdict> {
    let mut verdict = titled("T3a: payment is slow, and takes all that come");
    let (report, watch) = run(options, Knobs::slow().patient(options.short), &mut verdict).await?;
    verdict.load("T3a", &report);
    let short = options.short;
    let rate = report.ok_per_second();
    verdict.check_speed(short, "≥ 170 ok/s", format!("{rate:.2}"), rate >= 170.0);
    let share = report.share_ok() * 100.0;
    verdict.check_speed(short, "≥ 95.0 % ok", format!("{share:.2} %"), share >= 95.0);
    let p99 = report.all().quantile(0.99);
    let told = format!("{:.0} ms", p99.as_secs_f64() * 1e3);
    verdict.check_speed(short, "p99 ≤ 700 ms", told, p99 <= Duration::from_millis(700));
    verdict.check(
        "the circuit never opens",
        format!("{} times", watch.opened),
        watch.opened == 0,
    );
    Ok(verdict)
}

/// T3b: ten at once, and a bulkhead of ten before it.
pub async fn bulkhead(options: &Options) -> Result<Verdict> {
    let mut verdict = titled("T3b: payment serves 10 at once, behind a bulkhead");
    let knobs = Knobs {
        at_once: CAPACITY,
        ..Knobs::slow_and_small(CAPACITY).patient(options.short)
    };
    let (report, watch) = run(options, knobs, &mut verdict).await?;
    verdict.load("T3b", &report);
    let short = options.short;
    let rate = report.ok_per_second();
    verdict.check_speed(short, "≥ 17.15 ok/s", format!("{rate:.2}"), rate >= 17.15);
    let rejects = report.of(orders::REJECTED);
    let p99 = rejects.quantile(0.99);
    let told = format!("{:.1} ms of {}", p99.as_secs_f64() * 1e3, rejects.len());
    verdict.check_speed(
        short,
        "rejects answered within 50 ms (p99)",
        told,
        p99 <= Duration::from_millis(50),
    );
    let silent = report.of(orders::NO_RETRY_AFTER).len();
    verdict.check(
        "every reject says when to come again",
        format!("{silent} do not"),
        silent == 0,
    );
    let longest = report.all().longest();
    let told = format!("{:.2} s", longest.as_secs_f64());
    verdict.check_speed(
        short,
        "longest ≤ 1.5 s",
        told,
        longest <= Duration::from_millis(1_500),
    );
    verdict.check(
        "some are rejected, some succeed",
        "",
        !rejects.is_empty() && report.ok() > 0,
    );
    verdict
        .notes
        .push(format!("the circuit opened {} times", watch.opened));
    verdict
        .notes
        .push("users who are rejected come again after the time they are told".to_owned());
    Ok(verdict)
}

/// T3c: ten at once, and no bulkhead: calls wait in payment until they time out.
pub async fn breaker(options: &Options) -> Result<Verdict> {
    let mut verdict = titled("T3c: payment serves 10 at once, no bulkhead: the circuit breaker acts");
    let knobs = Knobs {
        at_once: 0,
        ..Knobs::slow_and_small(CAPACITY)
    };
    // Far enough from the deadline that probes succeed on a machine that is busy, too.
    let knobs = match options.short {
        true => Knobs {
            delay: Duration::from_millis(100),
            jitter: Duration::from_millis(50),
            capacity: 2,
            ..knobs
        },
        false => knobs,
    };
    let (report, watch) = run(options, knobs, &mut verdict).await?;
    verdict.load("T3c", &report);
    let rounds = watch.rounds();
    verdict.check(
        "the circuit goes open → half-open → closed at least twice",
        format!("{rounds} times: {}", watch.story()),
        rounds >= 2,
    );
    verdict.check(
        "only the permitted probes pass while it is half-open",
        watch.probes_told(),
        watch.only_probes_passed(),
    );
    Ok(verdict)
}

fn titled(title: &str) -> Verdict {
    let mut verdict = Verdict::new(title);
    verdict.load_columns();
    verdict.row(&[
        "the source",
        "1025",
        "588",
        "63.55",
        "17.15",
        "5.60 s",
        "",
        "",
        "9.20 s",
    ]);
    verdict
}

/// The load of the source on a platform with these settings; ends with the ledger audit.
async fn run(options: &Options, knobs: Knobs, verdict: &mut Verdict) -> Result<(Report, Watch)> {
    // Two rounds of the circuit take longer than to see that it does not open; the short form ends with the second.
    let seconds = if knobs.at_once == 0 { 60 } else { 3 };
    let cluster = options.platform(options.pick(20, 4), knobs).await?;
    let found = load(options, &cluster, seconds, verdict).await;
    cluster.shutdown().await?;
    found
}

async fn load(
    options: &Options,
    cluster: &Cluster,
    seconds: u64,
    verdict: &mut Verdict,
) -> Result<(Report, Watch)> {
    let orders = Orders::of(cluster.customers().await?, options.seed).with_deadline(cluster.knobs.deadline);
    let stop = CancellationToken::new();
    let enough = options.short.then(|| stop.clone());
    let watch = circuit::watch(cluster, enough).await?;
    let load = Closed {
        users: options.users(100, 30),
        lasts: options.lasts(60, seconds),
        think: Duration::ZERO..Duration::ZERO,
        seed: options.seed,
    };
    let (placing, acknowledged) = (orders.clone(), orders.acknowledged());
    let report = closed(&load, &stop, move |turn| placing.clone().place(turn)).await;
    let watch = watch.end(&cluster.settings).await?;
    let acknowledged = std::mem::take(&mut *acknowledged.lock().expect("no holder panics"));
    let audited = audit(&cluster.settings, &acknowledged, SETTLED).await;
    verdict.audited(audited, acknowledged.len());
    verdict.notes.push(format!(
        "{} users for {:?}, no time to think",
        load.users, load.lasts
    ));
    Ok((report, watch))
}
