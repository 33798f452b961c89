//! Rate limits by key (a client, a user, an operation): the generic cell rate algorithm of `governor`, one cell for each
//! key, the keys used last kept.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::clock::Clock;

/// How much is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// So many …
    pub count: NonZeroU32,
    /// … in this time, evenly …
    pub per: Duration,
    /// … and so many at once.
    pub burst: NonZeroU32,
    /// Keys remembered. The key used longest ago is forgotten first, and with it what it has used up.
    pub keys: u64,
}

#[derive(Clone)]
struct Time(Arc<dyn Clock>);

impl GovernorClock for Time {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.now()
    }
}

type Cell = RateLimiter<NotKeyed, InMemoryState, Time, NoOpMiddleware<Duration>>;

/// One limit, for each key apart.
pub struct Rates<K> {
    quota: Quota,
    time: Time,
    cells: Cache<K, Arc<Cell>>,
}

impl<K: Hash + Eq + Send + Sync + 'static> Rates<K> {
    /// Nothing is used up yet.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Rates<K> {
        let each = settings.per / settings.count.get();
        let quota = Quota::with_period(each.max(Duration::from_nanos(1)))
            .expect("the period is not zero")
            .allow_burst(settings.burst);
        Rates {
            quota,
            time: Time(clock),
            cells: Cache::builder()
                .max_capacity(settings.keys)
                .eviction_policy(EvictionPolicy::lru())
                .build(),
        }
    }

    /// Uses one up, or says when there will be one.
    pub fn check(&self, key: K) -> Result<(), Duration> {
        let new = || Arc::new(Cell::direct_with_clock(self.quota, self.time.clone()));
        let cell = self.cells.get_with(key, new);
        cell.check()
            .map_err(|not_until| not_until.wait_time_from(self.time.now()))
    }
}
