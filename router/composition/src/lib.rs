//! Composes subgraph SDLs into one supergraph.
//!
//! The crate's duty: take the SDL of every subgraph (Federation 1 or 2), find every error and say where it is and
//! what to do, and print a supergraph on the public [join](https://specs.apollo.dev/join) specification that any
//! gateway can serve. It knows nothing of networks, files, plans or clocks: it is a pure, deterministic function.
//!
//! The stages, one folder each: `ingest` reads and upgrades a subgraph, `validate` checks it on its own,
//! `merge` joins all of them, `emit` prints the result, `satisfy` proves that every field can be reached.
//! Beside them, [`anonymize`] makes graphs shareable, [`contract`] makes variants of the result, and [`compare`] tells what a change means for clients.
//!
//! ```
//! use baedal_composition::{Subgraph, compose};
//!
//! let subgraph = Subgraph {
//!     name: "store".into(),
//!     url: "http://127.0.0.1:4013/graphql".into(),
//!     sdl: "type Query { hello: String }".into(),
//! };
//! let composed = compose(&[subgraph]).expect("one valid subgraph composes");
//! assert!(composed.supergraph_sdl.contains("enum join__Graph"));
//! ```

mod emit;
mod fieldset;
mod follow_up;
mod ingest;
mod merge;
mod model;
mod satisfy;
mod validate;

pub mod anonymize;
pub mod compare;
pub mod contract;
pub mod diagnostics;

pub use diagnostics::Diagnostic;

/// One subgraph as it is handed in: its unique name, where requests go, and what `_service { sdl }` said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subgraph {
    /// Unique name, as operators know it.
    pub name: String,
    /// Where the router sends requests.
    pub url: String,
    /// The schema, in Federation 1 or 2 SDL.
    pub sdl: String,
}

/// What a composition yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// The supergraph on the join specification.
    pub supergraph_sdl: String,
    /// What composed, but deserves a look.
    pub hints: Vec<Diagnostic>,
}

/// Composes subgraphs into a supergraph, or says everything that is wrong with them.
///
/// The order of `subgraphs` does not matter: they are sorted by name, and the same input gives the same bytes.
///
/// # Errors
/// Every error that does not merely follow from another one, each with a code of the Federation documentation: of all
/// subgraphs on their own, then of what does not merge. Only what merges whole is asked whether it can be satisfied.
pub fn compose(subgraphs: &[Subgraph]) -> Result<Composed, Vec<Diagnostic>> {
    let mut sorted: Vec<&Subgraph> = subgraphs.iter().collect();
    sorted.sort_by(|a, b| (&a.name, &a.url, &a.sdl).cmp(&(&b.name, &b.url, &b.sdl)));
    let read = ingest::ingest_all(&sorted);
    let (models, mut errors) = (&read.models, read.errors);
    errors.extend(validate::validate_all(models));
    let outcome = merge::merge(models);
    for found in [outcome.errors, outcome.derived_errors] {
        follow_up::add_independent(&mut errors, found, models, read.complete);
    }
    if !errors.is_empty() {
        return Err(diagnostics::tidy(errors));
    }
    let satisfied = satisfy::satisfy(models, &outcome.merged).map_err(diagnostics::tidy)?;
    Ok(Composed {
        supergraph_sdl: emit::emit(&outcome.merged),
        hints: diagnostics::tidy([outcome.hints, satisfied].concat()),
    })
}
