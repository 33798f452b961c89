//! Marketing's ports in memory.
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use baedal_events::MARKETING_TOPIC;
use baedal_kit::envelope::Envelope;
use baedal_marketing::domain::{Benefit, Coupon, Entry, FeedItem, Member};
use baedal_marketing::outbound::language::envelopes;
use baedal_marketing::ports::{Books, BooksError, Decisions, Feeds, Head, SaveError, Tracked, Views};
use uuid::Uuid;

use super::memory::{Data, Disk, Mail, SimIds};
use crate::audit::Ledger;

/// Aggregates of one kind with their versions.
type Versions<T> = BTreeMap<String, (T, u64)>;

/// What marketing has on its disk. It has no unique keys: what is written twice stands twice, for the audit to see.
#[derive(Default)]
pub struct MarketingData {
    mail: Mail,
    benefits: Versions<Benefit>,
    coupons: Versions<Coupon>,
    members: Versions<Member>,
    entries: Vec<(String, Entry)>,
    feed: Vec<FeedItem>,
}

impl Data for MarketingData {
    fn mail(&mut self) -> &mut Mail {
        &mut self.mail
    }
}

/// Marketing's store.
#[derive(Clone)]
pub struct MarketingStore {
    /// Its disk.
    pub disk: Disk<MarketingData>,
    /// Ids of its events.
    pub ids: Arc<SimIds>,
}

impl MarketingStore {
    /// Writes what the audit reads.
    pub fn audit(&self, ledger: &mut Ledger) {
        self.disk.look(|data| {
            ledger
                .coupons
                .extend(data.coupons.values().map(|(coupon, _)| coupon.issued_for.clone()));
            let line = |(_, entry): &(String, Entry)| {
                (entry.order_id.clone(), entry.kind.name().to_owned(), entry.points)
            };
            ledger.points.extend(data.entries.iter().map(line));
            let item = |item: &FeedItem| {
                let sequence = i64::try_from(item.sequence).unwrap_or(i64::MAX);
                (item.customer_id.clone(), sequence, item.order_id.clone())
            };
            ledger.feed.extend(data.feed.iter().map(item));
            ledger.outbox.insert(
                "marketing",
                i64::try_from(data.mail.waiting()).unwrap_or(i64::MAX),
            );
        });
    }
}

fn known<T: Clone>(of: &Versions<T>, keys: &[String]) -> Vec<(String, Tracked<T>)> {
    let tracked = |key: &String| {
        let (state, version) = of.get(key)?;
        Some((key.clone(), Tracked::loaded(state.clone(), *version)))
    };
    keys.iter().filter_map(tracked).collect()
}

fn stale<T>(of: &Versions<T>, key: &str, one: &Tracked<impl Sized>) -> bool {
    of.get(key).map_or(0, |(_, version)| *version) != one.before
}

impl MarketingData {
    fn save(&mut self, decisions: Decisions, events: &[Envelope]) -> Result<(), SaveError> {
        let seen = self.mail.seen(&decisions.handled);
        if !seen.is_empty() {
            let fresh: HashSet<Uuid> = decisions
                .handled
                .into_iter()
                .filter(|id| !seen.contains(id))
                .collect();
            return Err(SaveError::Seen { fresh });
        }
        let conflict = decisions
            .benefits
            .iter()
            .any(|(id, one)| stale(&self.benefits, id, one))
            || decisions
                .coupons
                .iter()
                .any(|one| stale(&self.coupons, &one.state.id, one))
            || decisions
                .members
                .iter()
                .any(|one| stale(&self.members, one.state.customer_id(), one));
        if conflict {
            return Err(SaveError::Conflict);
        }
        self.mail.remember(&decisions.handled);
        self.mail.put(MARKETING_TOPIC, events);
        for (id, one) in decisions.benefits {
            let version = one.after();
            self.benefits.insert(id, (one.state, version));
        }
        for one in decisions.coupons {
            let version = one.after();
            self.coupons.insert(one.state.id.clone(), (one.state, version));
        }
        for one in decisions.members {
            let version = one.after();
            self.members
                .insert(one.state.customer_id().to_owned(), (one.state, version));
        }
        self.entries.extend(decisions.entries);
        self.feed.extend(decisions.feed);
        Ok(())
    }
}

#[async_trait]
impl Books for MarketingStore {
    async fn benefits(&self, order_ids: &[String]) -> Result<Vec<(String, Tracked<Benefit>)>, BooksError> {
        Ok(self.disk.read(|data| known(&data.benefits, order_ids)).await)
    }

    async fn coupons(&self, ids: &[String]) -> Result<Vec<Tracked<Coupon>>, BooksError> {
        let found = self.disk.read(|data| known(&data.coupons, ids)).await;
        Ok(found.into_iter().map(|(_, one)| one).collect())
    }

    async fn members(&self, customer_ids: &[String]) -> Result<Vec<Tracked<Member>>, BooksError> {
        let found = self.disk.read(|data| known(&data.members, customer_ids)).await;
        Ok(found.into_iter().map(|(_, one)| one).collect())
    }

    async fn overdue(&self, _: i64, _: usize) -> Result<Vec<Tracked<Coupon>>, BooksError> {
        Ok(Vec::new())
    }

    async fn save(&self, decisions: Decisions) -> Result<(), SaveError> {
        let events = envelopes(&decisions, self.ids.as_ref());
        self.disk.commit(|data| data.save(decisions, &events)).await
    }
}

#[async_trait]
impl Feeds for MarketingStore {
    async fn items_after(&self, _: &str, _: u64, _: usize) -> Result<Vec<FeedItem>, BooksError> {
        Ok(Vec::new())
    }

    async fn heads(&self, _: &[String]) -> Result<Vec<Head>, BooksError> {
        Ok(Vec::new())
    }

    async fn changed_after(&self, _: (i64, String), _: usize) -> Result<Vec<Head>, BooksError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Views for MarketingStore {
    async fn coupons_of(
        &self,
        _: &str,
        _: Option<(i64, String)>,
        _: usize,
    ) -> Result<Vec<Coupon>, BooksError> {
        Ok(Vec::new())
    }

    async fn entries_of(&self, _: &str, _: Option<u64>, _: usize) -> Result<Vec<Entry>, BooksError> {
        Ok(Vec::new())
    }
}
