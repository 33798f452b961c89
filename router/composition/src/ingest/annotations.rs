//! Directive applications, understood.

use apollo_compiler::Node;
use apollo_compiler::ast::{Directive, DirectiveList, Value};

use super::link::Linked;
use crate::fieldset::FieldSet;
use crate::model::{Key, ListSize, Marks, Override, Place};

/// Directives of one element, by their names in the specification.
pub(super) struct Annotations<'a> {
    list: &'a DirectiveList,
    linked: &'a Linked,
}

impl<'a> Annotations<'a> {
    pub fn new(list: &'a DirectiveList, linked: &'a Linked) -> Self {
        Annotations { list, linked }
    }

    fn all(&self, name: &'static str) -> impl Iterator<Item = &'a Node<Directive>> {
        let linked = self.linked;
        self.list
            .iter()
            .filter(move |directive| linked.canonical(&directive.name) == Some(name))
    }

    /// The first application of a directive.
    pub fn get(&self, name: &'static str) -> Option<&'a Node<Directive>> {
        self.all(name).next()
    }

    pub fn has(&self, name: &'static str) -> bool {
        self.get(name).is_some()
    }

    /// The field set of `@requires` or `@provides`.
    pub fn field_set(&self, name: &'static str) -> Option<FieldSet> {
        let directive = self.get(name)?;
        Some(FieldSet::read(
            directive.specified_argument_by_name("fields"),
            directive.location(),
        ))
    }

    pub fn keys(&self, extension: bool) -> Vec<Key> {
        let read = |directive: &Node<Directive>| Key {
            set: FieldSet::read(
                directive.specified_argument_by_name("fields"),
                directive.location(),
            ),
            resolvable: directive
                .specified_argument_by_name("resolvable")
                .and_then(|value| value.to_bool()),
            extension,
        };
        self.all("key").map(read).collect()
    }

    pub fn overrides(&self) -> Option<Override> {
        let directive = self.get("override")?;
        let from = text(directive, "from").unwrap_or_default();
        Some(Override {
            from,
            label: text(directive, "label"),
            place: directive.location(),
        })
    }

    pub fn contexts(&self) -> Vec<(String, Place)> {
        self.all("context")
            .filter_map(|each| Some((text(each, "name")?, each.location())))
            .collect()
    }

    pub fn context_argument(&self) -> Option<String> {
        text(self.get("fromContext")?, "field")
    }

    /// What survives into the supergraph.
    pub fn marks(&self) -> Marks {
        let known = |directive: &&Node<Directive>| {
            self.linked.canonical(&directive.name).is_some() || is_builtin(&directive.name)
        };
        let custom = self.list.iter().filter(|directive| !known(directive)).cloned();
        let cost = self
            .get("cost")
            .and_then(|each| each.specified_argument_by_name("weight"));
        Marks {
            inaccessible: self.has("inaccessible"),
            tags: self.all("tag").filter_map(|tag| text(tag, "name")).collect(),
            deprecated: self.list.get("deprecated").cloned(),
            specified_by: self.list.get("specifiedBy").cloned(),
            authenticated: self.has("authenticated"),
            scopes: self
                .get("requiresScopes")
                .map(|each| alternatives(each, "scopes")),
            policies: self.get("policy").map(|each| alternatives(each, "policies")),
            cost: cost.and_then(|value| value.to_i32()),
            list_size: self.get("listSize").map(list_size),
            cache_tags: self
                .all("cacheTag")
                .filter_map(|each| text(each, "format"))
                .collect(),
            custom: custom.collect(),
        }
    }
}

fn is_builtin(name: &str) -> bool {
    matches!(name, "deprecated" | "specifiedBy" | "oneOf" | "include" | "skip")
}

pub(super) fn text(directive: &Directive, argument: &str) -> Option<String> {
    directive
        .specified_argument_by_name(argument)
        .and_then(|value| value.as_str())
        .map(str::to_owned)
}

/// A list of lists of strings; a lone value counts as a list, as GraphQL coerces it.
fn alternatives(directive: &Directive, argument: &str) -> Vec<Vec<String>> {
    let Some(value) = directive.specified_argument_by_name(argument) else {
        return Vec::new();
    };
    items(value).iter().map(strings).collect()
}

fn items(value: &Node<Value>) -> Vec<Node<Value>> {
    match &**value {
        Value::List(items) => items.clone(),
        _ => vec![value.clone()],
    }
}

fn strings(value: &Node<Value>) -> Vec<String> {
    items(value)
        .iter()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

fn list_size(directive: &Node<Directive>) -> ListSize {
    let argument = |name: &str| {
        directive
            .specified_argument_by_name(name)
            .filter(|value| !value.is_null())
    };
    ListSize {
        assumed: argument("assumedSize").and_then(|value| value.to_i32()),
        slicing: argument("slicingArguments").map(strings),
        sized: argument("sizedFields").map(strings),
        require_one: argument("requireOneSlicingArgument").and_then(|value| value.to_bool()),
    }
}
