//! The ledger audit: what must be true of a platform at rest, read from the stores themselves.
//!
//! Orders PLACED or later and payments APPROVED match one to one with equal amounts; a cancelled paid order
//! has its refund; no ticket without both; every delivery earned its points, coupon and feed item once; feeds
//! have no gap; outboxes are empty; every acknowledged order exists.
mod documents;
mod ledger;
mod rules;
mod tables;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use baedal::settings::Settings;

pub use ledger::{Ledger, OrderRow, PaymentRow};
pub use rules::problems;

/// How long a recovered platform may take until nothing is under way (reliability: outboxes empty within 10 s).
pub const SETTLED: Duration = Duration::from_secs(10);

/// Waits until the platform is at rest, then demands that nothing is wrong.
///
/// # Errors
/// What is still wrong after `patience`.
pub async fn audit(settings: &Settings, acknowledged: &[String], patience: Duration) -> Result<Ledger> {
    let start = Instant::now();
    loop {
        let ledger = Ledger::read(settings).await?;
        let found = problems(&ledger, acknowledged);
        if found.is_empty() {
            return Ok(ledger);
        }
        if start.elapsed() > patience {
            bail!(
                "the ledger audit found {} problems after {patience:?}:\n{}",
                found.len(),
                found[..found.len().min(20)].join("\n")
            );
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
