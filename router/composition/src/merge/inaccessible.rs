//! `@inaccessible`: what remains must still be a schema.
//!
//! <https://specs.apollo.dev/inaccessible/v0.2/>

use apollo_compiler::Name;
use apollo_compiler::ast::Value;

use super::Context;
use super::merged::{MField, MInput, MType, Merged};
use crate::diagnostics::Diagnostic;
use crate::model::{Kind, Place};

/// Checks the public part of the schema.
pub(super) fn check(cx: &mut Context<'_>, merged: &Merged) {
    let mut found = Findings { cx, merged };
    for ty in merged.types.values() {
        if ty.marks.inaccessible {
            if ty.name == "Query" {
                let message = "Type \"Query\" is @inaccessible but is the query root type, which must be in the API schema.";
                found.report("QUERY_ROOT_TYPE_INACCESSIBLE", ty, None, message.to_owned());
            }
            continue;
        }
        found.children(ty);
        for (name, field) in &ty.fields {
            found.field(ty, name, field);
        }
        for (name, input) in &ty.inputs {
            let coordinate = format!("{}.{name}", ty.name);
            found.input(ty, name, &coordinate, input);
        }
    }
}

struct Findings<'c, 'm, 'a> {
    cx: &'c mut Context<'a>,
    merged: &'m Merged,
}

impl Findings<'_, '_, '_> {
    /// Reports at the first subgraph that has the element.
    fn report(&mut self, code: &str, ty: &MType, field: Option<&Name>, message: String) {
        for graph in ty.graphs() {
            let Some(own) = self.cx.models[graph].types.get(&ty.name) else {
                continue;
            };
            let place: Option<Place> = match field {
                Some(field) => {
                    let field_place = own.fields.get(field).map(|field| field.place);
                    field_place.or_else(|| own.inputs.get(field).map(|input| input.place))
                }
                None => Some(own.place),
            };
            if let Some(place) = place {
                self.cx.error(code, graph, place, message);
                return;
            }
        }
        self.cx.errors.push(Diagnostic::global(code, message));
    }

    fn hidden_type(&self, name: &Name) -> bool {
        self.merged
            .types
            .get(name)
            .is_some_and(|ty| ty.marks.inaccessible)
    }

    fn children(&mut self, ty: &MType) {
        let all_hidden = match ty.kind {
            Kind::Object | Kind::Interface => {
                !ty.fields.is_empty() && ty.fields.values().all(|field| field.marks.inaccessible)
            }
            Kind::Input => !ty.inputs.is_empty() && ty.inputs.values().all(|input| input.marks.inaccessible),
            Kind::Enum => !ty.values.is_empty() && ty.values.values().all(|value| value.marks.inaccessible),
            Kind::Union => !ty.members.is_empty() && ty.members.iter().all(|member| self.hidden_type(member)),
            Kind::Scalar => false,
        };
        if all_hidden {
            let message = format!(
                "Type \"{}\" is in the API schema but all of its children are @inaccessible.",
                ty.name
            );
            self.report("ONLY_INACCESSIBLE_CHILDREN", ty, None, message);
        }
    }

    fn field(&mut self, ty: &MType, name: &Name, field: &MField) {
        let coordinate = format!("{}.{name}", ty.name);
        if field.marks.inaccessible {
            self.implemented(ty, name, &coordinate);
            return;
        }
        self.reference(ty, name, &coordinate, field.ty.inner_named_type());
        for (arg, input) in &field.args {
            self.input(ty, name, &format!("{coordinate}({arg}:)"), input);
        }
    }

    /// A hidden field that a public interface shows.
    fn implemented(&mut self, ty: &MType, name: &Name, coordinate: &str) {
        let merged = self.merged;
        for interface in ty.implements.iter().filter_map(|name| merged.types.get(name)) {
            let shown = interface
                .fields
                .get(name)
                .is_some_and(|field| !field.marks.inaccessible);
            if shown && !interface.marks.inaccessible {
                let message = format!(
                    "Field \"{coordinate}\" is @inaccessible but implements the interface field \"{}.{name}\", which is in the API schema.",
                    interface.name
                );
                self.report("IMPLEMENTED_BY_INACCESSIBLE", ty, Some(name), message);
            }
        }
    }

    fn reference(&mut self, ty: &MType, field: &Name, coordinate: &str, target: &Name) {
        if self.hidden_type(target) {
            let message = format!(
                "Type \"{target}\" is @inaccessible but is referenced by \"{coordinate}\", which is in the API schema."
            );
            self.report("REFERENCED_INACCESSIBLE", ty, Some(field), message);
        }
    }

    /// An argument or input field.
    fn input(&mut self, ty: &MType, field: &Name, coordinate: &str, input: &MInput) {
        if input.marks.inaccessible {
            if input.required() {
                let message = format!(
                    "\"{coordinate}\" is @inaccessible but is required: give it a default or make it nullable."
                );
                self.report("REQUIRED_INACCESSIBLE", ty, Some(field), message);
            }
            return;
        }
        let target = input.ty.inner_named_type();
        self.reference(ty, field, coordinate, target);
        let hidden = input
            .default
            .as_ref()
            .and_then(|value| self.hidden_in(target, value));
        if let Some(hidden) = hidden {
            let message = format!(
                "\"{hidden}\" is @inaccessible but is used in the default value of \"{coordinate}\", which is in the API schema."
            );
            self.report("DEFAULT_VALUE_USES_INACCESSIBLE", ty, Some(field), message);
        }
    }

    /// The hidden enum value or input field that a default value uses.
    fn hidden_in(&self, target: &Name, value: &Value) -> Option<String> {
        let ty = self.merged.types.get(target)?;
        match value {
            Value::Enum(name) => {
                let hidden = ty.values.get(name)?.marks.inaccessible;
                hidden.then(|| format!("{target}.{name}"))
            }
            Value::List(items) => items.iter().find_map(|item| self.hidden_in(target, item)),
            Value::Object(entries) => entries.iter().find_map(|(name, value)| {
                let input = ty.inputs.get(name)?;
                if input.marks.inaccessible {
                    return Some(format!("{target}.{name}"));
                }
                self.hidden_in(input.ty.inner_named_type(), value)
            }),
            _ => None,
        }
    }
}
