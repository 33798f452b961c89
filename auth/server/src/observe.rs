//! What the server tells about itself: metrics, on an address of their own, signs of life, a request id in every log line.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use baedal_telemetry::metrics::{Buckets, CONTENT_TYPE as TEXT_FORMAT, Counter, Family, Histogram, Metric};
use baedal_telemetry::{Registry, Vitals, vitals::LIMIT};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

use crate::context::Context;
use crate::flow::LoginRefusal;
use crate::http::health;

/// All of it.
pub const METRICS: [&Metric; 4] = [&REQUESTS, &LOGINS, &LAG, &HUNG];

static REQUESTS: Metric = Metric::histogram(
    "baedal_auth_request_seconds",
    &["path", "status"],
    "How long requests took, by path and HTTP status",
);
static LOGINS: Metric = Metric::counter(
    "baedal_auth_logins_total",
    &["outcome"],
    "Attempts to log in; outcome is ok, wrong, locked (too many failures), empty, busy or failed (the database)",
);
static LAG: Metric = Metric::gauge(
    "baedal_event_loop_lag_seconds",
    &["loop"],
    "How much later than asked for a task of the event loop ran",
);
static HUNG: Metric = Metric::gauge(
    "baedal_hung_loops",
    &[],
    "Loops that give no sign of life; /health/live names them",
);

/// Paths and outcomes told apart.
const FEW: usize = 40;
/// The header with the id of a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is taken over.
const LONGEST_ID: usize = 128;

/// What is counted, and where it is told.
pub struct Observer {
    registry: Registry,
    /// The pulses of the server's loops.
    pub vitals: Vitals,
    requests: Family<Histogram>,
    logins: Family<Counter>,
}

impl Default for Observer {
    fn default() -> Observer {
        let (registry, vitals) = (Registry::of_process(), Vitals::default());
        let watched = vitals.clone();
        registry.read(&HUNG, move |out| {
            out.value(&[], watched.silent(Instant::now()).len() as f64);
        });
        Observer {
            requests: registry.histograms(&REQUESTS, Buckets::REQUESTS, FEW),
            logins: registry.counters(&LOGINS, FEW),
            registry,
            vitals,
        }
    }
}

impl Observer {
    /// Counts an attempt to log in.
    pub fn login<T>(&self, attempt: &Result<T, LoginRefusal>) {
        let outcome = match attempt {
            Ok(_) => "ok",
            Err(LoginRefusal::Wrong) => "wrong",
            Err(LoginRefusal::Locked(_)) => "locked",
            Err(LoginRefusal::NoPassword(_)) => "empty",
            Err(LoginRefusal::Busy(_)) => "busy",
            Err(LoginRefusal::Server(_)) => "failed",
        };
        self.logins.with(&[outcome]).inc();
    }

    /// Watches the event loop until the server stops.
    pub fn watch_event_loop(&self, until: CancellationToken) {
        let lag = self.registry.gauges(&LAG, FEW).with(&["main"]);
        let beating = self.vitals.clone().keep_beating("the event loop", LIMIT, lag);
        tokio::spawn(async move {
            tokio::select! {
                () = until.cancelled() => {}
                () = beating => {}
            }
        });
    }
}

/// Every request: counted by its path, its log lines and its answer under one id.
pub async fn watch(State(ctx): State<Arc<Context>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let id = request_id(request.headers());
    let fields = tracing::info_span!("request", request_id = id.to_str().unwrap_or_default());
    let mut response = next.run(request).instrument(fields).await;
    let path = path.as_ref().map_or("none", MatchedPath::as_str);
    let status = response.status();
    ctx.observer
        .requests
        .with(&[path, status.as_str()])
        .took(start.elapsed());
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The caller's id, if it is short and plain, or a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    match headers.get(REQUEST_ID) {
        Some(id) if !id.is_empty() && id.len() <= LONGEST_ID && id.as_bytes().iter().all(plain) => id.clone(),
        _ => HeaderValue::from_str(&Uuid::now_v7().to_string()).expect("a UUID is a header value"),
    }
}

/// Serves the page of metrics, and health checks beside it, until the server stops. It has an address of its own: the
/// server's is for everybody.
pub async fn serve(listener: TcpListener, ctx: Arc<Context>, stop: CancellationToken) {
    let routes = Router::new()
        .route("/metrics", get(page))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .with_state(ctx);
    let served = axum::serve(listener, routes)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "metrics are served no more");
    }
}

/// Binds where metrics are told.
pub async fn bind(listen: Option<SocketAddr>) -> Result<Option<TcpListener>, (SocketAddr, std::io::Error)> {
    match listen {
        Some(listen) => TcpListener::bind(listen)
            .await
            .map(Some)
            .map_err(|error| (listen, error)),
        None => Ok(None),
    }
}

async fn page(State(ctx): State<Arc<Context>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, TEXT_FORMAT)], ctx.observer.registry.page())
}
