//! Layers around calls of subgraphs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use baedal_planner::plan::OperationKind;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use tokio::time::Instant;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceExt, service_fn};

use crate::forward::{Carried, Forwarded};
use crate::responses::Fields;
use crate::subgraphs::{Client, Endpoint, GuardedCall, Reply, SubgraphError};

/// Calls of subgraphs, or these with layers: a GraphQL request as JSON out, a GraphQL response as JSON back.
pub type SubgraphService = BoxCloneSyncService<Request<Bytes>, Response<Bytes>, BoxError>;

/// What a layer can learn of a call, from the extensions of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubgraphCall {
    /// The subgraph's name.
    pub subgraph: Arc<str>,
    /// Whether something may happen twice if the call is made twice.
    pub is_mutation: bool,
    /// Whether it asks for a stream: what comes of it goes past all layers, and the answer to this is empty.
    pub is_subscription: bool,
}

/// A call as the innermost service makes it; what is not in it a layer may have changed.
#[derive(Clone)]
pub struct Wanted {
    /// How it is sent.
    pub client: Client,
    /// To whom.
    pub endpoint: Endpoint,
    /// When whoever waits for it stops waiting.
    pub until: Instant,
    /// Whether nobody minds that it waits for its turn.
    pub patient: bool,
    /// Only a query may be sent again.
    pub kind: OperationKind,
}

/// What the subgraph says about keeping its answer.
#[derive(Clone)]
struct Caching(Box<Fields>);

/// Where headers that travel back to the client are gathered.
#[derive(Clone)]
struct Back(Option<Arc<Carried>>);

/// Where the request for a stream is put when it has come through.
#[derive(Clone, Default)]
struct Through(Arc<Mutex<Option<(HeaderMap, Bytes)>>>);

impl Through {
    /// A poisoned lock holds a whole request, or none.
    fn lock(&self) -> MutexGuard<'_, Option<(HeaderMap, Bytes)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A layer made up a request of its own.
#[derive(Debug, thiserror::Error)]
#[error("a layer did not hand on the extensions of the request")]
struct Forgotten;

/// A service whose type is forgotten.
pub fn boxed<S>(service: S) -> SubgraphService
where
    S: Service<Request<Bytes>, Response = Response<Bytes>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    BoxCloneSyncService::new(service.map_err(Into::into))
}

/// What is inside of all layers: the gateway's own way to a subgraph.
pub fn innermost() -> SubgraphService {
    boxed(service_fn(|request: Request<Bytes>| async move {
        let (mut parts, body) = request.into_parts();
        if let Some(through) = parts.extensions.remove::<Through>() {
            *through.lock() = Some((parts.headers, body));
            return Ok(Response::new(Bytes::from_static(b"{}")));
        }
        let wanted: Wanted = parts.extensions.remove().ok_or(Forgotten)?;
        let back = parts.extensions.remove().and_then(|Back(back)| back);
        let forwarded = Forwarded::of_fields(&parts.headers).carrying(back.as_ref());
        let call = GuardedCall {
            client: &wanted.client,
            endpoint: &wanted.endpoint,
            forwarded: &forwarded,
            body: &body,
            until: wanted.until,
            patient: wanted.patient,
        };
        let reply = call.make(wanted.kind).await?;
        let mut response = Response::new(reply.body);
        *response.status_mut() = reply.status;
        if let Some(caching) = reply.caching {
            response.extensions_mut().insert(Caching(caching));
        }
        let kind = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        Ok::<_, BoxError>(response)
    }))
}

/// Makes a call through the layers.
pub async fn call(
    layers: &SubgraphService,
    subgraph: &str,
    forwarded: &Forwarded,
    body: Bytes,
    wanted: Wanted,
) -> Result<Reply, SubgraphError> {
    let mut request = request(&wanted.endpoint, subgraph, forwarded, body, wanted.kind);
    let extensions = request.extensions_mut();
    let until = wanted.until;
    extensions.insert(wanted);
    extensions.insert(Back(forwarded.gathering()));
    let answering = layers.clone().oneshot(request);
    let late = |_| SubgraphError::Timeout(until.saturating_duration_since(Instant::now()));
    let answer = tokio::time::timeout_at(until, answering).await.map_err(late)?;
    let (mut parts, body) = answer.map_err(refused)?.into_parts();
    // A GraphQL response may come with any status; a layer that says no in other words is like a server that does.
    if !parts.status.is_success() && !body.trim_ascii_start().starts_with(b"{") {
        return Err(SubgraphError::Status {
            status: parts.status,
            retry_after: None,
        });
    }
    let caching = parts.extensions.remove().map(|Caching(caching)| caching);
    Ok(Reply {
        status: parts.status,
        body,
        caching,
    })
}

/// Asks the layers for a stream: what travels on to the subgraph, and the body, as they leave it.
pub async fn stream(
    layers: &SubgraphService,
    (endpoint, subgraph): (&Endpoint, &str),
    forwarded: &Forwarded,
    body: Bytes,
    until: Instant,
) -> Result<(Forwarded, Bytes), SubgraphError> {
    let kind = OperationKind::Subscription;
    let mut request = request(endpoint, subgraph, forwarded, body, kind);
    let through = Through::default();
    request.extensions_mut().insert(through.clone());
    let late = |_| SubgraphError::Timeout(until.saturating_duration_since(Instant::now()));
    let answering = layers.clone().oneshot(request);
    let answer = tokio::time::timeout_at(until, answering).await.map_err(late)?;
    answer.map_err(refused)?;
    let came = through.lock().take();
    let (headers, body) = came
        .ok_or_else(|| SubgraphError::Refused("a layer did not hand on the request for a stream".into()))?;
    Ok((Forwarded::of_fields(&headers), body))
}

/// A request as layers see it.
fn request(
    endpoint: &Endpoint,
    subgraph: &str,
    forwarded: &Forwarded,
    body: Bytes,
    kind: OperationKind,
) -> Request<Bytes> {
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = endpoint.url().clone();
    *request.headers_mut() = headers(forwarded, subgraph);
    request.extensions_mut().insert(SubgraphCall {
        subgraph: subgraph.into(),
        is_mutation: kind == OperationKind::Mutation,
        is_subscription: kind == OperationKind::Subscription,
    });
    request
}

fn headers(forwarded: &Forwarded, subgraph: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in forwarded.fields(subgraph) {
        headers.append(name, value);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers
}

/// The gateway's own errors come back as they went in.
fn refused(error: BoxError) -> SubgraphError {
    match error.downcast::<SubgraphError>() {
        Ok(own) => *own,
        Err(other) => SubgraphError::Refused(other.to_string()),
    }
}
