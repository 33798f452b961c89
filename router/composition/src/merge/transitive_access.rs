//! A field that `@requires` a protected one, or takes it from a context, must itself ask for the same rights: else it
//! leaks what it computes from.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/errors>

use apollo_compiler::Name;

use super::access;
use super::merged::{ContextArg, MField, MType, Merged};
use super::{Context, GraphId};
use crate::fieldset::{Sel, parse_selection};
use crate::model::Marks;

/// Checks every `@requires`.
pub(super) fn check(cx: &mut Context<'_>, merged: &Merged) {
    for ty in merged.types.values() {
        for (name, field) in &ty.fields {
            for join in &field.joins {
                let Some(graph) = join.graph else { continue };
                if let Some(requires) = &join.requires {
                    check_field(cx, merged, (ty, name, field), graph, requires.selection());
                }
                for arg in &join.context_args {
                    check_context(cx, merged, (ty, name, field), graph, arg);
                }
            }
        }
    }
}

fn check_field(
    cx: &mut Context<'_>,
    merged: &Merged,
    (ty, name, field): (&MType, &Name, &MField),
    graph: GraphId,
    selection: &[Sel],
) {
    for coordinate in wanting(merged, (ty, field), ty, selection) {
        let what = format!("field \"{coordinate}\" data from @requires selection set");
        report(cx, ty, name, graph, &what);
    }
}

/// What a contextual argument takes from the types that set its context.
fn check_context(
    cx: &mut Context<'_>,
    merged: &Merged,
    (ty, name, field): (&MType, &Name, &MField),
    graph: GraphId,
    arg: &ContextArg,
) {
    let Ok(selection) = parse_selection(&arg.selection) else {
        return;
    };
    let mut found: Vec<String> = Vec::new();
    for owner in merged
        .types
        .values()
        .filter(|ty| ty.contexts.contains(&arg.context))
    {
        found.extend(wanting(merged, (ty, field), owner, &selection));
    }
    found.dedup();
    for coordinate in found {
        let what = format!(
            "field \"{coordinate}\" data in context {} from @fromContext selection set",
            arg.context
        );
        report(cx, ty, name, graph, &what);
    }
}

/// What a selection on `on` reads that asks for more rights than the field does.
fn wanting(merged: &Merged, (ty, field): (&MType, &MField), on: &MType, selection: &[Sel]) -> Vec<String> {
    let mut own = field.marks.clone();
    access::add(&mut own, &ty.marks);
    let mut wanting = Vec::new();
    visit(merged, on, selection, &mut |coordinate, marks| {
        if !covers(&own, marks) && !wanting.contains(&coordinate) {
            wanting.push(coordinate);
        }
    });
    wanting
}

fn report(cx: &mut Context<'_>, ty: &MType, name: &Name, graph: GraphId, what: &str) {
    let message = format!(
        "[{}] Field \"{}.{name}\" does not specify necessary @authenticated, @requiresScopes and/or @policy auth requirements to access the transitive {what}.",
        cx.models[graph].name, ty.name
    );
    let place = cx.models[graph]
        .field(&ty.name, name)
        .and_then(|field| field.place);
    cx.error("MISSING_TRANSITIVE_AUTH_REQUIREMENTS", graph, place, message);
}

fn visit(merged: &Merged, ty: &MType, selection: &[Sel], found: &mut dyn FnMut(String, &Marks)) {
    for one in selection {
        match one {
            Sel::Field { name, sub, .. } => {
                let Some(field) = ty.fields.get(name) else {
                    continue;
                };
                found(format!("{}.{name}", ty.name), &field.marks);
                if let Some(next) = merged.types.get(field.ty.inner_named_type()) {
                    found(format!("{}.{name}", ty.name), &next.marks);
                    visit(merged, next, sub, found);
                }
            }
            Sel::On { condition, sub, .. } => {
                let next = condition.as_ref().map_or(Some(ty), |name| merged.types.get(name));
                if let Some(next) = next {
                    visit(merged, next, sub, found);
                }
            }
        }
    }
}

/// Whoever satisfies `own` satisfies `needed`.
fn covers(own: &Marks, needed: &Marks) -> bool {
    (!needed.authenticated || own.authenticated)
        && implies(own.scopes.as_deref(), needed.scopes.as_deref())
        && implies(own.policies.as_deref(), needed.policies.as_deref())
}

fn implies(own: Option<&[Vec<String>]>, needed: Option<&[Vec<String>]>) -> bool {
    let Some(needed) = needed else { return true };
    let holds = |have: &Vec<String>| {
        needed
            .iter()
            .any(|want| want.iter().all(|one| have.contains(one)))
    };
    own.is_some_and(|own| !own.is_empty() && own.iter().all(holds))
}
