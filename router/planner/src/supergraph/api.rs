//! The public schema: the supergraph without its machinery and without what is `@inaccessible`.
//! <https://specs.apollo.dev/inaccessible/v0.2/>
use std::collections::HashSet;

use apollo_compiler::ast::DirectiveList as AstDirectives;
use apollo_compiler::ast::InputValueDefinition;
use apollo_compiler::collections::IndexMap;
use apollo_compiler::schema::{Component, ComponentName, DirectiveList, ExtendedType, FieldDefinition};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema};

use super::SupergraphError;
use super::links::Links;

struct Filter<'a> {
    links: &'a Links,
    hidden: HashSet<Name>,
}

/// Derives the public schema.
pub(crate) fn api_schema(schema: &Schema, links: &Links) -> Result<Valid<Schema>, SupergraphError> {
    let mut api = schema.clone();
    let hidden = schema
        .types
        .values()
        .filter(|t| t.directives().iter().any(|d| links.is(&d.name, "inaccessible")));
    let filter = Filter {
        links,
        hidden: hidden.map(|t| t.name().clone()).collect(),
    };
    api.types
        .retain(|name, def| def.is_built_in() || !(links.is_machinery(name) || filter.hidden.contains(name)));
    api.directive_definitions
        .retain(|name, _| !links.is_machinery_directive(name));
    for directive in api.directive_definitions.values_mut() {
        filter.arguments(&mut directive.make_mut().arguments);
    }
    let definition = api.schema_definition.make_mut();
    filter.directives(&mut definition.directives);
    for root in [&mut definition.mutation, &mut definition.subscription] {
        root.take_if(|name| filter.hidden.contains(&name.name));
    }
    for ty in api.types.values_mut().filter(|t| !t.is_built_in()) {
        filter.ty(ty);
    }
    let valid = api
        .validate()
        .map_err(|e| SupergraphError::PublicSchema(e.errors.to_string()))?;
    Ok(valid)
}

impl Filter<'_> {
    fn keeps(&self, directive: &Name) -> bool {
        !self.links.is_machinery_directive(directive)
    }

    fn directives(&self, list: &mut DirectiveList) {
        list.0.retain(|d| self.keeps(&d.name));
    }

    fn is_hidden(&self, directives: &AstDirectives) -> bool {
        directives.iter().any(|d| self.links.is(&d.name, "inaccessible"))
    }

    fn ast_directives(&self, list: &mut AstDirectives) {
        list.0.retain(|d| self.keeps(&d.name));
    }

    fn arguments(&self, arguments: &mut Vec<Node<InputValueDefinition>>) {
        arguments
            .retain(|a| !self.is_hidden(&a.directives) && !self.hidden.contains(a.ty.inner_named_type()));
        for argument in arguments {
            self.ast_directives(&mut argument.make_mut().directives);
        }
    }

    fn fields(&self, fields: &mut IndexMap<Name, Component<FieldDefinition>>) {
        fields
            .retain(|_, f| !self.is_hidden(&f.directives) && !self.hidden.contains(f.ty.inner_named_type()));
        for field in fields.values_mut() {
            let field = field.make_mut();
            self.ast_directives(&mut field.directives);
            self.arguments(&mut field.arguments);
        }
    }

    fn implements(&self, interfaces: &mut apollo_compiler::collections::IndexSet<ComponentName>) {
        interfaces.retain(|i| !self.hidden.contains(&i.name));
    }

    fn ty(&self, ty: &mut ExtendedType) {
        match ty {
            ExtendedType::Scalar(def) => self.directives(&mut def.make_mut().directives),
            ExtendedType::Object(def) => {
                let def = def.make_mut();
                self.directives(&mut def.directives);
                self.implements(&mut def.implements_interfaces);
                self.fields(&mut def.fields);
            }
            ExtendedType::Interface(def) => {
                let def = def.make_mut();
                self.directives(&mut def.directives);
                self.implements(&mut def.implements_interfaces);
                self.fields(&mut def.fields);
            }
            ExtendedType::Union(def) => {
                let def = def.make_mut();
                self.directives(&mut def.directives);
                def.members.retain(|m| !self.hidden.contains(&m.name));
            }
            ExtendedType::Enum(def) => {
                let def = def.make_mut();
                self.directives(&mut def.directives);
                def.values.retain(|_, v| !self.is_hidden(&v.directives));
                def.values
                    .values_mut()
                    .for_each(|v| self.ast_directives(&mut v.make_mut().directives));
            }
            ExtendedType::InputObject(def) => {
                let def = def.make_mut();
                self.directives(&mut def.directives);
                def.fields.retain(|_, f| {
                    !self.is_hidden(&f.directives) && !self.hidden.contains(f.ty.inner_named_type())
                });
                def.fields
                    .values_mut()
                    .for_each(|f| self.ast_directives(&mut f.make_mut().directives));
            }
        }
    }
}
