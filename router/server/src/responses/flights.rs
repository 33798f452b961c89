//! Of several who miss the same answer at once one asks for it, and the others look again when that one is done. What
//! they find is what is kept: an answer that is not is not shared.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::key::Key;

/// Answers that are being asked for.
#[derive(Default)]
pub struct Flights(Mutex<HashMap<Key, CancellationToken>>);

/// Who asks.
pub enum Turn<'a> {
    /// Whoever holds this, until it is dropped.
    Mine(Flight<'a>),
    /// Another, until this is cancelled.
    Anothers(CancellationToken),
}

/// The right to ask for an answer. Dropped, also by who goes away, it is over.
pub struct Flight<'a> {
    flights: &'a Flights,
    key: Key,
    over: CancellationToken,
}

impl Flights {
    /// Whose turn it is.
    pub fn board(&self, key: Key) -> Turn<'_> {
        let mut under_way = self.lock();
        if let Some(over) = under_way.get(&key) {
            return Turn::Anothers(over.clone());
        }
        let over = CancellationToken::new();
        under_way.insert(key, over.clone());
        Turn::Mine(Flight {
            flights: self,
            key,
            over,
        })
    }

    /// A poisoned lock holds a whole map: every change under it is one call.
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.flights.lock().remove(&self.key);
        self.over.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_asks_at_a_time_and_the_others_are_told_when_it_is_over() {
        let flights = Flights::default();
        let Turn::Mine(mine) = flights.board([1; 32]) else {
            panic!("nobody asks")
        };
        let Turn::Anothers(over) = flights.board([1; 32]) else {
            panic!("somebody asks")
        };
        assert!(
            matches!(flights.board([2; 32]), Turn::Mine(_)),
            "for something else"
        );
        assert!(!over.is_cancelled());
        drop(mine);
        assert!(over.is_cancelled());
        assert!(matches!(flights.board([1; 32]), Turn::Mine(_)));
        assert!(flights.lock().is_empty());
    }
}
