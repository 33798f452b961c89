//! The gateway with layers of this program: a header on answers, an operation of our own, and calls that are counted.

pub mod counted;
pub mod greeting;
pub mod served_by;

use std::sync::Arc;

use baedal_router::{Builder, Config};

use counted::{Counted, Counts};
use greeting::Greeting;

/// A gateway with this configuration in our layers; calls of subgraphs are counted in `counts`.
pub fn gateway(config: Config, counts: &Arc<Counts>) -> Builder {
    Builder::new(config)
        .endpoint_layer(Greeting)
        // Further out than the one above: it sees the greeting, too.
        .endpoint_layer(served_by::layer())
        .subgraph_layer(Counted(Arc::clone(counts)))
}
