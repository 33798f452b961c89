//! A service that runs, and its end.

use crate::{Worker, telemetry::Telemetry};
use std::{net::SocketAddr, time::Duration};
use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long requests in flight and sockets may take to end.
const DRAIN: Duration = Duration::from_secs(10);
/// How long one background worker may take to end.
const STOP: Duration = Duration::from_secs(5);

/// What to cancel, in this order.
#[derive(Debug)]
pub(super) struct Ends {
    /// Ready no more.
    pub leaving: CancellationToken,
    /// No new connections; requests and sockets end.
    pub draining: CancellationToken,
    /// The background work ends.
    pub workers: CancellationToken,
}
/// How long the last spans may take to reach the trace collector.
const LAST_SPANS: Duration = Duration::from_secs(2);

/// A running service. Dropping it begins its end without waiting for it.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    ends: Ends,
    server: Option<JoinHandle<()>>,
    sockets: TaskTracker,
    telemetry: Telemetry,
    kept: Vec<Worker>,
}

impl Running {
    pub(super) fn new(
        addr: SocketAddr,
        ends: Ends,
        server: JoinHandle<()>,
        sockets: TaskTracker,
        telemetry: Telemetry,
    ) -> Running {
        Running {
            addr,
            ends,
            server: Some(server),
            sockets,
            telemetry,
            kept: Vec::new(),
        }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The URL of its GraphQL endpoint.
    pub fn url(&self) -> String {
        format!("http://{}/graphql", self.addr)
    }

    /// Gives it a background worker, to be waited for at the end. The worker watches [`super::Service::workers`].
    pub fn keep(&mut self, worker: Worker) {
        self.kept.push(worker);
    }

    /// Turns readiness off and serves on for `delay`, so that balancers send nothing new; each answer asks for its
    /// connection to be closed. [`Running::shutdown`] comes after it.
    pub async fn leave(&self, delay: Duration) {
        self.ends.leaving.cancel();
        tokio::time::sleep(delay).await;
    }

    /// Ends it in order: readiness off, requests and sockets drained (10 s at most), then the workers.
    pub async fn shutdown(mut self) {
        self.ends.leaving.cancel();
        self.ends.draining.cancel();
        self.sockets.close();
        if let Some(mut server) = self.server.take() {
            let drained = async {
                // A server that panicked has ended, too.
                let _ = (&mut server).await;
                self.sockets.wait().await;
            };
            if tokio::time::timeout(DRAIN, drained).await.is_err() {
                tracing::warn!("requests still ran after {DRAIN:?}, cutting them off");
                server.abort();
            }
        }
        self.ends.workers.cancel();
        for worker in self.kept.drain(..) {
            worker.stopped(STOP).await;
        }
        self.telemetry.tracer().flush(LAST_SPANS).await;
    }

    /// Ends it as a crash would: no drain, no last words of its workers. For fault tests.
    pub fn kill(mut self) {
        for worker in self.kept.drain(..) {
            worker.abort();
        }
        if let Some(server) = self.server.take() {
            server.abort();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ends.leaving.cancel();
        self.ends.draining.cancel();
        self.ends.workers.cancel();
    }
}

/// How long a process that is asked to end goes on serving first: `SHUTDOWN_DELAY_MS`, none where it is not set.
pub fn shutdown_delay() -> Duration {
    let millis = std::env::var("SHUTDOWN_DELAY_MS").ok();
    let millis = millis.and_then(|text| text.trim().parse().ok());
    Duration::from_millis(millis.unwrap_or(0))
}

/// Returns when the process is asked to end: Ctrl-C, or SIGTERM on Unix.
pub async fn until_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = interrupt => {}
                    _ = terminate.recv() => {}
                }
                return;
            }
            Err(error) => tracing::warn!(%error, "SIGTERM cannot be watched, only Ctrl-C"),
        }
        let _ = tokio::signal::ctrl_c().await;
    }
    #[cfg(not(unix))]
    {
        let _ = interrupt.await;
    }
}
