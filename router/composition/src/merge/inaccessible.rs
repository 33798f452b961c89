//! `@inaccessible`: what remains must still be a schema.
//!
//! <https://specs.apollo.dev/inaccessible/v0.2/>

use apollo_compiler::Name;
use apollo_compiler::ast::Value;

use super::Context;
use super::merged::{MField, MInput, MType, Merged};
use crate::model::Kind;

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
    found.directives();
}

fn default_message(hidden: &str, coordinate: &str) -> String {
    format!(
        "\"{hidden}\" is @inaccessible but is used in the default value of \"{coordinate}\", which is in the API schema: change the default or hide that too."
    )
}

struct Findings<'c, 'm, 'a> {
    cx: &'c mut Context<'a>,
    merged: &'m Merged,
}

impl Findings<'_, '_, '_> {
    fn report(&mut self, code: &str, ty: &MType, field: Option<&Name>, message: String) {
        self.cx.error_at(code, ty, field, message);
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
                "Type \"{}\" is in the API schema but all of its children are @inaccessible: mark the type itself @inaccessible, or show one of them.",
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
        self.reference(ty, Some(name), &coordinate, field.ty.inner_named_type());
        for (arg, input) in &field.args {
            self.input(ty, name, &format!("{coordinate}({arg}:)"), input);
            if input.marks.inaccessible {
                self.implemented_argument(ty, name, arg, &coordinate);
            }
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
                    "Field \"{coordinate}\" is @inaccessible but implements the interface field \"{}.{name}\", which is in the API schema: hide that one too.",
                    interface.name
                );
                self.report("IMPLEMENTED_BY_INACCESSIBLE", ty, Some(name), message);
            }
        }
    }

    /// A hidden argument that a public interface shows.
    fn implemented_argument(&mut self, ty: &MType, name: &Name, arg: &Name, coordinate: &str) {
        let merged = self.merged;
        let interfaces = ty.implements.iter().filter_map(|name| merged.types.get(name));
        for interface in interfaces.filter(|interface| !interface.marks.inaccessible) {
            let field = interface
                .fields
                .get(name)
                .filter(|field| !field.marks.inaccessible);
            let shown = field.and_then(|field| field.args.get(arg));
            if shown.is_some_and(|shown| !shown.marks.inaccessible) {
                let message = format!(
                    "Argument \"{coordinate}({arg}:)\" is @inaccessible but implements the interface argument \"{}.{name}({arg}:)\", which is in the API schema: hide that one too.",
                    interface.name
                );
                self.report("IMPLEMENTED_BY_INACCESSIBLE", ty, Some(name), message);
            }
        }
    }

    /// Directives that clients use are public, and so must be what their arguments are made of.
    fn directives(&mut self) {
        for definition in self.merged.directives.values() {
            for arg in &definition.arguments {
                let target = arg.ty.inner_named_type();
                let coordinate = format!("@{}({}:)", definition.name, arg.name);
                let hidden = arg
                    .default_value
                    .as_ref()
                    .and_then(|value| self.hidden_in(target, value));
                let Some(ty) = self.merged.types.get(target) else {
                    continue;
                };
                if ty.marks.inaccessible {
                    self.reference(ty, None, &coordinate, target);
                } else if let Some(hidden) = hidden {
                    let message = default_message(&hidden, &coordinate);
                    self.report("DEFAULT_VALUE_USES_INACCESSIBLE", ty, None, message);
                }
            }
        }
    }

    fn reference(&mut self, ty: &MType, field: Option<&Name>, coordinate: &str, target: &Name) {
        if self.hidden_type(target) {
            let message = format!(
                "Type \"{target}\" is @inaccessible but is referenced by \"{coordinate}\", which is in the API schema: mark that @inaccessible too."
            );
            self.report("REFERENCED_INACCESSIBLE", ty, field, message);
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
        self.reference(ty, Some(field), coordinate, target);
        let hidden = input
            .default
            .as_ref()
            .and_then(|value| self.hidden_in(target, value));
        if let Some(hidden) = hidden {
            let message = default_message(&hidden, coordinate);
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
