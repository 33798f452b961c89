//! `@cacheTag` says how one subgraph's answers may be dropped from a cache: it goes into the supergraph with that
//! subgraph's name, not merged.
//!
//! <https://specs.apollo.dev/join/v0.4/#@join__directive>

use super::merged::{GraphId, JoinDirective};
use crate::model::Marks;

/// The applications of one subgraph on one element.
pub(super) fn of(graph: GraphId, marks: &Marks) -> impl Iterator<Item = JoinDirective> {
    marks.cache_tags.iter().map(move |format| JoinDirective {
        graph,
        name: "federation__cacheTag",
        args: vec![("format", format.clone())],
    })
}
