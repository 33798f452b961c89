//! Section `traffic`: how much comes in, and how calls to subgraphs are guarded. What a subgraph sets apart has the same
//! form: a key that is not set there is as in `traffic`, one that is set nowhere has its default.

use std::time::Duration;

use baedal_traffic::{Settings, adaptive, breaker, budget, bulkhead, retry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::rates::RateLimitsConfig;
use super::span::{MaybeSpan, Span};

/// Requests that come in, and calls to subgraphs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrafficConfig {
    /// Longest time for one call, from sending to the last byte of the answer, repeats included.
    #[serde(with = "Span")]
    pub timeout: Duration,
    /// Longest time for all calls of one request.
    #[serde(with = "Span")]
    pub request_timeout: Duration,
    /// Longest time to open a connection.
    #[serde(with = "Span")]
    pub connect_timeout: Duration,
    /// How long an unused connection is kept.
    #[serde(with = "Span")]
    pub pool_idle_timeout: Duration,
    /// Unused connections kept for each address.
    pub pool_max_idle: usize,
    /// Bytes of one answer of a subgraph; also of an event, and of an SDL.
    pub response_bytes: usize,
    /// Whether queries under way that are equal, byte for byte and in what travels on of them, share one execution.
    pub share_equal_requests: bool,
    /// Whether queries to subgraphs under way that are equal, byte for byte and in the headers that tell callers apart, are
    /// one call, whichever requests they are for.
    pub share_equal_calls: bool,
    /// How long the gateway goes on serving after a stop signal, with `/health/ready` at 503: until load balancers have
    /// noticed. Answers ask for their connection to be closed.
    #[serde(with = "Span")]
    pub shutdown_delay: Duration,
    /// Longest time requests under way may take after that; streams end at once, with their cursors.
    #[serde(with = "Span")]
    pub drain_timeout: Duration,
    /// How many requests at once the gateway works on.
    pub shed: BulkheadConfig,
    /// How many calls at once to one subgraph.
    pub bulkhead: BulkheadConfig,
    /// When a subgraph is not called for a while.
    pub breaker: BreakerConfig,
    /// When a query to a subgraph is repeated.
    pub retry: RetryConfig,
    /// How many requests in what time.
    pub rate_limits: RateLimitsConfig,
}

impl Default for TrafficConfig {
    fn default() -> Self {
        TrafficConfig {
            timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(5),
            pool_idle_timeout: Duration::from_secs(60),
            pool_max_idle: 256,
            response_bytes: 16 * 1024 * 1024,
            share_equal_requests: false,
            share_equal_calls: false,
            shutdown_delay: Duration::ZERO,
            drain_timeout: Duration::from_secs(10),
            shed: BulkheadConfig::default(),
            bulkhead: BulkheadConfig::default(),
            breaker: BreakerConfig::default(),
            retry: RetryConfig::default(),
            rate_limits: RateLimitsConfig::default(),
        }
    }
}

/// What one subgraph sets apart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SubgraphTrafficConfig {
    /// How many calls at once.
    pub bulkhead: BulkheadConfig,
    /// When it is not called for a while.
    pub breaker: BreakerConfig,
    /// When a query to it is repeated.
    pub retry: RetryConfig,
}

/// So many at once, and a bounded wait for a turn.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BulkheadConfig {
    /// How many at once; 0: any number. Absent: `4096` requests for the gateway (`shed`), `1024` calls to a subgraph.
    pub at_once: Option<usize>,
    /// How long one more may wait for its turn. Absent: `20ms`.
    #[serde(with = "MaybeSpan")]
    pub wait: Option<Duration>,
    /// How many may wait; whoever comes then is refused at once. Absent: as many as `at_once` has by default.
    pub queue: Option<usize>,
    /// Whether the limit follows how long the work takes: between `least` and `at_once`.
    pub adaptive: Option<AdaptiveConfig>,
}

/// A limit that follows how long the work takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveConfig {
    /// It never becomes smaller than this.
    pub least: usize,
    /// Work that takes longer says that there is too much of it at once.
    #[serde(with = "Span")]
    pub target: Duration,
}

/// When a subgraph is not called for a while.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerConfig {
    /// Whether it ever opens. Absent: `true`.
    pub enabled: Option<bool>,
    /// How far back calls are counted. Absent: `10s`.
    #[serde(with = "MaybeSpan")]
    pub window: Option<Duration>,
    /// No judgement below this many calls in the window. Absent: `20`.
    pub min_calls: Option<u32>,
    /// Share of failed calls, above 0 and up to 1, from which on it opens. Absent: `0.5`.
    pub failure_rate: Option<f64>,
    /// A call that takes this long is slow. Absent: `5s`.
    #[serde(with = "MaybeSpan")]
    pub slow_call: Option<Duration>,
    /// Share of slow calls, above 0 and up to 1, from which on it opens. Absent: `0.8`.
    pub slow_rate: Option<f64>,
    /// How long it stays open: no call is made. Absent: `5s`.
    #[serde(with = "MaybeSpan")]
    pub open_for: Option<Duration>,
    /// How many calls it lets through then, to find out. Absent: `5`.
    pub probes: Option<u32>,
}

/// When a query to a subgraph is repeated.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetryConfig {
    /// Repeats of one call; 0: none. Absent: `1`.
    pub attempts: Option<u32>,
    /// The longest first pause; by chance it is shorter. Each further one may be twice as long. Absent: `25ms`.
    #[serde(with = "MaybeSpan")]
    pub pause: Option<Duration>,
    /// The longest pause there is. A subgraph that asks for a longer one (`Retry-After`) is not asked again. Absent: `1s`.
    #[serde(with = "MaybeSpan")]
    pub longest_pause: Option<Duration>,
    /// Repeats of all calls to a subgraph in ten seconds, as a share of these calls. Absent: `0.2`.
    pub budget: Option<f64>,
    /// Repeats per second that are allowed besides. Absent: `10`.
    pub budget_per_second: Option<f64>,
}

impl TrafficConfig {
    /// How calls to a subgraph are guarded.
    pub fn settings(&self, timeout: Option<Duration>, apart: &SubgraphTrafficConfig) -> Settings {
        Settings {
            timeout: timeout.unwrap_or(self.timeout),
            bulkhead: apart.bulkhead.over(&self.bulkhead, bulkhead::Settings::default()),
            breaker: apart.breaker.over(&self.breaker),
            retry: apart.retry.over(&self.retry),
        }
    }

    /// How many requests at once the gateway works on.
    pub fn door(&self) -> bulkhead::Settings {
        let usual = bulkhead::Settings {
            at_once: Some(4096),
            queue: 4096,
            ..bulkhead::Settings::default()
        };
        self.shed.over(&BulkheadConfig::default(), usual)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.shed.check("traffic.shed")?;
        self.bulkhead.check("traffic.bulkhead")?;
        self.breaker.check("traffic.breaker")?;
        self.retry.check("traffic.retry")?;
        self.rate_limits.check()?;
        for (key, time) in [
            ("traffic.timeout", self.timeout),
            ("traffic.request_timeout", self.request_timeout),
        ] {
            positive(key, Some(time))?;
        }
        Ok(())
    }
}

impl SubgraphTrafficConfig {
    pub(super) fn check(&self, subgraph: &str) -> Result<(), ConfigError> {
        let key = |section: &str| format!("subgraphs.{subgraph}.traffic.{section}");
        self.bulkhead.check(&key("bulkhead"))?;
        self.breaker.check(&key("breaker"))?;
        self.retry.check(&key("retry"))
    }
}

impl BulkheadConfig {
    fn over(&self, base: &BulkheadConfig, usual: bulkhead::Settings) -> bulkhead::Settings {
        let adaptive = self.adaptive.as_ref().or(base.adaptive.as_ref());
        let at_once = self.at_once.or(base.at_once).or(usual.at_once);
        bulkhead::Settings {
            at_once: at_once.filter(|at_once| *at_once > 0),
            wait: self.wait.or(base.wait).unwrap_or(usual.wait),
            queue: self.queue.or(base.queue).unwrap_or(usual.queue),
            adaptive: adaptive.map(|adaptive| adaptive::Settings {
                least: adaptive.least,
                target: adaptive.target,
            }),
        }
    }

    fn check(&self, section: &str) -> Result<(), ConfigError> {
        let Some(adaptive) = &self.adaptive else {
            return Ok(());
        };
        positive(&format!("{section}.adaptive.target"), Some(adaptive.target))?;
        if adaptive.least == 0 || self.at_once == Some(0) {
            let why = "needs limits: `least` of 1 or more, and an `at_once` that is not 0";
            return Err(ConfigError::value(&format!("{section}.adaptive"), why));
        }
        Ok(())
    }
}

impl BreakerConfig {
    fn over(&self, base: &BreakerConfig) -> breaker::Settings {
        let usual = breaker::Settings::default();
        breaker::Settings {
            enabled: self.enabled.or(base.enabled).unwrap_or(usual.enabled),
            window: self.window.or(base.window).unwrap_or(usual.window),
            min_calls: self.min_calls.or(base.min_calls).unwrap_or(usual.min_calls),
            failure_rate: self
                .failure_rate
                .or(base.failure_rate)
                .unwrap_or(usual.failure_rate),
            slow_call: self.slow_call.or(base.slow_call).unwrap_or(usual.slow_call),
            slow_rate: self.slow_rate.or(base.slow_rate).unwrap_or(usual.slow_rate),
            open_for: self.open_for.or(base.open_for).unwrap_or(usual.open_for),
            probes: self.probes.or(base.probes).unwrap_or(usual.probes),
        }
    }

    fn check(&self, section: &str) -> Result<(), ConfigError> {
        for (key, rate) in [("failure_rate", self.failure_rate), ("slow_rate", self.slow_rate)] {
            if rate.is_some_and(|rate| !(rate > 0.0 && rate <= 1.0)) {
                let why = "must be above 0 and at most 1, e.g. 0.5 for half of the calls";
                return Err(ConfigError::value(&format!("{section}.{key}"), why));
            }
        }
        for (key, count) in [("min_calls", self.min_calls), ("probes", self.probes)] {
            if count == Some(0) {
                return Err(ConfigError::value(
                    &format!("{section}.{key}"),
                    "must be at least 1",
                ));
            }
        }
        for (key, time) in [
            ("window", self.window),
            ("slow_call", self.slow_call),
            ("open_for", self.open_for),
        ] {
            positive(&format!("{section}.{key}"), time)?;
        }
        Ok(())
    }
}

impl RetryConfig {
    fn over(&self, base: &RetryConfig) -> retry::Settings {
        let usual = retry::Settings::default();
        retry::Settings {
            attempts: self.attempts.or(base.attempts).unwrap_or(usual.attempts),
            pause: self.pause.or(base.pause).unwrap_or(usual.pause),
            longest: self.longest_pause.or(base.longest_pause).unwrap_or(usual.longest),
            budget: budget::Settings {
                share: self.budget.or(base.budget).unwrap_or(usual.budget.share),
                per_second: self
                    .budget_per_second
                    .or(base.budget_per_second)
                    .unwrap_or(usual.budget.per_second),
            },
        }
    }

    fn check(&self, section: &str) -> Result<(), ConfigError> {
        for (key, value) in [
            ("budget", self.budget),
            ("budget_per_second", self.budget_per_second),
        ] {
            if value.is_some_and(|value| !(value >= 0.0 && value.is_finite())) {
                return Err(ConfigError::value(
                    &format!("{section}.{key}"),
                    "must be 0 or more",
                ));
            }
        }
        Ok(())
    }
}

fn positive(key: &str, time: Option<Duration>) -> Result<(), ConfigError> {
    match time {
        Some(Duration::ZERO) => Err(ConfigError::value(key, "must be longer than 0")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subgraph_sets_single_keys_apart() {
        let mut traffic = TrafficConfig::default();
        traffic.breaker.min_calls = Some(7);
        traffic.breaker.probes = Some(2);
        traffic.bulkhead.at_once = Some(10);
        let mut apart = SubgraphTrafficConfig::default();
        apart.breaker.probes = Some(9);
        apart.bulkhead.at_once = Some(0);
        apart.retry.attempts = Some(0);
        let settings = traffic.settings(Some(Duration::from_secs(1)), &apart);
        assert_eq!((settings.breaker.min_calls, settings.breaker.probes), (7, 9));
        assert_eq!(settings.breaker.window, breaker::Settings::default().window);
        assert_eq!((settings.bulkhead.at_once, settings.retry.attempts), (None, 0));
        assert_eq!(settings.timeout, Duration::from_secs(1));
        let usual = TrafficConfig::default().settings(None, &SubgraphTrafficConfig::default());
        assert_eq!(usual, Settings::default());
    }
}
