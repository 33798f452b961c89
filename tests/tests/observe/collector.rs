//! A trace collector in the test's own process.
use std::sync::{Arc, Mutex};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use tokio::net::TcpListener;

use super::otlp::{self, Span};

type Bodies = Arc<Mutex<Vec<Bytes>>>;

/// Takes OTLP over HTTP and keeps it.
pub struct Collector {
    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` is set to.
    pub url: String,
    bodies: Bodies,
}

impl Collector {
    pub async fn start() -> Result<Collector> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let bodies = Bodies::default();
        let routes = Router::new()
            .route("/v1/traces", post(take))
            .with_state(Arc::clone(&bodies));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Collector { url, bodies })
    }

    /// All spans so far.
    pub fn spans(&self) -> Result<Vec<Span>> {
        let bodies = self.bodies.lock().expect("whole").clone();
        let read: Result<Vec<Vec<Span>>> = bodies.iter().map(|body| otlp::spans(body)).collect();
        Ok(read?.into_iter().flatten().collect())
    }

    /// Everything that was sent, as text as far as it is text.
    pub fn text(&self) -> String {
        let bodies = self.bodies.lock().expect("whole");
        bodies.iter().map(|body| String::from_utf8_lossy(body)).collect()
    }
}

async fn take(State(bodies): State<Bodies>, body: Bytes) -> StatusCode {
    bodies.lock().expect("whole").push(body);
    StatusCode::OK
}
