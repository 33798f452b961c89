//! An operation that this program answers itself. It has to look into bodies for that, so it looks only into those that
//! say they are small.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use baedal_router::{Body, HttpService};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::{BoxError, Layer, Service, ServiceExt};

/// Bodies that are looked into.
const SMALL: usize = 4 * 1024;

/// Answers the operation `Greeting`.
#[derive(Debug, Clone, Copy)]
pub struct Greeting;

/// A service with the greeting.
#[derive(Clone)]
pub struct Greeted(HttpService);

impl Layer<HttpService> for Greeting {
    type Service = Greeted;

    fn layer(&self, inner: HttpService) -> Greeted {
        Greeted(inner)
    }
}

impl Service<Request<Body>> for Greeted {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // `oneshot` below waits for the inner service.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let inner = self.0.clone();
        if !is_small(&request) {
            return Box::pin(inner.oneshot(request));
        }
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let bytes = body.collect().await?.to_bytes();
            match is_greeting(&bytes) {
                true => Ok(hello()),
                false => inner.oneshot(Request::from_parts(parts, Body::from(bytes))).await,
            }
        })
    }
}

fn is_small(request: &Request<Body>) -> bool {
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    request.method() == Method::POST && length.is_some_and(|length| length <= SMALL)
}

fn is_greeting(body: &[u8]) -> bool {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    request["operationName"] == "Greeting"
}

fn hello() -> Response<Body> {
    let answer = json!({"data": {"hello": "from the program around the gateway"}});
    let mut response = Response::new(Body::from(answer.to_string()));
    let kind = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
