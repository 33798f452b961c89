//! Threads that serve: each has a runtime of its own, so that a request, its calls and its connections never change
//! thread. What must be shared by threads is told apart by [`lane`].

use std::cell::{Cell, OnceCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{io, thread};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

thread_local! {
    static LANE: Cell<usize> = const { Cell::new(0) };
    static BUSY: OnceCell<Arc<AtomicUsize>> = const { OnceCell::new() };
}

/// The number of this thread's lane: 0 for all threads that serve nothing, else from 1.
pub fn lane() -> usize {
    LANE.get()
}

/// How many lanes there are when `workers` threads serve.
pub fn lanes(workers: usize) -> usize {
    workers + 1
}

/// As many threads as there are processors.
pub fn usual() -> usize {
    thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

/// What stays on this thread beyond the connection it came with (which has a [`Place`]) makes it as busy; less so when
/// this is dropped.
pub struct Stay(Option<Arc<AtomicUsize>>);

/// A stay on this thread.
pub fn stay() -> Stay {
    let busy = BUSY.with(|busy| busy.get().cloned());
    if let Some(busy) = &busy {
        busy.fetch_add(1, Ordering::Relaxed);
    }
    Stay(busy)
}

impl Drop for Stay {
    fn drop(&mut self) {
        if let Some(busy) = &self.0 {
            busy.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// The threads. Dropped, they end, and with them what runs on them.
pub struct Workers {
    all: Vec<Worker>,
    stop: CancellationToken,
}

struct Worker {
    handle: Handle,
    busy: Arc<AtomicUsize>,
}

/// A place on a thread; the thread is the less busy for it when it is dropped.
pub struct Place {
    /// Where to spawn.
    pub handle: Handle,
    busy: Arc<AtomicUsize>,
}

impl Workers {
    /// Starts `count` threads.
    pub fn start(count: usize) -> io::Result<Workers> {
        let stop = CancellationToken::new();
        let all = (1..=count).map(|number| Worker::start(number, stop.clone()));
        Ok(Workers {
            all: all.collect::<io::Result<_>>()?,
            stop,
        })
    }

    /// Each thread's name and runtime.
    pub fn handles(&self) -> impl Iterator<Item = (String, Handle)> {
        let numbered = (1..).zip(&self.all);
        numbered.map(|(number, worker)| (name(number), worker.handle.clone()))
    }

    /// A place on the thread with the fewest of them.
    pub fn place(&self) -> Place {
        let least = self
            .all
            .iter()
            .min_by_key(|worker| worker.busy.load(Ordering::Relaxed));
        let Worker { handle, busy } = least.expect("there is at least one thread");
        busy.fetch_add(1, Ordering::Relaxed);
        Place {
            handle: handle.clone(),
            busy: Arc::clone(busy),
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Worker {
    fn start(number: usize, stop: CancellationToken) -> io::Result<Worker> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        let busy: Arc<AtomicUsize> = Arc::default();
        let own = Arc::clone(&busy);
        thread::Builder::new().name(name(number)).spawn(move || {
            LANE.set(number);
            BUSY.with(|busy| drop(busy.set(own)));
            runtime.block_on(stop.cancelled());
            // Work off the threads that serve is not waited for.
            runtime.shutdown_background();
        })?;
        Ok(Worker { handle, busy })
    }
}

fn name(number: usize) -> String {
    format!("serve-{number}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn places_are_spread_over_threads_by_how_busy_these_are() {
        let workers = Workers::start(2).expect("two threads");
        let lane_of = |place: &Place| place.handle.spawn(async { lane() });
        let (first, second) = (workers.place(), workers.place());
        let kept = lane_of(&first).await.expect("a lane");
        let left = lane_of(&second).await.expect("a lane");
        assert_eq!([kept.min(left), kept.max(left)], [1, 2]);
        drop(second);
        for _ in 0..3 {
            assert_eq!(lane_of(&workers.place()).await.expect("a lane"), left);
        }
        assert_eq!(lane(), 0);
    }

    #[tokio::test]
    async fn what_stays_counts_like_a_connection() {
        let workers = Workers::start(2).expect("two threads");
        let place = workers.place();
        let (stay, first) = place
            .handle
            .spawn(async { (stay(), lane()) })
            .await
            .expect("runs");
        drop(place);
        let other = workers.place();
        assert_ne!(other.handle.spawn(async { lane() }).await.expect("a lane"), first);
        drop((stay, other));
        let free = workers.place();
        assert_eq!(free.handle.spawn(async { lane() }).await.expect("a lane"), 1);
    }

    #[tokio::test]
    async fn what_runs_on_the_threads_ends_with_them() {
        let workers = Workers::start(1).expect("a thread");
        let running = workers.place().handle.spawn(std::future::pending::<()>());
        drop(workers);
        let ended = tokio::time::timeout(Duration::from_secs(5), running).await;
        assert!(ended.expect("it ends").expect_err("cut").is_cancelled());
    }
}
