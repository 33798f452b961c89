//! A GraphQL schema on HTTP and WebSocket, with health and an orderly end.
//!
//! `POST /graphql` · `graphql-transport-ws` on `/graphql` and `/graphql/ws` · `GET /health/live` · `GET /health/ready` ·
//! `GET /metrics`.
//! The end: readiness turns off (and, where [`Running::leave`] is asked for, everything is served a while longer, so
//! that balancers notice), requests in flight and sockets are drained, then the background work stops.

mod health;
mod http;
mod proof;
mod request;
mod running;
mod ws;

pub use proof::{Proof, ProofError, ROUTER_KEYS};
use running::Ends;
pub use running::{Running, shutdown_delay, until_signal};

pub use crate::health::Check;

use crate::auth::Auth;
use crate::{
    ops::Ops,
    telemetry::{Telemetry, metrics},
};
use async_graphql::{Executor, ObjectType, SchemaBuilder, SubscriptionType};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn_with_state, map_response_with_state},
    routing::{any, get, post},
};
use std::{net::SocketAddr, sync::Arc};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Largest request body, and largest message of a socket, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;
/// Deepest selection.
pub const MAX_DEPTH: usize = 20;
/// Most fields of one operation, each counted once.
pub const MAX_COMPLEXITY: usize = 2_000;

/// What is served.
pub struct Service<E> {
    /// Its name, for logs.
    pub name: &'static str,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The schema; make it with [`guarded`].
    pub schema: E,
    /// How callers are known; without it every caller is anonymous, whatever they send.
    pub auth: Option<Arc<Auth>>,
    /// What it needs in order to work. The event log is not among them: the outbox bridges its absence.
    pub checks: Vec<Check>,
    /// The operator's view, for resolvers that show it.
    pub ops: Option<Arc<Ops>>,
    /// What the service tells about itself; its relay and consumers have the same.
    pub telemetry: Telemetry,
    /// Cancelled at the end of an orderly shutdown; its relay and consumers watch it.
    pub workers: CancellationToken,
}

/// Why it could not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken or not ours.
    #[error(
        "{name}: cannot listen on {listen}: {source}. Stop what uses the port, or choose another address"
    )]
    Listen {
        /// Who cannot.
        name: &'static str,
        /// The address.
        listen: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The environment's keys of the gateway.
    #[error(transparent)]
    Keys(#[from] ProofError),
}

/// What every request needs.
#[derive(Clone)]
struct App<E> {
    name: &'static str,
    schema: E,
    auth: Option<Arc<Auth>>,
    ops: Option<Arc<Ops>>,
    checks: Arc<[Check]>,
    /// Cancelled when it is not ready any more.
    leaving: CancellationToken,
    telemetry: Telemetry,
    /// Cancelled when the end begins.
    draining: CancellationToken,
    sockets: TaskTracker,
}

/// The trace context of the HTTP request, in the data of its resolvers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceParent(pub Option<String>);

/// A schema builder with federation on and with limits of depth and complexity.
pub fn guarded<Q, M, S>(builder: SchemaBuilder<Q, M, S>) -> SchemaBuilder<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    builder
        .enable_federation()
        .limit_depth(MAX_DEPTH)
        .limit_complexity(MAX_COMPLEXITY)
        .limit_directives(50)
}

/// Starts serving; returns when requests are accepted. With [`ROUTER_KEYS`] in the environment only requests that are
/// signed with one of them are answered.
pub async fn serve<E: Executor>(service: Service<E>) -> Result<Running, ServeError> {
    let proof = Proof::of_environment()?;
    serve_to(service, proof).await
}

/// [`serve`] to whoever has this proof; without one to everybody.
pub async fn serve_to<E: Executor>(service: Service<E>, proof: Option<Proof>) -> Result<Running, ServeError> {
    let (name, listen) = (service.name, service.listen);
    let failed = |source| ServeError::Listen { name, listen, source };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    let app = App {
        name,
        schema: service.schema,
        auth: service.auth,
        ops: service.ops,
        checks: service.checks.into(),
        telemetry: service.telemetry,
        leaving: CancellationToken::new(),
        draining: CancellationToken::new(),
        sockets: TaskTracker::new(),
    };
    app.tell(&service.workers);
    let (draining, sockets, telemetry) = (app.draining.clone(), app.sockets.clone(), app.telemetry.clone());
    let ends = Ends {
        leaving: app.leaving.clone(),
        draining: app.draining.clone(),
        workers: service.workers,
    };
    let signal = draining.clone().cancelled_owned();
    let server = axum::serve(listener, router(app, proof.map(Arc::new))).with_graceful_shutdown(signal);
    let server = tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(service = name, %error, "server ended");
        }
    });
    tracing::info!(service = name, %addr, "serving");
    Ok(Running::new(addr, ends, server, sockets, telemetry))
}

impl<E: Executor> App<E> {
    /// Puts on the page what the server knows, and watches its event loop.
    fn tell(&self, workers: &CancellationToken) {
        self.telemetry.watch_event_loop(workers.clone());
        let registry = self.telemetry.registry();
        let sockets = self.sockets.clone();
        registry.read(&metrics::SOCKETS, move |out| out.value(&[], sockets.len() as f64));
        let vitals = self.telemetry.vitals().clone();
        registry.read(&metrics::HUNG, move |out| {
            out.value(&[], vitals.silent(std::time::Instant::now()).len() as f64);
        });
        if let Some(ops) = &self.ops {
            let (ops, letters) = (
                Arc::clone(ops),
                registry.gauges(&metrics::DEAD_LETTERS, 1).with(&[self.name]),
            );
            self.telemetry.on_read(move || {
                let (ops, letters) = (Arc::clone(&ops), letters.clone());
                async move {
                    let kept = ops.look().await;
                    letters.set(kept.map_or(f64::NAN, |kept| kept.dead_letters as f64));
                }
            });
        }
        let ready = registry.gauges(&metrics::READY, metrics::FEW);
        let checks = Arc::clone(&self.checks);
        self.telemetry.on_read(move || {
            let (checks, ready) = (Arc::clone(&checks), ready.clone());
            async move {
                for check in crate::health::run(&checks).await {
                    ready.with(&[check.name]).set(f64::from(u8::from(check.ok)));
                }
            }
        });
    }
}

fn router<E: Executor>(app: App<E>, proof: Option<Arc<Proof>>) -> Router {
    let mut graph = Router::new()
        .route("/graphql", post(http::graphql::<E>).get(ws::upgrade::<E>))
        .route("/graphql/ws", any(ws::upgrade::<E>));
    if let Some(proof) = proof {
        graph = graph.route_layer(from_fn_with_state(proof, proof::demand));
    }
    graph
        .route("/health/live", get(health::live::<E>))
        .route("/health/ready", get(health::ready::<E>))
        .route("/metrics", get(health::metrics::<E>))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(map_response_with_state(app.leaving.clone(), http::farewell))
        .with_state(app)
}
