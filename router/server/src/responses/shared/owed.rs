//! What could not be told to Redis, and must be before anything is found there again.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::responses::key::Key;
use crate::responses::tags::Tag;

/// Debts that are remembered; with more, everything is to be dropped.
const REMEMBERED: usize = 10_000;

/// Something to be told.
#[derive(Debug, Clone, PartialEq)]
pub enum Debt {
    /// What has these tags is dropped.
    Tags(Vec<Tag>),
    /// Everything is.
    All,
    /// A caller has changed something in a subgraph.
    Changed(Key, Box<str>),
}

/// All debts, the oldest first.
#[derive(Default)]
pub struct Debts {
    owed: Mutex<VecDeque<Debt>>,
    count: AtomicUsize,
    /// One pays at a time.
    paying: AtomicBool,
}

/// The right to pay.
pub struct Paying<'a>(&'a Debts);

impl Debts {
    /// Whether nothing is owed: a look without a lock.
    pub fn is_empty(&self) -> bool {
        self.count.load(Ordering::SeqCst) == 0
    }

    /// Owes this as well.
    pub fn add(&self, debt: Debt) {
        let mut owed = self.lock();
        owed.push_back(debt);
        if owed.len() > REMEMBERED {
            owed.clear();
            owed.push_back(Debt::All);
        }
        self.count.store(owed.len(), Ordering::SeqCst);
    }

    /// Another owes all of this as well.
    pub fn pass_on(&self, other: &Debts) {
        let owed: Vec<Debt> = self.lock().iter().cloned().collect();
        owed.into_iter().for_each(|debt| other.add(debt));
    }

    /// `None` while somebody else pays.
    pub fn begin(&self) -> Option<Paying<'_>> {
        let was_free = self
            .paying
            .compare_exchange(false, true, Ordering::SeqCst, Ordering::SeqCst);
        was_free.is_ok().then_some(Paying(self))
    }

    /// A poisoned lock holds a whole list.
    fn lock(&self) -> MutexGuard<'_, VecDeque<Debt>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Paying<'_> {
    /// What is to be told next. It is owed until it is [`Paying::paid`].
    pub fn next(&mut self) -> Option<Debt> {
        self.0.lock().front().cloned()
    }

    /// `debt` was told. If everything came to be owed meanwhile, that stays.
    pub fn paid(&mut self, debt: &Debt) {
        let mut owed = self.0.lock();
        if owed.front() == Some(debt) {
            owed.pop_front();
        }
        self.0.count.store(owed.len(), Ordering::SeqCst);
    }
}

impl Drop for Paying<'_> {
    fn drop(&mut self) {
        self.0.paying.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(number: u8) -> Debt {
        Debt::Changed([number; 32], "a".into())
    }

    #[test]
    fn what_is_owed_is_owed_until_it_is_paid() {
        let debts = Debts::default();
        assert!(debts.is_empty());
        debts.add(changed(1));
        debts.add(changed(2));
        let mut paying = debts.begin().expect("nobody pays");
        assert!(debts.begin().is_none());
        assert_eq!(paying.next(), Some(changed(1)));
        assert!(!debts.is_empty());
        paying.paid(&changed(1));
        drop(paying);
        let mut paying = debts.begin().expect("nobody pays");
        assert_eq!(paying.next(), Some(changed(2)));
        paying.paid(&changed(2));
        assert!(debts.is_empty() && paying.next().is_none());
    }

    #[test]
    fn too_many_debts_are_one() {
        let debts = Debts::default();
        (0..=REMEMBERED).for_each(|_| debts.add(changed(1)));
        let mut paying = debts.begin().expect("nobody pays");
        paying.paid(&changed(1));
        assert_eq!(paying.next(), Some(Debt::All));
    }
}
