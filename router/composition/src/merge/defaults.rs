//! Default values must still be valid after the types they are made of have been intersected.
//!
//! <https://spec.graphql.org/draft/#sec-Values-of-Correct-Type>

use apollo_compiler::Name;
use apollo_compiler::ast::{Type, Value};

use super::Context;
use super::merged::{MInput, MType, Merged};
use crate::model::Kind;

/// Checks the defaults of all arguments and input fields.
pub(super) fn check(cx: &mut Context<'_>, merged: &Merged) {
    for ty in merged.types.values() {
        for (name, field) in &ty.fields {
            for (arg, input) in &field.args {
                let coordinate = format!("{}.{name}({arg}:)", ty.name);
                check_one(cx, merged, (ty, name), &coordinate, input);
            }
        }
        for (name, input) in &ty.inputs {
            check_one(cx, merged, (ty, name), &format!("{}.{name}", ty.name), input);
        }
    }
}

fn check_one(
    cx: &mut Context<'_>,
    merged: &Merged,
    (ty, field): (&MType, &Name),
    coordinate: &str,
    input: &MInput,
) {
    let Some(default) = &input.default else { return };
    if let Some(why) = problem(merged, &input.ty, default) {
        let message = format!(
            "In the supergraph, the default value {} of \"{coordinate}\" is invalid: {why}. Change the default, or let all subgraphs define what it uses.",
            default.serialize().no_indent()
        );
        cx.error_at("INVALID_GRAPHQL", ty, Some(field), message);
    }
}

/// What of a value the merged types do not have.
fn problem(merged: &Merged, ty: &Type, value: &Value) -> Option<String> {
    match value {
        Value::Null => ty
            .is_non_null()
            .then(|| format!("it is null, but the type is \"{ty}\"")),
        Value::List(items) if ty.is_list() => items
            .iter()
            .find_map(|item| problem(merged, ty.item_type(), item)),
        Value::Enum(name) => {
            let target = merged
                .types
                .get(ty.inner_named_type())
                .filter(|target| target.kind == Kind::Enum)?;
            (!target.values.contains_key(name)).then(|| format!("\"{}.{name}\" is not in it", target.name))
        }
        Value::Object(entries) => {
            let target = merged
                .types
                .get(ty.inner_named_type())
                .filter(|target| target.kind == Kind::Input)?;
            missing_field(target, entries).or_else(|| {
                entries
                    .iter()
                    .find_map(|(name, value)| match target.inputs.get(name) {
                        Some(input) => problem(merged, &input.ty, value),
                        None => Some(format!("\"{}.{name}\" is not in it", target.name)),
                    })
            })
        }
        _ => None,
    }
}

fn missing_field<V>(target: &MType, entries: &[(Name, V)]) -> Option<String> {
    let given = |name: &Name| entries.iter().any(|(own, _)| own == name);
    let missing = target
        .inputs
        .iter()
        .find(|(name, input)| input.required() && !given(name));
    missing.map(|(name, _)| format!("\"{}.{name}\" is required", target.name))
}
