//! The variables of contextual arguments: their names and declarations, and where their values are.
use apollo_compiler::executable;

use super::member;
use super::print::{Printer, Variable};
use super::text;
use super::units::Unit;
use crate::plan::{ContextSource, ContextVariable, EntityGroup, Entry, Fetch, FetchId, Shape};
use crate::project::Interner;
use crate::walk::{PlaceId, Walk};

/// A variable for each contextual argument of the `group`-th entity group.
pub(super) fn variables<'a>(
    unit: &Unit<'a>,
    group: usize,
    operation: &executable::Operation,
) -> Vec<Variable<'a>> {
    let base = text::free_variable("contextualArgument", operation);
    let filled = unit.context.iter().enumerate();
    filled
        .map(|(n, filled)| (filled.arg, format!("{base}_{group}_{n}")))
        .collect()
}

/// `$name:Type` for each.
pub(super) fn declared(variables: &[Variable<'_>]) -> Vec<String> {
    let one = |(arg, name): &Variable<'_>| format!("${name}:{}", arg.ty);
    variables.iter().map(one).collect()
}

/// Where the values are, for the unit's one target.
pub(super) fn filled(
    walk: &Walk<'_>,
    unit: &Unit<'_>,
    printer: &Printer<'_>,
    names: &mut Interner,
) -> Vec<ContextVariable> {
    let variables = printer
        .filled
        .as_ref()
        .map_or(&[][..], |(_, variables)| variables);
    let mut out = Vec::with_capacity(variables.len());
    for (filled, (arg, name)) in unit.context.iter().zip(variables) {
        let source = |source: &crate::walk::ContextSource| ContextSource {
            depth: depth(walk, source.place),
            on: source.on.as_ref().map(|on| names.types(walk.graph.model, on)),
            fields: source.fields.iter().map(|f| member(walk, f, names)).collect(),
        };
        out.push(ContextVariable {
            name: name.as_str().into(),
            nullable: !arg.ty.is_non_null(),
            sources: vec![filled.sources.iter().map(source).collect()],
        });
    }
    out
}

/// An earlier fetch, among those that `together` allows, which a fetch with contextual arguments can join: it has
/// the same query.
pub(super) fn twin(fetches: &[Fetch], fetch: &Fetch, together: impl Fn(&FetchId) -> bool) -> Option<FetchId> {
    let new = contextual(fetch)?;
    let nullable = |group: &EntityGroup| group.context.iter().map(|v| v.nullable).collect::<Vec<_>>();
    let alike = |known: &EntityGroup| known.shape == new.shape && nullable(known) == nullable(new);
    let same = |known: &Fetch| {
        known.subgraph == fetch.subgraph
            && known.query == fetch.query
            && contextual(known).is_some_and(alike)
            && fallback_shapes(known) == fallback_shapes(fetch)
    };
    (0..fetches.len()).find(|at| together(at) && same(&fetches[*at]))
}

fn fallback_shapes(fetch: &Fetch) -> Vec<&Shape> {
    let groups = fetch.fallback.iter().flat_map(|fallback| match &fallback.entry {
        Entry::Entities(groups) => groups.as_slice(),
        Entry::Root(_) | Entry::Queries(_) => &[],
    });
    groups.map(|group| &group.shape).collect()
}

fn contextual(fetch: &Fetch) -> Option<&EntityGroup> {
    match &fetch.entry {
        Entry::Entities(groups) => groups.first().filter(|group| !group.context.is_empty()),
        Entry::Root(_) | Entry::Queries(_) => None,
    }
}

/// Adds the entities of a fetch to its twin's.
pub(super) fn join(known: &mut Fetch, fetch: Fetch) {
    known.after.extend(fetch.after);
    known.after.sort_unstable();
    known.after.dedup();
    if let (Some(known), Some(more)) = (&mut known.fallback, fetch.fallback) {
        join(known, *more);
    }
    let (groups, more) = match (&mut known.entry, fetch.entry) {
        (Entry::Entities(groups), Entry::Entities(more)) => (groups, more),
        (Entry::Queries(group), Entry::Queries(more)) => return group.targets.extend(more.targets),
        _ => unreachable!("twins fetch alike"),
    };
    for (group, more) in groups.iter_mut().zip(more) {
        group.targets.extend(more.targets);
        for (variable, more) in group.context.iter_mut().zip(more.context) {
            variable.sources.extend(more.sources);
        }
    }
}

/// How many steps lead from the root to a place.
fn depth(walk: &Walk<'_>, place: PlaceId) -> usize {
    std::iter::successors(walk.places[place].parent, |at| walk.places[*at].parent).count()
}
