//! The supergraph as a contract sees it: elements with their tags, and whether they are hidden.

use apollo_compiler::ast::{Directive, InputValueDefinition, Value};
use apollo_compiler::schema::{ExtendedType, FieldDefinition};
use apollo_compiler::{Name, Node, Schema};
use indexmap::IndexMap;
use std::collections::BTreeSet;

use super::links::Links;
use crate::model::Kind;

/// All types that are not machinery.
#[derive(Debug, Default)]
pub(super) struct View {
    pub types: IndexMap<Name, Type>,
    /// Every tag that something bears.
    pub tags: BTreeSet<String>,
}

/// A type.
#[derive(Debug)]
pub(super) struct Type {
    pub kind: Kind,
    pub tags: BTreeSet<String>,
    pub hidden: bool,
    /// Fields of objects and interfaces; of input objects, without arguments.
    pub fields: IndexMap<Name, Field>,
    pub values: IndexMap<Name, EnumValue>,
    pub members: Vec<Name>,
    pub implements: Vec<Name>,
}

/// A field of any type.
#[derive(Debug)]
pub(super) struct Field {
    pub tags: BTreeSet<String>,
    pub hidden: bool,
    /// It bears an excluded tag, so nothing may show it again.
    pub excluded: bool,
    /// The innermost type.
    pub ty: Name,
    /// Of an input field: it must be given.
    pub required: bool,
    pub default: Option<Node<Value>>,
    pub args: IndexMap<Name, Arg>,
}

/// An argument.
#[derive(Debug)]
pub(super) struct Arg {
    pub tags: BTreeSet<String>,
    pub hidden: bool,
    pub ty: Name,
    pub required: bool,
    pub default: Option<Node<Value>>,
}

/// A value of an enum.
#[derive(Debug)]
pub(super) struct EnumValue {
    pub tags: BTreeSet<String>,
    pub hidden: bool,
}

/// Reads a supergraph.
pub(super) fn read(schema: &Schema, links: &Links) -> View {
    let mut reader = Reader {
        links,
        view: View::default(),
    };
    for (name, ty) in &schema.types {
        if !ty.is_built_in() && !links.is_machinery(name) {
            let read = reader.ty(ty);
            reader.view.types.insert(name.clone(), read);
        }
    }
    reader.view
}

struct Reader<'a> {
    links: &'a Links,
    view: View,
}

impl Reader<'_> {
    fn marks<'d>(
        &mut self,
        directives: impl Iterator<Item = &'d Node<Directive>>,
    ) -> (BTreeSet<String>, bool) {
        let (mut tags, mut hidden) = (BTreeSet::new(), false);
        for directive in directives {
            hidden |= directive.name == self.links.inaccessible.as_str();
            if directive.name == self.links.tag.as_str() {
                let name = directive.specified_argument_by_name("name");
                tags.extend(name.and_then(|name| name.as_str()).map(str::to_owned));
            }
        }
        self.view.tags.extend(tags.iter().cloned());
        (tags, hidden)
    }

    fn ty(&mut self, ty: &ExtendedType) -> Type {
        let (tags, hidden) = self.marks(ty.directives().iter().map(|component| &component.node));
        let mut read = Type {
            kind: kind(ty),
            tags,
            hidden,
            fields: IndexMap::new(),
            values: IndexMap::new(),
            members: Vec::new(),
            implements: Vec::new(),
        };
        match ty {
            ExtendedType::Object(object) => {
                read.implements = object
                    .implements_interfaces
                    .iter()
                    .map(|one| one.name.clone())
                    .collect();
                read.fields = object
                    .fields
                    .iter()
                    .map(|(name, field)| (name.clone(), self.field(field)))
                    .collect();
            }
            ExtendedType::Interface(interface) => {
                read.implements = interface
                    .implements_interfaces
                    .iter()
                    .map(|one| one.name.clone())
                    .collect();
                read.fields = interface
                    .fields
                    .iter()
                    .map(|(name, field)| (name.clone(), self.field(field)))
                    .collect();
            }
            ExtendedType::Union(union) => {
                read.members = union.members.iter().map(|member| member.name.clone()).collect();
            }
            ExtendedType::Enum(ty) => {
                for (name, value) in &ty.values {
                    let (tags, hidden) = self.marks(value.directives.iter());
                    read.values.insert(name.clone(), EnumValue { tags, hidden });
                }
            }
            ExtendedType::InputObject(input) => {
                read.fields = input
                    .fields
                    .iter()
                    .map(|(name, field)| (name.clone(), self.input(field)))
                    .collect();
            }
            ExtendedType::Scalar(_) => {}
        }
        read
    }

    fn field(&mut self, field: &FieldDefinition) -> Field {
        let (tags, hidden) = self.marks(field.directives.iter());
        let mut args = IndexMap::new();
        for arg in &field.arguments {
            let (tags, hidden) = self.marks(arg.directives.iter());
            let read = Arg {
                tags,
                hidden,
                ty: arg.ty.inner_named_type().clone(),
                required: arg.is_required(),
                default: arg.default_value.clone(),
            };
            args.insert(arg.name.clone(), read);
        }
        Field {
            tags,
            hidden,
            excluded: hidden,
            ty: field.ty.inner_named_type().clone(),
            required: false,
            default: None,
            args,
        }
    }

    fn input(&mut self, input: &InputValueDefinition) -> Field {
        let (tags, hidden) = self.marks(input.directives.iter());
        Field {
            tags,
            hidden,
            excluded: hidden,
            ty: input.ty.inner_named_type().clone(),
            required: input.is_required(),
            default: input.default_value.clone(),
            args: IndexMap::new(),
        }
    }
}

fn kind(ty: &ExtendedType) -> Kind {
    match ty {
        ExtendedType::Scalar(_) => Kind::Scalar,
        ExtendedType::Object(_) => Kind::Object,
        ExtendedType::Interface(_) => Kind::Interface,
        ExtendedType::Union(_) => Kind::Union,
        ExtendedType::Enum(_) => Kind::Enum,
        ExtendedType::InputObject(_) => Kind::Input,
    }
}

impl View {
    /// A type that clients do not see.
    pub fn is_hidden(&self, ty: &Name) -> bool {
        self.types.get(ty).is_some_and(|ty| ty.hidden)
    }
}
