//! Overload: more requests come than there is room for. Those there is room for go on being served, the others are told
//! at once to come again, and when the rush is over nobody is refused.
use std::time::{Duration, Instant};

use anyhow::Result;
use reqwest::header::RETRY_AFTER;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::orders::{Acknowledged, Orders};
use super::verdict::time;
use super::{Options, Verdict};
use crate::audit::audit;
use crate::cluster::{Cluster, Knobs};
use crate::load::{Closed, Open, Outcome, Report, Turn, closed, open};
use crate::patience::until;
use crate::shop::{PLACE_ORDER, order_of};

/// Requests the gateway works on at once.
const DOOR: u32 = 10;
/// How long payment takes, at least, and up to how much longer.
const PAYMENT: (Duration, Duration) = (Duration::from_millis(200), Duration::from_millis(100));
/// How many times as many requests come as can be served.
const RUSHES: [f64; 2] = [2.0, 5.0];
/// The share of what is served at best that must be served all the same.
const GOODPUT: f64 = 0.8;
/// How long a refusal may take.
const REFUSAL: Duration = Duration::from_millis(50);
/// How long after the rush the first may be refused.
const RECOVERY: Duration = Duration::from_secs(5);
/// So many requests in a row are served when all is well again.
const IN_A_ROW: usize = 20;
/// How long the books may take.
const SETTLED: Duration = Duration::from_secs(60);

/// Refused as it should be: status, code and when to come again.
const REFUSED: &str = "refused";

/// The best, then the rushes, then calm.
pub async fn run(options: &Options) -> Result<Verdict> {
    let mut verdict = Verdict::new("Overload: more requests than there is room for");
    verdict.load_columns();
    let knobs = Knobs {
        answer: PAYMENT,
        door: Some(DOOR),
        ..Knobs::default().patient(options.short)
    };
    let cluster = options.platform(options.pick(20, 4), knobs).await?;
    let found = rushes(options, &cluster, &mut verdict).await;
    cluster.shutdown().await?;
    found?;
    Ok(verdict)
}

async fn rushes(options: &Options, cluster: &Cluster, verdict: &mut Verdict) -> Result<()> {
    let orders = Orders::of(cluster.customers().await?, options.seed);
    let acknowledged = orders.acknowledged();
    let best = at_best(options, &orders).await;
    verdict.load("as many as there is room for", &best);
    verdict.check(
        "nobody is refused while there is room",
        format!("{} of {}", best.failed().len(), best.all().len()),
        best.failed().is_empty() && best.ok() > 0,
    );
    for (number, times) in RUSHES.into_iter().enumerate() {
        let load = Open {
            rate: best.ok_per_second() * times,
            lasts: options.lasts(60, 2),
            seed: options.seed + number as u64,
        };
        let rushing = orders.half(number as u64 + 1);
        let report = open(&load, move |turn| place(rushing.clone(), turn)).await;
        judge(options, verdict, (times, load.lasts), (&best, &report));
    }
    let calm = recovery(&orders.half(9)).await;
    let (told, holds) = match calm {
        Ok(took) => (time(took), took <= RECOVERY),
        Err(error) => (format!("{error:#}"), false),
    };
    verdict.check_speed(
        options.short,
        &format!("{IN_A_ROW} in a row are served {RECOVERY:?} after the rush"),
        told,
        holds,
    );
    let acknowledged = taken(&acknowledged);
    let audited = audit(&cluster.settings, &acknowledged, SETTLED).await;
    verdict.audited(audited, acknowledged.len());
    Ok(())
}

/// As many users as there is room for, one request after another.
async fn at_best(options: &Options, orders: &Orders) -> Report {
    let load = Closed {
        users: DOOR as usize,
        lasts: options.lasts(30, 2),
        think: Duration::ZERO..Duration::ZERO,
        seed: options.seed,
    };
    let orders = orders.half(0);
    closed(&load, &CancellationToken::new(), move |turn| {
        place(orders.clone(), turn)
    })
    .await
}

/// One order; what is refused must be refused in order.
async fn place(orders: Orders, turn: Turn) -> Outcome {
    let shop = orders.customer(turn.user);
    let variables = order_of(&shop.store_id, "tongdak", 1, &orders.key(&turn));
    match shop.client.send_whole(PLACE_ORDER, variables).await {
        Ok((200, _, body)) => orders.took(&body),
        Ok((status, headers, body)) => {
            let again = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            Outcome::refused(refusal(status, again, &body), None)
        }
        Err(error) => Outcome::refused(format!("no answer: {}", error.root_cause()), None),
    }
}

/// What kind of refusal this is.
fn refusal(status: u16, again: Option<&str>, body: &Value) -> String {
    let code = body["errors"][0]["extensions"]["code"].as_str();
    let seconds = again.and_then(|text| text.parse::<u64>().ok());
    match (status, code, seconds) {
        (503, Some("OVERLOADED"), Some(1..)) | (429, Some("RATE_LIMITED"), Some(1..)) => REFUSED.to_owned(),
        _ => format!("refused by {status} {code:?}, to come again after {again:?}"),
    }
}

fn judge(
    options: &Options,
    verdict: &mut Verdict,
    (times, lasts): (f64, Duration),
    (best, report): (&Report, &Report),
) {
    verdict.load(&format!("{times} times as many"), report);
    // What was begun in time counts, answered when it may be.
    let rate = report.ok() as f64 / lasts.as_secs_f64();
    let share = rate / best.ok_per_second().max(f64::EPSILON);
    verdict.check_speed(
        options.short,
        &format!("{times} times: ≥ 80 % of the best goes on being served"),
        format!("{:.1} %", share * 100.0),
        share >= GOODPUT,
    );
    let refused = report.of(REFUSED);
    let p99 = refused.quantile(0.99);
    verdict.check_speed(
        options.short,
        &format!("{times} times: refused within {REFUSAL:?} (p99)"),
        format!("{} of {}", time(p99), refused.len()),
        p99 <= REFUSAL,
    );
    let strange = report.failed().len() - refused.len();
    verdict.check(
        format!("{times} times: some are served, all others get 503 or 429, a code and Retry-After"),
        format!(
            "{} served, {} refused, {strange} otherwise",
            report.ok(),
            refused.len()
        ),
        strange == 0 && report.ok() > 0 && !refused.is_empty(),
    );
}

/// When the first of so many in a row is asked for that are all served.
async fn recovery(orders: &Orders) -> Result<Duration> {
    let (start, mut began) = (Instant::now(), Duration::ZERO);
    let mut number = 0;
    until(4 * RECOVERY, || {
        let first = number;
        began = start.elapsed();
        number += IN_A_ROW;
        async move {
            for number in first..first + IN_A_ROW {
                let turn = Turn::of(number);
                if place(orders.clone(), turn).await != Outcome::ok() {
                    return Ok(false);
                }
            }
            Ok(true)
        }
    })
    .await?;
    Ok(began)
}

fn taken(acknowledged: &Acknowledged) -> Vec<String> {
    std::mem::take(&mut *acknowledged.lock().expect("no holder panics"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_refusal_has_a_status_a_code_and_a_time() {
        let body = |code: &str| json!({ "errors": [{ "extensions": { "code": code } }] });
        assert_eq!(refusal(503, Some("1"), &body("OVERLOADED")), REFUSED);
        assert_eq!(refusal(429, Some("3"), &body("RATE_LIMITED")), REFUSED);
        for (status, again, code) in [
            (503, None, "OVERLOADED"),
            (503, Some("0"), "OVERLOADED"),
            (503, Some("soon"), "OVERLOADED"),
            (503, Some("1"), ""),
            (500, Some("1"), "OVERLOADED"),
        ] {
            assert_ne!(
                refusal(status, again, &body(code)),
                REFUSED,
                "{status} {again:?} {code}"
            );
        }
        assert_ne!(refusal(503, Some("1"), &Value::Null), REFUSED);
    }
}
