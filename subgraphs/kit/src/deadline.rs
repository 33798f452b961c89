//! Until when the caller of the work at hand waits.
//!
//! A caller says in `X-Request-Timeout-Ms` how many milliseconds it has left. Work that nobody waits for any more is not
//! begun, and what is under way is given up where that is safe. The deadline travels beside the work, with its task, as
//! its trace does; a task that is spawned on the way takes it along by [`carried`].

use std::{future::Future, time::Duration};

use axum::http::HeaderMap;
use tokio::time::Instant;

/// The header with the milliseconds that the caller has left.
pub const HEADER: &str = "x-request-timeout-ms";

tokio::task_local! {
    static UNTIL: Option<Instant>;
}

/// Nobody waited for it until its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the caller's deadline has passed")]
pub struct Passed;

/// Until when the sender of these headers waits, if it says so; they came at that time. What is no number says nothing.
pub fn of(headers: &HeaderMap, came: Instant) -> Option<Instant> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let left = Duration::from_millis(text.trim().parse().ok()?);
    // One that lies beyond all time is none.
    came.checked_add(left)
}

/// Does work for a caller who waits until then.
///
/// # Errors
/// The time has come, perhaps before the work was begun.
pub async fn within<T>(until: Option<Instant>, work: impl Future<Output = T>) -> Result<T, Passed> {
    let Some(end) = until else {
        return Ok(UNTIL.scope(until, work).await);
    };
    if end <= Instant::now() {
        return Err(Passed);
    }
    let timed = tokio::time::timeout_at(end, UNTIL.scope(until, work));
    timed.await.map_err(|_| Passed)
}

/// The work with the present deadline, for a task of its own. It is told of the deadline, and not ended by it.
pub fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    let until = UNTIL.try_with(|until| *until).ok().flatten();
    UNTIL.scope(until, work)
}

/// How long the caller of the work at hand still waits; `None` where it did not say.
pub fn left() -> Option<Duration> {
    let until = UNTIL.try_with(|until| *until).ok().flatten()?;
    Some(until.saturating_duration_since(Instant::now()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(HEADER.parse().unwrap(), text.parse().unwrap())])
    }

    #[test]
    fn only_a_number_is_a_deadline() {
        let now = Instant::now();
        assert_eq!(of(&told("250"), now), Some(now + Duration::from_millis(250)));
        assert_eq!(of(&told("0"), now), Some(now));
        for nothing in ["", "-1", "1s", "soon", "18446744073709551616"] {
            assert_eq!(of(&told(nothing), now), None, "{nothing}");
        }
        assert_eq!(of(&HeaderMap::new(), now), None);
    }

    #[tokio::test(start_paused = true)]
    async fn work_knows_its_deadline_and_ends_by_it() {
        let soon = Some(Instant::now() + Duration::from_millis(100));
        let seen = within(soon, async {
            tokio::time::sleep(Duration::from_millis(40)).await;
            let task = tokio::spawn(carried(async { left() }));
            (left(), task.await.unwrap())
        });
        let left_over = Some(Duration::from_millis(60));
        assert_eq!(seen.await, Ok((left_over, left_over)));
        assert_eq!(within(soon, std::future::pending::<()>()).await, Err(Passed));
        assert_eq!(within(None, async { left() }).await, Ok(None));
        assert_eq!(left(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_is_late_is_not_begun() {
        let mut begun = false;
        let late = within(Some(Instant::now()), async { begun = true }).await;
        assert_eq!(late, Err(Passed));
        assert!(!begun);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_of_its_own_goes_on_after_the_deadline() {
        let soon = Some(Instant::now() + Duration::from_millis(10));
        let (done, ended) = tokio::sync::oneshot::channel();
        let outcome = within(soon, async {
            let work = async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                let _ = done.send(left());
            };
            tokio::spawn(carried(work)).await
        });
        assert!(outcome.await.is_err());
        assert_eq!(ended.await, Ok(Some(Duration::ZERO)));
    }
}
