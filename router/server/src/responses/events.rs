//! Dropping by events (`cache.responses.purge_on`): each record of a topic names what it makes void.
//!
//! A reader begins with the next record there is, and the cache is emptied then: what was kept before may have become
//! void unnoticed. A broker that is away makes it wait and go on where it was; what is kept lives as long as it may anyhow.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use baedal_broker::{Record, State, Stream, Topic};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::format::{Format, at};
use super::{Current, Tag};
use crate::bound;
use crate::config::{Config, DropConfig, PurgeOnConfig};

/// Pause before a topic that cannot be read is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Topics whose records drop answers.
#[derive(Default)]
pub struct Events(Vec<Source>);

struct Source {
    broker: String,
    topic: Arc<Topic>,
    rules: Vec<Rule>,
}

/// What a record drops, if it is one of those that are meant.
struct Rule {
    config: PurgeOnConfig,
    drops: Vec<Template>,
}

/// What to drop, with holes for what the record says.
enum Template {
    Tag(Format),
    Subgraph(Box<str>),
    Type(Box<str>),
    Entity(Box<str>, BTreeMap<String, Format>),
}

impl Events {
    /// As the configuration names them.
    pub fn new(config: &Config) -> Events {
        let responses = &config.cache.responses;
        let mut sources: BTreeMap<(&String, &String), Source> = BTreeMap::new();
        for one in responses.purge_on.iter().filter(|_| responses.enabled) {
            // A configuration with another broker is refused.
            let Some(broker) = config.brokers.get(&one.broker) else {
                continue;
            };
            let make = || Source {
                broker: one.broker.clone(),
                topic: Topic::new(&one.topic, bound::log(broker), bound::limits(broker)),
                rules: Vec::new(),
            };
            let source = sources.entry((&one.broker, &one.topic)).or_insert_with(make);
            source.rules.push(Rule::new(one));
        }
        Events(sources.into_values().collect())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The topics that cannot be read, as sentences.
    pub fn reasons(&self) -> Vec<String> {
        let troubled = self.0.iter().filter_map(|source| match source.topic.state() {
            State::Troubled(error) => Some(format!(
                "the topic `{}` of the broker `{}`, which drops answers from the response cache: {error}",
                source.topic.name, source.broker
            )),
            _ => None,
        });
        troubled.collect()
    }

    /// Follows all of them until the gateway stops.
    pub async fn follow(&self, current: Current, closing: CancellationToken) {
        let all = self.0.iter().map(|source| source.follow(&current));
        let all = futures_util::future::join_all(all);
        tokio::select! {
            () = closing.cancelled() => {}
            _ = all => {}
        }
    }
}

impl Source {
    async fn follow(&self, current: &Current) {
        loop {
            match Stream::open(&self.topic, None).await {
                Ok(stream) => {
                    if let Some(responses) = current() {
                        // While Redis is away it is owed, and nothing is given out.
                        let _ = responses.drop_all("event").await;
                    }
                    self.read(stream, current).await;
                }
                Err(error) => {
                    tracing::warn!(topic = self.topic.name, %error, "no events drop answers from the response cache");
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Until records were lost.
    async fn read(&self, mut stream: Stream, current: &Current) {
        loop {
            match stream.next().await {
                Ok(record) => self.take(&record, current).await,
                Err(error) => {
                    tracing::warn!(topic = self.topic.name, %error, "events were missed: the response cache is emptied");
                    return;
                }
            }
        }
    }

    async fn take(&self, record: &Record, current: &Current) {
        let Some(value) = record.json() else { return };
        let rules = self.rules.iter().filter(|rule| rule.config.holds(value));
        let tags: Vec<Tag> = rules
            .flat_map(|rule| rule.drops.iter().filter_map(|one| one.fill(value)))
            .collect();
        if let (false, Some(responses)) = (tags.is_empty(), current()) {
            let dropped = responses.drop_tags("event", &tags).await.ok().flatten();
            tracing::debug!(
                topic = self.topic.name,
                offset = record.offset,
                dropped,
                "an event dropped answers"
            );
        }
    }
}

impl Rule {
    fn new(config: &PurgeOnConfig) -> Rule {
        Rule {
            drops: config.drop.iter().filter_map(Template::read).collect(),
            config: config.clone(),
        }
    }
}

impl Template {
    /// `None` for one that the configuration's check refuses.
    fn read(config: &DropConfig) -> Option<Template> {
        let DropConfig {
            tag,
            subgraph,
            r#type,
            key,
        } = config;
        match (tag, subgraph, r#type) {
            (Some(tag), None, None) => Some(Template::Tag(Format::parse(tag))),
            (None, Some(subgraph), None) => Some(Template::Subgraph(subgraph.as_str().into())),
            (None, None, Some(ty)) if key.is_empty() => Some(Template::Type(ty.as_str().into())),
            (None, None, Some(ty)) => {
                let key = key
                    .iter()
                    .map(|(name, format)| (name.clone(), Format::parse(format)));
                Some(Template::Entity(ty.as_str().into(), key.collect()))
            }
            _ => None,
        }
    }

    /// What to drop; `None` where the record does not say what is asked for.
    fn fill(&self, value: &Value) -> Option<Tag> {
        let find = |path: &[Box<str>]| match path {
            [source, rest @ ..] if &**source == "$event" => at(value, rest).cloned(),
            _ => None,
        };
        match self {
            Template::Tag(format) => Some(Tag::Named(format.fill(find)?.into())),
            Template::Subgraph(name) => Some(Tag::Subgraph(name.clone())),
            Template::Type(name) => Some(Tag::Type(name.clone())),
            Template::Entity(ty, key) => {
                let filled: Option<BTreeMap<&str, Value>> = key
                    .iter()
                    .map(|(name, format)| Some((name.as_str(), Value::String(format.fill(find)?))))
                    .collect();
                let filled = filled?;
                Tag::entity(ty, filled.iter().map(|(name, value)| (*name, value)))
            }
        }
    }
}
