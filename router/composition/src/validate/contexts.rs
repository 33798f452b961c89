//! `@context` and `@fromContext` must find each other, and what is selected must fit the argument.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/directives#context>

use apollo_compiler::ast::Type;

use super::Report;
use super::context_selection::{fits, selected_type};
use crate::fieldset::{Sel, parse_selection};
use crate::merge::split_context;
use crate::model::{Field, Input, Kind, TypeDef};

/// Checks all contexts.
pub(super) fn check(report: &mut Report<'_>) {
    let model = report.model;
    for ty in model.types.values() {
        for (name, place) in &ty.contexts {
            if let Some(why) = name_problem(name) {
                let message = format!("Context name \"{name}\" {why}");
                report.error("CONTEXT_NAME_INVALID", *place, message);
            }
        }
        for field in ty.fields.values() {
            for arg in field.args.values().filter(|arg| arg.from_context.is_some()) {
                check_argument(report, ty, field, arg);
            }
        }
    }
}

fn name_problem(name: &str) -> Option<&'static str> {
    if name.contains('_') {
        return Some("may not contain an underscore.");
    }
    let valid = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric());
    (!valid).then_some("is invalid. It should have only alphanumeric characters, and start with a letter.")
}

fn check_argument(report: &mut Report<'_>, ty: &TypeDef, field: &Field, arg: &Input) {
    let used = Used {
        coordinate: format!("{}.{}({}:)", ty.name, field.name, arg.name),
        arg,
    };
    if let Some(message) = used.misplaced(report, ty, field) {
        report.error("CONTEXT_NOT_SET", arg.place, message);
    }
    let text = arg.from_context.as_deref().unwrap_or_default();
    let Some((context, selection)) = split_context(text) else {
        let message = format!(
            "@fromContext argument does not reference a context \"{text}\" on \"{}\": write \"$context {{ field }}\".",
            used.coordinate
        );
        report.error("NO_CONTEXT_IN_SELECTION", arg.place, message);
        return;
    };
    let sets = |ty: &&TypeDef| ty.contexts.iter().any(|(name, _)| name == context);
    let owners: Vec<&TypeDef> = report.model.types.values().filter(sets).collect();
    if owners.is_empty() {
        let message = format!(
            "Context \"{context}\" is used at location \"{}\" but is never set: put @context(name: \"{context}\") on an enclosing type in this subgraph.",
            used.coordinate
        );
        report.error("CONTEXT_NOT_SET", arg.place, message);
    } else if let Err(why) = used.selection(report, &owners, selection) {
        let message = format!(
            "Context \"{context}\" is used in \"{}\" but the selection is invalid: {why}.",
            used.coordinate
        );
        report.error("CONTEXT_INVALID_SELECTION", arg.place, message);
    }
    if !ty.keys.iter().any(|key| key.resolvable != Some(false)) {
        let message = format!(
            "Object \"{}\" has no resolvable key but has a field with a contextual argument: give it a @key, so that the router can come back with the value.",
            ty.name
        );
        report.error("CONTEXT_NO_RESOLVABLE_KEY", arg.place, message);
    }
}

/// A contextual argument.
struct Used<'a> {
    coordinate: String,
    arg: &'a Input,
}

impl Used<'_> {
    /// Places where no value can be given.
    fn misplaced(&self, report: &Report<'_>, ty: &TypeDef, field: &Field) -> Option<String> {
        let at = &self.coordinate;
        if ty.kind == Kind::Interface {
            return Some(format!(
                "@fromContext argument cannot be used on a field that exists on an abstract type \"{at}\"."
            ));
        }
        let mut interfaces = ty
            .implements
            .iter()
            .filter_map(|name| report.model.types.get(name));
        if let Some(interface) = interfaces.find(|interface| interface.fields.contains_key(&field.name)) {
            return Some(format!(
                "@fromContext argument cannot be used on a field implementing an interface field \"{}.{}\": \"{at}\".",
                interface.name, field.name
            ));
        }
        self.arg
            .default
            .is_some()
            .then(|| format!("@fromContext arguments may not have a default value: \"{at}\"."))
    }

    /// The selection must lead to one value of the argument's type from every type that sets the context.
    fn selection(&self, report: &Report<'_>, owners: &[&TypeDef], text: &str) -> Result<(), String> {
        let selection = parse_selection(text)?;
        match selection.as_slice() {
            [Sel::Field { .. }] => owners
                .iter()
                .try_for_each(|owner| self.type_fits(selected_type(report.model, owner, &selection)?)),
            [Sel::Field { .. }, ..] => Err("multiple selections are made".to_owned()),
            conditions => self.conditions(report, owners, conditions),
        }
    }

    /// `... on A { x } ... on B { y }`: one branch for each kind of owner.
    fn conditions(&self, report: &Report<'_>, owners: &[&TypeDef], branches: &[Sel]) -> Result<(), String> {
        let mut used = vec![false; branches.len()];
        let named: Vec<(&str, &[Sel])> = branches.iter().map(branch).collect::<Result<_, _>>()?;
        for (index, (name, _)) in named.iter().enumerate() {
            if named[..index].iter().any(|(other, _)| other == name) {
                return Err(format!("type condition \"{name}\" stands twice"));
            }
        }
        for owner in owners {
            let runtime = report.model.runtime_types(owner);
            let before = used.clone();
            for (index, (name, sub)) in named.iter().enumerate() {
                if let Some(object) = runtime.iter().find(|object| object.name == *name) {
                    used[index] = true;
                    self.type_fits(selected_type(report.model, object, sub)?)?;
                }
            }
            let applies = |(name, _): &(&str, &[Sel])| runtime.iter().any(|object| object.name == *name);
            if used == before && !named.iter().any(applies) {
                return Err(format!(
                    "no type condition matches the location \"{}\"",
                    owner.name
                ));
            }
        }
        match used.iter().position(|used| !used) {
            Some(index) => Err(format!("type condition \"{}\" is never used", named[index].0)),
            None => Ok(()),
        }
    }

    fn type_fits(&self, selected: Type) -> Result<(), String> {
        if fits(&self.arg.ty, &selected) {
            return Ok(());
        }
        Err(format!(
            "the type of the selection \"{selected}\" does not match the expected type \"{}\"",
            self.arg.ty
        ))
    }
}

fn branch(selection: &Sel) -> Result<(&str, &[Sel]), String> {
    match selection {
        Sel::On { directives: true, .. } => Err("directives are not allowed in the selection".to_owned()),
        Sel::On {
            condition: Some(name),
            sub,
            ..
        } => Ok((name, sub)),
        Sel::On { condition: None, .. } => Err("inline fragments must have type conditions".to_owned()),
        Sel::Field { .. } => Err("multiple fields could be selected".to_owned()),
    }
}
