//! One metric for many things, told apart by labels, and never for more of them than was allowed.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use super::counter::Counter;
use super::page::{Collect, Samples};

/// The first label of everything beyond what a family may tell apart.
pub const OTHER: &str = "other";
/// A label value is no longer than this; clients choose some of them.
const LONGEST: usize = 100;

/// Members of a family, by the values of their labels. Clones are the same family.
///
/// Looking a member up takes a lock: do it once and keep what is returned.
pub struct Family<T> {
    inner: Arc<Inner<T>>,
}

struct Inner<T> {
    limit: usize,
    make: Box<dyn Fn() -> T + Send + Sync>,
    /// Members that had to be counted as [`OTHER`].
    overflow: Counter,
    members: RwLock<Members<T>>,
}

struct Members<T> {
    firsts: HashSet<Box<str>>,
    rows: HashMap<Vec<Box<str>>, T>,
}

impl<T> Clone for Family<T> {
    fn clone(&self) -> Self {
        Family {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<T: Clone> Family<T> {
    /// A family that tells at most `limit` values of its first label apart.
    pub(super) fn new(limit: usize, overflow: Counter, make: impl Fn() -> T + Send + Sync + 'static) -> Self {
        let members = Members {
            firsts: HashSet::new(),
            rows: HashMap::new(),
        };
        let inner = Inner {
            limit,
            make: Box::new(make),
            overflow,
            members: RwLock::new(members),
        };
        Family {
            inner: Arc::new(inner),
        }
    }

    /// The member with these label values. With a first value that is one too many, the member of [`OTHER`].
    pub fn with(&self, values: &[&str]) -> T {
        let mut key: Vec<Box<str>> = values.iter().map(|value| short(value).into()).collect();
        if let Some(member) = self.known(&key) {
            return member;
        }
        let mut members = self.write();
        let room = members.firsts.len() < self.inner.limit;
        if let Some(first) = key.first_mut().filter(|first| !members.firsts.contains(*first)) {
            if room {
                members.firsts.insert(first.clone());
            } else {
                self.inner.overflow.inc();
                *first = OTHER.into();
            }
        }
        members.rows.entry(key).or_insert_with(&self.inner.make).clone()
    }

    fn known(&self, key: &[Box<str>]) -> Option<T> {
        let members = self.inner.members.read().unwrap_or_else(PoisonError::into_inner);
        members.rows.get(key).cloned()
    }

    /// A poisoned lock holds whole members: each is put in by one insert.
    fn write(&self) -> RwLockWriteGuard<'_, Members<T>> {
        self.inner.members.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Collect> Collect for Family<T> {
    fn collect(&self, samples: &mut Samples<'_>) {
        let members = self.inner.members.read().unwrap_or_else(PoisonError::into_inner);
        let mut rows: Vec<_> = members.rows.iter().collect();
        rows.sort_unstable_by(|one, other| one.0.cmp(other.0));
        for (values, member) in rows {
            samples.label(values);
            member.collect(samples);
        }
    }
}

fn short(value: &str) -> &str {
    let end = (0..=value.len().min(LONGEST)).rev();
    let end = end.into_iter().find(|at| value.is_char_boundary(*at));
    &value[..end.unwrap_or(0)]
}
