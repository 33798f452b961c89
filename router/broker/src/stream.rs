//! One follower of a topic: what it missed first, then what comes.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use crate::topic::Place;
use crate::{LogError, Position, Read, Reader, Record, Topic};

/// A stream of a topic's records, or of those with one key.
pub struct Stream {
    topic: Arc<Topic>,
    key: Option<Bytes>,
    /// After the last record that was given, or passed over.
    position: Position,
    mode: Mode,
    attempts: u32,
}

enum Mode {
    /// It knows only where it is.
    Behind,
    /// It reads by itself.
    Catching(Catching),
    /// It gets what comes, after what the reader remembered for it.
    Following(Place, VecDeque<Arc<Record>>),
}

struct Catching {
    reader: Box<dyn Reader>,
    /// The partitions that were read to their ends.
    ended: Vec<bool>,
    /// A place among the followers, taken when the end was near: what is read by itself is what was before it.
    place: Option<Place>,
    /// Its turn.
    turn: OwnedSemaphorePermit,
}

impl Stream {
    /// Begins with the next record of the topic (with this key).
    ///
    /// # Errors
    /// If the topic cannot be read.
    pub async fn open(topic: &Arc<Topic>, key: Option<Bytes>) -> Result<Stream, LogError> {
        let place = topic.follow(key.as_ref(), None).await?;
        Ok(Stream {
            position: place.from.clone(),
            topic: Arc::clone(topic),
            key,
            mode: Mode::Following(place, VecDeque::new()),
            attempts: 0,
        })
    }

    /// Begins after a position. Whether that can be is found out by [`Stream::next`].
    pub fn after(topic: &Arc<Topic>, key: Option<Bytes>, position: Position) -> Stream {
        Stream {
            topic: Arc::clone(topic),
            key,
            position,
            mode: Mode::Behind,
            attempts: 0,
        }
    }

    /// Where it is: a stream that begins here gives what this one has not given.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// The next record. A broker that is away is waited for. It may be dropped while it waits, and nothing is lost.
    ///
    /// # Errors
    /// [`LogError::Expired`], and the stream is over.
    pub async fn next(&mut self) -> Result<Arc<Record>, LogError> {
        loop {
            let step = match &mut self.mode {
                Mode::Behind => self.catch_up().await,
                Mode::Catching(_) => self.read().await,
                Mode::Following(..) => Ok(self.follow().await),
            };
            match step {
                Ok(Some(record)) => {
                    self.attempts = 0;
                    return Ok(record);
                }
                Ok(None) => {}
                Err(LogError::Expired) => return Err(LogError::Expired),
                Err(error) => self.wait(&error).await,
            }
        }
    }

    /// The broker is away, or the topic is not there: it may come back.
    async fn wait(&mut self, error: &LogError) {
        tracing::debug!(topic = self.topic.name, %error, "a stream waits for its broker");
        self.mode = Mode::Behind;
        let pause = self.topic.settings.pause * (1 << self.attempts.min(5));
        self.attempts += 1;
        tokio::time::sleep(pause).await;
    }

    /// Takes a place where all that was missed is remembered, or begins to read it.
    async fn catch_up(&mut self) -> Result<Option<Arc<Record>>, LogError> {
        let place = self.topic.follow(self.key.as_ref(), Some(&self.position)).await?;
        if let Some(place) = self.remembered(place) {
            drop(place);
            let turns = Arc::clone(&self.topic.turns);
            let turn = turns.acquire_owned().await;
            let turn = turn.expect("a topic never closes its semaphore");
            self.mode = Mode::Catching(self.catching(None, turn).await?);
        }
        Ok(None)
    }

    /// Follows from a place where all that was missed is remembered; else gives the place back.
    fn remembered(&mut self, mut place: Place) -> Option<Place> {
        let Some(missed) = place.missed.take() else {
            return Some(place);
        };
        if missed.is_empty() {
            self.position.reach_all(&place.from);
        }
        self.mode = Mode::Following(place, missed);
        None
    }

    async fn catching(
        &mut self,
        place: Option<Place>,
        turn: OwnedSemaphorePermit,
    ) -> Result<Catching, LogError> {
        let extents = self.topic.log.extents(&self.topic.name).await?;
        self.position = self.position.within(&extents)?;
        let reader = self.topic.log.read(&self.topic.name, &self.position).await?;
        Ok(Catching {
            reader,
            ended: vec![false; extents.len()],
            place,
            turn,
        })
    }

    /// One step of reading by itself.
    async fn read(&mut self) -> Result<Option<Arc<Record>>, LogError> {
        let Mode::Catching(catching) = &mut self.mode else {
            return Ok(None);
        };
        // Not after a record was read: whoever is dropped while going over must not take it along.
        if catching.is_done(&self.position) {
            return self.go_over().await.map(|()| None);
        }
        match catching.reader.next().await? {
            Read::Record(record) if record.offset >= self.position.of(record.partition) => {
                self.position.pass(record.partition, record.offset);
                let wanted = self.key.is_none() || record.key == self.key;
                Ok(wanted.then(|| Arc::new(record)))
            }
            Read::Record(_) => Ok(None),
            Read::End(partition) => {
                if let Some(ended) = catching.ended.get_mut(partition) {
                    *ended = true;
                }
                Ok(None)
            }
        }
    }

    /// Everything was read that was there. A place is taken, and what came meanwhile is read up to it; then it is
    /// followed.
    async fn go_over(&mut self) -> Result<(), LogError> {
        let Mode::Catching(catching) = std::mem::replace(&mut self.mode, Mode::Behind) else {
            return Ok(());
        };
        if let Some(place) = catching.place {
            // Where offsets are left out at a partition's end, its end is what counts.
            self.position.reach_all(&place.from);
            self.mode = Mode::Following(place, VecDeque::new());
            return Ok(());
        }
        let place = self.topic.follow(self.key.as_ref(), Some(&self.position)).await?;
        if let Some(place) = self.remembered(place) {
            self.mode = Mode::Catching(self.catching(Some(place), catching.turn).await?);
        }
        Ok(())
    }

    /// What comes, but for what was read before.
    async fn follow(&mut self) -> Option<Arc<Record>> {
        let Mode::Following(place, missed) = &mut self.mode else {
            return None;
        };
        if let Some(record) = missed.pop_front() {
            self.position.pass(record.partition, record.offset);
            if missed.is_empty() {
                self.position.reach_all(&place.from);
            }
            return Some(record);
        }
        let Some((record, at)) = place.records.recv().await else {
            self.mode = Mode::Behind;
            return None;
        };
        let is_new = record.offset >= self.position.of(record.partition);
        // All of it has been offered to this stream, wanted or not.
        self.position.reach_all(&at);
        is_new.then_some(record)
    }
}

impl Catching {
    fn is_done(&self, position: &Position) -> bool {
        let mut partitions = self.ended.iter().enumerate();
        partitions.all(|(partition, ended)| {
            let before = self.place.as_ref().map(|place| place.from.of(partition));
            *ended || before.is_some_and(|before| position.of(partition) >= before)
        })
    }
}
