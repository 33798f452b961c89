//! Store's ports in memory.
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use baedal_events::STORE_TOPIC;
use baedal_kit::clock::{Clock, Ids};
use baedal_kit::envelope::Envelope;
use baedal_store::domain::{Store, StoreOrder};
use baedal_store::outbound::language::{Parties, Stamp, store_event, ticket_event};
use baedal_store::ports::{
    Board, BoardQuery, Filed, Sales, SaveError, StoreChange, StoreError, Stores, TicketBatch, TicketChange,
    Tickets, Versioned,
};
use uuid::Uuid;

use super::memory::{Data, Disk, Mail, SimClock, SimIds};
use crate::audit::Ledger;

/// What store has on its disk.
#[derive(Default)]
pub struct StoreData {
    mail: Mail,
    stores: BTreeMap<String, Versioned<Store>>,
    tickets: BTreeMap<String, Filed>,
    leader: Option<(String, i64)>,
}

impl Data for StoreData {
    fn mail(&mut self) -> &mut Mail {
        &mut self.mail
    }
}

/// Store's store.
#[derive(Clone)]
pub struct StoreStore {
    /// Its disk.
    pub disk: Disk<StoreData>,
    /// Ids of its events.
    pub ids: Arc<SimIds>,
}

impl StoreStore {
    /// Writes what the audit reads: what was received.
    pub fn audit(&self, ledger: &mut Ledger) {
        self.disk.look(|data| {
            let received = data
                .tickets
                .values()
                .filter(|filed| filed.order.received_at().is_some());
            let row = |filed: &Filed| (filed.order_id.clone(), filed.order.status().name().to_owned());
            ledger.tickets.extend(received.map(row));
            ledger
                .outbox
                .insert("store", i64::try_from(data.mail.waiting()).unwrap_or(i64::MAX));
        });
    }

    fn seal(&self, change: &TicketChange, time: i64) -> Vec<Envelope> {
        let order_id = change.order_id.as_str();
        let of = change.order.placed().map_or(
            Parties {
                order_id,
                store_id: "",
                customer_id: "",
                total: 0,
            },
            |placed| Parties {
                order_id,
                store_id: &placed.store_id,
                customer_id: &placed.customer_id,
                total: placed.total,
            },
        );
        let seal = |(number, (event, cause)): (u64, &(_, baedal_store::ports::Cause))| {
            let stamp = self.stamp(time, change.before + number);
            let mut envelope = ticket_event(of, baedal_store::domain::TicketEvent::clone(event), stamp);
            envelope.causation_id.clone_from(&cause.causation_id);
            envelope
        };
        (1..).zip(&change.events).map(seal).collect()
    }

    fn stamp(&self, time: i64, sequence: u64) -> Stamp {
        Stamp {
            id: self.ids.next(),
            time,
            sequence,
        }
    }
}

impl StoreData {
    fn save(&mut self, batch: TicketBatch, events: &[Envelope]) -> Result<(), SaveError> {
        let seen = self.mail.seen(&batch.handled);
        if !seen.is_empty() {
            let fresh: HashSet<Uuid> = batch
                .handled
                .into_iter()
                .filter(|id| !seen.contains(id))
                .collect();
            return Err(SaveError::Seen { fresh });
        }
        let version = |id: &String| self.tickets.get(id).map_or(0, |filed| filed.version);
        if batch
            .changes
            .iter()
            .any(|change| version(&change.order_id) != change.before)
        {
            return Err(SaveError::Conflict);
        }
        self.mail.remember(&batch.handled);
        self.mail.put(STORE_TOPIC, events);
        for change in batch.changes {
            let filed = Filed {
                version: change.after(),
                order_id: change.order_id.clone(),
                order: change.order,
                moved_at: batch.now,
                trace: change.trace.clone(),
            };
            self.tickets.insert(change.order_id, filed);
        }
        Ok(())
    }
}

#[async_trait]
impl Tickets for StoreStore {
    async fn find(&self, order_ids: &[String]) -> Result<Vec<Filed>, StoreError> {
        let find = |data: &mut StoreData| {
            let found = order_ids.iter().filter_map(|id| data.tickets.get(id));
            found.cloned().collect()
        };
        Ok(self.disk.read(find).await)
    }

    async fn advancing(&self, limit: usize) -> Result<Vec<Filed>, StoreError> {
        let advances = |filed: &&Filed| StoreOrder::status(&filed.order).advances();
        let find = |data: &mut StoreData| {
            data.tickets
                .values()
                .filter(advances)
                .take(limit)
                .cloned()
                .collect()
        };
        Ok(self.disk.read(find).await)
    }

    async fn save(&self, batch: TicketBatch) -> Result<(), SaveError> {
        let events: Vec<Envelope> = batch
            .changes
            .iter()
            .flat_map(|change| self.seal(change, batch.now))
            .collect();
        self.disk.commit(|data| data.save(batch, &events)).await
    }

    async fn lead(&self, owner: &str, now: i64, until: i64) -> Result<bool, StoreError> {
        let take = |data: &mut StoreData| {
            let free = data
                .leader
                .as_ref()
                .is_none_or(|(leader, end)| leader == owner || *end < now);
            if free {
                data.leader = Some((owner.to_owned(), until));
            }
            free
        };
        Ok(self.disk.read(take).await)
    }
}

#[async_trait]
impl Stores for StoreStore {
    async fn find(&self, ids: &[String]) -> Result<Vec<Versioned<Store>>, StoreError> {
        let find = |data: &mut StoreData| {
            let found = ids.iter().filter_map(|id| data.stores.get(id));
            found.cloned().collect()
        };
        Ok(self.disk.read(find).await)
    }

    async fn page(&self, _: Option<&str>, limit: usize) -> Result<Vec<Store>, StoreError> {
        let page = |data: &mut StoreData| {
            let stores = data.stores.values().take(limit);
            stores.map(|store| store.state.clone()).collect()
        };
        Ok(self.disk.read(page).await)
    }

    async fn save(&self, change: StoreChange) -> Result<(), SaveError> {
        let id = change.store.details().id.clone();
        let numbered = (1..).zip(change.events.iter().cloned());
        let events: Vec<Envelope> = numbered
            .map(|(number, event)| {
                store_event(&id, event, self.stamp(SimClock.now_ms(), change.before + number))
            })
            .collect();
        let save = |data: &mut StoreData| {
            if data.stores.get(&id).map_or(0, |store| store.version) != change.before {
                return Err(SaveError::Conflict);
            }
            data.mail.put(STORE_TOPIC, &events);
            let version = change.before + (events.len() as u64).max(1);
            let state = change.store;
            data.stores.insert(id.clone(), Versioned { state, version });
            Ok(())
        };
        self.disk.commit(save).await
    }
}

#[async_trait]
impl Board for StoreStore {
    async fn tickets(&self, _: BoardQuery) -> Result<Vec<Filed>, StoreError> {
        Ok(Vec::new())
    }

    async fn sales(&self, _: &str) -> Result<Sales, StoreError> {
        Ok(Sales::default())
    }
}
