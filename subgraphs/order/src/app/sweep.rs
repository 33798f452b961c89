//! The clock's commands: what has waited too long is moved on. Safe to run in every replica at once.

use super::{App, AppError};
use crate::{
    domain::Order,
    policies,
    ports::{StoreError, Wait},
};

/// How many orders one look takes on.
const AT_ONCE: usize = 100;

/// How many looks one sweep takes, so that it ends.
const LOOKS: usize = 50;

impl App {
    /// Fails attempts to pay that were left without an answer, and asks stores to give up what they did not accept in
    /// time. Returns how many orders it moved.
    pub async fn sweep(&self) -> Result<usize, AppError> {
        let mut moved = 0;
        for (status, since) in self.limits.deadlines(self.now()) {
            for _ in 0..LOOKS {
                let wait = Wait {
                    statuses: &[status],
                    since,
                    after: None,
                };
                let overdue = self.ports.orders.waiting(wait, AT_ONCE).await?;
                let found = overdue.len();
                for order in overdue {
                    moved += usize::from(self.move_on(order).await?);
                }
                if found < AT_ONCE {
                    break;
                }
            }
        }
        Ok(moved)
    }

    /// False when another writer was first: the next sweep looks again.
    async fn move_on(&self, order: Order) -> Result<bool, AppError> {
        match self.save(policies::overdue(order, self.now())?).await {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(failed) => Err(failed.into()),
        }
    }
}
