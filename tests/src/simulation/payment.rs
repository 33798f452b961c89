//! Payment's port in memory.
use std::collections::BTreeMap;

use async_trait::async_trait;
use baedal_events::PAYMENT_TOPIC;
use baedal_payment::domain::{CustomerId, Millis, OrderId, Payment, Status};
use baedal_payment::outbound::publish::envelope;
use baedal_payment::ports::{Changes, Payments, Position, StoreError};

use super::memory::{Data, Disk, Mail};
use crate::audit::{Ledger, PaymentRow};

/// What payment has on its disk.
#[derive(Default)]
pub struct PaymentData {
    mail: Mail,
    payments: BTreeMap<String, Payment>,
}

impl Data for PaymentData {
    fn mail(&mut self) -> &mut Mail {
        &mut self.mail
    }
}

/// Payment's store.
#[derive(Clone, Default)]
pub struct PaymentStore(pub Disk<PaymentData>);

impl PaymentStore {
    /// Writes what the audit reads.
    pub fn audit(&self, ledger: &mut Ledger) {
        self.0.look(|data| {
            ledger
                .payments
                .extend(data.payments.values().map(|payment| PaymentRow {
                    order_id: payment.order.as_str().to_owned(),
                    status: payment.state.status().name().to_owned(),
                    amount: payment.amount.get(),
                }));
            ledger
                .outbox
                .insert("payment", i64::try_from(data.mail.waiting()).unwrap_or(i64::MAX));
        });
    }
}

impl PaymentData {
    fn commit(&mut self, changes: Changes) -> Result<(), StoreError> {
        let seen = self.mail.seen(&changes.seen);
        if !seen.is_empty() {
            return Err(StoreError::Seen(seen));
        }
        let stale = |payment: &Payment| {
            let known = self.payments.get(payment.order.as_str());
            known.map_or(0, |known| known.version) != payment.version
        };
        if changes.payments.iter().any(stale) {
            return Err(StoreError::Conflict);
        }
        self.mail.remember(&changes.seen);
        let events: Vec<_> = changes.events.iter().map(envelope).collect();
        self.mail.put(PAYMENT_TOPIC, &events);
        for mut payment in changes.payments {
            payment.version += 1;
            self.payments.insert(payment.order.as_str().to_owned(), payment);
        }
        Ok(())
    }
}

#[async_trait]
impl Payments for PaymentStore {
    async fn find(&self, order: &OrderId) -> Result<Option<Payment>, StoreError> {
        Ok(self
            .0
            .read(|data| data.payments.get(order.as_str()).cloned())
            .await)
    }

    async fn find_many(&self, orders: &[OrderId]) -> Result<Vec<Payment>, StoreError> {
        let find = |data: &mut PaymentData| {
            let found = orders.iter().filter_map(|id| data.payments.get(id.as_str()));
            found.cloned().collect()
        };
        Ok(self.0.read(find).await)
    }

    async fn of_customer(
        &self,
        customer: &CustomerId,
        _: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Payment>, StoreError> {
        let find = |data: &mut PaymentData| {
            let payments = data.payments.values();
            let of = payments.filter(|payment| payment.customer.as_ref() == Some(customer));
            of.take(limit).cloned().collect()
        };
        Ok(self.0.read(find).await)
    }

    async fn open(&self, entered_before: Millis, limit: usize) -> Result<Vec<Payment>, StoreError> {
        let find = |data: &mut PaymentData| {
            let open = |payment: &&Payment| {
                let status = payment.state.status();
                let waits = [
                    Status::Requested,
                    Status::Unknown,
                    Status::VoidPending,
                    Status::RefundPending,
                ];
                waits.contains(&status) && payment.state.entered_at() <= entered_before
            };
            data.payments.values().filter(open).take(limit).cloned().collect()
        };
        Ok(self.0.read(find).await)
    }

    async fn commit(&self, changes: Changes) -> Result<(), StoreError> {
        self.0.commit(|data| data.commit(changes)).await
    }
}
