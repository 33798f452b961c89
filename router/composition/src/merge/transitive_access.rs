//! A field that `@requires` a protected one must itself ask for the same rights: else it leaks what it computes from.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/errors>

use apollo_compiler::Name;

use super::access;
use super::merged::{MField, MType, Merged};
use super::{Context, GraphId};
use crate::fieldset::Sel;
use crate::model::Marks;

/// Checks every `@requires`.
pub(super) fn check(cx: &mut Context<'_>, merged: &Merged) {
    for ty in merged.types.values() {
        for (name, field) in &ty.fields {
            for join in &field.joins {
                if let (Some(graph), Some(requires)) = (join.graph, &join.requires) {
                    check_field(cx, merged, (ty, name, field), graph, requires.selection());
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
    let mut own = field.marks.clone();
    access::add(&mut own, &ty.marks);
    let mut wanting = Vec::new();
    visit(merged, ty, selection, &mut |coordinate, marks| {
        if !covers(&own, marks) && !wanting.contains(&coordinate) {
            wanting.push(coordinate);
        }
    });
    for coordinate in wanting {
        let message = format!(
            "[{}] Field \"{}.{name}\" does not specify necessary @authenticated, @requiresScopes and/or @policy auth requirements to access the transitive field \"{coordinate}\" data from @requires selection set.",
            cx.models[graph].name, ty.name
        );
        let place = cx.models[graph]
            .field(&ty.name, name)
            .and_then(|field| field.place);
        cx.error("MISSING_TRANSITIVE_AUTH_REQUIREMENTS", graph, place, message);
    }
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
