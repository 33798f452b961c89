//! Root fetches for objects of the query type that stand below others.
use apollo_compiler::executable;

use super::order::Call;
use super::print::Printer;
use super::{path, representation, text};
use crate::plan::{Entry, Fetch, FetchId, OperationKind, QueryGroup, Target};
use crate::project::Interner;
use crate::walk::{Origin, PosId, Walk};

/// Whether a head stands for such a fetch.
pub(super) fn is_query(walk: &Walk<'_>, head: PosId) -> bool {
    matches!(&walk.positions[head].origin, Origin::Hop(hop) if hop.query)
}

/// The query of a call for one place, and where its answer goes.
pub(super) fn query(
    walk: &Walk<'_>,
    call: &Call,
    printer: &mut Printer<'_>,
    operation: &executable::Operation,
    names: &mut Interner,
) -> (String, OperationKind, Entry) {
    let (texts, shape) = printer.level(walk, &call.heads, names);
    let texts: Vec<&str> = call.heads.iter().map(|head| texts[head].as_str()).collect();
    let kind = OperationKind::Query;
    let query = text::operation(kind, &[], &mut printer.variables, operation, &texts.join(" "));
    let query = query + &printer.fragments.take();
    let target = |head: &PosId| {
        let position = &walk.positions[*head];
        let sent = match &position.origin {
            Origin::Hop(hop) => hop.sent.as_slice(),
            _ => &[],
        };
        Target {
            path: path(walk, position.place, names),
            representations: sent.iter().map(|one| representation(walk, one, names)).collect(),
        }
    };
    let targets = call.heads.iter().map(target).collect();
    (query, kind, Entry::Queries(QueryGroup { targets, shape }))
}

/// An earlier fetch, among those that `together` allows, that asks for the same.
pub(super) fn twin(fetches: &[Fetch], fetch: &Fetch, together: impl Fn(&FetchId) -> bool) -> Option<FetchId> {
    let Entry::Queries(new) = &fetch.entry else {
        return None;
    };
    let same = |known: &Fetch| {
        let alike = matches!(&known.entry, Entry::Queries(group) if group.shape == new.shape);
        alike && known.subgraph == fetch.subgraph && known.query == fetch.query
    };
    (0..fetches.len()).find(|at| together(at) && same(&fetches[*at]))
}
