//! Variables are defined, and fit wherever they stand, also inside of lists and objects (the compiler looks at whole
//! arguments, and takes any default for one that is not null).
//! <https://spec.graphql.org/September2025/#sec-All-Variable-Usages-Are-Allowed>
use std::collections::{HashMap, HashSet};

use apollo_compiler::ast::VariableDefinition;
use apollo_compiler::executable::Operation;
use apollo_compiler::{ExecutableDocument, Name, Node};

use super::values::{Part, Parts, Position, Usage};
use super::{Errors, one_of};

type Definitions<'a> = HashMap<&'a Name, &'a Node<VariableDefinition>>;

/// Checks what each operation uses, by itself and by its fragments.
pub(super) fn check(document: &ExecutableDocument, parts: &Parts<'_>, errors: &mut Errors<'_>) {
    let uses_none = parts.fragments.values().all(|part| part.usages.is_empty());
    for (operation, part) in document.operations.iter().zip(&parts.operations) {
        let definitions = definitions(operation);
        part.usages
            .iter()
            .for_each(|usage| check_one(&definitions, usage, errors));
        if uses_none {
            continue;
        }
        for fragment in reached(parts, part) {
            let usages = fragment.usages.iter();
            usages.for_each(|usage| check_one(&definitions, usage, errors));
        }
    }
}

fn definitions(operation: &Operation) -> Definitions<'_> {
    let variables = operation.variables.iter();
    variables.map(|variable| (&variable.name, variable)).collect()
}

fn reached<'p, 'a>(parts: &'p Parts<'a>, part: &'p Part<'a>) -> Vec<&'p Part<'a>> {
    let (mut seen, mut reached) = (HashSet::new(), Vec::new());
    let mut pending = vec![part];
    while let Some(part) = pending.pop() {
        for name in part.spreads.iter().filter(|name| seen.insert(**name)) {
            if let Some(fragment) = parts.fragments.get(name) {
                reached.push(fragment);
                pending.push(fragment);
            }
        }
    }
    reached
}

fn check_one(definitions: &Definitions<'_>, usage: &Usage<'_>, errors: &mut Errors<'_>) {
    let name = usage.variable;
    let at = usage.at.location();
    let Some(definition) = definitions.get(name) else {
        return errors.report(at, format!("variable \"${name}\" is not defined"));
    };
    if let Some(input) = usage.position.one_of
        && !definition.ty.is_non_null()
    {
        return errors.report(at, one_of::message(input));
    }
    if let Some(ty) = usage.position.ty
        && !is_allowed(definition, &usage.position)
    {
        let given = &definition.ty;
        errors.report(
            at,
            format!("variable \"${name}\" of type \"{given}\" cannot stand where \"{ty}\" is expected"),
        );
    }
}

/// `IsVariableUsageAllowed`
fn is_allowed(definition: &VariableDefinition, position: &Position<'_>) -> bool {
    let Some(expected) = position.ty else {
        return true;
    };
    let given = &definition.ty;
    if expected.is_non_null() && !given.is_non_null() {
        let default = definition.default_value.as_ref();
        let never_null = default.is_some_and(|value| !value.is_null());
        return (never_null || position.has_default) && given.is_assignable_to(&expected.clone().nullable());
    }
    given.is_assignable_to(expected)
}
