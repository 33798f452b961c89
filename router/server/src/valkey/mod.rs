//! A Redis or Valkey server that gateways share (`redis` in the configuration).
//!
//! It is never in the way. Requests use the connection that is there; [`Valkey::keep`] makes it, looks after it and makes
//! it anew. While there is none, every call is [`Away`] at once, and whoever called goes on as without a server: from
//! memory, or not at all. That it is away is told once in the log, in `/health/ready`, and as a metric.
//!
//! What users of this room find:
//!
//! * [`Valkey::get`], [`Valkey::set`], [`Valkey::delete`]: values with a time to live;
//! * [`Valkey::set_tagged`], [`Valkey::delete_tagged`]: the same under tags, by which they go ([`tags`]);
//! * [`Valkey::take`]: a rate limit that many processes count together ([`rate`]);
//! * [`Valkey::run`]: any command; keys made by [`Valkey::key`] bear the configured prefix.
//!
//! One call takes `redis.timeout` at most. What comes back was written by whoever can write there: it is to be checked
//! like any input.

mod rate;
mod tags;

pub use rate::Rate;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use baedal_telemetry::Registry;
use baedal_telemetry::metrics::{Counter, Gauge};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, RedisError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::config::RedisConfig;
use crate::observe::VALKEY_METRICS;

/// How long it may have been silent before it is asked for a sign of life.
const LOOK: Duration = Duration::from_secs(5);
/// Pause before a connection is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// There is no server at the moment, or it did not do its part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Redis is away")]
pub struct Away;

/// The server.
pub struct Valkey {
    client: Client,
    settings: AsyncConnectionConfig,
    timeout: Duration,
    prefix: String,
    live: ArcSwapOption<MultiplexedConnection>,
    lost: Notify,
    /// Why it is away, or what it refuses.
    problem: Mutex<Option<String>>,
    /// Whether there is a problem: a look without a lock.
    troubled: AtomicBool,
    meters: Meters,
}

struct Meters {
    up: Gauge,
    ok: Counter,
    failed: Counter,
    away: Counter,
}

impl Valkey {
    /// The server of this configuration; not connected yet.
    pub fn new(config: &RedisConfig, registry: &Registry) -> Valkey {
        let client = Client::open(config.url.as_str()).expect("Config::check has refused other addresses");
        let settings = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(config.timeout))
            .set_response_timeout(Some(config.timeout));
        let [up, calls] = VALKEY_METRICS;
        let calls = registry.counters(calls, 3);
        Valkey {
            client,
            settings,
            timeout: config.timeout,
            prefix: config.prefix.clone(),
            live: ArcSwapOption::empty(),
            lost: Notify::new(),
            problem: Mutex::default(),
            troubled: AtomicBool::default(),
            meters: Meters {
                up: registry.gauge(up),
                ok: calls.with(&["ok"]),
                failed: calls.with(&["failed"]),
                away: calls.with(&["away"]),
            },
        }
    }

    /// A key of this gateway: `kind` tells users of the server apart.
    pub fn key(&self, kind: &str, name: &str) -> String {
        format!("{}{kind}:{name}", self.prefix)
    }

    /// A value, if it is there.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Away> {
        self.run(redis::cmd("GET").arg(key)).await
    }

    /// Keeps a value for so long (at least a millisecond).
    pub async fn set(&self, key: &str, value: &[u8], ttl: Duration) -> Result<(), Away> {
        let mut command = redis::cmd("SET");
        self.run(command.arg(key).arg(value).arg("PX").arg(millis(ttl)))
            .await
    }

    /// Forgets values; how many there were.
    pub async fn delete(&self, keys: &[String]) -> Result<u64, Away> {
        match keys {
            [] => Ok(0),
            keys => self.run(redis::cmd("DEL").arg(keys)).await,
        }
    }

    /// Runs any command. Its keys must be made by [`Valkey::key`].
    pub async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Away> {
        let Some(live) = self.live.load_full() else {
            self.meters.away.inc();
            return Err(Away);
        };
        let mut connection = (*live).clone();
        let asked = tokio::time::timeout(self.timeout, command.query_async(&mut connection)).await;
        match asked {
            Ok(Ok(value)) => {
                self.meters.ok.inc();
                self.is_well();
                Ok(value)
            }
            Ok(Err(error)) => Err(self.failed(&live, &error)),
            Err(_) => Err(self.lose(&live, format!("no answer within {:?}", self.timeout))),
        }
    }

    /// A server that answers with an error is there still: it is full, say, or may only be read.
    fn failed(&self, live: &Arc<MultiplexedConnection>, error: &RedisError) -> Away {
        let lost = error.is_io_error() || error.is_connection_dropped() || error.is_timeout();
        if lost || error.is_unrecoverable_error() {
            return self.lose(live, error.to_string());
        }
        self.meters.failed.inc();
        self.is_troubled(error.to_string());
        Away
    }

    fn lose(&self, live: &Arc<MultiplexedConnection>, why: String) -> Away {
        self.meters.failed.inc();
        let now = self.live.load_full();
        // A connection that was made since is as good as new.
        if now.is_some_and(|now| Arc::ptr_eq(&now, live)) {
            self.live.store(None);
            self.meters.up.set(0.0);
            self.is_troubled(why);
            self.lost.notify_one();
        }
        Away
    }

    /// Connects, if it can be.
    pub async fn connect(&self) {
        let connecting = async {
            let mut connection = self
                .client
                .get_multiplexed_async_connection_with_config(&self.settings)
                .await?;
            redis::cmd("PING").query_async::<()>(&mut connection).await?;
            Ok::<_, RedisError>(connection)
        };
        // Name, handshake, greeting and the first answer.
        let within = self.timeout * 4;
        match tokio::time::timeout(within, connecting).await {
            Ok(Ok(connection)) => {
                self.live.store(Some(Arc::new(connection)));
                self.meters.up.set(1.0);
                self.is_well();
            }
            Ok(Err(error)) => self.is_troubled(error.to_string()),
            Err(_) => self.is_troubled(format!("no connection within {within:?}")),
        }
    }

    /// Looks after the connection until the gateway closes.
    pub async fn keep(self: Arc<Self>, closing: CancellationToken) {
        loop {
            let pause = match self.live.load().is_some() {
                true => LOOK,
                false => PAUSE,
            };
            tokio::select! {
                () = closing.cancelled() => return,
                () = self.lost.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
            match self.live.load().is_some() {
                // What comes of it is noted.
                true => drop(self.run::<()>(&redis::cmd("PING")).await),
                false => self.connect().await,
            }
        }
    }

    /// What an operator should look at.
    pub fn reason(&self) -> Option<String> {
        let problem = self.lock().clone()?;
        Some(format!(
            "Redis is away, so every gateway is on its own: {problem}"
        ))
    }

    fn is_well(&self) {
        if self.troubled.swap(false, Ordering::Relaxed) {
            *self.lock() = None;
            tracing::info!("Redis is there");
        }
    }

    fn is_troubled(&self, why: String) {
        let mut problem = self.lock();
        if !self.troubled.swap(true, Ordering::Relaxed) {
            tracing::warn!(why, "Redis is away; everything goes on without it");
        }
        *problem = Some(why);
    }

    /// A poisoned lock holds a whole text.
    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As Redis takes it: never 0, which it refuses.
fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis())
        .unwrap_or(u64::MAX)
        .clamp(1, u64::from(u32::MAX) * 1_000)
}
