//! The baedal GraphQL federation gateway: the only room that touches the network.
//!
//! Its duty: bring requests (HTTP, WebSocket) into the corridor of [`pipeline`], reach subgraphs for the executor, keep
//! the supergraph up to date, and let in who may come in. It must not know how composing, planning or executing is
//! done, nor anything of what the subgraphs are about.
//!
//! [`start`] is the story: configuration → shared state → supergraph → connections. A [`Builder`] starts the same inside of
//! another program's layers.

pub mod cli;
pub mod config;
pub mod errors;

mod bound;
mod callbacks;
mod coding;
mod draw;
mod embed;
mod engine;
mod forward;
mod front;
#[doc(hidden)]
pub mod fuzzing;
mod gateway;
mod http;
mod jwt;
mod limits;
mod observe;
mod once;
mod page;
mod persisted;
mod pipeline;
mod policies;
mod refuse;
mod remote;
pub mod request;
mod responses;
mod revocation;
mod rights;
mod sharing;
mod streams;
mod subgraphs;
mod supergraph;
mod tls;
mod traffic;
mod upload;
pub mod valkey;

mod workers;
mod ws;

pub use axum::body::Body;
pub use config::Config;
pub use embed::{Builder, HttpService, SubgraphCall, SubgraphService};
pub use observe::METRICS;
pub use running::{ReloadError, Running, StartError};
pub use supergraph::SupergraphProblem;
pub use tls::TlsError;

mod running;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::embed::Layers;
use crate::front::Front;
use crate::gateway::Gateway;
use crate::supergraph::Keeper;
use crate::workers::Workers;

/// What may wait for the keeper of the supergraph to be done.
const COMMANDS: usize = 16;

/// Starts a gateway and returns when it listens and has looked for its supergraph once.
///
/// Live subgraphs that are down do not stop it: it answers `SUPERGRAPH_NOT_READY` until it can serve (see
/// `/health/ready`). Files that cannot be read or composed do.
pub async fn start(config: Config) -> Result<Running, StartError> {
    start_with(config, Layers::default()).await
}

async fn start_with(config: Config, layers: Layers) -> Result<Running, StartError> {
    config.check()?;
    let listen = config.listen;
    let secrets = Arc::new(tls::Secrets::load(&config)?);
    let front = Front::new(Gateway::new(config, secrets).within(layers));
    let gateway = front.main();
    look_after_shared(&gateway).await?;
    observe::register(&front);
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|source| StartError::Listen { listen, source })?;
    let metrics = metrics_listener(&gateway).await?;
    let callbacks = callbacks_listener(&gateway).await?;
    let purge = purge_listener(&gateway).await?;
    let addr = listener
        .local_addr()
        .map_err(|source| StartError::Listen { listen, source })?;
    if gateway.identity.is_open() {
        tracing::warn!("no `auth` in the configuration: this gateway is open to everyone who can reach it");
    }
    let workers = Workers::start(workers::usual()).map_err(StartError::Threads)?;
    gateway.observer.watch_loops(&workers);
    let server = tokio::spawn(http::serve(listener, Arc::clone(&front), workers));
    let (commands, orders) = mpsc::channel(COMMANDS);
    let mut running = Running::new(addr, Arc::clone(&front), commands, server);
    if let Some((listener, addr)) = metrics {
        tokio::spawn(observe::serve(listener, Arc::clone(&front)));
        running.tell_metrics(addr);
    }
    if let Some(listener) = callbacks {
        tokio::spawn(callbacks::serve(listener, Arc::clone(&gateway)));
    }
    if let Some((listener, secret)) = purge {
        running.tell_purge(listener.local_addr().ok());
        let closing = gateway.closing.clone();
        tokio::spawn(responses::serve(listener, responses_of(&front), secret, closing));
    }
    if !gateway.events.is_empty() {
        let (events, closing) = (Arc::clone(&gateway.events), gateway.closing.clone());
        let current = responses_of(&front);
        gateway
            .tasks
            .spawn(async move { events.follow(current, closing).await });
    }
    let mut keeper = Keeper::new(front);
    let (looked, ()) = tokio::join!(keeper.first_look(), gateway.identity.warm_up());
    looked?;
    gateway.identity.keep_lists(&gateway.tasks, &gateway.closing);
    gateway.tasks.spawn(keeper.watch(orders, draw::share));
    gateway.tasks.spawn(gateway::sweep(Arc::clone(&gateway)));
    gateway.tasks.spawn(gateway::watch_secrets(Arc::clone(&gateway)));
    Ok(running)
}

/// What is read or reached besides the supergraph: persisted documents, which must be good at the start, and Redis, which
/// may be away.
async fn look_after_shared(gateway: &Arc<Gateway>) -> Result<(), StartError> {
    if let Some(documents) = gateway.persisted.documents() {
        documents.look();
        documents
            .refused()
            .map_or(Ok(()), |why| Err(StartError::Documents(why)))?;
        gateway.tasks.spawn(persisted::keep(Arc::clone(gateway)));
    }
    if let Some(valkey) = &gateway.valkey {
        valkey.connect().await;
        gateway
            .tasks
            .spawn(Arc::clone(valkey).keep(gateway.closing.clone()));
    }
    Ok(())
}

/// Where `metrics.listen` says, if it does.
async fn metrics_listener(gateway: &Gateway) -> Result<Option<(TcpListener, SocketAddr)>, StartError> {
    let Some(listen) = gateway.config.metrics.listen else {
        return Ok(None);
    };
    let failed = |source| StartError::Metrics { listen, source };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok(Some((listener, addr)))
}

/// Where `subscriptions.callback.listen` says, if it does.
async fn callbacks_listener(gateway: &Gateway) -> Result<Option<TcpListener>, StartError> {
    let callback = gateway.config.subscriptions.callback.as_ref();
    let Some(listen) = callback.and_then(|callback| callback.listen) else {
        return Ok(None);
    };
    let bound = TcpListener::bind(listen).await;
    bound
        .map(Some)
        .map_err(|source| StartError::Callbacks { listen, source })
}

/// Finds the response cache of now.
fn responses_of(front: &Arc<Front>) -> responses::Current {
    let known = Arc::downgrade(front);
    Box::new(move || known.upgrade()?.main().responses.clone())
}

/// Where `cache.responses.purge.listen` says, if it does, and the secret.
async fn purge_listener(gateway: &Gateway) -> Result<Option<(TcpListener, String)>, StartError> {
    let responses = &gateway.config.cache.responses;
    let Some(purge) = responses.purge.as_ref().filter(|_| responses.enabled) else {
        return Ok(None);
    };
    let listen = purge.listen;
    let listener = TcpListener::bind(listen).await;
    let listener = listener.map_err(|source| StartError::Purge { listen, source })?;
    Ok(Some((listener, purge.secret.clone())))
}
