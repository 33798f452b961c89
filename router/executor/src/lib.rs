//! Runs a [plan](baedal_planner::plan) against subgraphs and writes the client's answer.
//!
//! The story of a request, file by file:
//!
//! 1. `program` compiles a plan once: shapes to read by, representations to write by, the answer's projection
//!    (`shape`, `places`, `projection`, `represent`, `types` are its parts, and `size` says what they take);
//! 2. `schedule` starts each fetch as soon as what it waits for is done;
//! 3. `request` writes a fetch's body from raw slices of what was received before (`walk` finds the entities);
//!    (`context` splits entities by the values of arguments that enclosing objects give);
//! 4. `read` takes a subgraph's body apart in one pass directed by the shape, over `scan`, into the `arena`
//!    (keys it expects, and those that are written, are `literal`s; an object that came before is not read again: `twins`);
//! 5. `merge` attaches what was read to the objects it belongs to;
//! 6. `receive` turns failures, and `report` subgraphs' errors, into `errors` at the client's `paths`;
//! 7. `write` walks the projection once and writes the answer into an `output`; `leaf` checks values; null rules are applied here.
//!
//! It must not know: HTTP, schemas, query text, tokens, clocks. It reaches subgraphs through the
//! [`Subgraphs`] port only, and stops when its future is dropped.

mod arena;
mod context;
mod deliver;
mod errors;
mod inputs;
mod known;
mod leaf;
mod literal;
mod memo;
mod merge;
mod output;
mod paths;
mod places;
mod port;
mod program;
mod projection;
mod read;
mod receive;
mod report;
mod represent;
mod request;
mod scan;
mod schedule;
mod shape;
mod size;
mod trail;
mod twins;
mod types;
mod view;
mod walk;
mod write;

pub use deliver::{Format, Piece, execute_incremental};
pub use inputs::{Answer, ErrorPolicy, Inputs};
pub use port::{CallError, SubgraphCall, Subgraphs};
pub use program::Program;
pub use request::Request;
pub use schedule::{Run, execute, execute_event, subscription_request};
