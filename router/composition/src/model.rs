//! What composition knows of one subgraph after reading it: plain data, federation directives already understood.

use apollo_compiler::ast::{Directive, DirectiveDefinition, Type, Value};
use apollo_compiler::parser::{SourceMap, SourceSpan};
use apollo_compiler::{Name, Node};
use indexmap::{IndexMap, IndexSet};
use std::collections::{BTreeMap, HashSet};

use crate::diagnostics::Diagnostic;
use crate::fieldset::FieldSet;

/// A place in a subgraph's SDL, if it is known.
pub(crate) type Place = Option<SourceSpan>;

/// (type, field): how fields are named in sets.
pub(crate) type Coordinate = (Name, Name);

/// Which federation a subgraph speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Federation {
    /// No `@link` to the federation specification.
    One,
    /// Version 2, with its minor version.
    Two(u32),
}

/// One subgraph, read, upgraded to Federation 2, its root types under their usual names.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub name: String,
    pub url: String,
    pub sources: SourceMap,
    pub version: Federation,
    pub types: IndexMap<Name, TypeDef>,
    /// Directives that are not federation's own.
    pub directives: IndexMap<Name, Node<DirectiveDefinition>>,
    pub schema_description: Option<Node<str>>,
    pub schema_tags: IndexSet<String>,
    /// Applications of directives of the schema's own on the schema itself.
    pub schema_custom: Vec<Node<Directive>>,
    /// Directives of federation that the schema imports → their names here, and where.
    pub imported: BTreeMap<&'static str, (String, Place)>,
    /// Features other than federation's that the schema links.
    pub features: Vec<Feature>,
    /// `@composeDirective(name:)` arguments with their places.
    pub composed: Vec<(String, Place)>,
    /// Fields that keys, requirements, provisions or interfaces of this subgraph use.
    pub used: HashSet<Coordinate>,
    /// External fields that some `@provides` of this subgraph names.
    pub provided: HashSet<Coordinate>,
    /// Fields that some key of this subgraph names.
    pub key_fields: HashSet<Coordinate>,
}

/// A feature of a schema's own, linked by `@link`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Feature {
    /// The whole URL, with its version.
    pub url: String,
    /// The URL without version.
    pub identity: String,
    pub major: u32,
    pub minor: u32,
    /// The prefix of names that are not imported.
    pub prefix: String,
    /// (name in the feature, name here), directives with their `@`.
    pub imports: Vec<(String, String)>,
    pub place: Place,
}

/// The kind of a named type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Scalar,
    Object,
    Interface,
    Union,
    Enum,
    Input,
}

impl Kind {
    /// How error messages call it.
    pub fn describe(self) -> &'static str {
        match self {
            Kind::Scalar => "Scalar",
            Kind::Object => "Object",
            Kind::Interface => "Interface",
            Kind::Union => "Union",
            Kind::Enum => "Enum",
            Kind::Input => "Input Object",
        }
    }
}

/// A type of one subgraph, its definition and extensions joined.
#[derive(Debug, Clone)]
pub(crate) struct TypeDef {
    pub name: Name,
    pub kind: Kind,
    pub description: Option<Node<str>>,
    pub place: Place,
    /// The definition and all extensions, whole.
    pub spans: Vec<SourceSpan>,
    /// There is a definition, not only extensions.
    pub defined: bool,
    /// An extension in the federation's sense: only `extend`, or `@extends`.
    pub extension: bool,
    pub interface_object: bool,
    /// `@oneOf`: exactly one field of the input object is given.
    pub one_of: bool,
    pub keys: Vec<Key>,
    pub implements: IndexSet<Name>,
    pub members: IndexSet<Name>,
    pub fields: IndexMap<Name, Field>,
    pub inputs: IndexMap<Name, Input>,
    pub values: IndexMap<Name, EnumValue>,
    pub contexts: Vec<(String, Place)>,
    pub marks: Marks,
}

/// One `@key`.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub set: FieldSet,
    pub resolvable: Option<bool>,
    /// It stands on an extension of the type.
    pub extension: bool,
}

/// A field of an object or interface.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub name: Name,
    pub description: Option<Node<str>>,
    pub place: Place,
    pub ty: Type,
    pub args: IndexMap<Name, Input>,
    pub external: bool,
    pub shareable: bool,
    /// `@external` on the field itself, not inherited from its type.
    pub external_here: bool,
    pub requires: Option<FieldSet>,
    pub provides: Option<FieldSet>,
    pub overrides: Option<Override>,
    pub marks: Marks,
}

/// `@override(from:, label:)`.
#[derive(Debug, Clone)]
pub(crate) struct Override {
    pub from: String,
    pub label: Option<String>,
    pub place: Place,
}

/// An argument or input field.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    pub name: Name,
    pub description: Option<Node<str>>,
    pub place: Place,
    pub ty: Type,
    pub default: Option<Node<Value>>,
    /// `@fromContext(field:)` as written.
    pub from_context: Option<String>,
    pub marks: Marks,
}

impl Input {
    /// Non-null without a default: callers must give it.
    pub fn required(&self) -> bool {
        self.ty.is_non_null() && self.default.is_none()
    }
}

/// A value of an enum.
#[derive(Debug, Clone)]
pub(crate) struct EnumValue {
    pub description: Option<Node<str>>,
    pub place: Place,
    pub marks: Marks,
}

/// Directives that survive into the supergraph, on any element.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Marks {
    pub inaccessible: bool,
    pub tags: IndexSet<String>,
    pub deprecated: Option<Node<Directive>>,
    pub specified_by: Option<Node<Directive>>,
    pub authenticated: bool,
    /// Alternatives (OR) of conjunctions (AND); `None` = no condition.
    pub scopes: Option<Vec<Vec<String>>>,
    pub policies: Option<Vec<Vec<String>>>,
    pub cost: Option<i32>,
    pub list_size: Option<ListSize>,
    /// Formats of `@cacheTag`.
    pub cache_tags: IndexSet<String>,
    /// Applications of directives that are not federation's.
    pub custom: Vec<Node<Directive>>,
}

/// `@listSize`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ListSize {
    pub assumed: Option<i32>,
    pub slicing: Option<Vec<String>>,
    pub sized: Option<Vec<String>>,
    pub require_one: Option<bool>,
}

impl Model {
    /// An error or hint at a place of this subgraph.
    pub fn report(&self, code: &str, place: Place, message: impl Into<String>) -> Diagnostic {
        let at = place.and_then(|span| span.line_column(&self.sources));
        Diagnostic {
            code: code.to_owned(),
            message: message.into(),
            subgraph: Some(self.name.clone()),
            line: at.map(|at| at.line),
            column: at.map(|at| at.column),
        }
    }

    /// The type whose definition or extension holds a place.
    pub fn type_at(&self, line: usize, column: usize) -> Option<&Name> {
        let holds = |span: &SourceSpan| {
            span.line_column_range(&self.sources).is_some_and(|range| {
                let (start, end) = (range.start, range.end);
                (start.line, start.column) <= (line, column) && (line, column) <= (end.line, end.column)
            })
        };
        let found = self.types.values().find(|ty| ty.spans.iter().any(holds));
        found.map(|ty| &ty.name)
    }

    /// A field by type and name.
    pub fn field(&self, ty: &str, field: &str) -> Option<&Field> {
        self.types.get(ty)?.fields.get(field)
    }

    /// Whether `@composeDirective` asks for a directive of this subgraph in the supergraph.
    pub fn composes(&self, directive: &str) -> bool {
        self.composed
            .iter()
            .any(|(name, _)| name.strip_prefix('@') == Some(directive))
    }

    /// The object types of this subgraph that a value of `ty` can have at run time.
    pub fn runtime_types<'m>(&'m self, ty: &'m TypeDef) -> Vec<&'m TypeDef> {
        match ty.kind {
            Kind::Object => vec![ty],
            Kind::Union => ty
                .members
                .iter()
                .filter_map(|member| self.types.get(member))
                .collect(),
            Kind::Interface => {
                let objects = self.types.values().filter(|object| object.kind == Kind::Object);
                objects
                    .filter(|object| object.implements.contains(&ty.name))
                    .collect()
            }
            Kind::Scalar | Kind::Enum | Kind::Input => Vec::new(),
        }
    }

    /// External and not given by any `@provides`: this subgraph never resolves the field.
    pub fn fully_external(&self, ty: &Name, field: &Field) -> bool {
        field.external && !self.provided.contains(&(ty.clone(), field.name.clone()))
    }
}

impl TypeDef {
    /// Has fields that answers can select.
    pub fn is_composite(&self) -> bool {
        matches!(self.kind, Kind::Object | Kind::Interface | Kind::Union)
    }
}

/// The types that operations start from.
pub(crate) const ROOTS: [&str; 3] = ["Query", "Mutation", "Subscription"];

/// Whether a type is one of the operations' roots.
pub(crate) fn is_root(name: &str) -> bool {
    ROOTS.contains(&name)
}

/// The scalars that every GraphQL schema has.
pub(crate) fn is_builtin_scalar(name: &str) -> bool {
    matches!(name, "Int" | "Float" | "String" | "Boolean" | "ID")
}
