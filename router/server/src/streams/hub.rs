//! All streams under way in this gateway, on whichever threads they run.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use baedal_telemetry::metrics::Held;
use hashbrown::HashMap;

use super::channel::{Channel, Member};
use super::key::Key;

/// The streams that can be joined.
#[derive(Default)]
pub struct Hub {
    streams: Mutex<HashMap<Key, Arc<Channel>>>,
}

/// A client's place in a stream.
pub struct Seat {
    channel: Arc<Channel>,
    number: u32,
    counted: Option<Held>,
}

impl Seat {
    /// It counts as taken for as long as it is kept.
    pub fn count(&mut self, held: Held) {
        self.counted = Some(held);
    }

    /// Gives it up; the last one who does ends the stream.
    pub fn leave(&self) {
        self.channel.leave(self.number);
    }
}

/// A client that is about to join.
pub struct Joining {
    /// The client.
    pub member: Member,
    /// Whether it may not miss what the stream brought before: it says where it wants to begin.
    pub from_the_start: bool,
    /// Whether it may share a stream at all.
    pub shared: bool,
}

impl Hub {
    /// A seat in the stream of this key; if there is none to join, `begin` is to drive a new one.
    pub fn join(self: &Arc<Self>, key: &Key, joining: Joining, begin: impl FnOnce(Arc<Channel>)) -> Seat {
        let Joining {
            member,
            from_the_start,
            shared,
        } = joining;
        let copy = Member {
            outbox: Arc::clone(&member.outbox),
            op: Arc::clone(&member.op),
        };
        let mut streams = self.lock();
        if let Some(channel) = streams.get(key).filter(|_| shared)
            && let Some(number) = channel.join(copy, from_the_start)
        {
            let channel = Arc::clone(channel);
            return Seat {
                channel,
                number,
                counted: None,
            };
        }
        let channel = Arc::new(Channel::default());
        let number = channel.join(member, false).expect("a new stream has not ended");
        if shared {
            streams.insert(key.clone(), Arc::clone(&channel));
        }
        drop(streams);
        begin(Arc::clone(&channel));
        Seat {
            channel,
            number,
            counted: None,
        }
    }

    /// The stream is found by another key from now on, unless another stream is.
    pub fn rename(&self, from: &Key, to: &Key, channel: &Arc<Channel>) {
        let mut streams = self.lock();
        if streams.get(from).is_some_and(|known| Arc::ptr_eq(known, channel)) {
            streams.remove(from);
            streams.entry(to.clone()).or_insert_with(|| Arc::clone(channel));
        }
    }

    /// Nobody joins this stream any more.
    pub fn forget(&self, key: &Key, channel: &Arc<Channel>) {
        let mut streams = self.lock();
        if streams.get(key).is_some_and(|known| Arc::ptr_eq(known, channel)) {
            streams.remove(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Channel>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
