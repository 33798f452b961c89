//! Start and stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Settings};
use crate::context::{Clock, Context};
use crate::db::{Db, DbError, Engine, OpenError};
use crate::domain::Hasher;
use crate::{demo, http, observe};

/// How often keys are read again and old rows deleted.
const ROUND: Duration = Duration::from_secs(10);
/// How long open requests may take to finish at shutdown.
const DRAIN: Duration = Duration::from_secs(10);

/// Why the server does not start, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error(
        "cannot listen on {0}: {1}. Stop what uses the port, or choose another with --listen or BAEDAL_LISTEN"
    )]
    Listen(SocketAddr, std::io::Error),
    /// The address of the metrics is taken or not ours.
    #[error(
        "cannot listen on {0} for metrics: {1}. Choose another with --metrics-listen or BAEDAL_METRICS_LISTEN"
    )]
    Metrics(SocketAddr, std::io::Error),
    /// The database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database, later.
    #[error(transparent)]
    Database(#[from] DbError),
    /// An issuer that clients could not trust.
    #[error(
        "the issuer {0:?} must be an https:// URL, or http:// on a loopback address, without query, fragment or trailing slash: set --issuer or ISSUER_URL"
    )]
    Issuer(String),
    /// Tokens need one.
    #[error("the audience is empty: set --audience or AUDIENCE")]
    Audience,
    /// Too short to be useful or too long to be safe.
    #[error("access tokens live 60 to 86400 seconds: set --access-token-lifetime")]
    Lifetime,
    /// Documented passwords on a real database.
    #[error(
        "demo accounts have documented passwords and are not created on Postgres: start without --demo (DEMO=false) and create accounts with `baedal-auth user add`"
    )]
    DemoOnPostgres,
    /// Documented passwords found where none should be.
    #[error(
        "this database holds demo accounts with documented passwords: use another database, or, for SQLite, start with --demo (DEMO=true)"
    )]
    DemoRows,
    /// No thread to hash a password.
    #[error("the machine is too busy to hash the demo passwords: try again")]
    Busy,
}

/// A running server. Dropping it stops the server without waiting; [`Running::shutdown`] waits.
pub struct Running {
    addr: SocketAddr,
    metrics_addr: Option<SocketAddr>,
    issuer: String,
    /// Ready no more.
    leaving: CancellationToken,
    stop: CancellationToken,
    server: JoinHandle<()>,
    rounds: JoinHandle<()>,
    db: Db,
}

impl Running {
    /// The address that was bound.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where metrics are served, if they are.
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics_addr
    }

    /// The issuer, as it stands in tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Turns readiness off and serves on for `delay`, so that balancers send nothing new; each answer asks for its
    /// connection to be closed.
    pub async fn leave(&self, delay: Duration) {
        self.leaving.cancel();
        tokio::time::sleep(delay).await;
    }

    /// Stops accepting, lets open requests finish (10 seconds at most), closes the database.
    pub async fn shutdown(mut self) {
        self.leaving.cancel();
        self.stop.cancel();
        if tokio::time::timeout(DRAIN, &mut self.server).await.is_err() {
            self.server.abort();
        }
        self.rounds.abort();
        self.db.close().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        self.rounds.abort();
    }
}

/// Starts a server.
pub async fn start(config: Config) -> anyhow::Result<Running> {
    Ok(start_at(config, system_clock()).await?)
}

/// Starts a server that lives in the time of `clock`, seconds since 1970.
pub async fn start_at(config: Config, clock: Clock) -> Result<Running, StartError> {
    let is_postgres = config.database_url.starts_with("postgres");
    if config.demo_accounts && is_postgres {
        return Err(StartError::DemoOnPostgres);
    }
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| StartError::Listen(config.listen, error))?;
    let addr = listener
        .local_addr()
        .map_err(|error| StartError::Listen(config.listen, error))?;
    let metrics = observe::bind(config.metrics_listen)
        .await
        .map_err(|(listen, error)| StartError::Metrics(listen, error))?;
    let metrics_addr = metrics.as_ref().and_then(|listener| listener.local_addr().ok());
    let settings = Settings::read(&config, addr)?;
    let issuer = settings.issuer.clone();
    let db = Db::open(&config.database_url).await?;
    check_demo(&db, &config).await?;
    let hasher = Hasher::new(config.hashes_at_once);
    let ctx = Arc::new(Context::new(db.clone(), settings, hasher, clock).await?);
    if config.demo_accounts {
        demo::install(&ctx).await?;
    }
    let (leaving, stop) = (CancellationToken::new(), CancellationToken::new());
    ctx.observer.watch_event_loop(stop.clone());
    if let Some(listener) = metrics {
        tokio::spawn(observe::serve(listener, Arc::clone(&ctx), stop.clone()));
    }
    let app = http::router(Arc::clone(&ctx), leaving.clone());
    let server = tokio::spawn(serve(listener, app, stop.clone()));
    let rounds = tokio::spawn(go_rounds(ctx));
    Ok(Running {
        addr,
        metrics_addr,
        issuer,
        leaving,
        stop,
        server,
        rounds,
        db,
    })
}

/// The real time.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

async fn check_demo(db: &Db, config: &Config) -> Result<(), StartError> {
    let unwanted = db.engine() == Engine::Postgres || !config.demo_accounts;
    if unwanted && db.demo_rows().await? > 0 {
        Err(StartError::DemoRows)
    } else {
        Ok(())
    }
}

async fn serve(listener: TcpListener, app: axum::Router, stop: CancellationToken) {
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, app)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the server ended");
    }
}

/// Picks up new keys and deletes what has expired, until the task is aborted.
async fn go_rounds(ctx: Arc<Context>) {
    let mut ticks = tokio::time::interval(ROUND);
    let pulse = ctx.observer.vitals.pulse("the rounds", 6 * ROUND);
    loop {
        pulse.beat();
        ticks.tick().await;
        if let Err(cause) = ctx.reload_keys().await {
            tracing::warn!(%cause, "keys not read");
        }
        if let Err(cause) = ctx.db.sweep(ctx.now()).await {
            tracing::warn!(%cause, "old rows not deleted");
        }
    }
}
