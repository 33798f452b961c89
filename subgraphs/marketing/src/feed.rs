//! The live side of the feeds: who watches, and how they learn that there is more.
//!
//! A watcher reads its own items by its own cursor; all it is told is up to which number there are some. It is told
//! at once by this process when it took the delivery in itself, and by one poller for all watchers when another
//! replica did. The poller asks only for feeds that changed; nothing is asked while nobody watches.

mod poll;
mod watch;

pub use poll::run as run_poller;
pub use watch::{Resumed, Stopped, deliveries};

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch as signal;

/// Those who watch a feed in this process.
#[derive(Debug, Default)]
pub struct FeedHub {
    heads: Mutex<HashMap<String, signal::Sender<u64>>>,
}

impl FeedHub {
    /// Begins to watch: the receiver changes whenever the feed is known to have grown.
    pub fn watch(&self, customer_id: &str) -> signal::Receiver<u64> {
        let mut heads = self.lock();
        heads
            .entry(customer_id.to_owned())
            .or_insert_with(|| signal::Sender::new(0))
            .subscribe()
    }

    /// The feed reaches at least this number.
    pub fn announce(&self, customer_id: &str, sequence: u64) {
        if let Some(head) = self.lock().get(customer_id) {
            head.send_if_modified(|known| {
                let grown = sequence > *known;
                *known = (*known).max(sequence);
                grown
            });
        }
    }

    /// The customers that are watched; forgets those that no longer are.
    pub fn watched(&self) -> Vec<String> {
        let mut heads = self.lock();
        heads.retain(|_, head| head.receiver_count() > 0);
        heads.keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, signal::Sender<u64>>> {
        // The map is whole between any two statements above, so a panic elsewhere cannot have broken it.
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
