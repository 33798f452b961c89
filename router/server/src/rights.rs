//! Which rights a supergraph asks for. A caller's other rights are forgotten before planning, so that callers who may
//! see the same share one plan.

use std::collections::BTreeSet;

use apollo_compiler::ast::{self, Definition, Directive, DirectiveList, Value};
use baedal_planner::Access;

/// The rights that appear anywhere in a supergraph.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rights {
    authenticated: bool,
    scopes: BTreeSet<String>,
    policies: BTreeSet<String>,
}

impl Rights {
    /// Reads them from supergraph SDL. A text that is no SDL asks for nothing (and is served by no one).
    pub fn of(sdl: &str) -> Rights {
        let document = match ast::Document::parse(sdl, "supergraph.graphql") {
            Ok(document) => document,
            Err(broken) => broken.partial,
        };
        let mut rights = Rights::default();
        for definition in &document.definitions {
            rights.read_definition(definition);
        }
        rights
    }

    /// Whether there is any.
    pub fn any(&self) -> bool {
        *self != Rights::default()
    }

    /// The policies among them.
    pub fn policies(&self) -> &BTreeSet<String> {
        &self.policies
    }

    /// The caller's rights that make a difference here.
    pub fn narrow(&self, access: &Access) -> Access {
        if access.is_unrestricted() {
            return access.clone();
        }
        let mut narrowed = access.clone();
        narrowed.authenticated &= self.any();
        narrowed.scopes.retain(|scope| self.scopes.contains(scope));
        narrowed.policies.retain(|policy| self.policies.contains(policy));
        narrowed
    }

    fn read_definition(&mut self, definition: &Definition) {
        match definition {
            Definition::ObjectTypeDefinition(object) => {
                self.read(&object.directives);
                object
                    .fields
                    .iter()
                    .for_each(|field| self.read(&field.directives));
            }
            Definition::InterfaceTypeDefinition(interface) => {
                self.read(&interface.directives);
                interface
                    .fields
                    .iter()
                    .for_each(|field| self.read(&field.directives));
            }
            Definition::ScalarTypeDefinition(scalar) => self.read(&scalar.directives),
            Definition::EnumTypeDefinition(enumeration) => self.read(&enumeration.directives),
            _ => {}
        }
    }

    /// Directives are known by the last part of their name, so that a namespace or prefix does not hide them.
    fn read(&mut self, directives: &DirectiveList) {
        for directive in directives {
            match directive.name.rsplit("__").next() {
                Some("authenticated") => self.authenticated = true,
                Some("requiresScopes") => add_names(&mut self.scopes, directive, "scopes"),
                Some("policy") => add_names(&mut self.policies, directive, "policies"),
                _ => {}
            }
        }
    }
}

fn add_names(into: &mut BTreeSet<String>, directive: &Directive, argument: &str) {
    let Some(value) = directive.specified_argument_by_name(argument) else {
        return;
    };
    let mut waiting: Vec<&Value> = vec![value];
    while let Some(value) = waiting.pop() {
        match value {
            Value::List(items) => waiting.extend(items.iter().map(|item| &**item)),
            Value::String(name) => drop(into.insert(name.clone())),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(scopes: &[&str]) -> Access {
        Access::new(
            true,
            scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            BTreeSet::new(),
        )
    }

    #[test]
    fn only_rights_that_the_schema_asks_for_are_kept() {
        let sdl =
            r#"type Query { a: Int @requiresScopes(scopes: [["x", "y"], ["z"]]) b: Int @authenticated }"#;
        assert_eq!(Rights::of(sdl).narrow(&access(&["x", "email"])), access(&["x"]));
    }

    #[test]
    fn an_open_schema_makes_all_callers_equal() {
        let rights = Rights::of("directive @authenticated on FIELD_DEFINITION type Query { a: Int }");
        assert!(!rights.any());
        assert_eq!(rights.narrow(&access(&["x"])), Access::default());
    }
}
