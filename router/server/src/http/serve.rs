//! Connections: accepted until the gateway closes, then drained.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};

use crate::gateway::Gateway;

/// Longest time for the head of a request to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Room for a head, so that one over `limits.header_bytes` still gets an answer that says so.
const HEAD_BYTES: usize = 128 * 1024;
/// Pause after the system refused a connection (too many open files, for example).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until the gateway closes, and returns when all requests under way are answered, or the time for it is up.
pub async fn serve(listener: TcpListener, router: Router, gateway: Arc<Gateway>) {
    let builder = connection_builder();
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            () = gateway.closing.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => serve_connection(stream, &builder, &graceful, router.clone()),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(gateway.config.traffic.drain_timeout, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("requests under way did not end in time (traffic.drain_timeout); they are cut");
    }
}

fn connection_builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_BYTES as u32)
        .max_concurrent_streams(250);
    builder
}

fn serve_connection(
    stream: TcpStream,
    builder: &Builder<TokioExecutor>,
    graceful: &GracefulShutdown,
    router: Router,
) {
    // Without it answers only wait longer.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let connection = builder
        .serve_connection_with_upgrades(TokioIo::new(stream), service)
        .into_owned();
    let watched = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = watched.await {
            tracing::debug!(error, "a connection ended with an error");
        }
    });
}
