//! Waiting for what comes by events: often asked, bounded.
use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Asks again and again until the answer is yes.
///
/// # Errors
/// It was still no after `patience`, or asking failed then.
pub async fn until<F, A>(patience: Duration, mut ask: F) -> Result<()>
where
    F: FnMut() -> A,
    A: Future<Output = Result<bool>>,
{
    let start = Instant::now();
    loop {
        let answer = ask().await;
        if matches!(answer, Ok(true)) {
            return Ok(());
        }
        if start.elapsed() > patience {
            answer?;
            bail!("it did not happen within {patience:?}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
