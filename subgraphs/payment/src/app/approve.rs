//! approve(orderId, amount): the one synchronous command.
//!
//! REQUESTED is committed before the provider is asked, so whatever dies in between is found by the sweep; the provider
//! is asked outside any transaction; the answer is committed before the caller hears it.

use std::time::Duration;

use baedal_kit::failpoint;
use tokio::time::{Instant, timeout_at};

use super::{ATTEMPTS, App, AppError};
use crate::{
    domain::{CustomerId, InvalidTransition, OrderId, Payment, Status, Step, Won},
    ports::{Charge, StoreError},
};

/// How often a repeated approve looks whether the first one has been answered.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approve {
    /// What is paid for; also the idempotency key.
    pub order: OrderId,
    /// Who pays.
    pub customer: CustomerId,
    /// How much.
    pub amount: Won,
}

enum Outcome {
    Answered(Charge),
    Lost(String),
}

impl App {
    /// Charges the order once and says where its payment stands then, within `patience` (the caller's deadline).
    /// A repetition with the same terms gives the same answer and charges nothing.
    pub async fn approve(&self, command: Approve, patience: Option<Duration>) -> Result<Payment, AppError> {
        let deadline = Instant::now() + patience.unwrap_or(self.patience.charge).min(self.patience.charge);
        let asked = Payment::requested(
            command.order.clone(),
            command.customer.clone(),
            command.amount,
            self.clock.now_ms(),
        );
        match self
            .payments
            .commit(self.changes(asked.clone(), vec![], None))
            .await
        {
            Ok(()) => {
                failpoint::hit("payment.before_charge");
                let charged = self.charge(Payment { version: 1, ..asked }, deadline).await;
                failpoint::hit("payment.before_reply");
                charged
            }
            Err(StoreError::Conflict) => self.repeated(&command, deadline).await,
            Err(failed) => Err(failed.into()),
        }
    }

    async fn charge(&self, asked: Payment, deadline: Instant) -> Result<Payment, AppError> {
        let outcome = match timeout_at(deadline, self.provider.charge(&asked.order, asked.amount)).await {
            Ok(Ok(charge)) => Outcome::Answered(charge),
            Ok(Err(error)) => Outcome::Lost(error.0),
            Err(_) => Outcome::Lost("the provider did not answer in time".to_owned()),
        };
        failpoint::hit("payment.after_charge");
        self.conclude(asked, outcome).await
    }

    /// Commits the provider's answer, unless the attempt was given up meanwhile: then the void stands.
    async fn conclude(&self, asked: Payment, outcome: Outcome) -> Result<Payment, AppError> {
        let mut found = asked;
        for _ in 0..ATTEMPTS {
            if found.state.status() != Status::Requested {
                return Ok(found);
            }
            let order = found.order.clone();
            let (payment, events) = self.apply(found, &outcome)?;
            match self
                .payments
                .commit(self.changes(payment.clone(), events, None))
                .await
            {
                Ok(()) => return Ok(payment),
                Err(StoreError::Conflict) => found = self.get(&order).await?,
                Err(failed) => return Err(failed.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    fn apply(&self, payment: Payment, outcome: &Outcome) -> Result<Step, InvalidTransition> {
        let now = self.clock.now_ms();
        match outcome {
            Outcome::Answered(Charge::Approved { reference }) => payment.approve(reference.clone(), now),
            Outcome::Answered(Charge::Declined { reason }) => payment.decline(reason.clone(), now),
            Outcome::Lost(reason) => payment.lose(reason.clone(), now),
        }
    }

    async fn repeated(&self, command: &Approve, deadline: Instant) -> Result<Payment, AppError> {
        loop {
            let payment = self.get(&command.order).await?;
            if !payment.same_terms(&command.customer, command.amount) {
                return Err(AppError::OtherTerms(command.order.as_str().to_owned()));
            }
            if payment.state.status() != Status::Requested || Instant::now() + LOOK_EVERY >= deadline {
                return Ok(payment);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
