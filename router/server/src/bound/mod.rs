//! Subscriptions that are bound to topics of a broker: their events are its records, and no subgraph is asked for them.
//!
//! * [`Bound`] knows the fields that are bound, and the topics;
//! * `asked` is what of such a field a client asks for; `rule` what a record must be for it; `shape` makes the record
//!   the answer that a subgraph would have given;
//! * [`BoundStream`] is a subscription under way. Fields of entities come from the graph, as for any other event;
//! * `check` compares what is bound with the graph.

mod asked;
mod check;
mod rule;
mod shape;
mod stream;

pub use check::{check, check_virtual};
pub use stream::{BoundStream, Wanted};

use std::collections::BTreeMap;
use std::sync::Arc;

use baedal_broker::files::Files;
use baedal_broker::kafka::Kafka;
use baedal_broker::{Log, Position, Settings, State, Topic};
use baedal_telemetry::metrics::{Counter, Family};

use self::asked::Asked;
use crate::config::{BoundConfig, BrokerConfig, Config};

/// The fields that are bound.
pub struct Bound {
    fields: BTreeMap<String, Field>,
    topics: BTreeMap<(String, String), Arc<Topic>>,
    cursor_field: String,
    cursor_argument: String,
    /// Records that could not be used, by topic.
    skipped: Family<Counter>,
}

struct Field {
    config: BoundConfig,
    topic: Arc<Topic>,
}

impl Bound {
    /// What the configuration binds, if anything.
    pub fn new(config: &Config, skipped: Family<Counter>) -> Option<Bound> {
        let settings = &config.subscriptions;
        if settings.bound.is_empty() {
            return None;
        }
        let logs: BTreeMap<&String, Arc<dyn Log>> = config
            .brokers
            .iter()
            .map(|(name, broker)| (name, log(broker)))
            .collect();
        let (mut fields, mut topics) = (BTreeMap::new(), BTreeMap::new());
        for bound in &settings.bound {
            // A configuration with another broker is refused.
            let (Some(log), Some(broker)) = (logs.get(&bound.broker), config.brokers.get(&bound.broker))
            else {
                continue;
            };
            let place = (bound.broker.clone(), bound.topic.clone());
            let make = || Topic::new(&bound.topic, Arc::clone(log), limits(broker));
            let topic = Arc::clone(topics.entry(place).or_insert_with(make));
            let field = Field {
                config: bound.clone(),
                topic,
            };
            fields.insert(bound.field.clone(), field);
        }
        Some(Bound {
            fields,
            topics,
            cursor_field: settings.cursor_field.clone(),
            cursor_argument: settings.cursor_argument.clone(),
            skipped,
        })
    }

    /// The topics that cannot be read, as sentences.
    pub fn reasons(&self) -> Vec<String> {
        let troubled = self
            .topics
            .iter()
            .filter_map(|((broker, _), topic)| match topic.state() {
                State::Troubled(error) => Some(format!(
                    "the topic `{}` of the broker `{broker}`: {error}",
                    topic.name
                )),
                _ => None,
            });
        troubled.collect()
    }

    /// Each topic, by broker and name, and whether it can be read.
    pub fn topics(&self) -> impl Iterator<Item = (&str, &str, bool)> {
        self.topics.iter().map(|((broker, name), topic)| {
            (
                broker.as_str(),
                name.as_str(),
                !matches!(topic.state(), State::Troubled(_)),
            )
        })
    }

    fn field(&self, asked: &Asked) -> Option<&Field> {
        self.fields.get(&asked.field)
    }
}

/// Where an upstream of this kind is: what another one begins after.
pub type Whereabouts = Position;

/// The broker of this configuration.
pub fn log(broker: &BrokerConfig) -> Arc<dyn Log> {
    match (&broker.kafka, &broker.files) {
        (Some(kafka), _) => Arc::new(Kafka::new(&kafka.servers.join(","))),
        (None, folder) => Arc::new(Files::new(folder.as_deref().unwrap_or_else(|| ".".as_ref()))),
    }
}

/// Limits of its topics' streams.
pub fn limits(broker: &BrokerConfig) -> Settings {
    Settings {
        replays: broker.replays,
        recent_bytes: broker.recent_bytes,
        ..Settings::default()
    }
}
