//! Calls of subgraphs, counted by subgraph, with a header of ours.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use baedal_router::{SubgraphCall, SubgraphService};
use bytes::Bytes;
use http::{HeaderValue, Request};
use tower::{Layer, Service};

/// How many calls each subgraph got.
#[derive(Debug, Default)]
pub struct Counts(Mutex<BTreeMap<String, u64>>);

impl Counts {
    /// So far.
    pub fn read(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, subgraph: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(subgraph.to_owned()).or_default() += 1;
    }
}

/// Counts calls.
#[derive(Debug, Clone)]
pub struct Counted(pub Arc<Counts>);

/// Calls that are counted.
#[derive(Clone)]
pub struct Counting {
    inner: SubgraphService,
    counts: Arc<Counts>,
}

impl Layer<SubgraphService> for Counted {
    type Service = Counting;

    fn layer(&self, inner: SubgraphService) -> Counting {
        Counting {
            inner,
            counts: Arc::clone(&self.0),
        }
    }
}

impl Service<Request<Bytes>> for Counting {
    type Response = <SubgraphService as Service<Request<Bytes>>>::Response;
    type Error = <SubgraphService as Service<Request<Bytes>>>::Error;
    type Future = <SubgraphService as Service<Request<Bytes>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Bytes>) -> Self::Future {
        if let Some(call) = request.extensions().get::<SubgraphCall>() {
            self.counts.add(&call.subgraph);
        }
        let name = HeaderValue::from_static("baedal-example");
        request.headers_mut().insert("x-called-by", name);
        self.inner.call(request)
    }
}
