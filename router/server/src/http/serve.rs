//! Connections: accepted until the gateway closes, each served on one thread, then drained.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body_util::Either;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use super::graphql;
use crate::gateway::Gateway;
use crate::traffic::Peer;
use crate::workers::{Place, Workers};

/// Longest time for the head of a request to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Room for a head, so that one over `limits.header_bytes` still gets an answer that says so.
const HEAD_BYTES: usize = 128 * 1024;
/// Pause after the system refused a connection (too many open files, for example).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until the gateway closes, and returns when all requests under way are answered, or the time for it is up.
/// The threads are given back: streams that go on run on them.
pub async fn serve(listener: TcpListener, gateway: Arc<Gateway>, workers: Workers) -> Workers {
    let door = Door::new(Arc::clone(&gateway));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            () = gateway.closing.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let moved = accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, Peer(peer.ip()))));
        match moved {
            Ok((stream, peer)) => door.let_in(stream, peer, workers.place(), graceful.watcher()),
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
    workers
}

/// Whoever leaves asks for connections to be closed, so that the next request goes elsewhere.
fn farewell<B>(mut response: Response<B>) -> Response<B> {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
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

/// What each connection needs.
struct Door {
    builder: Arc<Builder<TokioExecutor>>,
    gateway: Arc<Gateway>,
    routes: Router,
    /// Whether requests to the endpoint need nothing of what the routes are wrapped in.
    direct: bool,
}

impl Door {
    fn new(gateway: Arc<Gateway>) -> Door {
        Door {
            builder: Arc::new(connection_builder()),
            routes: super::router(Arc::clone(&gateway)),
            direct: gateway.config.cors.origins.is_empty() && !gateway.layers.wrap_endpoint(),
            gateway,
        }
    }

    /// Serves a connection where it has its place, to its end.
    fn let_in(&self, stream: std::net::TcpStream, peer: Peer, place: Place, watcher: Watcher) {
        let (builder, gateway, routes) = (
            Arc::clone(&self.builder),
            Arc::clone(&self.gateway),
            self.routes.clone(),
        );
        let direct = self.direct;
        let answer = move |request: Request<Incoming>| {
            let shared = (direct && request.uri().path() == gateway.config.path)
                .then(|| Arc::clone(&gateway))
                .ok_or_else(|| routes.clone());
            // In HTTP/2 it is a frame that says so, at the end.
            let leaving = request.version() < Version::HTTP_2 && gateway.stopping.is_cancelled();
            async move {
                let response = match shared {
                    Ok(gateway) => Ok(graphql::handle(gateway, Some(peer), request)
                        .await
                        .map(Either::Left)),
                    Err(routes) => {
                        let mut request = request;
                        request.extensions_mut().insert(peer);
                        let response = Box::pin(routes.oneshot(request.map(Body::new))).await;
                        response.map(|response| response.map(Either::Right))
                    }
                };
                match leaving {
                    true => response.map(farewell),
                    false => response,
                }
            }
        };
        let handle = place.handle.clone();
        let open = self.gateway.observer.connections.hold();
        handle.spawn(async move {
            let _held_to_the_end = (place, open);
            let Ok(stream) = TcpStream::from_std(stream) else {
                return;
            };
            // Without it answers only wait longer.
            let _ = stream.set_nodelay(true);
            let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service_fn(answer));
            if let Err(error) = watcher.watch(connection.into_owned()).await {
                tracing::debug!(error, "a connection ended with an error");
            }
        });
    }
}
