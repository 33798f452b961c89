//! Walks a field set over a subgraph's types and says what does not fit.

use apollo_compiler::Name;

use crate::fieldset::Sel;
use crate::model::{Field, Kind, Model, TypeDef};

/// What a directive allows in its field set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed {
    pub arguments: bool,
    pub abstract_fields: bool,
    /// Leaves must be `@external`, or lie below something that is.
    pub must_be_external: bool,
}

/// What is wrong with one selection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// It does not fit the schema; says why.
    Invalid(String),
    Arguments(String),
    Directives,
    /// A field of a union or interface type, in a key.
    Abstract(String, Kind),
    NotExternal(String),
}

/// All problems of a selection on a type.
pub(super) fn problems(model: &Model, ty: &TypeDef, selection: &[Sel], allowed: Allowed) -> Vec<Problem> {
    let mut walker = Walker {
        model,
        allowed,
        found: Vec::new(),
    };
    walker.selection(ty, selection, false);
    walker.found
}

struct Walker<'m> {
    model: &'m Model,
    allowed: Allowed,
    found: Vec<Problem>,
}

impl Walker<'_> {
    fn selection(&mut self, ty: &TypeDef, selection: &[Sel], external_above: bool) {
        for one in selection {
            match one {
                Sel::Field {
                    name,
                    aliased,
                    args,
                    directives,
                    sub,
                } => {
                    if *directives {
                        self.found.push(Problem::Directives);
                    }
                    if *aliased {
                        self.invalid(format!(
                            "Cannot use an alias on field \"{name}\" of type \"{}\"",
                            ty.name
                        ));
                    }
                    let names: Vec<&Name> = args.iter().map(|arg| &arg.name).collect();
                    self.field(ty, name, &names, sub, external_above);
                }
                Sel::On {
                    condition,
                    directives,
                    sub,
                } => {
                    if *directives {
                        self.found.push(Problem::Directives);
                    }
                    self.fragment(ty, condition.as_ref(), sub, external_above);
                }
            }
        }
    }

    fn invalid(&mut self, message: String) {
        self.found.push(Problem::Invalid(message));
    }

    fn fragment(&mut self, ty: &TypeDef, condition: Option<&Name>, sub: &[Sel], external_above: bool) {
        let Some(name) = condition else {
            return self.selection(ty, sub, external_above);
        };
        match self.model.types.get(name) {
            Some(next) if next.is_composite() => {
                let theirs = self.model.runtime_types(ty);
                let overlap = self
                    .model
                    .runtime_types(next)
                    .iter()
                    .any(|a| theirs.iter().any(|b| a.name == b.name));
                if !overlap && ty.name != next.name {
                    self.invalid(format!(
                        "A fragment on \"{name}\" can never apply within type \"{}\"",
                        ty.name
                    ));
                }
                self.selection(next, sub, external_above);
            }
            _ => self.invalid(format!(
                "Type \"{name}\" of a fragment is not an object, interface or union of this subgraph"
            )),
        }
    }

    fn field(&mut self, ty: &TypeDef, name: &Name, args: &[&Name], sub: &[Sel], external_above: bool) {
        if name == "__typename" {
            return;
        }
        let Some(field) = ty.fields.get(name) else {
            return self.invalid(format!(
                "Cannot query field \"{name}\" on type \"{}\" (if the field is defined in another subgraph, you need to add it to this subgraph with @external)",
                ty.name
            ));
        };
        let coordinate = format!("{}.{name}", ty.name);
        self.arguments(&coordinate, field, args);
        let external = self.is_external(ty, field);
        if self.allowed.must_be_external && sub.is_empty() && !external && !external_above {
            self.found.push(Problem::NotExternal(coordinate.clone()));
        }
        let target = self
            .model
            .types
            .get(field.ty.inner_named_type())
            .filter(|target| target.is_composite());
        match (target, sub.is_empty()) {
            (None, false) => self.invalid(format!(
                "Field \"{coordinate}\" must not have a selection since type \"{}\" has no subfields",
                field.ty
            )),
            (Some(_), true) => self.invalid(format!(
                "Field \"{coordinate}\" of type \"{}\" must have a selection of subfields",
                field.ty
            )),
            (None, true) => {}
            (Some(target), false) => {
                if !self.allowed.abstract_fields && matches!(target.kind, Kind::Interface | Kind::Union) {
                    self.found.push(Problem::Abstract(coordinate, target.kind));
                }
                self.selection(target, sub, external_above || external);
            }
        }
    }

    fn arguments(&mut self, coordinate: &str, field: &Field, args: &[&Name]) {
        if !self.allowed.arguments && (!args.is_empty() || !field.args.is_empty()) {
            self.found.push(Problem::Arguments(coordinate.to_owned()));
            return;
        }
        for name in args.iter().filter(|name| !field.args.contains_key(**name)) {
            self.invalid(format!("Unknown argument \"{name}\" on field \"{coordinate}\""));
        }
        for (name, arg) in &field.args {
            if arg.required() && arg.from_context.is_none() && !args.contains(&name) {
                self.invalid(format!(
                    "Missing mandatory value for argument \"{name}\" of field \"{coordinate}\""
                ));
            }
        }
    }

    /// An interface's field counts as external if it is so in any implementation.
    fn is_external(&self, ty: &TypeDef, field: &Field) -> bool {
        let below = || {
            let objects = self.model.runtime_types(ty);
            objects
                .iter()
                .any(|object| object.fields.get(&field.name).is_some_and(|own| own.external))
        };
        field.external || (ty.kind == Kind::Interface && below())
    }
}
