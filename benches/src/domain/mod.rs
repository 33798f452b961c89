//! The graph that is measured: people, products, opinions about them, and stock, over four subgraphs.
//!
//! The same resolver answers for one subgraph (what a plan asks of it, whatever its shape) and for all together, which
//! gives the answer that the gateway must give.

mod data;
mod fields;
mod resolve;
mod schema;

pub use resolve::answer;
pub use schema::{Scope, sdl};
