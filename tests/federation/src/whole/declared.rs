//! What the SDLs of a case declare, as far as the data depends on it.
use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};
use apollo_compiler::Node;
use apollo_compiler::ast::{
    Definition, Directive, DirectiveList, Document, FieldDefinition, InputValueDefinition, Selection,
};

use crate::schema::{argument, rename_back, short};

/// The declarations of all subgraphs.
pub(super) struct Declared {
    /// Subgraph → type → what it is there.
    pub subgraphs: BTreeMap<String, BTreeMap<String, Type>>,
}

/// A type in one subgraph.
#[derive(Default)]
pub(super) struct Type {
    pub kind: Kind,
    pub keyed: bool,
    pub interface_object: bool,
    pub fields: BTreeMap<String, Field>,
    /// Interfaces of an object, members of a union.
    pub parts: Vec<String>,
    /// Key fields of all keys, at the top.
    keys: BTreeSet<String>,
    /// Key fields of the keys that stand on an extension.
    extension_keys: BTreeSet<String>,
    external: bool,
}

#[derive(Clone, Copy, Default, PartialEq)]
pub(super) enum Kind {
    #[default]
    Object,
    Interface,
    Union,
}

/// A field in one subgraph.
pub(super) struct Field {
    /// Name of its type.
    pub named: String,
    pub arguments: Vec<Node<InputValueDefinition>>,
    pub requires: Vec<Selection>,
    pub provides: Vec<Selection>,
    external: bool,
    /// From whom it was taken, and under which label.
    overrides: Option<(String, Option<String>)>,
}

impl Declared {
    /// Reads all SDLs; moved fields go to who has them under the active labels.
    pub fn all(subgraphs: &BTreeMap<String, String>, labels: &BTreeSet<String>) -> Result<Declared> {
        let mut all = BTreeMap::new();
        for (name, sdl) in subgraphs {
            all.insert(name.clone(), read(sdl)?);
        }
        let mut declared = Declared { subgraphs: all };
        declared.settle_overrides(labels);
        declared.settle_externals();
        Ok(declared)
    }

    /// Whether an object type is (or implements, or is a member of) a type, in any subgraph.
    pub fn is(&self, object: &str, name: &str) -> bool {
        let in_one = |types: &BTreeMap<String, Type>| {
            let implements = types
                .get(object)
                .is_some_and(|ty| ty.kind == Kind::Object && ty.parts.iter().any(|part| part == name));
            let member = types
                .get(name)
                .is_some_and(|ty| ty.kind == Kind::Union && ty.parts.iter().any(|part| part == object));
            implements || member
        };
        object == name || self.subgraphs.values().any(in_one)
    }

    /// A field as any subgraph declares it.
    pub fn field(&self, ty: &str, field: &str) -> Option<&Field> {
        let mut types = self.subgraphs.values().filter_map(|types| types.get(ty));
        types.find_map(|ty| ty.fields.get(field))
    }

    fn settle_overrides(&mut self, labels: &BTreeSet<String>) {
        let mut lost = Vec::new();
        for (subgraph, types) in &self.subgraphs {
            for (name, ty) in types {
                for (field, declared) in &ty.fields {
                    let Some((from, label)) = &declared.overrides else {
                        continue;
                    };
                    let moved = label.as_ref().is_none_or(|label| is_active(label, labels));
                    let loser = if moved { from } else { subgraph };
                    lost.push((loser.clone(), name.clone(), field.clone()));
                }
            }
        }
        for (subgraph, ty, field) in lost {
            let types = self.subgraphs.get_mut(&subgraph);
            let declared = types.and_then(|types| types.get_mut(&ty)?.fields.get_mut(&field));
            if let Some(declared) = declared {
                declared.external = true;
            }
        }
    }

    /// Key fields are always there to be compared; those of an extension are served.
    fn settle_externals(&mut self) {
        for ty in self.subgraphs.values_mut().flat_map(BTreeMap::values_mut) {
            for (name, field) in &mut ty.fields {
                field.external |= ty.external;
                field.external &= !ty.keys.contains(name) && !ty.extension_keys.contains(name);
            }
        }
    }
}

impl Type {
    /// The fields that are resolved there.
    pub fn resolved(&self) -> impl Iterator<Item = (&String, &Field)> {
        self.fields.iter().filter(|(_, field)| !field.external)
    }
}

fn is_active(label: &str, labels: &BTreeSet<String>) -> bool {
    labels.contains(label) || label == "percent(100)"
}

fn read(sdl: &str) -> Result<BTreeMap<String, Type>> {
    let parse =
        |sdl: &str| Document::parse(sdl, "subgraph.graphql").map_err(|error| anyhow!("{}", error.errors));
    let document = parse(&rename_back(sdl, &parse(sdl)?))?;
    let mut types: BTreeMap<String, Type> = BTreeMap::new();
    for definition in &document.definitions {
        let Some(name) = definition.name() else { continue };
        let mut take = |kind: Kind, extension: bool, directives: &DirectiveList| {
            let ty = types.entry(name.to_string()).or_default();
            ty.kind = kind;
            ty.head(directives, extension);
        };
        match definition {
            Definition::ObjectTypeDefinition(it) => take(Kind::Object, false, &it.directives),
            Definition::ObjectTypeExtension(it) => take(Kind::Object, true, &it.directives),
            Definition::InterfaceTypeDefinition(it) => take(Kind::Interface, false, &it.directives),
            Definition::InterfaceTypeExtension(it) => take(Kind::Interface, true, &it.directives),
            Definition::UnionTypeDefinition(it) => take(Kind::Union, false, &it.directives),
            Definition::UnionTypeExtension(it) => take(Kind::Union, true, &it.directives),
            _ => continue,
        }
        let ty = types.get_mut(name.as_str()).expect("it was taken");
        match definition {
            Definition::ObjectTypeDefinition(it) => ty.body(&it.fields, &it.implements_interfaces),
            Definition::ObjectTypeExtension(it) => ty.body(&it.fields, &it.implements_interfaces),
            Definition::InterfaceTypeDefinition(it) => ty.body(&it.fields, &it.implements_interfaces),
            Definition::InterfaceTypeExtension(it) => ty.body(&it.fields, &it.implements_interfaces),
            Definition::UnionTypeDefinition(it) => ty.body(&[], &it.members),
            Definition::UnionTypeExtension(it) => ty.body(&[], &it.members),
            _ => {}
        }
    }
    Ok(types)
}

impl Type {
    fn head(&mut self, directives: &DirectiveList, extension: bool) {
        let has = |name: &str| directives.iter().any(|directive| short(&directive.name) == name);
        let extension = extension || has("extends");
        self.interface_object |= has("interfaceObject");
        self.external |= has("external");
        for key in directives
            .iter()
            .filter(|directive| short(&directive.name) == "key")
        {
            self.keyed = true;
            let tops = selection(key).into_iter().filter_map(|one| match one {
                Selection::Field(field) => Some(field.name.to_string()),
                _ => None,
            });
            let keys = if extension {
                &mut self.extension_keys
            } else {
                &mut self.keys
            };
            keys.extend(tops);
        }
    }

    fn body(&mut self, fields: &[Node<FieldDefinition>], parts: &[apollo_compiler::Name]) {
        self.parts.extend(parts.iter().map(ToString::to_string));
        for field in fields {
            let find = |name: &str| {
                let mut directives = field.directives.iter();
                directives.find(|directive| short(&directive.name) == name)
            };
            let set = |name: &str| find(name).map(|it| selection(it)).unwrap_or_default();
            let text = |directive: &Directive, name: &str| {
                argument(directive, name)
                    .and_then(|value| value.as_str())
                    .map(str::to_owned)
            };
            let overrides = find("override").and_then(|it| Some((text(it, "from")?, text(it, "label"))));
            let declared = Field {
                named: field.ty.inner_named_type().to_string(),
                arguments: field.arguments.clone(),
                requires: set("requires"),
                provides: set("provides"),
                external: find("external").is_some(),
                overrides,
            };
            self.fields.insert(field.name.to_string(), declared);
        }
    }
}

/// The field set of a directive.
fn selection(directive: &Directive) -> Vec<Selection> {
    let text = argument(directive, "fields").and_then(|value| value.as_str());
    let text = format!("{{ {} }}", text.unwrap_or_default());
    let document = Document::parse(text, "fields.graphql").ok();
    let definitions = document.into_iter().flat_map(|document| document.definitions);
    let mut selections = definitions.filter_map(|definition| match definition {
        Definition::OperationDefinition(operation) => Some(operation.selection_set.clone()),
        _ => None,
    });
    selections.next().unwrap_or_default()
}
