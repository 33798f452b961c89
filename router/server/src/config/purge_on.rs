//! `cache.responses.purge_on`: events that drop what is kept of subgraphs' answers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{BrokerConfig, ConfigError, RuleConfig};

/// Records of a topic that drop what is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PurgeOnConfig {
    /// The name of the broker.
    pub broker: String,
    /// The topic. Its records are JSON.
    pub topic: String,
    /// What must hold of a record, all of it. None: each record is meant.
    #[serde(default)]
    pub r#where: Vec<RuleConfig>,
    /// What a record drops. What names something that a record does not say is passed over for this record.
    pub drop: Vec<DropConfig>,
}

/// What to drop: just one of `tag`, `type` (with `key`: one entity) and `subgraph`. `{$event.a.b}` stands for what is
/// at `a`, `b` in the record's value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DropConfig {
    /// What has this tag, e.g. `store-{$event.data.storeId}`.
    pub tag: Option<String>,
    /// Everything of this subgraph.
    pub subgraph: Option<String>,
    /// What has something of this type in it.
    pub r#type: Option<String>,
    /// With `type`: only the entity with this key, e.g. `{ id: "{$event.data.storeId}" }`.
    pub key: BTreeMap<String, String>,
}

impl PurgeOnConfig {
    /// Whether a record is one of those that are meant.
    pub fn holds(&self, value: &Value) -> bool {
        self.r#where.iter().all(|rule| {
            let Some(found) = value.pointer(&rule.at) else {
                return false;
            };
            match (&rule.equals, &rule.r#in) {
                (Some(wanted), _) => found == wanted,
                (None, Some(Value::Array(several))) => several.contains(found),
                (None, _) => false,
            }
        })
    }

    pub(super) fn check(&self, brokers: &BTreeMap<String, BrokerConfig>) -> Result<(), ConfigError> {
        let refuse = |key: &str, why: &str| {
            let why = format!("(of the topic `{}`) {why}", self.topic);
            Err(ConfigError::value(
                &format!("cache.responses.purge_on[].{key}"),
                &why,
            ))
        };
        if !brokers.contains_key(&self.broker) {
            return refuse("broker", &format!("`{}` is not in `brokers`", self.broker));
        }
        if self.topic.is_empty() || self.topic.contains(['/', '\\']) || self.topic.starts_with('.') {
            return refuse("topic", "is no name of a topic");
        }
        let is_list = |wanted: &Value| wanted.is_array();
        let good = |rule: &RuleConfig| {
            let one = rule.equals.is_some() != rule.r#in.is_some();
            let at = rule.at.is_empty() || rule.at.starts_with('/');
            one && at && rule.r#in.as_ref().is_none_or(is_list)
        };
        if !self.r#where.iter().all(good) {
            let why = "needs in each rule `at`, a JSON pointer, and either `equals` or `in` with a list";
            return refuse("where", why);
        }
        let good = |one: &DropConfig| {
            let named = [one.tag.is_some(), one.subgraph.is_some(), one.r#type.is_some()];
            let just_one = named.iter().filter(|named| **named).count() == 1;
            just_one && (one.key.is_empty() || one.r#type.is_some())
        };
        if self.drop.is_empty() || !self.drop.iter().all(good) {
            let why = "needs just one of `tag`, `subgraph` and `type` in each entry, e.g. { type: Store, key: { id: \"{$event.id}\" } }";
            return refuse("drop", why);
        }
        Ok(())
    }
}
