//! Where answers are kept: in this process, or in a Redis that gateways share.

use std::sync::Arc;
use std::time::Instant;

use super::key::Key;
use super::shared::{Seen, Shared};
use super::store::{Kept, Moment, Store};
use super::tags::Tag;
use crate::valkey::Away;

/// Keeps answers.
pub enum Backing {
    /// In this process.
    Here(Store),
    /// In Redis.
    There(Shared),
}

/// What a look at it found.
pub enum Found<'a> {
    /// It is at hand.
    Here(&'a Store),
    /// So much was brought; nothing where Redis is away, and then nothing is kept either.
    There(Option<Seen>),
}

/// Who looks, and for what of whose.
pub struct Look<'a> {
    /// Who asks.
    pub who: Key,
    /// Of which subgraph.
    pub subgraph: &'a str,
}

impl Backing {
    /// Looks for these keys, which are only asked for where they have to be brought.
    pub async fn look(&self, look: Look<'_>, keys: impl FnOnce() -> Vec<Key>, now: Instant) -> Found<'_> {
        match self {
            Backing::Here(store) => Found::Here(store),
            Backing::There(shared) => Found::There(shared.look(look, keys(), now).await),
        }
    }

    /// Drops what has one of these tags, and whatever is under way with one of them. Gives how many answers there were,
    /// where that is known.
    pub async fn drop_tags(&self, tags: &[Tag], now: Instant) -> Result<Option<usize>, Away> {
        match self {
            Backing::Here(store) => Ok(Some(store.drop_tags(tags, now))),
            Backing::There(shared) => shared.drop_tags(tags).await,
        }
    }

    /// Drops everything. Gives how many entries there were, about, where that is known.
    pub async fn drop_all(&self, now: Instant) -> Result<Option<usize>, Away> {
        match self {
            Backing::Here(store) => Ok(Some(store.drop_all(now))),
            Backing::There(shared) => shared.drop_all().await.map(|()| None),
        }
    }

    /// A caller has changed something in a subgraph: what was asked for before is not for this caller any more.
    pub async fn changed(&self, caller: Key, subgraph: &str, now: Instant) {
        match self {
            Backing::Here(store) => store.changed(caller, subgraph, now),
            Backing::There(shared) => shared.changed(caller, subgraph).await,
        }
    }

    /// Gives out nothing, and keeps no answer, from now on.
    pub fn retire(&self) {
        match self {
            Backing::Here(store) => store.retire(),
            Backing::There(shared) => shared.retire(),
        }
    }

    /// Entries, their bytes, and how many had to go for want of room; `None` where that is not this process' business.
    pub fn size(&self) -> Option<(u64, u64, u64)> {
        match self {
            Backing::Here(store) => Some(store.size()),
            Backing::There(_) => None,
        }
    }
}

impl Found<'_> {
    /// What is kept under a key, fresh or not.
    pub fn get(&self, key: &Key) -> Option<Arc<Kept>> {
        match self {
            Found::Here(store) => store.get(key),
            Found::There(seen) => seen.as_ref()?.get(key),
        }
    }

    /// What the caller may be given was asked for after so many drops.
    pub fn fence(&self, look: &Look<'_>) -> u64 {
        match self {
            Found::Here(store) => store.fence(look.who, look.subgraph),
            Found::There(seen) => seen.as_ref().map_or(u64::MAX, Seen::fence),
        }
    }

    /// The moment at which what is missing is asked for: now, or when it was seen to be missing. None: it is not kept.
    pub fn moment(&self, now: Instant) -> Option<Moment> {
        match self {
            Found::Here(store) => Some(store.moment(now)),
            Found::There(seen) => seen.as_ref().map(Seen::moment),
        }
    }
}
