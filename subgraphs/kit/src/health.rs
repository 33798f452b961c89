//! Readiness: named checks, each with a reason when it fails.

use futures_util::future::{BoxFuture, join_all};
use serde::Serialize;
use std::{sync::Arc, time::Duration};

/// How long one check may take before it counts as failed.
const CHECK_DEADLINE: Duration = Duration::from_secs(2);

type CheckFn = dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync;

/// One thing a service needs in order to work.
#[derive(Clone)]
pub struct Check {
    name: &'static str,
    run: Arc<CheckFn>,
}

/// The outcome of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Its name.
    pub name: &'static str,
    /// It passed.
    pub ok: bool,
    /// Why it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Check {
    /// A check by name; the error says why it failed.
    pub fn new<F, R>(name: &'static str, run: F) -> Check
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        Check {
            name,
            run: Arc::new(move || Box::pin(run())),
        }
    }

    async fn outcome(&self) -> Outcome {
        let result = tokio::time::timeout(CHECK_DEADLINE, (self.run)())
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {} s", CHECK_DEADLINE.as_secs())));
        Outcome {
            name: self.name,
            ok: result.is_ok(),
            reason: result.err(),
        }
    }
}

/// Runs all checks at once.
pub async fn run(checks: &[Check]) -> Vec<Outcome> {
    join_all(checks.iter().map(Check::outcome)).await
}
