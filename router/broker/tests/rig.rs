//! A topic that a test can write to, in a folder or on Kafka.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use baedal_broker::files::Files;
use baedal_broker::kafka::Kafka;
use baedal_broker::{Extent, Log, LogError, Position, Reader, Settings, Topic};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{FutureProducer, FutureRecord};
use tempfile::TempDir;

/// The topic of all tests.
pub const TOPIC: &str = "moves";

/// Where the topic is.
pub enum Rig {
    Folder(TempDir),
    Kafka {
        servers: String,
        topic: String,
        producer: FutureProducer,
    },
}

impl Rig {
    /// In a folder, with so many partitions.
    pub fn folder(partitions: usize) -> Rig {
        let folder = tempfile::tempdir().expect("a folder");
        let rig = Rig::Folder(folder);
        for partition in 0..partitions {
            rig.lines(partition, "");
        }
        rig
    }

    /// On Kafka, if there is one.
    pub async fn kafka(partitions: usize) -> Option<Rig> {
        let Ok(servers) = std::env::var("KAFKA_BROKERS") else {
            eprintln!("not run: KAFKA_BROKERS is not set");
            return None;
        };
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &servers);
        let admin: AdminClient<DefaultClientContext> = config.create().expect("an admin");
        let started = std::time::SystemTime::UNIX_EPOCH
            .elapsed()
            .expect("a clock")
            .as_nanos();
        let topic = format!("{TOPIC}.{started}.{}", std::process::id());
        let new = NewTopic::new(&topic, partitions as i32, TopicReplication::Fixed(1));
        let made = admin
            .create_topics([&new], &AdminOptions::new())
            .await
            .expect("an answer");
        assert!(made.iter().all(Result::is_ok), "{made:?}");
        let producer = config.create().expect("a producer");
        Some(Rig::Kafka {
            servers,
            topic,
            producer,
        })
    }

    /// Both, or the one that there is.
    pub async fn all(partitions: usize) -> Vec<Rig> {
        let mut all = vec![Rig::folder(partitions)];
        all.extend(Rig::kafka(partitions).await);
        all
    }

    pub fn log(&self) -> Arc<dyn Log> {
        match self {
            Rig::Folder(folder) => Arc::new(Files::new(&folder.path().join("broker"))),
            Rig::Kafka { servers, .. } => Arc::new(Kafka::new(servers)),
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Rig::Folder(_) => TOPIC,
            Rig::Kafka { topic, .. } => topic,
        }
    }

    pub fn topic(&self, settings: Settings) -> Arc<Topic> {
        Topic::new(self.name(), self.log(), settings)
    }

    pub fn file(&self, partition: usize) -> PathBuf {
        let Rig::Folder(folder) = self else {
            panic!("only a folder has files")
        };
        folder.path().join(format!("broker/{TOPIC}/{partition}.jsonl"))
    }

    /// Adds lines to a file.
    pub fn lines(&self, partition: usize, lines: &str) {
        let file = self.file(partition);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(file)
            .expect("opened");
        file.write_all(lines.as_bytes()).expect("written");
    }

    /// Writes numbers to a partition, under a key.
    pub async fn write(&self, partition: usize, key: &str, numbers: std::ops::Range<u64>) {
        match self {
            Rig::Folder(_) => {
                let mut lines = String::new();
                for number in numbers {
                    writeln!(lines, "{{\"key\": \"{key}\", \"value\": {number}}}").expect("a string");
                }
                self.lines(partition, &lines);
            }
            Rig::Kafka { topic, producer, .. } => {
                let sent = numbers.map(|number| {
                    let value = number.to_string();
                    async move {
                        let record = FutureRecord::to(topic).key(key).payload(&value);
                        let record = record.partition(partition as i32);
                        producer
                            .send(record, Duration::from_secs(10))
                            .await
                            .expect("delivered");
                    }
                });
                for sending in sent {
                    sending.await;
                }
            }
        }
    }
}

/// Limits that do not make tests wait.
pub fn quick() -> Settings {
    Settings {
        refresh: Duration::from_millis(200),
        linger: Duration::from_millis(500),
        pause: Duration::from_millis(20),
        ..Settings::default()
    }
}

/// Counts how often a topic is read.
pub struct Counting {
    pub log: Arc<dyn Log>,
    pub readers: AtomicUsize,
}

impl Counting {
    pub fn of(rig: &Rig) -> Arc<Counting> {
        Arc::new(Counting {
            log: rig.log(),
            readers: AtomicUsize::new(0),
        })
    }

    pub fn readers(&self) -> usize {
        self.readers.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Log for Counting {
    async fn extents(&self, topic: &str) -> Result<Vec<Extent>, LogError> {
        self.log.extents(topic).await
    }

    async fn read(&self, topic: &str, from: &Position) -> Result<Box<dyn Reader>, LogError> {
        self.readers.fetch_add(1, Ordering::SeqCst);
        self.log.read(topic, from).await
    }
}
