//! Order's ports in memory.
use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use baedal_events::ORDER_TOPIC;
use baedal_order::domain::{Coupon, CouponId, CustomerId, IdempotencyKey, Menu, Order, OrderId, StoreId};
use baedal_order::outbound::publish::envelopes;
use baedal_order::ports::{Changes, Coupons, Menus, Orders, Position, StoreError, Wait};

use super::memory::{Data, Disk, Mail};
use crate::audit::{Ledger, OrderRow};

/// What order has on its disk.
#[derive(Default)]
pub struct OrderData {
    mail: Mail,
    orders: BTreeMap<String, Order>,
    menus: BTreeMap<String, Menu>,
    coupons: BTreeMap<String, Coupon>,
    holds: BTreeMap<String, String>,
}

impl Data for OrderData {
    fn mail(&mut self) -> &mut Mail {
        &mut self.mail
    }
}

/// Order's store.
#[derive(Clone, Default)]
pub struct OrderStore(pub Disk<OrderData>);

impl OrderStore {
    /// Writes what the audit reads.
    pub fn audit(&self, ledger: &mut Ledger) {
        self.0.look(|data| {
            ledger.orders.extend(data.orders.values().map(|order| OrderRow {
                id: order.id.as_str().to_owned(),
                status: order.state.status().name().to_owned(),
                total: order.total.get(),
            }));
            ledger
                .outbox
                .insert("order", i64::try_from(data.mail.waiting()).unwrap_or(i64::MAX));
        });
    }

    /// The customer's key of each order.
    pub fn keys(&self) -> HashMap<String, String> {
        let name = |order: &Order| format!("{} {}", order.customer.as_str(), order.key.as_str());
        self.0.look(|data| {
            data.orders
                .iter()
                .map(|(id, order)| (id.clone(), name(order)))
                .collect()
        })
    }
}

impl OrderData {
    fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        let seen = self.mail.seen(&changes.seen);
        if !seen.is_empty() {
            return Err(StoreError::Seen(seen));
        }
        self.check(&changes)?;
        self.mail.remember(&changes.seen);
        self.mail.put(ORDER_TOPIC, &envelopes(&changes.events));
        for mut order in changes.orders {
            let id = order.id.as_str().to_owned();
            if let Some(coupon) = &order.coupon {
                match order.holds_coupon() {
                    true => drop(self.holds.insert(coupon.as_str().to_owned(), id.clone())),
                    false => self.holds.retain(|held, by| held != coupon.as_str() || *by != id),
                }
            }
            order.version += 1;
            self.orders.insert(id, order);
        }
        for mut menu in changes.menus {
            menu.version += 1;
            self.menus.insert(menu.store.as_str().to_owned(), menu);
        }
        for coupon in changes.coupons {
            self.coupons.insert(coupon.id.as_str().to_owned(), coupon);
        }
        Ok(())
    }

    /// Nothing was written meanwhile by another.
    fn check(&self, changes: &Changes) -> Result<(), StoreError> {
        for order in &changes.orders {
            let version = self
                .orders
                .get(order.id.as_str())
                .map_or(0, |known| known.version);
            let same_key = |known: &Order| known.customer == order.customer && known.key == order.key;
            let taken = order.version == 0 && self.orders.values().any(same_key);
            if version != order.version || taken {
                return Err(StoreError::Conflict);
            }
            let held = order
                .coupon
                .as_ref()
                .and_then(|coupon| self.holds.get(coupon.as_str()));
            if order.version == 0 && held.is_some() {
                return Err(StoreError::CouponTaken);
            }
        }
        let stale = |menu: &Menu| {
            self.menus
                .get(menu.store.as_str())
                .map_or(0, |known| known.version)
                != menu.version
        };
        match changes.menus.iter().any(stale) {
            true => Err(StoreError::Conflict),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Orders for OrderStore {
    async fn find(&self, order: &OrderId) -> Result<Option<Order>, StoreError> {
        Ok(self.0.read(|data| data.orders.get(order.as_str()).cloned()).await)
    }

    async fn find_many(&self, orders: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        let find = |data: &mut OrderData| {
            let found = orders.iter().filter_map(|id| data.orders.get(id.as_str()));
            found.cloned().collect()
        };
        Ok(self.0.read(find).await)
    }

    async fn by_key(&self, customer: &CustomerId, key: &IdempotencyKey) -> Result<Option<Order>, StoreError> {
        let find = |data: &mut OrderData| {
            let mut orders = data.orders.values();
            orders
                .find(|order| order.customer == *customer && order.key == *key)
                .cloned()
        };
        Ok(self.0.read(find).await)
    }

    async fn of_customer(
        &self,
        customer: &CustomerId,
        _: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Order>, StoreError> {
        let find = |data: &mut OrderData| {
            let orders = data.orders.values().filter(|order| order.customer == *customer);
            orders.take(limit).cloned().collect()
        };
        Ok(self.0.read(find).await)
    }

    async fn waiting(&self, wait: Wait<'_>, limit: usize) -> Result<Vec<Order>, StoreError> {
        let find = |data: &mut OrderData| {
            let waits = |order: &&Order| {
                wait.statuses.contains(&order.state.status()) && order.state.entered_at() < wait.since
            };
            data.orders.values().filter(waits).take(limit).cloned().collect()
        };
        Ok(self.0.read(find).await)
    }

    async fn commit(&self, changes: Changes) -> Result<(), StoreError> {
        self.0.commit(|data| data.commit(changes)).await
    }
}

#[async_trait]
impl Menus for OrderStore {
    async fn menu(&self, store: &StoreId) -> Result<Option<Menu>, StoreError> {
        Ok(self.0.read(|data| data.menus.get(store.as_str()).cloned()).await)
    }
}

#[async_trait]
impl Coupons for OrderStore {
    async fn free_coupon(&self, coupon: &CouponId) -> Result<Option<Coupon>, StoreError> {
        let find = |data: &mut OrderData| {
            let free = !data.holds.contains_key(coupon.as_str());
            data.coupons.get(coupon.as_str()).filter(|_| free).cloned()
        };
        Ok(self.0.read(find).await)
    }
}
