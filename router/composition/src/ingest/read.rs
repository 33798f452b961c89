//! From the syntax tree to the [`Model`]: definitions and extensions joined, machinery left out.

use apollo_compiler::ast::{
    Definition, DirectiveList, Document, EnumValueDefinition, FieldDefinition, InputValueDefinition, Type,
};
use apollo_compiler::{Name, Node};
use indexmap::{IndexMap, IndexSet};
use std::collections::HashSet;

use super::annotations::{Annotations, text};
use super::graphql::is_machinery_field;
use super::link::{self, Linked};
use super::roots::Roots;
use crate::Subgraph;
use crate::model::{EnumValue, Field, Input, Kind, Marks, Model, Place, TypeDef, is_root};

/// Reads a document that is valid GraphQL.
pub(super) fn read(document: &Document, linked: &Linked, roots: &Roots, subgraph: &Subgraph) -> Model {
    let mut reader = Reader {
        linked,
        roots,
        model: empty(document, linked, subgraph),
    };
    for definition in &document.definitions {
        reader.definition(definition);
    }
    reader.schema(document);
    reader.add_query();
    reader.model
}

fn empty(document: &Document, linked: &Linked, subgraph: &Subgraph) -> Model {
    Model {
        name: subgraph.name.clone(),
        url: subgraph.url.clone(),
        sources: document.sources.clone(),
        version: linked.version,
        types: IndexMap::new(),
        directives: IndexMap::new(),
        schema_description: None,
        schema_tags: IndexSet::new(),
        schema_custom: Vec::new(),
        imported: linked.imported.clone(),
        features: linked.features.clone(),
        composed: Vec::new(),
        used: HashSet::new(),
        provided: HashSet::new(),
        key_fields: HashSet::new(),
    }
}

struct Reader<'a> {
    linked: &'a Linked,
    roots: &'a Roots,
    model: Model,
}

/// What all type definitions and extensions have.
struct Head<'d> {
    kind: Kind,
    name: &'d Name,
    description: Option<&'d Node<str>>,
    directives: &'d DirectiveList,
    place: Place,
    extension: bool,
}

impl<'a> Reader<'a> {
    fn definition(&mut self, definition: &Definition) {
        if let Definition::DirectiveDefinition(directive) = definition {
            let theirs = self.linked.canonical(&directive.name).is_some();
            if !theirs && directive.name != self.linked.link.as_str() {
                self.model
                    .directives
                    .insert(directive.name.clone(), directive.clone());
            }
        }
        let Some(head) = head(definition) else { return };
        if self.linked.is_machinery_type(head.name) {
            return;
        }
        let type_name = self.type_head(&head);
        self.children(definition, &type_name);
    }

    /// Creates or extends the type; returns its name in the supergraph.
    fn type_head(&mut self, head: &Head<'_>) -> Name {
        let notes = Annotations::new(head.directives, self.linked);
        let name = self.rename(head.name);
        let extension = head.extension || notes.has("extends");
        let marks = notes.marks();
        let entry = self
            .model
            .types
            .entry(name.clone())
            .or_insert_with(|| new_type(&name, head));
        if !extension {
            entry.defined = true;
        }
        if !head.extension {
            entry.place = head.place;
        }
        entry.spans.extend(head.place);
        entry.one_of |= head.directives.has("oneOf");
        entry.extension = !entry.defined;
        entry.description = entry.description.take().or_else(|| head.description.cloned());
        entry.interface_object |= notes.has("interfaceObject");
        entry.keys.extend(notes.keys(extension));
        entry.contexts.extend(notes.contexts());
        join_marks(&mut entry.marks, marks);
        name
    }

    fn children(&mut self, definition: &Definition, name: &Name) {
        match definition {
            Definition::ObjectTypeDefinition(d) => {
                self.composite(name, &d.implements_interfaces, &d.fields, &d.directives)
            }
            Definition::ObjectTypeExtension(d) => {
                self.composite(name, &d.implements_interfaces, &d.fields, &d.directives)
            }
            Definition::InterfaceTypeDefinition(d) => {
                self.composite(name, &d.implements_interfaces, &d.fields, &d.directives)
            }
            Definition::InterfaceTypeExtension(d) => {
                self.composite(name, &d.implements_interfaces, &d.fields, &d.directives)
            }
            Definition::UnionTypeDefinition(d) => self.members(name, &d.members),
            Definition::UnionTypeExtension(d) => self.members(name, &d.members),
            Definition::EnumTypeDefinition(d) => self.values(name, &d.values),
            Definition::EnumTypeExtension(d) => self.values(name, &d.values),
            Definition::InputObjectTypeDefinition(d) => self.inputs(name, &d.fields),
            Definition::InputObjectTypeExtension(d) => self.inputs(name, &d.fields),
            _ => {}
        }
    }

    fn composite(
        &mut self,
        name: &Name,
        implements: &[Name],
        fields: &[Node<FieldDefinition>],
        directives: &DirectiveList,
    ) {
        let notes = Annotations::new(directives, self.linked);
        let (shareable, external) = (notes.has("shareable"), notes.has("external"));
        let own = fields
            .iter()
            .filter(|field| !(name == "Query" && is_machinery_field(&field.name)));
        let mut read: Vec<Field> = own.map(|field| self.field(field)).collect();
        for field in &mut read {
            field.shareable |= shareable;
            field.external |= external;
        }
        let Some(entry) = self.model.types.get_mut(name) else {
            return;
        };
        entry.implements.extend(implements.iter().cloned());
        for field in read {
            entry.fields.entry(field.name.clone()).or_insert(field);
        }
    }

    fn field(&self, field: &Node<FieldDefinition>) -> Field {
        let notes = Annotations::new(&field.directives, self.linked);
        let external = notes.has("external");
        Field {
            name: field.name.clone(),
            description: field.description.clone(),
            place: field.location(),
            ty: self.retype(&field.ty),
            args: field
                .arguments
                .iter()
                .map(|arg| (arg.name.clone(), self.input(arg)))
                .collect(),
            external,
            external_here: external,
            shareable: notes.has("shareable"),
            requires: notes.field_set("requires"),
            provides: notes.field_set("provides"),
            overrides: notes.overrides(),
            marks: notes.marks(),
        }
    }

    fn input(&self, input: &Node<InputValueDefinition>) -> Input {
        let notes = Annotations::new(&input.directives, self.linked);
        Input {
            name: input.name.clone(),
            description: input.description.clone(),
            place: input.location(),
            ty: self.retype(&input.ty),
            default: input.default_value.clone(),
            from_context: notes.context_argument(),
            marks: notes.marks(),
        }
    }

    fn members(&mut self, name: &Name, members: &[Name]) {
        let renamed: Vec<Name> = members.iter().map(|member| self.rename(member)).collect();
        if let Some(entry) = self.model.types.get_mut(name) {
            entry.members.extend(renamed);
        }
    }

    fn values(&mut self, name: &Name, values: &[Node<EnumValueDefinition>]) {
        let linked = self.linked;
        let Some(entry) = self.model.types.get_mut(name) else {
            return;
        };
        for value in values {
            let read = EnumValue {
                description: value.description.clone(),
                place: value.location(),
                marks: Annotations::new(&value.directives, linked).marks(),
            };
            entry.values.entry(value.value.clone()).or_insert(read);
        }
    }

    fn inputs(&mut self, name: &Name, fields: &[Node<InputValueDefinition>]) {
        let read: Vec<Input> = fields.iter().map(|field| self.input(field)).collect();
        if let Some(entry) = self.model.types.get_mut(name) {
            for input in read {
                entry.inputs.entry(input.name.clone()).or_insert(input);
            }
        }
    }

    fn schema(&mut self, document: &Document) {
        for definition in &document.definitions {
            if let Definition::SchemaDefinition(schema) = definition {
                self.model.schema_description = schema.description.clone();
            }
        }
        for directive in link::schema_directives(document) {
            match self.linked.canonical(&directive.name) {
                Some("composeDirective") => {
                    let name = text(directive, "name").unwrap_or_default();
                    self.model.composed.push((name, directive.location()));
                }
                Some("tag") => self.model.schema_tags.extend(text(directive, "name")),
                None if directive.name != self.linked.link.as_str() => {
                    self.model.schema_custom.push(directive.clone());
                }
                _ => {}
            }
        }
    }

    /// Every subgraph answers `_service`, so each has a Query type, be it without fields of its own.
    fn add_query(&mut self) {
        let name = apollo_compiler::name!("Query");
        let directives = DirectiveList::new();
        let head = Head {
            kind: Kind::Object,
            name: &name,
            description: None,
            directives: &directives,
            place: None,
            extension: false,
        };
        let entry = self
            .model
            .types
            .entry(name.clone())
            .or_insert_with(|| new_type(&name, &head));
        entry.defined = true;
        entry.extension = false;
        for root in self.model.types.values_mut().filter(|ty| is_root(&ty.name)) {
            root.defined = true;
            root.extension = false;
        }
    }

    fn rename(&self, name: &Name) -> Name {
        self.roots.get(name).unwrap_or(name).clone()
    }

    fn retype(&self, ty: &Type) -> Type {
        match ty {
            Type::Named(name) => Type::Named(self.rename(name)),
            Type::NonNullNamed(name) => Type::NonNullNamed(self.rename(name)),
            Type::List(inner) => Type::List(Box::new(self.retype(inner))),
            Type::NonNullList(inner) => Type::NonNullList(Box::new(self.retype(inner))),
        }
    }
}

fn new_type(name: &Name, head: &Head<'_>) -> TypeDef {
    TypeDef {
        name: name.clone(),
        kind: head.kind,
        description: None,
        place: head.place,
        spans: Vec::new(),
        defined: false,
        extension: false,
        interface_object: false,
        one_of: false,
        keys: Vec::new(),
        implements: IndexSet::new(),
        members: IndexSet::new(),
        fields: IndexMap::new(),
        inputs: IndexMap::new(),
        values: IndexMap::new(),
        contexts: Vec::new(),
        marks: Marks::default(),
    }
}

/// Joins the marks of a definition and of its extensions.
fn join_marks(into: &mut Marks, from: Marks) {
    into.inaccessible |= from.inaccessible;
    into.tags.extend(from.tags);
    into.authenticated |= from.authenticated;
    into.deprecated = into.deprecated.take().or(from.deprecated);
    into.specified_by = into.specified_by.take().or(from.specified_by);
    into.scopes = into.scopes.take().or(from.scopes);
    into.policies = into.policies.take().or(from.policies);
    into.cost = into.cost.or(from.cost);
    into.list_size = into.list_size.take().or(from.list_size);
    into.cache_tags.extend(from.cache_tags);
    into.custom.extend(from.custom);
}

fn head(definition: &Definition) -> Option<Head<'_>> {
    macro_rules! defined {
        ($d:ident, $kind:ident) => {
            Some(Head {
                kind: Kind::$kind,
                name: &$d.name,
                description: $d.description.as_ref(),
                directives: &$d.directives,
                place: $d.location(),
                extension: false,
            })
        };
    }
    macro_rules! extended {
        ($d:ident, $kind:ident) => {
            Some(Head {
                kind: Kind::$kind,
                name: &$d.name,
                description: None,
                directives: &$d.directives,
                place: $d.location(),
                extension: true,
            })
        };
    }
    match definition {
        Definition::ScalarTypeDefinition(d) => defined!(d, Scalar),
        Definition::ObjectTypeDefinition(d) => defined!(d, Object),
        Definition::InterfaceTypeDefinition(d) => defined!(d, Interface),
        Definition::UnionTypeDefinition(d) => defined!(d, Union),
        Definition::EnumTypeDefinition(d) => defined!(d, Enum),
        Definition::InputObjectTypeDefinition(d) => defined!(d, Input),
        Definition::ScalarTypeExtension(d) => extended!(d, Scalar),
        Definition::ObjectTypeExtension(d) => extended!(d, Object),
        Definition::InterfaceTypeExtension(d) => extended!(d, Interface),
        Definition::UnionTypeExtension(d) => extended!(d, Union),
        Definition::EnumTypeExtension(d) => extended!(d, Enum),
        Definition::InputObjectTypeExtension(d) => extended!(d, Input),
        _ => None,
    }
}
