//! Section `limits`.

use std::time::Duration;

use baedal_planner::Settings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::span::Span;
use super::{ConfigError, CostConfig};

/// Tokens of a query text that the planner reads at most (white space between them counts there, not here).
const MOST_TOKENS: usize = 250_000;
/// Nesting of selections in a query text that the planner reads at most.
const MOST_HEIGHT: usize = 200;
/// Nesting of fields that the planner's validation follows at most.
const MOST_DEPTH: usize = 128;

/// The largest request that is answered, and the largest answer. Each limit has an error code of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Bytes of a request body.
    pub body_bytes: usize,
    /// Longest time for a request body to arrive.
    #[serde(with = "Span")]
    pub body_timeout: Duration,
    /// Bytes of all request headers together.
    pub header_bytes: usize,
    /// Nesting of lists and objects in the JSON of a request.
    pub json_depth: usize,
    /// Values in the JSON of a request.
    pub json_values: usize,
    /// Bytes of the JSON of `variables`.
    pub variables_bytes: usize,
    /// Nesting of lists and objects in `variables`.
    pub variables_depth: usize,
    /// Values in `variables`.
    pub variables_values: usize,
    /// Tokens of a query text.
    pub tokens: usize,
    /// Nesting of anything in a query text (selections, list and object literals, types).
    pub height: usize,
    /// Nesting of fields, fragments expanded.
    pub depth: usize,
    /// Aliases, fragments expanded.
    pub aliases: usize,
    /// Fields at the root of an operation, fragments expanded.
    pub root_fields: usize,
    /// Fields at all levels, fragments expanded.
    pub fields: usize,
    /// Fragments, inline or spread, expanded.
    pub fragments: usize,
    /// Operations in one document.
    pub operations: usize,
    /// Nesting of fields below `__schema` and `__type`.
    pub introspection_depth: usize,
    /// Values in the answer to `__schema` and `__type`.
    pub introspection_values: u64,
    /// Directives on one field, fragment or operation.
    pub directives: usize,
    /// What one operation may cost.
    pub cost: CostConfig,
    /// Steps of work that planning one operation may take.
    pub plan_budget: u64,
    /// Bytes of an answer's data.
    pub answer_bytes: usize,
    /// Errors of an answer or a refusal; one more says how many are left out.
    pub errors: usize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        LimitsConfig {
            body_bytes: 2 * 1024 * 1024,
            body_timeout: Duration::from_secs(30),
            header_bytes: 16 * 1024,
            json_depth: 64,
            json_values: 100_000,
            variables_bytes: 1024 * 1024,
            variables_depth: 32,
            variables_values: 50_000,
            tokens: 15_000,
            height: 200,
            depth: 15,
            aliases: 30,
            root_fields: 20,
            fields: 10_000,
            fragments: 5_000,
            operations: 20,
            introspection_depth: 20,
            introspection_values: 500_000,
            directives: 50,
            cost: CostConfig::default(),
            plan_budget: Settings::default().work_budget,
            answer_bytes: 64 * 1024 * 1024,
            errors: 100,
        }
    }
}

impl LimitsConfig {
    /// What the planner is told.
    pub fn planning(&self) -> Settings {
        Settings {
            work_budget: self.plan_budget,
            ..Settings::default()
        }
    }

    /// A limit above the planner's own would promise what is not kept.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (key, value, most) in [
            ("limits.tokens", self.tokens, MOST_TOKENS),
            ("limits.height", self.height, MOST_HEIGHT),
            ("limits.depth", self.depth, MOST_DEPTH),
        ] {
            if value > most {
                let why = format!("must be at most {most}: what is larger is never planned");
                return Err(ConfigError::value(key, &why));
            }
        }
        self.cost.check()
    }
}

#[cfg(test)]
mod tests {
    use baedal_planner::{Operation, Supergraph};

    use super::*;

    fn supergraph() -> Supergraph {
        let subgraph = baedal_composition::Subgraph {
            name: "a".into(),
            url: "http://a.example/graphql".into(),
            sdl: "type Query { a: Query b: Int }".into(),
        };
        let composed = baedal_composition::compose(&[subgraph]).expect("composes");
        Supergraph::parse(&composed.supergraph_sdl).expect("a supergraph")
    }

    fn refusal(supergraph: &Supergraph, query: &str) -> String {
        Operation::parse(supergraph, query, None).map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn the_largest_limits_are_those_of_the_planner() {
        let supergraph = supergraph();
        let nested = |height: usize| format!("{}b{}", "{a".repeat(height - 1) + "{", "}".repeat(height));
        let refused = refusal(&supergraph, &nested(MOST_HEIGHT));
        assert!(!refused.contains("parser recursion"), "{refused}");
        assert!(refusal(&supergraph, &nested(MOST_HEIGHT + 1)).contains("parser recursion"));
        assert_eq!(refusal(&supergraph, &nested(MOST_DEPTH)), "");
        // The root's selection is not counted there.
        assert!(refusal(&supergraph, &nested(MOST_DEPTH + 2)).contains("too much recursion"));
        let long = |tokens: usize| format!("{{b(x:[{}])}}", "[]".repeat((tokens - 9) / 2));
        assert!(!refusal(&supergraph, &long(MOST_TOKENS - 3)).contains("token limit"));
        assert!(refusal(&supergraph, &long(MOST_TOKENS + 3)).contains("token limit"));
    }
}
