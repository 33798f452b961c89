//! One connection, from the door to its end: TLS, if there is any, then HTTP/1.1 or HTTP/2.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::header::{CONNECTION, TRANSFER_ENCODING};
use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body_util::Either;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::TcpStream;
use tower::ServiceExt;

use super::crowd::Crowd;
use super::graphql;
use super::stall::Bodies;
use super::stream::Reply;
use super::wire::{Pulse, Stream, Wire};
use crate::config::ConnectionsConfig;
use crate::errors::{Code, Refusal};
use crate::forward::CLIENT_CERT;
use crate::front::Front;
use crate::observe::Observer;
use crate::tls::Listening;
use crate::traffic::Peer;
use crate::workers::Workers;

/// Room for a head, so that one over `limits.header_bytes` still gets an answer that says so.
pub(super) const HEAD_BYTES: usize = 128 * 1024;
/// How often a client of HTTP/2 is asked for a sign of life.
const PING_PAUSE: Duration = Duration::from_secs(20);

/// A body that goes out.
type Outgoing = Either<Reply, Body>;

/// What each connection needs.
pub struct Door {
    inside: Arc<Inside>,
    crowd: Arc<Crowd>,
    graceful: GracefulShutdown,
}

struct Inside {
    builder: Builder<TokioExecutor>,
    front: Arc<Front>,
    /// As when the gateway started, like all that connections are made with.
    connections: ConnectionsConfig,
    observer: Arc<Observer>,
    tls: Option<Arc<Listening>>,
}

impl Door {
    /// The way in.
    pub fn new(front: Arc<Front>) -> Door {
        let gateway = front.main();
        let connections = gateway.config.connections.clone();
        let inside = Inside {
            builder: connection_builder(&connections),
            observer: Arc::clone(&gateway.observer),
            tls: gateway.secrets.listening(),
            connections,
            front,
        };
        Door {
            crowd: Crowd::new(&inside.connections),
            inside: Arc::new(inside),
            graceful: GracefulShutdown::new(),
        }
    }

    /// Serves a connection on the thread that is least busy, to its end; one for which there is no room is closed.
    pub fn let_in(&self, stream: std::net::TcpStream, peer: Peer, workers: &Workers) {
        let observer = &self.inside.observer;
        let inhabitant = match self.crowd.enter(peer.0) {
            Ok(inhabitant) => inhabitant,
            Err(full) => return observer.turned_away(full.name()),
        };
        let place = workers.place();
        let handle = place.handle.clone();
        let open = observer.connections.hold();
        let (inside, watcher) = (Arc::clone(&self.inside), self.graceful.watcher());
        handle.spawn(async move {
            let _held_to_the_end = (place, open, inhabitant);
            if let Err(error) = inside.serve(stream, peer, watcher).await {
                tracing::debug!(%error, "a connection ended with an error");
            }
        });
    }

    /// Asks all connections to end after what is under way, and waits for it.
    pub async fn drain(self) {
        self.graceful.shutdown().await;
    }
}

/// What is known of a connection while its requests are answered.
struct Visit {
    inside: Arc<Inside>,
    peer: Peer,
    pulse: Arc<Pulse>,
    bodies: Arc<Bodies>,
    /// The certificate that the client has shown, where subgraphs are told of it.
    certificate: Option<HeaderValue>,
}

impl Inside {
    async fn serve(
        self: Arc<Self>,
        stream: std::net::TcpStream,
        peer: Peer,
        watcher: Watcher,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::from_std(stream)?;
        // Without it answers only wait longer.
        let _ = stream.set_nodelay(true);
        let (stream, certificate) = match &self.tls {
            None => (Stream::Plain(stream), None),
            Some(tls) => {
                let shaking = tls.accept(stream);
                let limit = self.connections.head_timeout;
                let shaken = tokio::time::timeout(limit, shaking).await;
                let observer = &self.observer;
                let secured = match shaken {
                    Ok(secured) => secured.inspect_err(|_| observer.turned_away("handshake"))?,
                    Err(late) => {
                        observer.turned_away("handshake_timeout");
                        return Err(late.into());
                    }
                };
                let certificate = tls.client_certificate(&secured);
                (Stream::Secured(Box::new(secured)), certificate)
            }
        };
        let visit = Arc::new(Visit {
            inside: Arc::clone(&self),
            peer,
            pulse: Arc::default(),
            bodies: Arc::default(),
            certificate,
        });
        let connections = &self.connections;
        let wire = Wire::new(stream, Arc::clone(&visit.pulse), connections);
        let asked = Arc::clone(&visit);
        let service = service_fn(move |request| Arc::clone(&asked).answer(request));
        let connection = self
            .builder
            .serve_connection_with_upgrades(TokioIo::new(wire), service);
        let connection = watcher.watch(connection.into_owned());
        tokio::select! {
            ended = connection => ended,
            () = visit.bodies.stalled(connections.write_timeout) => {
                Err("the client does not take the answers it asked for (connections.write_timeout)".into())
            }
        }
    }
}

impl Visit {
    /// Answers a request. Nothing of it is awaited before the future is made: a head that is being read is so no more.
    fn answer(
        self: Arc<Self>,
        mut request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Outgoing>, std::convert::Infallible>> {
        let multiplexed = request.version() >= Version::HTTP_2;
        self.pulse.begin(multiplexed);
        if self.inside.tls.is_some() {
            self.introduce(&mut request);
        }
        let inside = &self.inside;
        let shown = inside.front.shown();
        let shared = shown.at(request.uri().path());
        let refused = self
            .is_ambiguous(&request)
            .then(|| Box::new(graphql::refused(&shown.main, two_lengths())));
        // In HTTP/2 it is a frame that says so, at the end.
        let leaving = !multiplexed && shown.main.stopping.is_cancelled();
        async move {
            if let Some(response) = refused {
                self.pulse.end(false);
                return Ok(response.map(Either::Left));
            }
            let response = match shared {
                Ok(gateway) => graphql::handle(gateway, Some(self.peer), request)
                    .await
                    .map(Either::Left),
                Err(routes) => {
                    request.extensions_mut().insert(self.peer);
                    let answered = Box::pin(routes.oneshot(request.map(Body::new))).await;
                    let Ok(response) = answered;
                    response.map(Either::Right)
                }
            };
            self.pulse
                .end(response.status() == StatusCode::SWITCHING_PROTOCOLS);
            let response = match multiplexed {
                true => response.map(|body| self.watched(body)),
                false => response,
            };
            Ok(match leaving {
                true => farewell(response),
                false => response,
            })
        }
    }

    /// Whether two readers may see its end at two places. The coding is what is left of the two by now.
    fn is_ambiguous(&self, request: &Request<Incoming>) -> bool {
        request.version() < Version::HTTP_2
            && request.headers().contains_key(TRANSFER_ENCODING)
            && self.pulse.has_two_lengths()
    }

    /// Nobody introduces himself: the header with a client's certificate comes from here, or not at all.
    fn introduce(&self, request: &mut Request<Incoming>) {
        let headers = request.headers_mut();
        match &self.certificate {
            Some(certificate) => drop(headers.insert(CLIENT_CERT, certificate.clone())),
            None => drop(headers.remove(CLIENT_CERT)),
        }
    }

    fn watched(&self, body: Outgoing) -> Outgoing {
        let body = match body {
            Either::Left(reply) => Body::new(reply),
            Either::Right(body) => body,
        };
        Either::Right(Body::new(self.bodies.watch(body)))
    }
}

/// The connection is closed after it: who smuggles gets no second try on it.
fn two_lengths() -> Refusal {
    let text = "a request has `Content-Length` or `Transfer-Encoding`, not both";
    Refusal::new(Code::BadRequest, text)
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

fn connection_builder(config: &ConnectionsConfig) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(config.idle_timeout)
        .max_buf_size(HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_PAUSE)
        .max_header_list_size(HEAD_BYTES as u32)
        .max_concurrent_streams(config.http2_streams);
    builder
}
