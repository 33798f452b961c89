//! `auto` mode: the store that accepts, cooks and delivers by itself.
//!
//! All it needs is in the database (state and time of the last move), so it goes on where it stopped after a restart.
//! One replica at a time drives it, by a lease; were two to do so, versions still let each step happen once.

use super::{App, AppError, MAX_TRIES};
use crate::ports::{Cause, Filed, SaveError, TicketBatch, TicketChange};
use baedal_kit::{failpoint, rounds::Rounds};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Tickets moved in one transaction.
const BATCH: usize = 250;
/// How long a replica that died keeps the others from taking over.
const LEASE_MS: i64 = 1_500;
/// Clocks of replicas differ by less than this.
const AHEAD_MS: i64 = 60_000;
/// How long to rest when nothing is to be done and nobody tells of new tickets.
const IDLE_MS: i64 = 250;

/// Drives tickets until shut down.
pub async fn run(
    app: std::sync::Arc<App>,
    step_delay: Duration,
    rounds: Rounds,
    shutdown: CancellationToken,
) {
    let me = app.ids.next().to_string();
    let mut lease = Lease { owner: &me, until: 0 };
    while !shutdown.is_cancelled() {
        rounds.begin().await;
        let rest = match app.sweep(step_delay, &mut lease).await {
            Ok(Swept { more: true, .. }) => continue,
            Ok(Swept { rest_ms, .. }) => rest_ms,
            Err(error) => {
                tracing::warn!(%error, "auto mode could not move tickets, trying again");
                IDLE_MS
            }
        };
        tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            () = app.received.notified() => {}
            () = tokio::time::sleep(Duration::from_millis(rest.clamp(1, IDLE_MS).unsigned_abs())) => {}
        }
    }
    let _ = app.tickets.lead(&me, app.clock.now_ms(), 0).await;
}

/// Who sweeps, and until when it alone does.
pub struct Lease<'a> {
    /// Name of the replica.
    pub owner: &'a str,
    /// End of the lease it holds, in ms since 1970; 0 when it holds none.
    pub until: i64,
}

/// What a sweep did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many tickets took a step.
    pub moved: usize,
    /// More may be due already.
    pub more: bool,
    /// Else: how long until the next one is due.
    pub rest_ms: i64,
}

impl App {
    /// Lets every ticket that has rested for `step_delay` take its next step, one batch at most.
    pub async fn sweep(&self, step_delay: Duration, lease: &mut Lease<'_>) -> Result<Swept, AppError> {
        let delay = i64::try_from(step_delay.as_millis()).unwrap_or(i64::MAX);
        for _ in 0..MAX_TRIES {
            let now = self.clock.now_ms();
            let all = self.tickets.advancing(BATCH).await?;
            let full = all.len() == BATCH;
            let due: Vec<Filed> = all
                .iter()
                .filter(|one| rest(one, now, delay) == 0)
                .cloned()
                .collect();
            let rest_ms = all
                .iter()
                .map(|one| rest(one, now, delay))
                .filter(|rest| *rest > 0)
                .min()
                .unwrap_or(IDLE_MS);
            if due.is_empty() || !self.leads(lease, now).await? {
                return Ok(Swept {
                    rest_ms,
                    ..Swept::default()
                });
            }
            let moved = due.len();
            match self.tickets.save(step(due, now)).await {
                Ok(()) => {
                    return Ok(Swept {
                        moved,
                        more: delay == 0 || (full && moved == BATCH),
                        rest_ms: rest_ms.min(delay),
                    });
                }
                Err(SaveError::Conflict | SaveError::Seen { .. }) => {}
                Err(SaveError::Store(error)) => return Err(error.into()),
            }
        }
        Err(AppError::Busy)
    }

    async fn leads(&self, lease: &mut Lease<'_>, now: i64) -> Result<bool, AppError> {
        if lease.until - now > LEASE_MS / 2 {
            return Ok(true);
        }
        let until = now + LEASE_MS;
        let leads = self.tickets.lead(lease.owner, now, until).await?;
        lease.until = if leads { until } else { 0 };
        Ok(leads)
    }
}

/// How long this ticket still rests. One that moved far in the future was moved by a clock that has been set since: it
/// does not wait for that time to come.
fn rest(filed: &Filed, now: i64, delay: i64) -> i64 {
    if filed.moved_at > now + AHEAD_MS && !failpoint::sabotaged("ahead") {
        return 0;
    }
    (filed.moved_at.saturating_add(delay) - now).max(0)
}

fn step(due: Vec<Filed>, now: i64) -> TicketBatch {
    let mut changes: Vec<TicketChange> = due.into_iter().filter_map(advance).collect();
    // In the order of the ids, so that two replicas lock rows in the same order.
    changes.sort_unstable_by(|a, b| a.order_id.cmp(&b.order_id));
    TicketBatch {
        changes,
        handled: Vec::new(),
        now,
    }
}

fn advance(filed: Filed) -> Option<TicketChange> {
    let (order, events) = filed.order.advance().ok()?;
    let events = events
        .into_iter()
        .map(|event| (event, Cause::default()))
        .collect();
    Some(TicketChange {
        order_id: filed.order_id,
        before: filed.version,
        order,
        events,
        trace: filed.trace,
    })
}
