//! A started gateway, and why one does not start.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::config::{Config, ConfigError};
use crate::engine::Engine;
use crate::gateway::Gateway;
use crate::supergraph::{Status, SupergraphProblem};
use crate::workers::Workers;

/// How long streams may take to say farewell.
const FAREWELL: Duration = Duration::from_secs(3);
/// How long the last spans may take to reach the trace collector.
const LAST_SPANS: Duration = Duration::from_secs(2);

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address is taken or not ours.
    #[error(
        "cannot listen on {listen}: {source}; choose another address with --listen ADDR:PORT or `listen` in the configuration"
    )]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The address of `metrics.listen` is taken or not ours.
    #[error("cannot listen on {listen} for metrics: {source}; choose another `metrics.listen`")]
    Metrics {
        /// The address.
        listen: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The address of `subscriptions.callback.listen` is taken or not ours.
    #[error(
        "cannot listen on {listen} for callbacks: {source}; choose another `subscriptions.callback.listen`"
    )]
    Callbacks {
        /// The address.
        listen: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The address of `cache.responses.purge.listen` is taken or not ours.
    #[error("cannot listen on {listen} for purges: {source}; choose another `cache.responses.purge.listen`")]
    Purge {
        /// The address.
        listen: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The manifest of `persisted_documents` cannot be read.
    #[error("cannot read the persisted documents: {0}")]
    Documents(String),
    /// The system gives no threads.
    #[error("cannot start the threads that serve: {0}")]
    Threads(std::io::Error),
    /// There is no supergraph, and waiting would not bring one.
    #[error(transparent)]
    Supergraph(#[from] SupergraphProblem),
}

/// A gateway that listens. Dropped, it stops without draining.
pub struct Running {
    addr: SocketAddr,
    metrics: Option<SocketAddr>,
    purge: Option<SocketAddr>,
    gateway: Arc<Gateway>,
    server: Option<JoinHandle<Workers>>,
}

impl Running {
    pub(crate) fn new(addr: SocketAddr, gateway: Arc<Gateway>, server: JoinHandle<Workers>) -> Running {
        Running {
            addr,
            metrics: None,
            purge: None,
            gateway,
            server: Some(server),
        }
    }

    pub(crate) fn tell_metrics(&mut self, addr: SocketAddr) {
        self.metrics = Some(addr);
    }

    pub(crate) fn tell_purge(&mut self, addr: Option<SocketAddr>) {
        self.purge = addr;
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where metrics are served, with `metrics.listen`.
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics
    }

    /// Where the response cache is purged, with `cache.responses.purge`.
    pub fn purge_addr(&self) -> Option<SocketAddr> {
        self.purge
    }

    /// The GraphQL endpoint.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.addr, self.gateway.config.path)
    }

    /// Whether a supergraph is served.
    pub fn is_ready(&self) -> bool {
        self.gateway.engine().is_some()
    }

    /// What is known of the graph, and what is served.
    pub(crate) fn graph(&self) -> (Status, Option<Arc<Engine>>) {
        // In this order: what is served is then never older than what is said of it.
        let status = self.gateway.status();
        (status, self.gateway.engine())
    }

    /// What an operator should look at, as sentences; empty when all is well.
    pub fn concerns(&self) -> Vec<String> {
        let mut concerns = self.gateway.status().reasons();
        concerns.extend(self.gateway.traffic.reasons());
        concerns
    }

    /// Takes over what can change while requests are served: `traffic`, and what subgraphs set apart. Gives the keys whose
    /// change needs a restart. A configuration that cannot work changes nothing.
    pub fn reload(&self, config: &Config) -> Result<Vec<String>, ConfigError> {
        config.check()?;
        self.gateway.traffic.change(config);
        Ok(self.gateway.config.needs_restart(config))
    }

    /// Shows in `/health/ready` why a changed configuration is not taken over.
    pub fn refuse_reload(&self, why: &str) {
        self.gateway.traffic.refuse_change(why);
    }

    /// Stops: not ready at once; after `traffic.shutdown_delay` no new connections, requests under way are answered, WebSockets are closed with 1001.
    pub async fn shutdown(mut self) {
        self.gateway.stopping.cancel();
        tokio::time::sleep(self.gateway.config.traffic.shutdown_delay).await;
        self.gateway.closing.cancel();
        let workers = match self.server.take() {
            Some(server) => server.await.ok(),
            None => None,
        };
        self.gateway.tasks.close();
        if tokio::time::timeout(FAREWELL, self.gateway.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("streams did not end in time; they are cut");
        }
        self.gateway.observer.tracer.flush(LAST_SPANS).await;
        // Not before: what is still under way runs there.
        drop(workers);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.gateway.closing.cancel();
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}
