//! Answers in a Redis that gateways share.
//!
//! What was dropped, and when, is kept there beside the answers, in the server's own time: each drop leaves a mark that is
//! later than whatever was asked for before it. So one gateway's drop holds for all of them at once, and an answer that was
//! under way meanwhile is not kept, whoever asked for it.
//!
//! It is never in the way: while Redis is away nothing is found and nothing kept. A drop that could not be told is owed, and
//! until it is told nothing is found either.

mod entry;
mod owed;
mod script;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use self::entry::Wall;
use self::owed::{Debt, Debts};
use super::backing::Look;
use super::key::Key;
use super::store::{Kept, Moment};
use super::tags::Tag;
use crate::jwt;
use crate::valkey::{Away, Valkey};

/// What its keys begin with, after the configured prefix: answers, marks of drops, what has a tag.
const ANSWER: &str = "response";
const MARK: &str = "response-mark";
const TAGGED: &str = "response-tag";
/// Answers that one command drops.
const AT_ONCE: usize = 2_000;
/// Commands that one drop takes at most: that many answers have no tag.
const MOST_COMMANDS: usize = 2_000;

/// Keeps answers in Redis.
pub struct Shared {
    valkey: Arc<Valkey>,
    /// How callers are told apart: gateways that do it otherwise find nothing of each other.
    scheme: String,
    /// The longest that anything is kept.
    longest: Duration,
    wall: Wall,
    debts: Debts,
    retired: AtomicBool,
}

/// What a look brought.
pub struct Seen {
    entries: HashMap<Key, Arc<Kept>>,
    moment: Moment,
    /// What the server was then: another has forgotten what was dropped.
    epoch: String,
    fence: u64,
}

impl Seen {
    /// What is kept under a key, fresh or not.
    pub fn get(&self, key: &Key) -> Option<Arc<Kept>> {
        self.entries.get(key).map(Arc::clone)
    }

    /// What the caller may be given was asked for after this.
    pub fn fence(&self) -> u64 {
        self.fence
    }

    /// When it was brought.
    pub fn moment(&self) -> Moment {
        self.moment
    }
}

impl Shared {
    /// In this Redis. `scheme`: how callers are told apart; `longest`: the longest that anything is kept; `now`: the moment
    /// that the system's clock shows.
    pub fn new(valkey: &Arc<Valkey>, scheme: &[u8], longest: Duration, now: Instant) -> Shared {
        Shared {
            valkey: Arc::clone(valkey),
            scheme: hex(&Sha256::digest(scheme)[..8]),
            longest,
            wall: Wall::new(now, jwt::since_epoch()),
            debts: Debts::default(),
            retired: AtomicBool::new(false),
        }
    }

    /// The same with callers told apart in another way.
    pub fn anew(&self, scheme: &[u8], now: Instant) -> Shared {
        let next = Shared::new(&self.valkey, scheme, self.longest, now);
        self.debts.pass_on(&next.debts);
        next
    }

    /// Finds and keeps nothing from now on.
    pub fn retire(&self) {
        self.retired.store(true, Ordering::SeqCst);
    }

    /// Brings what is kept under these keys; `None` while Redis is away.
    pub async fn look(&self, look: Look<'_>, keys: Vec<Key>, now: Instant) -> Option<Seen> {
        if self.retired.load(Ordering::SeqCst) || !self.is_settled().await {
            return None;
        }
        let marks = [
            self.mark("all"),
            self.subgraph(look.subgraph),
            self.caller(look.who, look.subgraph),
        ];
        let names = keys.iter().map(|key| self.answer(key));
        let command = script::look(&self.epoch(), &marks, names);
        let (drops, epoch, fence, values) = self.valkey.run::<script::Looked>(&command).await.ok()?;
        let read = |(key, value): (Key, Option<Vec<u8>>)| Some((key, Arc::new(self.wall.read(&value?)?)));
        Some(Seen {
            entries: keys.into_iter().zip(values).filter_map(read).collect(),
            moment: Moment {
                at: now,
                drops: drops.parse().ok()?,
            },
            epoch,
            fence: fence.parse().ok()?,
        })
    }

    /// Keeps what was asked for after this look; not what was dropped since, or what is there and was asked for later.
    pub async fn put(&self, seen: &Seen, subgraph: &str, entries: Vec<(Key, Kept)>, now: Instant) {
        if entries.is_empty() || self.retired.load(Ordering::SeqCst) {
            return;
        }
        let marks = [self.mark("all"), self.subgraph(subgraph)];
        let mut command = script::put(&self.epoch(), &marks, &seen.epoch, seen.moment.drops);
        for (key, kept) in &entries {
            let age = now.saturating_duration_since(kept.asked().at);
            let left = kept.lifetime().saturating_sub(age);
            if left.is_zero() {
                continue;
            }
            // What is of a subgraph is found by its mark alone.
            let tags = kept.tags().iter().filter(|tag| !matches!(tag, Tag::Subgraph(_)));
            let tags = tags.map(|tag| (self.dropped(tag), self.tagged(tag))).collect();
            let entry = script::Entry {
                key: self.answer(key),
                left,
                value: self.wall.write(kept),
                tags,
            };
            entry.add(&mut command);
        }
        // What is not kept is asked for again.
        let _ = self.valkey.run::<u64>(&command).await;
    }

    /// Drops what has one of these tags. Gives how many answers there were, where that is known.
    pub async fn drop_tags(&self, tags: &[Tag]) -> Result<Option<usize>, Away> {
        self.pay_or_owe(Debt::Tags(tags.to_vec())).await
    }

    /// Drops everything.
    pub async fn drop_all(&self) -> Result<(), Away> {
        self.pay_or_owe(Debt::All).await.map(drop)
    }

    /// A caller has changed something in a subgraph.
    pub async fn changed(&self, caller: Key, subgraph: &str) {
        // What could not be told is owed.
        let _ = self.pay_or_owe(Debt::Changed(caller, subgraph.into())).await;
    }

    async fn pay_or_owe(&self, debt: Debt) -> Result<Option<usize>, Away> {
        let paid = self.pay(&debt).await;
        if paid.is_err() {
            self.debts.add(debt);
        }
        paid
    }

    /// Whether everything that is to be told is told.
    async fn is_settled(&self) -> bool {
        if self.debts.is_empty() {
            return true;
        }
        let Some(mut paying) = self.debts.begin() else {
            return false;
        };
        while let Some(debt) = paying.next() {
            if self.pay(&debt).await.is_err() {
                return false;
            }
            paying.paid(&debt);
        }
        true
    }

    async fn pay(&self, debt: &Debt) -> Result<Option<usize>, Away> {
        match debt {
            Debt::All => self.set_marks(&[self.mark("all")]).await.map(|()| None),
            Debt::Changed(caller, subgraph) => self
                .set_marks(&[self.caller(*caller, subgraph)])
                .await
                .map(|()| None),
            Debt::Tags(tags) => self.drop_each(tags).await,
        }
    }

    async fn set_marks(&self, marks: &[String]) -> Result<(), Away> {
        self.valkey.run(&script::mark(marks, self.longest)).await
    }

    async fn drop_each(&self, tags: &[Tag]) -> Result<Option<usize>, Away> {
        let whole = tags.iter().filter_map(|tag| match tag {
            Tag::Subgraph(name) => Some(self.subgraph(name)),
            _ => None,
        });
        let whole: Vec<String> = whole.collect();
        let rest: Vec<&Tag> = tags
            .iter()
            .filter(|tag| !matches!(tag, Tag::Subgraph(_)))
            .collect();
        if !whole.is_empty() {
            self.set_marks(&whole).await?;
        }
        let marks: Vec<String> = rest.iter().map(|tag| self.dropped(tag)).collect();
        if !marks.is_empty() {
            // First, so that nothing with these tags is kept any more.
            self.set_marks(&marks).await?;
        }
        let mut gone = 0;
        for tag in rest {
            let command = script::drop_tagged(&self.tagged(tag), AT_ONCE);
            for _ in 0..MOST_COMMANDS {
                let (dropped, left): (usize, u8) = self.valkey.run(&command).await?;
                gone += dropped;
                if left == 0 {
                    break;
                }
            }
        }
        Ok(whole.is_empty().then_some(gone))
    }

    fn answer(&self, key: &Key) -> String {
        self.valkey.key(ANSWER, &format!("{}:{}", self.scheme, hex(key)))
    }

    fn epoch(&self) -> String {
        self.mark("epoch")
    }

    fn mark(&self, name: &str) -> String {
        self.valkey.key(MARK, name)
    }

    fn subgraph(&self, name: &str) -> String {
        self.mark(&format!("subgraph:{}", hex(&Sha256::digest(name))))
    }

    fn caller(&self, caller: Key, subgraph: &str) -> String {
        let mut hasher = Sha256::new();
        hasher.update(caller);
        hasher.update(subgraph);
        self.mark(&format!("caller:{}", hex(&hasher.finalize())))
    }

    fn dropped(&self, tag: &Tag) -> String {
        self.mark(&format!("tag:{}", digest(tag)))
    }

    fn tagged(&self, tag: &Tag) -> String {
        self.valkey.key(TAGGED, &digest(tag))
    }
}

fn digest(tag: &Tag) -> String {
    let (kind, first, second) = match tag {
        Tag::Subgraph(name) => ("subgraph", name, ""),
        Tag::Type(name) => ("type", name, ""),
        Tag::Entity(ty, key) => ("entity", ty, &**key),
        Tag::Named(name) => ("tag", name, ""),
    };
    // No name has a line feed in it, but for a tag, which is alone.
    hex(&Sha256::digest(format!("{kind}\n{first}\n{second}")))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
