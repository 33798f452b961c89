//! `brokers`, and `subscriptions.bound`: subscriptions whose events are the records of a topic.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ConfigError;

/// A broker whose topics subscriptions are bound to. Just one of `kafka` and `files`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BrokerConfig {
    /// Kafka brokers.
    pub kafka: Option<KafkaConfig>,
    /// A folder, to try things out: `FOLDER/TOPIC/0.jsonl`, a line `{"key": "…", "value": …}` for each record.
    #[schemars(extend("format" = "path"))]
    pub files: Option<PathBuf>,
    /// Streams of one topic that read what they missed by themselves at once; others wait for their turn.
    pub replays: usize,
    /// Bytes of each topic's latest records that are remembered, so that most who come back need not read by themselves.
    pub recent_bytes: usize,
}

impl Default for BrokerConfig {
    fn default() -> Self {
        BrokerConfig {
            kafka: None,
            files: None,
            replays: 16,
            recent_bytes: 16 * 1024 * 1024,
        }
    }
}

/// Kafka brokers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KafkaConfig {
    /// `host:port` of one or more of them.
    pub servers: Vec<String>,
}

/// A field of the subscription type whose events are the records of a topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BoundConfig {
    /// The field's name.
    pub field: String,
    /// The name of its broker.
    pub broker: String,
    /// The topic.
    pub topic: String,
    /// Where the event is in a record's value, as a JSON pointer (RFC 6901). Empty: the value is the event.
    #[serde(default)]
    pub payload: String,
    /// The key that records must have: `$args.NAME` or `$claims.NAME`. Absent: any.
    #[serde(default)]
    pub key: Option<String>,
    /// What else must hold of a record, all of it.
    #[serde(default)]
    pub r#where: Vec<RuleConfig>,
}

/// What must hold of a record. `$args.NAME` is an argument of the field (one that is not given restricts nothing),
/// `$claims.NAME` a claim of the caller's token (one that is not there lets nothing pass); all else is itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleConfig {
    /// Where in the record's value, as a JSON pointer.
    pub at: String,
    /// What must be there.
    #[serde(default)]
    pub equals: Option<Value>,
    /// Or a list of which something must be there.
    #[serde(default)]
    pub r#in: Option<Value>,
}

impl BrokerConfig {
    fn check(&self, name: &str) -> Result<(), ConfigError> {
        let key = |field: &str| format!("brokers.{name}.{field}");
        match (&self.kafka, &self.files) {
            (Some(kafka), None) => {
                let good = |server: &String| {
                    let port = server.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
                    matches!(port, Some(Ok(_)))
                };
                if kafka.servers.is_empty() || !kafka.servers.iter().all(good) {
                    let why = "must be a list of host:port, e.g. [\"127.0.0.1:9092\"]";
                    return Err(ConfigError::value(&key("kafka.servers"), why));
                }
            }
            (None, Some(_)) => {}
            _ => {
                let why =
                    "needs one of `kafka` and `files`, e.g. { kafka: { servers: [\"127.0.0.1:9092\"] } }";
                return Err(ConfigError::value(&format!("brokers.{name}"), why));
            }
        }
        match self.replays {
            0 => Err(ConfigError::value(&key("replays"), "must be at least 1")),
            _ => Ok(()),
        }
    }
}

impl BoundConfig {
    fn check(&self, brokers: &BTreeMap<String, BrokerConfig>, has_auth: bool) -> Result<(), ConfigError> {
        let refuse = |key: &str, why: &str| {
            let why = format!("(of the field `{}`) {why}", self.field);
            Err(ConfigError::value(&format!("subscriptions.bound[].{key}"), &why))
        };
        if !brokers.contains_key(&self.broker) {
            let known: Vec<&str> = brokers.keys().map(String::as_str).collect();
            let why = format!(
                "`{}` is not in `brokers` (known: {})",
                self.broker,
                known.join(", ")
            );
            return refuse("broker", &why);
        }
        if self.topic.is_empty() || self.topic.contains(['/', '\\']) || self.topic.starts_with('.') {
            return refuse("topic", "is no name of a topic");
        }
        let is_pointer = |text: &str| text.is_empty() || text.starts_with('/');
        if !is_pointer(&self.payload) || !self.r#where.iter().all(|rule| is_pointer(&rule.at)) {
            return refuse(
                "payload",
                "and each `at` must be a JSON pointer: empty, or beginning with /",
            );
        }
        if self
            .r#where
            .iter()
            .any(|rule| rule.equals.is_some() == rule.r#in.is_some())
        {
            return refuse("where", "needs either `equals` or `in` in each rule");
        }
        if self
            .key
            .as_ref()
            .is_some_and(|key| !key.starts_with("$args.") && !key.starts_with("$claims."))
        {
            return refuse("key", "must be $args.NAME or $claims.NAME");
        }
        if self.names("$claims.").next().is_some() && !has_auth {
            return refuse("where", "asks for claims of tokens, but there is no `auth`");
        }
        Ok(())
    }

    /// What it names with this prefix, e.g. `$args.`.
    pub fn names<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        let rules = self.r#where.iter();
        let values = rules.filter_map(|rule| rule.equals.as_ref().or(rule.r#in.as_ref())?.as_str());
        let named = values.chain(self.key.as_deref());
        named.filter_map(move |text| text.strip_prefix(prefix))
    }
}

/// Checks all of it.
pub(super) fn check(
    brokers: &BTreeMap<String, BrokerConfig>,
    bound: &[BoundConfig],
    has_auth: bool,
) -> Result<(), ConfigError> {
    brokers.iter().try_for_each(|(name, broker)| broker.check(name))?;
    for (index, one) in bound.iter().enumerate() {
        one.check(brokers, has_auth)?;
        if bound[..index].iter().any(|other| other.field == one.field) {
            let why = format!("binds `{}` twice", one.field);
            return Err(ConfigError::value("subscriptions.bound[].field", &why));
        }
    }
    Ok(())
}
