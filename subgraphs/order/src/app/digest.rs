//! Taking in what other contexts tell: a whole batch in one transaction, each event once.

use std::collections::{HashMap, HashSet};

use baedal_kit::failpoint;
use uuid::Uuid;

use super::{ATTEMPTS, App, let_the_first_land};
use crate::{
    domain::{Menu, MenuNews, Millis, News, Order, OrderId, StoreId},
    policies::Command,
    ports::{Changes, StoreError},
};

/// An event with what it makes order do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The event's id, for the inbox and as cause.
    pub event: Uuid,
    /// What it makes order do.
    pub command: Command,
}

/// The aggregates a batch is about, while it is being decided.
struct Desk {
    orders: HashMap<OrderId, (Order, bool)>,
    menus: HashMap<StoreId, Menu>,
    changes: Changes,
}

impl App {
    /// Digests a batch in one transaction; events digested before have no effect. Returns how many were new.
    pub async fn digest(&self, batch: &[Incoming]) -> Result<usize, StoreError> {
        let mut seen = HashSet::new();
        for _ in 0..ATTEMPTS {
            match self.digest_once(batch, seen.clone()).await {
                Err(StoreError::Seen(before)) => seen.extend(before),
                Err(StoreError::Conflict) => let_the_first_land().await,
                other => return other,
            }
        }
        Err(StoreError::Conflict)
    }

    async fn digest_once(&self, batch: &[Incoming], mut seen: HashSet<Uuid>) -> Result<usize, StoreError> {
        let fresh: Vec<&Incoming> = batch
            .iter()
            .filter(|incoming| seen.insert(incoming.event))
            .collect();
        if fresh.is_empty() {
            return Ok(0);
        }
        let mut desk = self.desk(&fresh).await?;
        for incoming in &fresh {
            self.digest_one(&mut desk, incoming);
        }
        let mut changes = desk.changes;
        changes.orders = desk
            .orders
            .into_values()
            .filter_map(|(order, changed)| changed.then_some(order))
            .collect();
        changes.menus = desk.menus.into_values().collect();
        self.ports.orders.commit(changes).await?;
        Ok(fresh.len())
    }

    async fn desk(&self, fresh: &[&Incoming]) -> Result<Desk, StoreError> {
        let mut ids: HashSet<&OrderId> = HashSet::new();
        let mut menus = HashMap::new();
        for incoming in fresh {
            match &incoming.command {
                Command::Hear { order, .. } => {
                    ids.insert(order);
                }
                Command::UpdateMenu { store, .. } if !menus.contains_key(store) => {
                    let known = self.ports.menus.menu(store).await?;
                    menus.insert(
                        store.clone(),
                        known.unwrap_or_else(|| Menu::unknown(store.clone())),
                    );
                }
                Command::UpdateMenu { .. } | Command::LearnCoupon(_) => {}
            }
        }
        let ids: Vec<OrderId> = ids.into_iter().cloned().collect();
        let orders = if ids.is_empty() {
            vec![]
        } else {
            self.ports.orders.find_many(&ids).await?
        };
        let orders = orders
            .into_iter()
            .map(|order| (order.id.clone(), (order, false)))
            .collect();
        let seen = fresh.iter().map(|incoming| incoming.event).collect();
        Ok(Desk {
            orders,
            menus,
            changes: Changes {
                seen,
                ..Changes::default()
            },
        })
    }

    fn digest_one(&self, desk: &mut Desk, incoming: &Incoming) {
        match incoming.command.clone() {
            Command::Hear { order, news, at } => self.hear(desk, order, (news, at), incoming.event),
            Command::UpdateMenu { store, news } => update_menu(desk, store, news),
            Command::LearnCoupon(coupon) => desk.changes.coupons.push(coupon),
        }
    }

    fn hear(&self, desk: &mut Desk, id: OrderId, (news, at): (News, Millis), cause: Uuid) {
        let Some((order, changed)) = desk.orders.remove(&id) else {
            tracing::warn!(
                order = id.as_str(),
                ?news,
                "news of an order that is not on record"
            );
            return;
        };
        let before = order.clone();
        let (mut order, events) = order.hear(news, at);
        if failpoint::sabotaged("park") {
            order.parked.clear();
        }
        desk.changes
            .events
            .extend(self.record(&mut order, events, Some(cause)));
        let changed = changed || order != before;
        desk.orders.insert(id, (order, changed));
    }
}

fn update_menu(desk: &mut Desk, store: StoreId, news: MenuNews) {
    let menu = desk
        .menus
        .remove(&store)
        .unwrap_or_else(|| Menu::unknown(store.clone()));
    desk.menus.insert(store, menu.hear(news));
}
