//! Puts `@inaccessible` on what a contract hides.

use apollo_compiler::ast::{Argument, Directive, DirectiveDefinition, DirectiveLocation, Value};
use apollo_compiler::schema::{Component, ExtendedType, FieldDefinition};
use apollo_compiler::{Name, Node, Schema};

use super::links::Links;
use super::view::{Field, Type, View};

/// Marks all that is hidden and not marked yet; links the specification where the supergraph does not.
pub(super) fn hide(schema: &mut Schema, view: &View, links: &Links) {
    let Ok(name) = Name::new(&links.inaccessible) else {
        return;
    };
    let writer = Writer { name: &name };
    let mut wrote = false;
    for (name, ty) in &mut schema.types {
        if let Some(seen) = view.types.get(name) {
            wrote |= writer.ty(ty, seen);
        }
    }
    if wrote && !links.has_inaccessible {
        link(schema, links);
    }
}

struct Writer<'a> {
    name: &'a Name,
}

impl Writer<'_> {
    fn directive(&self) -> Node<Directive> {
        Node::new(Directive::new(self.name.clone()))
    }

    /// Adds the directive to a list that lacks it; says whether it did.
    fn mark(&self, list: &mut apollo_compiler::ast::DirectiveList, hidden: bool) -> bool {
        let missing = hidden && !list.has(self.name);
        if missing {
            list.push(self.directive());
        }
        missing
    }

    fn ty(&self, ty: &mut ExtendedType, seen: &Type) -> bool {
        let mut wrote = false;
        if seen.hidden && !ty.directives().has(self.name) {
            let directive = Component::from(self.directive());
            match ty {
                ExtendedType::Scalar(ty) => ty.make_mut().directives.push(directive),
                ExtendedType::Object(ty) => ty.make_mut().directives.push(directive),
                ExtendedType::Interface(ty) => ty.make_mut().directives.push(directive),
                ExtendedType::Union(ty) => ty.make_mut().directives.push(directive),
                ExtendedType::Enum(ty) => ty.make_mut().directives.push(directive),
                ExtendedType::InputObject(ty) => ty.make_mut().directives.push(directive),
            }
            wrote = true;
        }
        match ty {
            ExtendedType::Object(ty) => {
                for (name, field) in &mut ty.make_mut().fields {
                    wrote |= self.field(field, seen.fields.get(name));
                }
            }
            ExtendedType::Interface(ty) => {
                for (name, field) in &mut ty.make_mut().fields {
                    wrote |= self.field(field, seen.fields.get(name));
                }
            }
            ExtendedType::InputObject(ty) => {
                for (name, field) in &mut ty.make_mut().fields {
                    let hidden = seen.fields.get(name).is_some_and(|field| field.hidden);
                    wrote |= self.mark(&mut field.make_mut().directives, hidden);
                }
            }
            ExtendedType::Enum(ty) => {
                for (name, value) in &mut ty.make_mut().values {
                    let hidden = seen.values.get(name).is_some_and(|value| value.hidden);
                    wrote |= self.mark(&mut value.make_mut().directives, hidden);
                }
            }
            ExtendedType::Scalar(_) | ExtendedType::Union(_) => {}
        }
        wrote
    }

    fn field(&self, field: &mut Component<FieldDefinition>, seen: Option<&Field>) -> bool {
        let Some(seen) = seen else { return false };
        let field = field.make_mut();
        let mut wrote = self.mark(&mut field.directives, seen.hidden);
        for arg in &mut field.arguments {
            let hidden = seen.args.get(&arg.name).is_some_and(|arg| arg.hidden);
            wrote |= self.mark(&mut arg.make_mut().directives, hidden);
        }
        wrote
    }
}

/// Links the specification and defines its directive.
fn link(schema: &mut Schema, links: &Links) {
    use DirectiveLocation as L;
    use apollo_compiler::name;
    let Ok(link) = Name::new(&links.link) else { return };
    let core = links.link == "core";
    let argument = |name: Name, value: Value| {
        Node::new(Argument {
            name,
            value: Node::new(value),
        })
    };
    let url = Value::String("https://specs.apollo.dev/inaccessible/v0.2".to_owned());
    let directive = Directive {
        name: link,
        arguments: vec![
            argument(if core { name!("feature") } else { name!("url") }, url),
            argument(name!("for"), Value::Enum(name!("SECURITY"))),
        ],
    };
    let definition = schema.schema_definition.make_mut();
    definition.directives.push(Component::new(directive));
    let definition = DirectiveDefinition {
        description: None,
        name: name!("inaccessible"),
        arguments: Vec::new(),
        repeatable: false,
        locations: vec![
            L::FieldDefinition,
            L::Object,
            L::Interface,
            L::Union,
            L::ArgumentDefinition,
            L::Scalar,
            L::Enum,
            L::EnumValue,
            L::InputObject,
            L::InputFieldDefinition,
        ],
    };
    schema
        .directive_definitions
        .entry(name!("inaccessible"))
        .or_insert_with(|| Node::new(definition));
}
