//! What can go wrong with a call. `Display` is for the log; clients get [`SubgraphError::for_client`].

use std::time::Duration;

use http::StatusCode;

use crate::errors::subgraph_codes as codes;

/// Why a subgraph gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum SubgraphError {
    /// The supergraph names a subgraph without an address.
    #[error("it has no address")]
    NoAddress,
    /// No connection, or it broke.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// No whole answer in time.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// An HTTP error without a GraphQL body.
    #[error("answered with HTTP status {status}")]
    Status {
        /// The status.
        status: StatusCode,
        /// When it is worth asking again, if it says so.
        retry_after: Option<Duration>,
    },
    /// It was not asked: too many calls to it at once.
    #[error("was not asked: too many calls at once")]
    Busy,
    /// It was not asked: too many calls failed of late.
    #[error("was not asked: its circuit is open for another {0:?}")]
    CircuitOpen(Duration),
    /// It was not asked: a layer of the program around the gateway said no.
    #[error("was not asked: {0}")]
    Refused(String),
    /// More bytes than allowed.
    #[error("its answer is larger than {0} bytes")]
    TooLarge(usize),
    /// Not a GraphQL response.
    #[error("its answer is not a GraphQL response: {0}")]
    Malformed(String),
    /// The WebSocket was refused or closed before the subscription began.
    #[error("refused the subscription: {0}")]
    StreamRefused(String),
}

impl SubgraphError {
    /// Whether the subgraph is to blame: a status of its own mistake is no sign of trouble.
    pub fn is_failure(&self) -> bool {
        match self {
            SubgraphError::Status { status, .. } => status.is_server_error(),
            SubgraphError::NoAddress
            | SubgraphError::Busy
            | SubgraphError::CircuitOpen(_)
            | SubgraphError::Refused(_) => false,
            SubgraphError::Unreachable(_)
            | SubgraphError::Timeout(_)
            | SubgraphError::TooLarge(_)
            | SubgraphError::Malformed(_)
            | SubgraphError::StreamRefused(_) => true,
        }
    }

    /// Whether a query may fare better a moment later, and what pause the subgraph asks for.
    pub fn may_pass(&self) -> Option<Option<Duration>> {
        match self {
            SubgraphError::Unreachable(_) => Some(None),
            SubgraphError::Status { status, retry_after } => {
                let passing = [
                    StatusCode::TOO_MANY_REQUESTS,
                    StatusCode::BAD_GATEWAY,
                    StatusCode::SERVICE_UNAVAILABLE,
                    StatusCode::GATEWAY_TIMEOUT,
                ];
                passing.contains(status).then_some(*retry_after)
            }
            _ => None,
        }
    }

    /// The code clients read.
    pub fn code(&self) -> &'static str {
        match self {
            SubgraphError::NoAddress | SubgraphError::Unreachable(_) => codes::UNREACHABLE,
            SubgraphError::Timeout(_) => codes::TIMEOUT,
            SubgraphError::Status { .. } => codes::HTTP_ERROR,
            SubgraphError::Busy => codes::BUSY,
            SubgraphError::CircuitOpen(_) => codes::CIRCUIT_OPEN,
            SubgraphError::Refused(_) => codes::REFUSED,
            SubgraphError::TooLarge(_) => codes::TOO_LARGE,
            SubgraphError::Malformed(_) => codes::MALFORMED,
            SubgraphError::StreamRefused(_) => codes::STREAM_REFUSED,
        }
    }

    /// The message clients read: which subgraph and what, but no address and nothing it said.
    pub fn for_client(&self, subgraph: &str) -> String {
        match self {
            SubgraphError::NoAddress | SubgraphError::Unreachable(_) => {
                format!("the subgraph '{subgraph}' cannot be reached")
            }
            SubgraphError::Timeout(_) => format!("the subgraph '{subgraph}' did not answer in time"),
            SubgraphError::Status { status, .. } => {
                format!(
                    "the subgraph '{subgraph}' answered with HTTP status {}",
                    status.as_u16()
                )
            }
            SubgraphError::Busy => format!("the subgraph '{subgraph}' has too much to do; try again later"),
            SubgraphError::CircuitOpen(_) => {
                format!("the subgraph '{subgraph}' is not asked at the moment; try again later")
            }
            SubgraphError::Refused(_) => format!("the subgraph '{subgraph}' was not asked"),
            SubgraphError::TooLarge(_) => format!("the answer of the subgraph '{subgraph}' is too large"),
            SubgraphError::Malformed(_) => {
                format!("the subgraph '{subgraph}' did not answer with a GraphQL response")
            }
            SubgraphError::StreamRefused(_) => format!("the subgraph '{subgraph}' refused the subscription"),
        }
    }
}

/// An error with all its causes; hyper's own text stops at "client error (Connect)".
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
