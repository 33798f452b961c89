//! One poller for all the watchers of this process.

use crate::app::App;
use crate::ports::BooksError;
use baedal_kit::rounds::Rounds;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often to look for feeds that other replicas let grow.
const EVERY: Duration = Duration::from_millis(80);
/// A change becomes visible when it is committed, and is dated by another machine's clock: look back this far.
const LOOK_BACK_MS: i64 = 2_000;
/// Every so many looks, all watched feeds are asked for by name: whatever clocks do, nothing waits longer than this.
const FULL_LOOK: u32 = 25;
/// Rows of one question.
const ROWS: usize = 500;
/// Questions of one look.
const MAX_PAGES: usize = 40;

/// Looks until shut down.
pub async fn run(app: Arc<App>, rounds: Rounds, shutdown: CancellationToken) {
    let mut looks: u32 = 0;
    let mut since = app.clock.now_ms();
    loop {
        rounds.begin().await;
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let watched = app.hub.watched();
        if watched.is_empty() {
            since = app.clock.now_ms();
            continue;
        }
        looks = looks.wrapping_add(1);
        let look = if looks.is_multiple_of(FULL_LOOK) {
            full(&app, &watched).await
        } else {
            Ok(())
        };
        match look.and(changed(&app, since - LOOK_BACK_MS).await) {
            Ok(newest) => since = newest.max(since),
            Err(error) => tracing::warn!(%error, "cannot look for new feed items, trying again"),
        }
    }
}

/// Announces what changed since then; answers when the newest change was.
async fn changed(app: &App, since: i64) -> Result<i64, BooksError> {
    let mut after = (since, String::new());
    for _ in 0..MAX_PAGES {
        let heads = app.feeds.changed_after(after.clone(), ROWS).await?;
        for head in &heads {
            app.hub.announce(&head.customer_id, head.sequence);
        }
        match heads.last() {
            Some(last) => after = (last.touched_at, last.customer_id.clone()),
            None => break,
        }
        if heads.len() < ROWS {
            break;
        }
    }
    // A clock that runs ahead must not make this one blind to the others.
    Ok(after.0.min(app.clock.now_ms()))
}

async fn full(app: &App, watched: &[String]) -> Result<(), BooksError> {
    for some in watched.chunks(ROWS) {
        for head in app.feeds.heads(some).await? {
            app.hub.announce(&head.customer_id, head.sequence);
        }
    }
    Ok(())
}
