//! Layers around the endpoint.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::routing::{MethodRouter, any};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceExt, service_fn};

use crate::errors::{Code, Refusal};
use crate::gateway::Gateway;
use crate::http::graphql;

/// The endpoint, or the endpoint with layers.
pub type HttpService = BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>;

/// A service whose type is forgotten.
pub fn boxed<S, B>(service: S) -> HttpService
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let whole = service.map_response(|response: Response<B>| response.map(Body::new));
    BoxCloneSyncService::new(whole.map_err(Into::into))
}

/// The gateway's endpoint in its layers, as a route.
pub fn wrapped(gateway: &Arc<Gateway>) -> MethodRouter<Arc<Gateway>> {
    let own = Arc::clone(gateway);
    let inner = boxed(service_fn(move |request: Request<Body>| {
        let gateway = Arc::clone(&own);
        async move { Ok::<_, Infallible>(graphql::answered(gateway, request).await) }
    }));
    let layers = gateway.layers.endpoint.iter();
    let outer = layers.fold(inner, |inner, wrap| wrap(inner));
    any(move |request: Request<Body>| {
        let answering = outer.clone().oneshot(request);
        async move { answering.await.unwrap_or_else(|error| failed(&error)) }
    })
}

/// What went wrong in a layer is for the log.
fn failed(error: &BoxError) -> Response<Body> {
    tracing::error!(%error, "a layer of the endpoint failed");
    let refusal = Refusal::new(Code::Internal, "the gateway failed to answer this request");
    let mut response = Response::new(Body::from(refusal.body()));
    *response.status_mut() = refusal.code.status(false);
    let kind = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
