//! The executor's port to subgraphs, of which one call takes the files.

use std::sync::{Mutex, PoisonError};

use baedal_executor::{CallError, SubgraphCall, Subgraphs};
use bytes::Bytes;
use uuid::Uuid;

use super::relay::Coming;
use crate::subgraphs::Calls;

/// Calls of one request with files.
pub struct WithFiles<'a> {
    calls: Calls<'a>,
    taker: usize,
    coming: Mutex<Option<Coming>>,
}

impl<'a> WithFiles<'a> {
    /// `taker`: the fetch that takes the files.
    pub fn new(calls: Calls<'a>, taker: usize, coming: Coming) -> WithFiles<'a> {
        WithFiles {
            calls,
            taker,
            coming: Mutex::new(Some(coming)),
        }
    }

    /// The files, for the first call of their taker; there is no other, as it waits for nothing.
    fn coming(&self, fetch: usize) -> Option<Coming> {
        let mut coming = self.coming.lock().unwrap_or_else(PoisonError::into_inner);
        if fetch == self.taker { coming.take() } else { None }
    }
}

impl Subgraphs for WithFiles<'_> {
    async fn call(&self, call: SubgraphCall<'_>) -> Result<Bytes, CallError> {
        let Some(coming) = self.coming(call.fetch) else {
            return self.calls.call(call).await;
        };
        let boundary = format!("baedal-{}", Uuid::from_bytes(rand::random()).simple());
        let outgoing = coming.request(&call.body, boundary);
        let answer = self.calls.upload(call.subgraph, outgoing).await;
        if let Some(lens) = &self.calls.lens {
            lens.passed_by(call.subgraph, call.kind).await;
        }
        answer
    }

    fn regret(&self, subgraph: &str) {
        self.calls.regret(subgraph);
    }
}
