//! A background task that can be awaited or aborted.

use std::time::Duration;
use tokio::task::JoinHandle;

/// A running background task. Dropping the handle leaves the task running until its shutdown token is cancelled.
#[derive(Debug)]
pub struct Worker {
    name: String,
    task: JoinHandle<()>,
}

impl Worker {
    /// Starts a task under a name that logs can show.
    pub fn spawn(name: impl Into<String>, task: impl Future<Output = ()> + Send + 'static) -> Worker {
        Worker {
            name: name.into(),
            task: tokio::spawn(task),
        }
    }

    /// The name it was started under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Waits for the task to end by itself; after `deadline` it is aborted. Cancel its token first.
    pub async fn stopped(mut self, deadline: Duration) {
        match tokio::time::timeout(deadline, &mut self.task).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(worker = self.name, %error, "worker ended badly"),
            Err(_) => {
                tracing::warn!(
                    worker = self.name,
                    ?deadline,
                    "worker did not stop in time, aborting it"
                );
                self.task.abort();
            }
        }
    }

    /// Ends the task at its next await point, wherever it is.
    pub fn abort(&self) {
        self.task.abort();
    }

    /// The task has ended.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }
}
