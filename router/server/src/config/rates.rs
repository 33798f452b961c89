//! Section `traffic.rate_limits`.

use std::num::NonZeroU32;
use std::time::Duration;

use baedal_traffic::rate;
use http::HeaderName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::span::Span;
use super::{ConfigError, StoreKind};

/// Clients, users and operations remembered for each limit.
const KEYS: u64 = 65_536;

/// How many requests in what time. Over WebSocket each operation is a request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RateLimitsConfig {
    /// Who counts together: this process alone, or all gateways that use the same Redis.
    pub store: StoreKind,
    /// For each client, told apart by its address.
    pub per_client: Option<ClientRateConfig>,
    /// For each user, told apart by `sub` of the token. Anonymous callers are not counted.
    pub per_user: Option<RateConfig>,
    /// For single operations; all that fit must allow a request.
    pub per_operation: Vec<OperationRateConfig>,
}

/// A rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateConfig {
    /// So many requests …
    pub count: NonZeroU32,
    /// … in this time, evenly …
    #[serde(with = "Span", default = "second")]
    pub per: Duration,
    /// … and so many at once. Absent: `count`.
    #[serde(default)]
    pub burst: Option<NonZeroU32>,
}

/// A rate of each client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientRateConfig {
    /// So many requests …
    pub count: NonZeroU32,
    /// … in this time, evenly …
    #[serde(with = "Span", default = "second")]
    pub per: Duration,
    /// … and so many at once. Absent: `count`.
    #[serde(default)]
    pub burst: Option<NonZeroU32>,
    /// The header that tells clients apart, set by a proxy of yours: its last entry counts. Absent, or not in a request:
    /// the address of the connection (of IPv6 its first 64 bits).
    #[serde(default)]
    pub header: Option<String>,
}

/// A rate of one operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OperationRateConfig {
    /// The operation's name.
    #[serde(default)]
    pub name: Option<String>,
    /// SHA-256 of the query text, in lower-case hexadecimal digits.
    #[serde(default)]
    pub hash: Option<String>,
    /// Whose requests are counted together.
    #[serde(default)]
    pub for_each: ForEach,
    /// So many requests …
    pub count: NonZeroU32,
    /// … in this time, evenly …
    #[serde(with = "Span", default = "second")]
    pub per: Duration,
    /// … and so many at once. Absent: `count`.
    #[serde(default)]
    pub burst: Option<NonZeroU32>,
}

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForEach {
    /// Everyone's.
    #[default]
    Gateway,
    /// Each client's.
    Client,
    /// Each user's; those of anonymous callers by client.
    User,
}

fn second() -> Duration {
    Duration::from_secs(1)
}

impl RateLimitsConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let section = "traffic.rate_limits";
        if let Some(rate) = &self.per_client {
            checked(&format!("{section}.per_client"), rate.per)?;
            let parsed: Option<Result<HeaderName, _>> = rate.header.as_ref().map(|name| name.parse());
            if matches!(parsed, Some(Err(_))) {
                let key = format!("{section}.per_client.header");
                return Err(ConfigError::value(&key, "is not a header name"));
            }
        }
        if let Some(rate) = &self.per_user {
            checked(&format!("{section}.per_user"), rate.per)?;
        }
        for (number, rate) in self.per_operation.iter().enumerate() {
            let key = format!("{section}.per_operation[{number}]");
            checked(&key, rate.per)?;
            let is_hash = |hash: &String| {
                hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            };
            if rate.name.is_some() == rate.hash.is_some() || !rate.hash.as_ref().is_none_or(is_hash) {
                let why = "needs either `name` or `hash`, the SHA-256 of the query text in 64 lower-case hexadecimal \
                           digits";
                return Err(ConfigError::value(&key, why));
            }
        }
        Ok(())
    }
}

fn checked(section: &str, per: Duration) -> Result<(), ConfigError> {
    if per.is_zero() {
        let key = format!("{section}.per");
        return Err(ConfigError::value(&key, "must be longer than 0"));
    }
    Ok(())
}

fn settings(count: NonZeroU32, per: Duration, burst: Option<NonZeroU32>) -> rate::Settings {
    rate::Settings {
        count,
        per,
        burst: burst.unwrap_or(count),
        keys: KEYS,
    }
}

impl RateConfig {
    /// For the limiter.
    pub fn settings(&self) -> rate::Settings {
        settings(self.count, self.per, self.burst)
    }
}

impl ClientRateConfig {
    /// For the limiter.
    pub fn settings(&self) -> rate::Settings {
        settings(self.count, self.per, self.burst)
    }
}

impl OperationRateConfig {
    /// What tells it apart from other limits.
    pub fn identity(&self) -> String {
        let OperationRateConfig {
            name, hash, for_each, ..
        } = self;
        let which = name.as_ref().or(hash.as_ref()).map_or("", String::as_str);
        format!("operation:{which}:{for_each:?}")
    }

    /// For the limiter.
    pub fn settings(&self) -> rate::Settings {
        settings(self.count, self.per, self.burst)
    }
}
