//! The store's use cases, one method per command: load → decide → save.
//!
//! Ownership is decided here: to everybody but its owner, a store or ticket answers as if it did not exist.

pub mod auto;

use crate::domain::{Decided, Refused, Store, StoreEvent, StoreOrder, TicketEvent};
use crate::policies::{Fact, whenever};
use crate::ports::{
    Board, Cause, Filed, SaveError, StoreChange, StoreError, Stores, TicketBatch, TicketChange, Tickets,
    Versioned,
};
use baedal_kit::clock::{Clock, Ids};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tokio::sync::Notify;
use uuid::Uuid;

/// How often a decision is taken anew because somebody else changed the state meanwhile.
const MAX_TRIES: usize = 10;

/// Why a command had no effect.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// It does not exist, or not for this caller.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The domain refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Others kept changing it; worth trying again.
    #[error("too busy: others are changing it at the same time, try again")]
    Busy,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An event of another service about one order.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Id of the event.
    pub id: Uuid,
    /// Which order.
    pub order_id: String,
    /// What it tells.
    pub fact: Fact,
    /// What to write into the events it leads to.
    pub cause: Cause,
}

/// The use cases, over the ports.
pub struct App {
    /// The stores.
    pub stores: Arc<dyn Stores>,
    /// The tickets.
    pub tickets: Arc<dyn Tickets>,
    /// The owner's views.
    pub board: Arc<dyn Board>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// Told whenever tickets may have been received, so that `auto` mode looks at once.
    pub received: Notify,
}

impl App {
    /// Over one adapter that is all the ports.
    pub fn new<A>(adapter: Arc<A>, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> App
    where
        A: Stores + Tickets + Board + 'static,
    {
        let (stores, tickets): (Arc<dyn Stores>, Arc<dyn Tickets>) = (adapter.clone(), adapter.clone());
        App {
            stores,
            tickets,
            board: adapter,
            clock,
            ids,
            received: Notify::new(),
        }
    }

    /// openStore: founds a store, or opens the caller's closed one again.
    pub async fn open_store(&self, owner: &str, id: Option<&str>, name: &str) -> Result<Store, AppError> {
        match id {
            Some(id) => self.change_store(owner, id, |store| store.open(name)).await,
            None => {
                let id = format!("store-{}", self.ids.next());
                self.found_store(owner, id, |store| Ok((store, Vec::new())), name)
                    .await
            }
        }
    }

    /// closeStore.
    pub async fn close_store(&self, owner: &str, id: &str) -> Result<Store, AppError> {
        self.change_store(owner, id, Store::close).await
    }

    /// setMenuItem; without an item id the item is new.
    pub async fn set_menu_item(&self, owner: &str, id: &str, item: NewItem) -> Result<Store, AppError> {
        let item_id = item
            .id
            .clone()
            .unwrap_or_else(|| format!("item-{}", self.ids.next()));
        self.change_store(owner, id, |store| {
            store.set_menu_item(&item_id, &item.name, item.price)
        })
        .await
    }

    /// markSoldOut.
    pub async fn mark_sold_out(&self, owner: &str, id: &str, item_id: &str) -> Result<Store, AppError> {
        self.change_store(owner, id, |store| store.mark_sold_out(item_id))
            .await
    }

    /// acceptOrder.
    pub async fn accept_order(&self, owner: &str, order_id: &str, eta: u32) -> Result<Filed, AppError> {
        self.move_ticket(owner, order_id, |order| order.accept(eta)).await
    }

    /// rejectOrder.
    pub async fn reject_order(&self, owner: &str, order_id: &str, reason: &str) -> Result<Filed, AppError> {
        self.move_ticket(owner, order_id, |order| order.reject(reason))
            .await
    }

    /// startCooking.
    pub async fn start_cooking(&self, owner: &str, order_id: &str) -> Result<Filed, AppError> {
        self.move_ticket(owner, order_id, StoreOrder::start_cooking).await
    }

    /// finishCooking.
    pub async fn finish_cooking(&self, owner: &str, order_id: &str) -> Result<Filed, AppError> {
        self.move_ticket(owner, order_id, StoreOrder::finish_cooking)
            .await
    }

    /// startDelivery.
    pub async fn start_delivery(&self, owner: &str, order_id: &str) -> Result<Filed, AppError> {
        self.move_ticket(owner, order_id, StoreOrder::start_delivery)
            .await
    }

    /// completeDelivery.
    pub async fn complete_delivery(&self, owner: &str, order_id: &str) -> Result<Filed, AppError> {
        self.move_ticket(owner, order_id, StoreOrder::complete_delivery)
            .await
    }

    /// Founds a store under a given id with a first menu, unless the id is taken already.
    pub async fn seed_store(&self, owner: &str, id: &str, seed: Seed<'_>) -> Result<(), AppError> {
        if !self.stores.find(&[id.to_owned()]).await?.is_empty() {
            return Ok(());
        }
        let menu = |store: Store| {
            seed.menu
                .iter()
                .try_fold((store, Vec::new()), |(store, mut events), (item, name, price)| {
                    let (store, more) = store.set_menu_item(item, name, *price)?;
                    events.extend(more);
                    Ok((store, events))
                })
        };
        match self.found_store(owner, id.to_owned(), menu, seed.name).await {
            Ok(_) | Err(AppError::Busy) => Ok(()), // another replica was first
            Err(error) => Err(error),
        }
    }

    /// Whether the store exists and is this caller's.
    pub async fn owned_store(&self, owner: &str, id: &str) -> Result<Versioned<Store>, AppError> {
        let found = self.stores.find(&[id.to_owned()]).await?.pop();
        found
            .filter(|found| found.state.details().owner_id == owner)
            .ok_or(AppError::NotFound("store"))
    }

    /// Policies: takes facts of other services in, each once, all or none.
    pub async fn take_in(&self, incoming: &[Incoming]) -> Result<(), AppError> {
        let mut seen = HashSet::new();
        let mut fresh: Vec<&Incoming> = incoming.iter().filter(|one| seen.insert(one.id)).collect();
        for _ in 0..MAX_TRIES {
            if fresh.is_empty() {
                return Ok(());
            }
            let batch = self.decide(&fresh).await?;
            match self.tickets.save(batch).await {
                Ok(()) => {
                    self.received.notify_one();
                    return Ok(());
                }
                Err(SaveError::Seen { fresh: ids }) => fresh.retain(|one| ids.contains(&one.id)),
                Err(SaveError::Conflict) => {}
                Err(SaveError::Store(error)) => return Err(error.into()),
            }
        }
        Err(AppError::Busy)
    }

    async fn decide(&self, incoming: &[&Incoming]) -> Result<TicketBatch, StoreError> {
        let now = self.clock.now_ms();
        let mut ids: Vec<String> = incoming.iter().map(|one| one.order_id.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        let known = self.tickets.find(&ids).await?;
        let known: HashMap<&str, &Filed> = known
            .iter()
            .map(|filed| (filed.order_id.as_str(), filed))
            .collect();
        let mut changes: HashMap<&str, TicketChange> = HashMap::new();
        for one in incoming {
            let id = one.order_id.as_str();
            let change = changes
                .entry(id)
                .or_insert_with(|| begin(id, known.get(id).copied()));
            let (order, events) = whenever(one.fact.clone(), std::mem::take(&mut change.order), now);
            change.order = order;
            if change.trace.is_none() {
                change.trace.clone_from(&one.cause.traceparent);
            }
            change
                .events
                .extend(events.into_iter().map(|event| (event, one.cause.clone())));
        }
        let moved = |change: &TicketChange| {
            let before = known.get(change.order_id.as_str());
            !change.events.is_empty() || before.is_none_or(|filed| filed.order != change.order)
        };
        // In the order of the ids, so that two replicas lock rows in the same order.
        let changes = ids
            .iter()
            .filter_map(|id| changes.remove(id.as_str()))
            .filter(moved)
            .collect();
        Ok(TicketBatch {
            changes,
            handled: incoming.iter().map(|one| one.id).collect(),
            now,
        })
    }

    async fn found_store(
        &self,
        owner: &str,
        id: String,
        then: impl Fn(Store) -> Decided<Store, StoreEvent>,
        name: &str,
    ) -> Result<Store, AppError> {
        let (store, mut events) = Store::found(id, owner.to_owned(), name)?;
        let (store, more) = then(store)?;
        events.extend(more);
        match self
            .stores
            .save(StoreChange {
                before: 0,
                store: store.clone(),
                events,
            })
            .await
        {
            Ok(()) => Ok(store),
            Err(SaveError::Store(error)) => Err(error.into()),
            Err(SaveError::Conflict | SaveError::Seen { .. }) => Err(AppError::Busy),
        }
    }

    async fn change_store(
        &self,
        owner: &str,
        id: &str,
        decide: impl Fn(Store) -> Decided<Store, StoreEvent>,
    ) -> Result<Store, AppError> {
        for _ in 0..MAX_TRIES {
            let found = self.owned_store(owner, id).await?;
            let (store, events) = decide(found.state)?;
            if events.is_empty() {
                return Ok(store);
            }
            match self
                .stores
                .save(StoreChange {
                    before: found.version,
                    store: store.clone(),
                    events,
                })
                .await
            {
                Ok(()) => return Ok(store),
                Err(SaveError::Store(error)) => return Err(error.into()),
                Err(SaveError::Conflict | SaveError::Seen { .. }) => {}
            }
        }
        Err(AppError::Busy)
    }

    async fn move_ticket(
        &self,
        owner: &str,
        order_id: &str,
        decide: impl Fn(StoreOrder) -> Decided<StoreOrder, TicketEvent>,
    ) -> Result<Filed, AppError> {
        for _ in 0..MAX_TRIES {
            let filed = self.owned_ticket(owner, order_id).await?;
            let (order, events) = decide(filed.order)?;
            let events = events
                .into_iter()
                .map(|event| (event, Cause::default()))
                .collect();
            let now = self.clock.now_ms();
            let change = TicketChange {
                order_id: order_id.to_owned(),
                before: filed.version,
                order: order.clone(),
                events,
                trace: filed.trace.clone(),
            };
            let version = change.after();
            match self
                .tickets
                .save(TicketBatch {
                    changes: vec![change],
                    handled: Vec::new(),
                    now,
                })
                .await
            {
                Ok(()) => {
                    return Ok(Filed {
                        order_id: order_id.to_owned(),
                        order,
                        version,
                        moved_at: now,
                        trace: filed.trace,
                    });
                }
                Err(SaveError::Store(error)) => return Err(error.into()),
                Err(SaveError::Conflict | SaveError::Seen { .. }) => {}
            }
        }
        Err(AppError::Busy)
    }

    async fn owned_ticket(&self, owner: &str, order_id: &str) -> Result<Filed, AppError> {
        let filed = self
            .tickets
            .find(&[order_id.to_owned()])
            .await?
            .pop()
            .ok_or(AppError::NotFound("order"))?;
        let placed = filed.order.placed().ok_or(AppError::NotFound("order"))?;
        match self.owned_store(owner, &placed.store_id).await {
            Err(AppError::NotFound(_)) => Err(AppError::NotFound("order")),
            Err(error) => Err(error),
            Ok(_) if filed.order.received_at().is_none() => Err(AppError::NotFound("order")),
            Ok(_) => Ok(filed),
        }
    }
}

/// What setMenuItem asks for.
#[derive(Clone, Debug)]
pub struct NewItem {
    /// Which item; none for a new one.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its price in KRW.
    pub price: i64,
}

/// A store of the demo.
#[derive(Clone, Copy, Debug)]
pub struct Seed<'a> {
    /// Its name.
    pub name: &'a str,
    /// Item id, name and price.
    pub menu: &'a [(&'a str, &'a str, i64)],
}

impl TicketChange {
    /// The version after the save: one more per event, so that each event has a number of its own.
    pub fn after(&self) -> u64 {
        self.before + (self.events.len() as u64).max(1)
    }
}

fn begin(order_id: &str, known: Option<&Filed>) -> TicketChange {
    let (before, order) = known.map_or_else(Default::default, |filed| (filed.version, filed.order.clone()));
    TicketChange {
        order_id: order_id.to_owned(),
        before,
        order,
        events: Vec::new(),
        trace: known.and_then(|filed| filed.trace.clone()),
    }
}
