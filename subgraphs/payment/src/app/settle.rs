//! The sweep: whatever is still to be asked of the provider is asked, until every payment is settled.

use std::time::Duration;

use futures_util::{StreamExt, stream};

use super::{App, AppError, waited};
use crate::{
    domain::{Millis, Payment, State, Step},
    ports::{Changes, Charge, ProviderError, Standing, StoreError},
};

/// How many payments one look takes on.
const AT_ONCE: usize = 200;

/// How many of them are asked for at the same time.
const ASKED_AT_ONCE: usize = 32;

/// How many looks one sweep takes, so that it ends.
const LOOKS: usize = 20;

/// How long the provider may take for one of them; the sweep comes again.
const ANSWER: Duration = Duration::from_secs(2);

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settled {
    /// Payments moved on.
    pub moved: usize,
    /// Payments that must wait, for the provider or until they are old enough.
    pub waiting: usize,
}

impl App {
    /// Moves every open payment on as far as the provider lets it.
    ///
    /// A REQUESTED or UNKNOWN payment is left alone until it is older than `reconcile_after`: until then its approve is
    /// perhaps still running. The two pending states are taken up at once.
    pub async fn settle(&self) -> Result<Settled, AppError> {
        let mut settled = Settled::default();
        for _ in 0..LOOKS {
            let open = self.payments.open(Millis::MAX, AT_ONCE).await?;
            let found = open.len();
            let asked = stream::iter(open)
                .map(|payment| self.ask_in_time(payment))
                .buffer_unordered(ASKED_AT_ONCE);
            let answers: Vec<Option<Step>> = asked.collect().await;
            let steps = answers.into_iter().flatten().collect();
            let moved = self.commit_steps(steps).await?;
            settled = Settled {
                moved: settled.moved + moved,
                waiting: found - moved,
            };
            if moved < AT_ONCE {
                break;
            }
        }
        Ok(settled)
    }

    /// All in one transaction; one by one when another writer was first with some of them.
    async fn commit_steps(&self, steps: Vec<Step>) -> Result<usize, StoreError> {
        let mut all = Changes::default();
        for (payment, events) in &steps {
            let one = self.changes(payment.clone(), events.clone(), None);
            all.payments.extend(one.payments);
            all.events.extend(one.events);
        }
        match self.payments.commit(all).await {
            Ok(()) => return Ok(steps.len()),
            Err(StoreError::Conflict) => {}
            Err(failed) => return Err(failed),
        }
        let mut moved = 0;
        for (payment, events) in steps {
            match self.payments.commit(self.changes(payment, events, None)).await {
                Ok(()) => moved += 1,
                Err(StoreError::Conflict) => {}
                Err(failed) => return Err(failed),
            }
        }
        Ok(moved)
    }

    async fn ask_in_time(&self, payment: Payment) -> Option<Step> {
        let order = payment.order.clone();
        let asked = tokio::time::timeout(ANSWER, self.ask(payment)).await;
        match asked.unwrap_or_else(|_| Err(ProviderError("no answer in time".to_owned()))) {
            Ok(step) => step,
            Err(error) => {
                tracing::warn!(order = order.as_str(), %error, "payment stays open");
                None
            }
        }
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
                self.provider
                    .refund(&payment.order, reference, payment.amount)
                    .await?;
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
            Standing::Decided(Charge::Approved { reference }) => {
                payment.approve(reference, self.clock.now_ms())
            }
            Standing::Decided(Charge::Declined { .. }) | Standing::Nothing => {
                self.provider.cancel(&payment.order).await?;
                payment.confirm_void(self.clock.now_ms())
            }
        };
        Ok(step.ok())
    }
}
