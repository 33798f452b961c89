//! Which traces are kept.

use super::TraceContext;

/// The rule: as the caller decided, else a share of all traces.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    /// The share of traces that begin here and are kept, 0 to 1.
    pub ratio: f64,
    /// Whether the decision of a caller that sends a trace context is followed.
    pub parent: bool,
}

impl Default for Sampler {
    fn default() -> Sampler {
        Sampler {
            ratio: 1.0,
            parent: true,
        }
    }
}

impl Sampler {
    /// By the names of the [specification](https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
    pub fn named(name: &str, argument: Option<&str>) -> Option<Sampler> {
        let (parent, rest) = match name.strip_prefix("parentbased_") {
            Some(rest) => (true, rest),
            None => (false, name),
        };
        let ratio = match rest {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => argument.map_or(Some(1.0), |text| text.trim().parse().ok())?,
            _ => return None,
        };
        (0.0..=1.0).contains(&ratio).then_some(Sampler { ratio, parent })
    }

    /// Whether a trace is kept. The same trace has the same answer everywhere, because only its id counts.
    pub fn keeps(&self, parent: Option<TraceContext>, trace: u128) -> bool {
        match parent {
            Some(parent) if self.parent => parent.sampled(),
            _ => self.draws(trace),
        }
    }

    fn draws(&self, trace: u128) -> bool {
        // The last 56 bits are the random ones (W3C Trace Context, level 2).
        let lot = (trace as u64 & ((1 << 56) - 1)) as f64 / (1_u64 << 56) as f64;
        lot < self.ratio
    }
}
