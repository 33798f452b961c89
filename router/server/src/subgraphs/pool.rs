//! Unused connections, by place and by the thread that opened them: a thread uses no connection of another, so that
//! nothing waits for a lock, and no answer wakes another thread.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::exchange::Connection;
use crate::workers;

/// A connection to a subgraph. TLS makes it large, and it is moved often: into the pool, out of it, into futures.
pub type Line = Box<Connection<TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>>>;

/// The unused connections to one place.
#[derive(Debug)]
pub struct Pool {
    lanes: Box<[Mutex<Vec<Unused>>]>,
    /// Of each lane.
    most: usize,
    longest: Duration,
}

#[derive(Debug)]
struct Unused {
    line: Line,
    since: Instant,
}

impl Pool {
    /// An empty pool for `lanes` lanes that keeps `most` connections, each no longer than `longest`.
    pub fn new(lanes: usize, most: usize, longest: Duration) -> Pool {
        Pool {
            lanes: (0..lanes).map(|_| Mutex::default()).collect(),
            most: most.div_ceil(lanes.saturating_sub(1).max(1)),
            longest,
        }
    }

    /// A connection that was not closed as far as is known, and used less than `fresh` ago: the one used last.
    pub fn take(&self, fresh: Duration) -> Option<Line> {
        let mut lane = self.lane();
        if lane.last().is_some_and(|last| last.since.elapsed() > fresh) {
            return None;
        }
        while let Some(Unused { mut line, since }) = lane.pop() {
            if since.elapsed() > self.longest {
                // All that remain were used before it.
                lane.clear();
            } else if line.is_idle() {
                return Some(line);
            }
        }
        None
    }

    /// Keeps a connection for the next call.
    pub fn put(&self, line: Line) {
        let mut lane = self.lane();
        if lane.len() < self.most {
            let since = Instant::now();
            lane.push(Unused { line, since });
        }
    }

    /// Forgets this thread's connections: one of them was closed by the other side.
    pub fn clear(&self) {
        self.lane().clear();
    }

    /// Closes what was not used for too long; gives how many remain.
    pub fn sweep(&self) -> usize {
        let old = |unused: &Unused| unused.since.elapsed() <= self.longest;
        let lanes = self.lanes.iter().map(|lane| {
            let mut lane = lock(lane);
            lane.retain(old);
            lane.len()
        });
        lanes.sum()
    }

    fn lane(&self) -> MutexGuard<'_, Vec<Unused>> {
        lock(&self.lanes[workers::lane() % self.lanes.len()])
    }
}

/// A poisoned lock holds a whole list: nothing under it can stop halfway.
fn lock(lane: &Mutex<Vec<Unused>>) -> MutexGuard<'_, Vec<Unused>> {
    lane.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn lines(count: usize) -> (Vec<Line>, Vec<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (mut near, mut far) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let address = listener.local_addr().expect("an address");
            let stream = TcpStream::connect(address).await.expect("connected");
            near.push(Box::new(Connection::new(TokioIo::new(MaybeHttpsStream::Http(
                TokioIo::new(stream),
            )))));
            far.push(listener.accept().await.expect("accepted").0);
        }
        (near, far)
    }

    #[tokio::test]
    async fn no_more_are_kept_than_may_be() {
        let pool = Pool::new(2, 2, Duration::from_secs(60));
        let (near, _far) = lines(3).await;
        near.into_iter().for_each(|line| pool.put(line));
        assert!(pool.take(Duration::MAX).is_some() && pool.take(Duration::MAX).is_some());
        assert!(pool.take(Duration::MAX).is_none());
    }

    #[tokio::test]
    async fn one_that_was_closed_is_not_given_out() {
        let pool = Pool::new(1, 9, Duration::from_secs(60));
        let (near, mut far) = lines(2).await;
        near.into_iter().for_each(|line| pool.put(line));
        drop(far.pop());
        // The runtime hears of it when it next looks for news.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(pool.take(Duration::MAX).is_some());
        assert!(pool.take(Duration::MAX).is_none());
    }

    #[tokio::test]
    async fn only_one_used_just_now_is_given_to_who_wants_a_fresh_one() {
        let pool = Pool::new(1, 9, Duration::from_secs(60));
        let (near, _far) = lines(1).await;
        near.into_iter().for_each(|line| pool.put(line));
        assert!(pool.take(Duration::ZERO).is_none());
        assert!(pool.take(Duration::from_secs(30)).is_some());
    }

    #[tokio::test]
    async fn old_ones_are_neither_given_out_nor_kept() {
        let pool = Pool::new(1, 9, Duration::ZERO);
        let (near, _far) = lines(2).await;
        near.into_iter().for_each(|line| pool.put(line));
        assert!(pool.take(Duration::MAX).is_none());
        let (near, _far) = lines(1).await;
        near.into_iter().for_each(|line| pool.put(line));
        assert_eq!(pool.sweep(), 0);
    }
}
