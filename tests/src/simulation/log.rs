//! The event log as a host: topics in partitions, groups with positions; a member of an older generation is fenced off.
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use baedal_kit::clock::Clock;
use baedal_kit::log::{Consumer, Delivered, EventLog, LogError, PARTITIONS, Record};
use serde::{Deserialize, Serialize};

use super::memory::SimClock;
use super::{Weather, lock, wire};
use crate::faults::random::Random;

/// How long a member waits for the log's answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long an event of a store may be late where everything is shuffled, in ms; others come in the time after it.
const LATE: (u64, u64) = (6_000, 500);

/// A record as it was published.
#[derive(Debug, Clone)]
struct Kept {
    topic: String,
    partition: i32,
    key: String,
    payload: String,
}

#[derive(Debug, Default)]
struct Group {
    generation: u64,
    /// Next record of each partition, by its place in the log.
    committed: BTreeMap<(String, i32), usize>,
    handed: BTreeMap<(String, i32), usize>,
}

#[derive(Debug)]
struct Book {
    records: Vec<Kept>,
    /// Records that will come later, by time.
    late: BTreeMap<(i64, u64), Kept>,
    groups: BTreeMap<String, Group>,
    random: Random,
    weather: Weather,
    number: u64,
}

/// What the log has on its disk.
#[derive(Debug, Clone)]
pub struct LogDisk(Arc<Mutex<Book>>);

#[derive(Serialize, Deserialize)]
enum Question {
    Publish {
        topic: String,
        records: Vec<(String, String)>,
    },
    Join {
        group: String,
        topics: Vec<String>,
    },
    Poll {
        group: String,
        generation: u64,
        topics: Vec<String>,
        max: usize,
        wait_ms: u64,
    },
    Commit {
        group: String,
        generation: u64,
    },
}

/// A record on its way to a member: topic, partition, place, key, payload.
type Polled = (String, i32, i64, String, String);

#[derive(Serialize, Deserialize)]
enum Answer {
    Done,
    Member(u64),
    Records(Vec<Polled>),
    Fenced,
}

impl LogDisk {
    /// An empty log.
    pub fn new(seed: u64, weather: Weather) -> LogDisk {
        LogDisk(Arc::new(Mutex::new(Book {
            records: Vec::new(),
            late: BTreeMap::new(),
            groups: BTreeMap::new(),
            random: Random::new(seed ^ 0x10f),
            weather,
            number: 0,
        })))
    }

    /// Whether every group has handled everything.
    pub fn is_quiet(&self) -> bool {
        let book = lock(&self.0);
        let handled = |group: &Group| {
            let open = |(place, record): (usize, &Kept)| {
                let slot = (record.topic.clone(), record.partition);
                group.committed.get(&slot).is_some_and(|next| *next <= place)
            };
            !book.records.iter().enumerate().any(open)
        };
        book.late.is_empty() && book.groups.values().all(handled)
    }

    /// The host.
    pub async fn serve(self) -> std::io::Result<()> {
        wire::serve(move |question: Question| {
            let disk = self.clone();
            async move { disk.answer(question).await }
        })
        .await
    }

    async fn answer(&self, question: Question) -> Answer {
        match question {
            Question::Publish { topic, records } => {
                lock(&self.0).publish(&topic, records);
                Answer::Done
            }
            Question::Join { group, topics } => Answer::Member(lock(&self.0).join(group, &topics)),
            Question::Poll {
                group,
                generation,
                topics,
                max,
                wait_ms,
            } => {
                for _ in 0..=wait_ms / 20 {
                    match lock(&self.0).poll(&group, generation, &topics, max) {
                        None => return Answer::Fenced,
                        Some(records) if !records.is_empty() => return Answer::Records(records),
                        Some(_) => {}
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Answer::Records(Vec::new())
            }
            Question::Commit { group, generation } => lock(&self.0).commit(&group, generation),
        }
    }
}

impl Book {
    fn publish(&mut self, topic: &str, records: Vec<(String, String)>) {
        for (key, payload) in records {
            let partition = partition_of(&key);
            let what = payload
                .split("\"type\":\"")
                .nth(1)
                .and_then(|rest| rest.split('"').next());
            super::note(format!("{topic} {key} {}", what.unwrap_or_default()));
            let kept = Kept {
                topic: topic.to_owned(),
                partition,
                key,
                payload,
            };
            if self.weather.shuffled {
                (0..3).for_each(|_| self.later(kept.clone()));
                continue;
            }
            if self.random.chance(self.weather.twice) {
                self.records.push(kept.clone());
            }
            self.records.push(kept);
        }
    }

    fn later(&mut self, kept: Kept) {
        let late = if kept.topic == baedal_events::STORE_TOPIC {
            LATE.0
        } else {
            LATE.1
        };
        let at = SimClock.now_ms() + i64::try_from(self.random.below(late)).unwrap_or(0);
        self.number += 1;
        self.late.insert((at, self.number), kept);
    }

    fn join(&mut self, group: String, topics: &[String]) -> u64 {
        let group = self.groups.entry(group).or_default();
        group.generation += 1;
        for topic in topics {
            for partition in 0..PARTITIONS {
                group.committed.entry((topic.clone(), partition)).or_default();
            }
        }
        group.handed = group.committed.clone();
        group.generation
    }

    /// None for a member that is none any more.
    fn poll(&mut self, group: &str, generation: u64, topics: &[String], max: usize) -> Option<Vec<Polled>> {
        let now = SimClock.now_ms();
        while self.late.first_key_value().is_some_and(|((at, _), _)| *at <= now) {
            let (_, kept) = self.late.pop_first().expect("there is a first");
            self.records.push(kept);
        }
        let group = self
            .groups
            .get_mut(group)
            .filter(|group| group.generation == generation)?;
        let mut found = Vec::new();
        for (place, record) in self.records.iter().enumerate() {
            if found.len() >= max {
                break;
            }
            let slot = (record.topic.clone(), record.partition);
            let next = group.handed.get(&slot).copied().unwrap_or(usize::MAX);
            if topics.contains(&record.topic) && place >= next {
                group.handed.insert(slot, place + 1);
                let (key, payload) = (record.key.clone(), record.payload.clone());
                found.push((record.topic.clone(), record.partition, place as i64, key, payload));
            }
        }
        Some(found)
    }

    fn commit(&mut self, group: &str, generation: u64) -> Answer {
        match self
            .groups
            .get_mut(group)
            .filter(|group| group.generation == generation)
        {
            None => Answer::Fenced,
            Some(group) => {
                group.committed = group.handed.clone();
                Answer::Done
            }
        }
    }
}

fn partition_of(key: &str) -> i32 {
    let sum: i32 = key.bytes().map(i32::from).sum();
    sum % PARTITIONS
}

/// The log, as another host sees it.
pub struct WireLog;

#[async_trait]
impl EventLog for WireLog {
    async fn publish(&self, topic: &str, records: Vec<Record>) -> Result<(), LogError> {
        let text = |record: Record| (record.key, String::from_utf8_lossy(&record.payload).into_owned());
        let records = records.into_iter().map(text).collect();
        let topic = topic.to_owned();
        ask(&Question::Publish { topic, records }, PATIENCE)
            .await
            .map(drop)
    }

    async fn join(&self, group: &str, topics: &[&str]) -> Result<Box<dyn Consumer>, LogError> {
        let topics: Vec<String> = topics.iter().map(|topic| (*topic).to_owned()).collect();
        let group = group.to_owned();
        let joined = Question::Join {
            group: group.clone(),
            topics: topics.clone(),
        };
        match ask(&joined, PATIENCE).await? {
            Answer::Member(generation) => Ok(Box::new(Member {
                group,
                topics,
                generation,
            })),
            _ => Err(LogError::Unavailable("an answer to another question".to_owned())),
        }
    }

    async fn ping(&self) -> Result<(), LogError> {
        Ok(())
    }
}

struct Member {
    group: String,
    topics: Vec<String>,
    generation: u64,
}

#[async_trait]
impl Consumer for Member {
    async fn poll(&mut self, max: usize, wait: Duration) -> Result<Vec<Delivered>, LogError> {
        let question = Question::Poll {
            group: self.group.clone(),
            generation: self.generation,
            topics: self.topics.clone(),
            max,
            wait_ms: u64::try_from(wait.as_millis()).unwrap_or(0),
        };
        let Answer::Records(records) = ask(&question, PATIENCE + wait).await? else {
            return Err(LogError::Fenced);
        };
        let delivered =
            |(topic, partition, offset, key, payload): (String, i32, i64, String, String)| Delivered {
                topic,
                partition,
                offset,
                key,
                payload: payload.into_bytes(),
            };
        Ok(records.into_iter().map(delivered).collect())
    }

    async fn commit(&mut self) -> Result<(), LogError> {
        let (group, generation) = (self.group.clone(), self.generation);
        match ask(&Question::Commit { group, generation }, PATIENCE).await? {
            Answer::Fenced => Err(LogError::Fenced),
            _ => Ok(()),
        }
    }

    async fn close(self: Box<Self>) {}
}

async fn ask(question: &Question, patience: Duration) -> Result<Answer, LogError> {
    let asked = wire::ask("log", question, patience).await;
    asked.map_err(|error| LogError::Unavailable(error.to_string()))
}
