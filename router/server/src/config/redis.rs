//! Section `redis`: a Redis or Valkey server that gateways share.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::span::Span;
use super::{Config, ConfigError, StoreKind};

/// Schemes of `redis.url`; those with an `s` at their end are over TLS.
const SCHEMES: [&str; 4] = ["redis", "rediss", "valkey", "valkeys"];

/// A Redis or Valkey server. It is never in the way: while it is away, everything goes on as without it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedisConfig {
    /// Where it is: `redis://user:password@host:6379/0`, `rediss://` for TLS; `valkey://` and `valkeys://` are the same.
    pub url: Url,
    /// Longest time for one answer of it, and for a connection to it.
    #[serde(with = "Span", default = "timeout")]
    pub timeout: Duration,
    /// What its keys begin with.
    #[serde(default = "prefix")]
    pub prefix: String,
}

fn timeout() -> Duration {
    Duration::from_millis(100)
}

fn prefix() -> String {
    "baedal:".to_owned()
}

impl RedisConfig {
    /// The server at this address.
    pub fn at(url: Url) -> RedisConfig {
        RedisConfig {
            url,
            timeout: timeout(),
            prefix: prefix(),
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        if !SCHEMES.contains(&self.url.scheme()) || !self.url.has_host() {
            let why = "must be like redis://127.0.0.1:6379/0 (rediss:// for TLS)";
            return Err(ConfigError::value("redis.url", why));
        }
        match self.timeout.is_zero() {
            true => Err(ConfigError::value("redis.timeout", "must be longer than 0")),
            false => Ok(()),
        }
    }
}

impl Config {
    /// What is to be kept in Redis needs one.
    pub(super) fn check_redis(&self) -> Result<(), ConfigError> {
        let users = [
            ("apq.store", self.apq.store),
            ("cache.responses.store", self.cache.responses.store),
            ("traffic.rate_limits.store", self.traffic.rate_limits.store),
        ];
        let missing = users.iter().find(|(_, store)| *store == StoreKind::Redis);
        match (&self.redis, missing) {
            (Some(redis), _) => redis.check(),
            (None, Some((key, _))) => Err(ConfigError::value(
                key,
                "is `redis`, so `redis.url` must say where it is",
            )),
            (None, None) => Ok(()),
        }
    }
}
