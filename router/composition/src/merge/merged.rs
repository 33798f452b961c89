//! The supergraph as data: what [`emit`](crate::emit) prints and [`satisfy`](crate::satisfy) walks.

use apollo_compiler::ast::{Directive, DirectiveDefinition, Type, Value};
use apollo_compiler::{Name, Node};
use indexmap::{IndexMap, IndexSet};
use std::collections::BTreeMap;

use crate::fieldset::FieldSet;
use crate::model::{Feature, Kind, Marks};

/// Index of a subgraph in [`Merged::graphs`].
pub(crate) type GraphId = usize;

/// All subgraphs, joined.
#[derive(Debug, Clone, Default)]
pub(crate) struct Merged {
    pub graphs: Vec<Graph>,
    pub description: Option<Node<str>>,
    pub schema_tags: IndexSet<String>,
    /// Composed directives on the schema itself.
    pub schema_custom: Vec<Node<Directive>>,
    pub types: BTreeMap<Name, MType>,
    /// Executable directives, then composed ones, by name.
    pub directives: BTreeMap<Name, Node<DirectiveDefinition>>,
    /// Features of composed directives with the directives that are imported.
    pub composed: Vec<(Feature, Vec<Import>)>,
    /// A field has a contextual argument.
    pub has_context: bool,
    /// A field has an override label.
    pub has_labels: bool,
    /// The subgraphs, and the specification's URL, of directives that are carried unmerged.
    pub carried: Vec<GraphId>,
}

/// How a composed directive is imported: its name in the feature, its name here (both without `@`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Import {
    pub name: String,
    pub local: String,
}

/// A subgraph and its value of `join__Graph`.
#[derive(Debug, Clone)]
pub(crate) struct Graph {
    pub id: String,
    pub name: String,
    pub url: String,
}

/// A type of the supergraph.
#[derive(Debug, Clone)]
pub(crate) struct MType {
    pub name: Name,
    pub kind: Kind,
    pub description: Option<Node<str>>,
    pub marks: Marks,
    pub contexts: Vec<String>,
    pub joins: Vec<JoinType>,
    pub implements: IndexSet<Name>,
    pub join_implements: Vec<(GraphId, Name)>,
    /// `@oneOf`, in any subgraph.
    pub one_of: bool,
    pub directives: Vec<JoinDirective>,
    pub members: IndexSet<Name>,
    pub join_members: Vec<(GraphId, Name)>,
    pub fields: IndexMap<Name, MField>,
    pub inputs: IndexMap<Name, MInput>,
    pub values: IndexMap<Name, MValue>,
}

/// `@join__type`.
#[derive(Debug, Clone)]
pub(crate) struct JoinType {
    pub graph: GraphId,
    pub key: Option<FieldSet>,
    pub extension: bool,
    pub resolvable: Option<bool>,
    pub interface_object: bool,
}

/// A field of an object or interface.
#[derive(Debug, Clone)]
pub(crate) struct MField {
    pub description: Option<Node<str>>,
    pub ty: Type,
    pub args: IndexMap<Name, MInput>,
    pub marks: Marks,
    /// Empty: every subgraph that has the type resolves the field plainly.
    pub joins: Vec<JoinField>,
    pub directives: Vec<JoinDirective>,
}

/// `@join__directive`: an application that stays one subgraph's own.
#[derive(Debug, Clone)]
pub(crate) struct JoinDirective {
    pub graph: GraphId,
    pub name: &'static str,
    pub args: Vec<(&'static str, String)>,
}

/// `@join__field`.
#[derive(Debug, Clone, Default)]
pub(crate) struct JoinField {
    /// `None`: only interface objects give the field.
    pub graph: Option<GraphId>,
    pub requires: Option<FieldSet>,
    pub provides: Option<FieldSet>,
    /// The type in that subgraph, where they differ.
    pub ty: Option<Type>,
    pub external: bool,
    pub overrides: Option<String>,
    pub label: Option<String>,
    pub used_overridden: bool,
    pub context_args: Vec<ContextArg>,
}

/// One of `contextArguments`.
#[derive(Debug, Clone)]
pub(crate) struct ContextArg {
    pub name: String,
    pub ty: String,
    pub context: String,
    pub selection: String,
}

/// An argument or input field.
#[derive(Debug, Clone)]
pub(crate) struct MInput {
    pub description: Option<Node<str>>,
    pub ty: Type,
    pub default: Option<Node<Value>>,
    pub marks: Marks,
    pub joins: Vec<JoinField>,
}

impl MInput {
    /// Non-null without a default.
    pub fn required(&self) -> bool {
        self.ty.is_non_null() && self.default.is_none()
    }
}

/// A value of an enum.
#[derive(Debug, Clone)]
pub(crate) struct MValue {
    pub description: Option<Node<str>>,
    pub marks: Marks,
    pub graphs: Vec<GraphId>,
}

impl MType {
    /// The subgraphs that have the type, each once.
    pub fn graphs(&self) -> IndexSet<GraphId> {
        self.joins.iter().map(|join| join.graph).collect()
    }
}
