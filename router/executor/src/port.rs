//! The port through which subgraphs are reached.
use std::future::Future;

use baedal_planner::plan::OperationKind;
use bytes::Bytes;

/// Whoever can call subgraphs: over HTTP in the router, a script in tests.
pub trait Subgraphs: Send + Sync {
    /// Sends one request and gives the whole body of the answer, whatever it holds.
    ///
    /// Deadlines, retries, pools and status codes are the implementor's: a call that brought no usable body
    /// is a [`CallError`]. Dropping the future cancels the call.
    fn call(&self, call: SubgraphCall<'_>) -> impl Future<Output = Result<Bytes, CallError>> + Send;

    /// A body that a call to this subgraph brought is not the answer to what was asked.
    fn regret(&self, _subgraph: &str) {}
}

/// One request to one subgraph.
#[derive(Clone, Debug)]
pub struct SubgraphCall<'a> {
    /// Name of the subgraph.
    pub subgraph: &'a str,
    /// Index of the fetch in the plan.
    pub fetch: usize,
    /// Kind of the operation sent. Only a query may be sent again.
    pub kind: OperationKind,
    /// The whole request body: `{"query":…,"operationName":…,"variables":…}`.
    pub body: Bytes,
}

/// Why a call brought no body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct CallError {
    /// `extensions.code` of the client's error, for example `SUBREQUEST_HTTP_ERROR`.
    pub code: String,
    /// What the client reads: it must not hold URLs or addresses.
    pub message: String,
}

impl CallError {
    /// An error with a code and a message the client may see.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> CallError {
        CallError {
            code: code.into(),
            message: message.into(),
        }
    }
}
