//! Results that many requests wait for and that are worked out once.
//!
//! The work belongs to no request: a client that goes away while it is under way ends neither the work nor the
//! waiting of others. It runs off the threads that serve requests, and only as many jobs at once as there are
//! processors. Refusals are kept like results, since the same input is refused again; a job that broke down is not.

use std::sync::Arc;

use tokio::sync::{OnceCell, Semaphore};

use crate::errors::{Code, Refusal};

type Outcome<T> = Result<Arc<T>, Arc<Refusal>>;
/// A result, once it is there.
pub type Cell<T> = Arc<OnceCell<Outcome<T>>>;

/// Who works it out.
pub struct Workers(Arc<Semaphore>);

impl Default for Workers {
    /// As many as there are processors.
    fn default() -> Workers {
        let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Workers(Arc::new(Semaphore::new(processors)))
    }
}

impl Workers {
    /// The result of a cell. `job` gives the work where it is not there yet; of several who ask at once one works.
    pub async fn once<T, J>(&self, cell: &Cell<T>, job: impl FnOnce() -> J) -> Result<Arc<T>, Refusal>
    where
        T: Send + Sync + 'static,
        J: FnOnce() -> Result<T, Refusal> + Send + 'static,
    {
        let outcome = match cell.get() {
            Some(outcome) => outcome.clone(),
            None => Box::pin(fill(Arc::clone(cell), Arc::clone(&self.0), job())).await,
        };
        outcome.map_err(|refusal| (*refusal).clone())
    }
}

/// Fills a cell in a task of its own, or waits for who is at it.
async fn fill<T: Send + Sync + 'static>(
    cell: Cell<T>,
    workers: Arc<Semaphore>,
    job: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Outcome<T> {
    let filled = tokio::spawn(async move {
        let outcome = cell.get_or_try_init(|| work(workers, job)).await;
        outcome.cloned().unwrap_or_else(Err)
    });
    filled.await.unwrap_or_else(|stopped| Err(broken(&stopped)))
}

/// Runs a job where it may take its time. The error is a breakdown, which the next request may not meet.
async fn work<T: Send + 'static>(
    workers: Arc<Semaphore>,
    job: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<Outcome<T>, Arc<Refusal>> {
    let permit = workers
        .acquire_owned()
        .await
        .expect("the semaphore is never closed");
    let done = tokio::task::spawn_blocking(move || {
        let _held_until_done = permit;
        job()
    });
    match done.await {
        Ok(done) => Ok(done.map(Arc::new).map_err(Arc::new)),
        Err(stopped) => Err(broken(&stopped)),
    }
}

fn broken(stopped: &tokio::task::JoinError) -> Arc<Refusal> {
    tracing::error!("preparing an operation failed: {stopped}");
    Arc::new(Refusal::new(
        Code::Internal,
        "the gateway failed to prepare this operation",
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    /// A job that counts how often it is begun, and goes on when it may.
    fn slow(
        count: &Arc<AtomicUsize>,
        go_on: &Arc<AtomicBool>,
    ) -> impl FnOnce() -> Result<usize, Refusal> + Send + 'static {
        let (count, go_on) = (Arc::clone(count), Arc::clone(go_on));
        move || {
            let number = count.fetch_add(1, Ordering::SeqCst);
            // Ten seconds at most.
            let waits = (0..10_000).find(|_| {
                std::thread::sleep(Duration::from_millis(1));
                go_on.load(Ordering::SeqCst)
            });
            waits
                .map(|_| number)
                .ok_or_else(|| Refusal::new(Code::Internal, "nobody let it go on"))
        }
    }

    #[tokio::test]
    async fn many_who_ask_at_once_share_one_job() {
        let (cell, count, go_on) = (Cell::default(), Arc::default(), Arc::default());
        let workers = Arc::new(Workers::default());
        let asks = (0..50).map(|_| {
            let (cell, workers) = (Arc::clone(&cell), Arc::clone(&workers));
            let (count, go_on) = (Arc::clone(&count), Arc::clone(&go_on));
            tokio::spawn(async move {
                workers
                    .once(&cell, || slow(&count, &go_on))
                    .await
                    .expect("a result")
            })
        });
        let asks: Vec<_> = asks.collect();
        tokio::time::sleep(Duration::from_millis(20)).await;
        go_on.store(true, Ordering::SeqCst);
        for ask in asks {
            assert_eq!(*ask.await.expect("ends"), 0);
        }
        assert_eq!(count.load(Ordering::SeqCst), 1);
        let other = Cell::default();
        let other = workers.once(&other, || slow(&count, &go_on));
        other.await.expect("a result");
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn who_goes_away_neither_stops_the_job_nor_makes_it_run_again() {
        let (cell, count, go_on) = (Cell::default(), Arc::default(), Arc::default());
        let workers = Workers::default();
        for _ in 0..10 {
            let gone = workers.once(&cell, || slow(&count, &go_on));
            let gone = tokio::time::timeout(Duration::from_millis(5), gone).await;
            assert!(gone.is_err(), "the job waits");
        }
        go_on.store(true, Ordering::SeqCst);
        let stays = workers.once(&cell, || slow(&count, &go_on));
        assert_eq!(*stays.await.expect("a result"), 0);
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_refusal_is_kept_and_a_breakdown_is_not() {
        let (workers, count) = (Workers::default(), Arc::new(AtomicUsize::new(0)));
        let (refused_cell, broken_cell) = (Cell::<usize>::default(), Cell::<usize>::default());
        for _ in 0..3 {
            let count = Arc::clone(&count);
            let refused = workers.once(&refused_cell, || {
                move || {
                    count.fetch_add(1, Ordering::SeqCst);
                    Err(Refusal::new(Code::PlanTooExpensive, "too much"))
                }
            });
            assert_eq!(refused.await.expect_err("refused").code, Code::PlanTooExpensive);
        }
        assert_eq!(count.load(Ordering::SeqCst), 1);
        let broken = workers.once(&broken_cell, || || panic!("a defect")).await;
        assert_eq!(broken.expect_err("broken").code, Code::Internal);
        let healed = workers.once(&broken_cell, || || Ok(7)).await;
        assert_eq!(*healed.expect("a result"), 7);
    }
}
