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
    #[error("answered with HTTP status {0}")]
    Status(StatusCode),
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
    /// The code clients read.
    pub fn code(&self) -> &'static str {
        match self {
            SubgraphError::NoAddress | SubgraphError::Unreachable(_) => codes::UNREACHABLE,
            SubgraphError::Timeout(_) => codes::TIMEOUT,
            SubgraphError::Status(_) => codes::HTTP_ERROR,
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
            SubgraphError::Status(status) => {
                format!(
                    "the subgraph '{subgraph}' answered with HTTP status {}",
                    status.as_u16()
                )
            }
            SubgraphError::TooLarge(_) => format!("the answer of the subgraph '{subgraph}' is too large"),
            SubgraphError::Malformed(_) => {
                format!("the subgraph '{subgraph}' did not answer with a GraphQL response")
            }
            SubgraphError::StreamRefused(_) => format!("the subgraph '{subgraph}' refused the subscription"),
        }
    }
}
