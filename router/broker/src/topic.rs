//! One reader of a topic, for all who follow it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::Instant;

use crate::recent::Recent;
use crate::{Log, LogError, Position, Read, Record};

/// How often a reader that reads nothing looks around, at most.
const SHORTEST_BEAT: Duration = Duration::from_millis(10);

/// Limits of a topic's streams.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Records that may wait for one stream; one with more goes back to reading by itself.
    pub queue: usize,
    /// Bytes of the latest records that are remembered.
    pub recent_bytes: usize,
    /// Streams that read by themselves at once; others wait for their turn.
    pub replays: usize,
    /// How often partitions are looked at, for new ones and signs of life.
    pub refresh: Duration,
    /// How long the reader stays when nobody follows.
    pub linger: Duration,
    /// The first pause before a broker that is away is tried again; it doubles up to 32 of it.
    pub pause: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            queue: 1024,
            recent_bytes: 16 * 1024 * 1024,
            replays: 16,
            refresh: Duration::from_secs(10),
            linger: Duration::from_secs(60),
            pause: Duration::from_millis(250),
        }
    }
}

/// How the reader of a topic is.
#[derive(Debug, Clone)]
pub enum State {
    /// Nobody needs it.
    Idle,
    /// It begins.
    Starting,
    /// It reads.
    Reading,
    /// It does not, and tries again.
    Troubled(LogError),
}

/// A record, and where a follower is who has got it.
pub type Delivered = (Arc<Record>, Arc<Position>);

/// A topic that is followed.
pub struct Topic {
    /// Its name.
    pub name: String,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) settings: Settings,
    /// Turns to read by oneself.
    pub(crate) turns: Arc<Semaphore>,
    runtime: Handle,
    followers: Mutex<Followers>,
    state: watch::Sender<State>,
}

#[derive(Default)]
struct Followers {
    /// What the reader has passed, and the latest of it; nothing while there is no reader.
    passed: Option<(Position, Recent)>,
    running: bool,
    next: u64,
    all: HashMap<u64, Follower>,
    /// Those who want one key only.
    of_key: HashMap<Bytes, Vec<u64>>,
    of_all: Vec<u64>,
}

struct Follower {
    key: Option<Bytes>,
    sender: mpsc::Sender<Delivered>,
}

/// A place among the followers; dropped, it is free.
pub struct Place {
    topic: Arc<Topic>,
    number: u64,
    /// Records as they come. It ends when too many wait, or the reader cannot go on.
    pub records: mpsc::Receiver<Delivered>,
    /// What comes is after this.
    pub from: Position,
    /// What the follower missed, where the reader remembers it.
    pub missed: Option<VecDeque<Arc<Record>>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.topic.lock().remove(self.number);
    }
}

impl Topic {
    /// A topic that nobody follows yet. Its reader runs on the runtime of whoever makes it.
    pub fn new(name: &str, log: Arc<dyn Log>, settings: Settings) -> Arc<Topic> {
        Arc::new(Topic {
            name: name.to_owned(),
            log,
            turns: Arc::new(Semaphore::new(settings.replays)),
            settings,
            runtime: Handle::current(),
            followers: Mutex::default(),
            state: watch::Sender::new(State::Idle),
        })
    }

    /// How its reader is.
    pub fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Follows from now on; `after` asks for what was missed since.
    ///
    /// # Errors
    /// If the reader cannot begin.
    pub(crate) async fn follow(
        self: &Arc<Self>,
        key: Option<&Bytes>,
        after: Option<&Position>,
    ) -> Result<Place, LogError> {
        let mut state = self.state.subscribe();
        loop {
            if let Some(place) = self.take_place(key, after) {
                return Ok(place);
            }
            let reached = state.wait_for(|state| matches!(state, State::Reading | State::Troubled(_)));
            let reached = reached.await.map(|state| state.clone());
            if let Ok(State::Troubled(error)) = reached {
                return Err(error);
            }
        }
    }

    /// `None` while the reader begins.
    fn take_place(self: &Arc<Self>, key: Option<&Bytes>, after: Option<&Position>) -> Option<Place> {
        let mut followers = self.lock();
        if !followers.running {
            followers.running = true;
            self.state.send_replace(State::Starting);
            self.runtime.spawn(run(Arc::downgrade(self)));
        }
        let (passed, recent) = followers.passed.as_ref()?;
        let wanted = |record: &Record| key.is_none() || record.key.as_ref() == key;
        // What this reader has not seen yet may not even be there: then it is looked at what is kept.
        let is_seen =
            |after: &&Position| passed.has_reached(after) && after.offsets().len() <= passed.offsets().len();
        let after = after.filter(is_seen);
        let missed = after.and_then(|after| recent.since(after, wanted));
        let from = passed.clone();
        let (sender, records) = mpsc::channel(self.settings.queue);
        let number = followers.add(key.cloned(), sender);
        Some(Place {
            topic: Arc::clone(self),
            number,
            records,
            from,
            missed,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Followers> {
        self.followers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self, state: State) {
        let before = self.state.send_replace(state.clone());
        match (before, state) {
            (State::Troubled(_), State::Reading) => {
                tracing::info!(topic = self.name, "the topic can be read again");
            }
            (State::Troubled(_), _) | (_, State::Reading) => {}
            (_, State::Troubled(error)) => {
                tracing::warn!(topic = self.name, %error, "a topic cannot be read; will try again");
            }
            _ => {}
        }
    }

    /// Whether anybody follows; if not, the reader is done, and the next follower begins anew.
    fn is_needed(&self) -> bool {
        let mut followers = self.lock();
        if followers.all.is_empty() {
            (followers.running, followers.passed) = (false, None);
            self.state.send_replace(State::Idle);
        }
        followers.running
    }

    fn nobody_follows(&self) -> bool {
        self.lock().all.is_empty()
    }

    /// Where the reader goes on: where it was, or after all that there is.
    async fn position(&self) -> Result<Position, LogError> {
        let extents = self.log.extents(&self.name).await?;
        let before = self.lock().passed.as_ref().map(|(passed, _)| passed.clone());
        let at = match before {
            Some(before) => before.within(&extents),
            None => Ok(Position::end_of(&extents)),
        };
        let mut followers = self.lock();
        match at {
            Ok(at) => {
                if followers.passed.is_none() {
                    let recent = Recent::after(at.clone(), self.settings.recent_bytes);
                    followers.passed = Some((at.clone(), recent));
                }
                Ok(at)
            }
            Err(error) => {
                // The reader was away for too long: each follower finds out for itself what it has missed.
                followers.dismiss();
                followers.passed = None;
                Err(error)
            }
        }
    }
}

impl Followers {
    fn add(&mut self, key: Option<Bytes>, sender: mpsc::Sender<Delivered>) -> u64 {
        let number = self.next;
        self.next += 1;
        match &key {
            Some(key) => self.of_key.entry(key.clone()).or_default().push(number),
            None => self.of_all.push(number),
        }
        self.all.insert(number, Follower { key, sender });
        number
    }

    fn remove(&mut self, number: u64) {
        let Some(follower) = self.all.remove(&number) else {
            return;
        };
        let Some(key) = follower.key else {
            return self.of_all.retain(|other| *other != number);
        };
        if let Some(others) = self.of_key.get_mut(&key) {
            others.retain(|other| *other != number);
            if others.is_empty() {
                self.of_key.remove(&key);
            }
        }
    }

    fn dismiss(&mut self) {
        self.all.clear();
        self.of_key.clear();
        self.of_all.clear();
    }

    /// Gives a record to all who want it. Who has no room for it gets no more: it reads by itself then.
    fn deliver(&mut self, record: Record) {
        let Some((passed, recent)) = &mut self.passed else {
            return;
        };
        if record.offset < passed.of(record.partition) {
            return;
        }
        passed.pass(record.partition, record.offset);
        let record = Arc::new(record);
        recent.push(Arc::clone(&record));
        let keyed = record.key.as_ref().and_then(|key| self.of_key.get(key));
        let wanting: Vec<u64> = keyed.into_iter().flatten().chain(&self.of_all).copied().collect();
        if wanting.is_empty() {
            return;
        }
        let at = Arc::new(passed.clone());
        for number in wanting {
            let delivered = (Arc::clone(&record), Arc::clone(&at));
            if self.all[&number].sender.try_send(delivered).is_err() {
                self.remove(number);
            }
        }
    }
}

/// Why a reader stops that does not fail.
enum Stop {
    /// Nobody follows any more.
    Deserted,
    /// There are more partitions than it reads.
    Grown,
}

/// Since when nobody follows.
#[derive(Default)]
struct Deserted(Option<Instant>);

impl Deserted {
    /// Whether that is long enough; the reader is done then.
    fn for_long(&mut self, topic: &Topic) -> bool {
        if !topic.nobody_follows() {
            self.0 = None;
            return false;
        }
        let since = *self.0.get_or_insert_with(Instant::now);
        since.elapsed() >= topic.settings.linger && !topic.is_needed()
    }
}

/// Reads for as long as anybody follows.
async fn run(topic: Weak<Topic>) {
    let (mut attempts, mut deserted) = (0, Deserted::default());
    loop {
        let Some(alive) = topic.upgrade() else { return };
        match read(&alive, &mut attempts, &mut deserted).await {
            Ok(Stop::Deserted) => return,
            Ok(Stop::Grown) => continue,
            Err(error) => alive.told(State::Troubled(error)),
        }
        if deserted.for_long(&alive) {
            return;
        }
        let pause = alive.settings.pause * (1 << attempts.min(5));
        attempts += 1;
        drop(alive);
        tokio::time::sleep(pause).await;
    }
}

/// Reads until something else is to be done.
async fn read(topic: &Topic, attempts: &mut u32, deserted: &mut Deserted) -> Result<Stop, LogError> {
    let at = topic.position().await?;
    let mut reader = topic.log.read(&topic.name, &at).await?;
    topic.told(State::Reading);
    let mut refresh = Instant::now() + topic.settings.refresh;
    let beat = topic.settings.linger.min(topic.settings.refresh) / 2;
    loop {
        let looked = tokio::time::timeout(beat.max(SHORTEST_BEAT), reader.next()).await;
        match looked {
            Ok(Ok(Read::Record(record))) => topic.lock().deliver(record),
            Ok(Ok(Read::End(_))) | Err(_) => {}
            Ok(Err(error)) => return Err(error),
        }
        if deserted.for_long(topic) {
            return Ok(Stop::Deserted);
        }
        if Instant::now() >= refresh {
            let extents = topic.log.extents(&topic.name).await?;
            (*attempts, refresh) = (0, Instant::now() + topic.settings.refresh);
            if extents.len() != at.offsets().len() {
                return Ok(Stop::Grown);
            }
        }
    }
}
