//! How far a group is behind on Kafka: what the brokers hold, less what the group has committed.

use super::{LogError, PARTITIONS, Quiet, unavailable};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::KafkaError,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How long the brokers may take for one answer.
const ANSWER: Duration = Duration::from_secs(1);

impl ConsumerContext for Quiet {}

type Onlooker = BaseConsumer<Quiet>;

/// Clients that look at groups without being members of them, by group.
#[derive(Default)]
pub(super) struct Lags {
    onlookers: Mutex<HashMap<String, Arc<Onlooker>>>,
}

impl Lags {
    pub async fn of(&self, config: &ClientConfig, group: &str, topics: &[&str]) -> Result<u64, LogError> {
        let onlooker = self.onlooker(config, group)?;
        let topics: Vec<String> = topics.iter().map(|topic| (*topic).to_owned()).collect();
        let looked = tokio::task::spawn_blocking(move || lag(&onlooker, &topics)).await;
        let looked = looked.map_err(|error| LogError::Unavailable(error.to_string()))?;
        looked.map_err(unavailable)
    }

    fn onlooker(&self, config: &ClientConfig, group: &str) -> Result<Arc<Onlooker>, LogError> {
        let mut onlookers = self.onlookers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = onlookers.get(group) {
            return Ok(Arc::clone(known));
        }
        let onlooker: Onlooker = config.create_with_context(Quiet).map_err(unavailable)?;
        let onlooker = Arc::new(onlooker);
        onlookers.insert(group.to_owned(), Arc::clone(&onlooker));
        Ok(onlooker)
    }
}

fn lag(onlooker: &Onlooker, topics: &[String]) -> Result<u64, KafkaError> {
    let mut asked = TopicPartitionList::new();
    for topic in topics {
        asked.add_partition_range(topic, 0, PARTITIONS - 1);
    }
    let committed = onlooker.committed_offsets(asked, ANSWER)?;
    let mut behind = 0;
    for slot in committed.elements() {
        let (first, end) = onlooker.fetch_watermarks(slot.topic(), slot.partition(), ANSWER)?;
        let position = match slot.offset() {
            Offset::Offset(position) => position.max(first),
            _ => first,
        };
        behind += u64::try_from(end - position).unwrap_or(0);
    }
    Ok(behind)
}
