//! The sweep: whatever is still to be asked of the provider is asked, until every payment is settled.

use super::{App, AppError, waited};
use crate::{
    domain::{Payment, State, Step},
    ports::{Charge, ProviderError, Standing, StoreError},
};

/// How many payments one sweep takes on.
const AT_ONCE: usize = 100;

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settled {
    /// Payments moved on.
    pub moved: usize,
    /// Payments that must wait for the provider.
    pub waiting: usize,
}

impl App {
    /// Moves every open payment on as far as the provider lets it.
    ///
    /// A REQUESTED or UNKNOWN payment is left alone until it is older than `reconcile_after`: until then its approve is
    /// perhaps still running. The two pending states are taken up at once.
    pub async fn settle(&self) -> Result<Settled, AppError> {
        let mut settled = Settled::default();
        let now = self.clock.now_ms();
        for payment in self.payments.open(now, AT_ONCE).await? {
            match self.settle_one(payment).await {
                Ok(true) => settled.moved += 1,
                Ok(false) => settled.waiting += 1,
                Err(StoreError::Conflict) => settled.waiting += 1,
                Err(failed) => return Err(failed.into()),
            }
        }
        Ok(settled)
    }

    async fn settle_one(&self, payment: Payment) -> Result<bool, StoreError> {
        let order = payment.order.clone();
        let asked = tokio::time::timeout(self.patience.charge, self.ask(payment)).await;
        let step = match asked.unwrap_or_else(|_| Err(ProviderError("no answer in time".to_owned()))) {
            Ok(step) => step,
            Err(error) => {
                tracing::warn!(order = order.as_str(), %error, "payment stays open");
                None
            }
        };
        let Some((payment, events)) = step else { return Ok(false) };
        self.payments.commit(self.changes(payment, events, None)).await?;
        Ok(true)
    }

    async fn ask(&self, payment: Payment) -> Result<Option<Step>, ProviderError> {
        let now = self.clock.now_ms();
        let old_enough = waited(payment.state.entered_at(), now) >= self.patience.reconcile_after;
        let step = match &payment.state {
            State::Requested { .. } if old_enough => payment.lose("interrupted".to_owned(), now),
            State::Unknown { .. } if old_enough => return self.reconcile(payment).await,
            State::VoidPending { .. } => {
                self.provider.cancel(&payment.order).await?;
                payment.confirm_void(self.clock.now_ms())
            }
            State::RefundPending { reference, .. } => {
                self.provider.refund(&payment.order, reference, payment.amount).await?;
                payment.confirm_refund(self.clock.now_ms())
            }
            _ => return Ok(None),
        };
        Ok(step.ok())
    }

    /// UNKNOWN → APPROVED when the provider charged, else VOIDED, after making sure it never will.
    async fn reconcile(&self, payment: Payment) -> Result<Option<Step>, ProviderError> {
        let step = match self.provider.look_up(&payment.order).await? {
            Standing::InFlight => return Ok(None),
            Standing::Decided(Charge::Approved { reference }) => payment.approve(reference, self.clock.now_ms()),
            Standing::Decided(Charge::Declined { .. }) | Standing::Nothing => {
                self.provider.cancel(&payment.order).await?;
                payment.confirm_void(self.clock.now_ms())
            }
        };
        Ok(step.ok())
    }
}
