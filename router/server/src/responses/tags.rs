//! Under which names an answer can be dropped: `@cacheTag`, the entities that are in it, its types, its subgraph.

use std::collections::BTreeSet;

use apollo_compiler::ast::{Field, Selection, Value as Literal};
use serde_json::{Map, Value};

use super::format::{Format, at, plain};
use super::graph::{Graph, Subgraph};

/// A name under which answers can be dropped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tag {
    /// All answers of a subgraph.
    Subgraph(Box<str>),
    /// Answers with something of a type.
    Type(Box<str>),
    /// Answers with an entity: its type, and a key as JSON with sorted names and plain texts.
    Entity(Box<str>, Box<str>),
    /// Answers with a tag of their own.
    Named(Box<str>),
}

impl Tag {
    /// An entity, by the plain fields of one of its keys; `None` if one of them is not plain.
    pub fn entity<'a>(ty: &str, key: impl IntoIterator<Item = (&'a str, &'a Value)>) -> Option<Tag> {
        let member = |(name, value): (&str, &Value)| Some((name.to_owned(), Value::String(plain(value)?)));
        let members: Option<std::collections::BTreeMap<_, _>> = key.into_iter().map(member).collect();
        let members = members.filter(|members| !members.is_empty())?;
        let key = serde_json::to_string(&members).expect("texts are JSON");
        Some(Tag::Entity(ty.into(), key.into()))
    }

    /// About how many bytes it takes.
    pub fn bytes(&self) -> usize {
        let text = match self {
            Tag::Subgraph(name) | Tag::Type(name) | Tag::Named(name) => name.len(),
            Tag::Entity(ty, key) => ty.len() + key.len(),
        };
        text + 64
    }
}

/// Why an answer has no list of tags, so that nobody could drop it: it must not be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untagged {
    /// It has more than it may have.
    TooMany,
    /// A `@cacheTag` names something that is not there.
    Unfilled,
}

/// Collects the tags of one answer.
pub struct Tags<'a> {
    graph: &'a Graph,
    subgraph: &'a Subgraph,
    most: usize,
    tags: BTreeSet<Tag>,
}

impl<'a> Tags<'a> {
    /// Of an answer of a subgraph; no more than `most`.
    pub fn new(graph: &'a Graph, subgraph: &'a Subgraph, name: &str, most: usize) -> Tags<'a> {
        let tags = BTreeSet::from([Tag::Subgraph(name.into())]);
        Tags {
            graph,
            subgraph,
            most,
            tags,
        }
    }

    /// Adds a tag that came with the answer.
    pub fn add(&mut self, tag: Tag) {
        // One more than it may have is enough to know.
        if self.tags.len() <= self.most {
            self.tags.insert(tag);
        }
    }

    /// All of them.
    pub fn finish(self) -> Result<Box<[Tag]>, Untagged> {
        match self.tags.len() > self.most {
            true => Err(Untagged::TooMany),
            false => Ok(self.tags.into_iter().collect()),
        }
    }

    /// The tags of root fields, by their arguments.
    pub fn add_root(
        &mut self,
        selections: &[Selection],
        variable: &dyn Fn(&str) -> Option<Value>,
    ) -> Result<(), Untagged> {
        let (graph, subgraph) = (self.graph, self.subgraph);
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    let Some(definition) = graph.field(graph.query(), &field.name) else {
                        continue;
                    };
                    for format in Graph::field_tags(subgraph, definition) {
                        let filled = format.fill(|path| argument(graph, field, path, variable));
                        self.add(Tag::Named(filled.ok_or(Untagged::Unfilled)?.into()));
                    }
                }
                Selection::InlineFragment(inline) => self.add_root(&inline.selection_set, variable)?,
                Selection::FragmentSpread(_) => {}
            }
        }
        Ok(())
    }

    /// The tags of an entity that was asked for by this representation.
    pub fn add_represented(&mut self, representation: &Value) -> Result<(), Untagged> {
        let Some(ty) = representation.get("__typename").and_then(Value::as_str) else {
            return Err(Untagged::Unfilled);
        };
        let find = |path: &[Box<str>]| match path {
            [source, rest @ ..] if &**source == "$key" => at(representation, rest).cloned(),
            _ => None,
        };
        for format in self.graph.type_tags(self.subgraph, ty) {
            let filled = format.fill(find);
            self.add(Tag::Named(filled.ok_or(Untagged::Unfilled)?.into()));
        }
        self.add(Tag::Type(ty.into()));
        self.add_keys(ty, &|name| representation.get(name));
        Ok(())
    }

    /// The tags of what is in an answer, as far as its keys are selected there.
    pub fn add_inside(&mut self, selections: &[Selection], ty: &str, value: &Value) {
        match value {
            Value::Array(items) => items
                .iter()
                .for_each(|item| self.add_inside(selections, ty, item)),
            Value::Object(object) if self.tags.len() <= self.most => self.add_object(selections, ty, object),
            _ => {}
        }
    }

    fn add_object(&mut self, selections: &[Selection], ty: &str, object: &Map<String, Value>) {
        let graph = self.graph;
        let told = object.get("__typename").and_then(Value::as_str);
        let runtime = told.filter(|told| graph.is_object(told)).unwrap_or(ty);
        for name in [ty, runtime] {
            if !name.is_empty() && name != graph.query() {
                self.add(Tag::Type(name.into()));
            }
        }
        let key = |name: &str| key_field(selections, runtime, graph, object, name);
        self.add_keys(runtime, &key);
        let find = |path: &[Box<str>]| match path {
            [source, name, rest @ ..] if &**source == "$key" => at(key(name)?, rest).cloned(),
            _ => None,
        };
        let subgraph = self.subgraph;
        let filled: Vec<String> = graph
            .type_tags(subgraph, runtime)
            .filter_map(|format: Format| format.fill(find))
            .collect();
        filled
            .into_iter()
            .for_each(|tag| self.add(Tag::Named(tag.into())));
        self.add_fields(selections, runtime, object);
    }

    fn add_fields(&mut self, selections: &[Selection], runtime: &str, object: &Map<String, Value>) {
        let graph = self.graph;
        for selection in selections {
            match selection {
                Selection::Field(field) if !field.selection_set.is_empty() => {
                    let definition = graph.field(runtime, &field.name);
                    let ty = definition.map_or("", |definition| definition.ty.inner_named_type().as_str());
                    if let Some(value) = object.get(field.response_name().as_str()) {
                        self.add_inside(&field.selection_set, ty, value);
                    }
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline
                        .type_condition
                        .as_ref()
                        .map_or(runtime, |name| name.as_str());
                    if graph.may_be(runtime, condition) {
                        // The more exact of both knows the fields.
                        let ty = if graph.is_object(runtime) {
                            runtime
                        } else {
                            condition
                        };
                        self.add_fields(&inline.selection_set, ty, object);
                    }
                }
                _ => {}
            }
        }
    }

    /// An entity is named by each of its keys that is there.
    fn add_keys<'v>(&mut self, ty: &str, find: &dyn Fn(&str) -> Option<&'v Value>) {
        let graph = self.graph;
        for key in graph.keys(ty) {
            let members: Option<Vec<(&str, &Value)>> =
                key.iter().map(|name| Some((*name, find(name)?))).collect();
            if let Some(tag) = members.and_then(|members| Tag::entity(ty, members)) {
                self.add(tag);
            }
        }
    }
}

/// The value of a field without arguments, under whatever name it was asked for.
fn key_field<'v>(
    selections: &[Selection],
    runtime: &str,
    graph: &Graph,
    object: &'v Map<String, Value>,
    name: &str,
) -> Option<&'v Value> {
    selections.iter().find_map(|selection| match selection {
        Selection::Field(field) if field.name == name && field.arguments.is_empty() => {
            object.get(field.response_name().as_str())
        }
        Selection::InlineFragment(inline) => {
            let condition = inline
                .type_condition
                .as_ref()
                .map_or(runtime, |name| name.as_str());
            let fits = graph.may_be(runtime, condition);
            fits.then(|| key_field(&inline.selection_set, runtime, graph, object, name))?
        }
        _ => None,
    })
}

/// `$args.name…` of a root field: what the query says, else the default.
fn argument(
    graph: &Graph,
    field: &Field,
    path: &[Box<str>],
    variable: &dyn Fn(&str) -> Option<Value>,
) -> Option<Value> {
    let [source, name, rest @ ..] = path else {
        return None;
    };
    if &**source != "$args" {
        return None;
    }
    let given = field.arguments.iter().find(|argument| argument.name == **name);
    let given = given.and_then(|argument| literal(&argument.value, variable));
    let value = given.or_else(|| {
        let definition = graph.field(graph.query(), &field.name)?;
        let argument = definition
            .arguments
            .iter()
            .find(|argument| argument.name == **name)?;
        literal(argument.default_value.as_ref()?, &|_| None)
    })?;
    at(&value, rest).cloned()
}

/// A value of a query as JSON; `None` for a variable without value.
fn literal(value: &Literal, variable: &dyn Fn(&str) -> Option<Value>) -> Option<Value> {
    Some(match value {
        Literal::Null => Value::Null,
        Literal::Variable(name) => variable(name)?,
        Literal::Enum(name) => Value::String(name.to_string()),
        Literal::String(text) => Value::String(text.clone()),
        Literal::Boolean(flag) => Value::Bool(*flag),
        Literal::Int(number) => serde_json::from_str(number.as_str()).ok()?,
        Literal::Float(number) => serde_json::from_str(number.as_str()).ok()?,
        Literal::List(items) => {
            let items: Option<Vec<Value>> = items.iter().map(|item| literal(item, variable)).collect();
            Value::Array(items?)
        }
        Literal::Object(members) => {
            let members = members
                .iter()
                .filter_map(|(name, member)| Some((name.to_string(), literal(member, variable)?)));
            Value::Object(members.collect())
        }
    })
}
