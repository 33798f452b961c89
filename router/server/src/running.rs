//! A started gateway, and why one does not start.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::config::{Config, ConfigError};
use crate::engine::Engine;
use crate::front::Front;
use crate::supergraph::{Command, Status, SupergraphProblem};
use crate::tls::TlsError;
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
    /// A certificate or a key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system gives no threads.
    #[error("cannot start the threads that serve: {0}")]
    Threads(std::io::Error),
    /// There is no supergraph, and waiting would not bring one.
    #[error(transparent)]
    Supergraph(#[from] SupergraphProblem),
}

/// Why another configuration is not taken over.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// It cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Its graph cannot be served.
    #[error(transparent)]
    Supergraph(#[from] SupergraphProblem),
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Stopped,
}

/// A gateway that listens. Dropped, it stops without draining.
pub struct Running {
    addr: SocketAddr,
    metrics: Option<SocketAddr>,
    purge: Option<SocketAddr>,
    front: Arc<Front>,
    commands: mpsc::Sender<Command>,
    server: Option<JoinHandle<Workers>>,
}

impl Running {
    pub(crate) fn new(
        addr: SocketAddr,
        front: Arc<Front>,
        commands: mpsc::Sender<Command>,
        server: JoinHandle<Workers>,
    ) -> Running {
        Running {
            addr,
            metrics: None,
            purge: None,
            front,
            commands,
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
        let gateway = self.front.main();
        let config = &gateway.config;
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{}", self.addr, config.path)
    }

    /// Whether a supergraph is served.
    pub fn is_ready(&self) -> bool {
        self.front.main().engine().is_some()
    }

    /// What is known of the graph, and what is served.
    pub(crate) fn graph(&self) -> (Status, Option<Arc<Engine>>) {
        // In this order: what is served is then never older than what is said of it.
        let gateway = self.front.main();
        (gateway.status(), gateway.engine())
    }

    /// What an operator should look at, as sentences; empty when all is well.
    pub fn concerns(&self) -> Vec<String> {
        let gateway = self.front.main();
        let mut concerns = gateway.status().reasons();
        concerns.extend(gateway.traffic.reasons());
        concerns.extend(gateway.secrets.reasons());
        concerns
    }

    /// Serves with another configuration, as far as that needs no restart, and gives the keys whose change does. Requests
    /// under way go on. One that cannot work, or whose graph cannot be served, changes nothing.
    pub async fn reload(&self, config: &Config) -> Result<Vec<String>, ReloadError> {
        config.check()?;
        let restart = self.front.main().config.needs_restart(config);
        let (done, taken) = oneshot::channel();
        let command = Command::Change(Box::new(config.clone()), done);
        self.commands
            .send(command)
            .await
            .map_err(|_| ReloadError::Stopped)?;
        taken.await.map_err(|_| ReloadError::Stopped)??;
        Ok(restart)
    }

    /// Looks now whether the configuration files, or the graph, have changed.
    pub async fn look_again(&self) {
        // A gateway that stops looks at nothing any more.
        let _ = self.commands.send(Command::Look).await;
    }

    /// Stops: not ready at once; after `traffic.shutdown_delay` no new connections, requests under way are answered, WebSockets are closed with 1001.
    pub async fn shutdown(mut self) {
        let gateway = self.front.main();
        gateway.stopping.cancel();
        tokio::time::sleep(gateway.config.traffic.shutdown_delay).await;
        gateway.closing.cancel();
        let workers = match self.server.take() {
            Some(server) => server.await.ok(),
            None => None,
        };
        gateway.tasks.close();
        if tokio::time::timeout(FAREWELL, gateway.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("streams did not end in time; they are cut");
        }
        gateway.observer.tracer.flush(LAST_SPANS).await;
        // Not before: what is still under way runs there.
        drop(workers);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.front.main().closing.cancel();
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}
