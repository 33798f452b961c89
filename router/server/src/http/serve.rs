//! Connections: accepted until the gateway closes, each served on one thread, then drained.

use std::sync::Arc;
use std::time::Duration;

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
use crate::front::Front;
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
pub async fn serve(listener: TcpListener, front: Arc<Front>, workers: Workers) -> Workers {
    let gateway = front.main();
    let door = Door::new(Arc::clone(&front));
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
    let time = front.main().config.traffic.drain_timeout;
    if tokio::time::timeout(time, graceful.shutdown()).await.is_err() {
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
    front: Arc<Front>,
}

impl Door {
    fn new(front: Arc<Front>) -> Door {
        Door {
            builder: Arc::new(connection_builder()),
            front,
        }
    }

    /// Serves a connection where it has its place, to its end.
    fn let_in(&self, stream: std::net::TcpStream, peer: Peer, place: Place, watcher: Watcher) {
        let (builder, front) = (Arc::clone(&self.builder), Arc::clone(&self.front));
        let answer = move |request: Request<Incoming>| {
            let shown = front.shown();
            let shared = shown.at(request.uri().path());
            // In HTTP/2 it is a frame that says so, at the end.
            let leaving = request.version() < Version::HTTP_2 && shown.main.stopping.is_cancelled();
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
        let open = self.front.shown().main.observer.connections.hold();
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
