//! The supergraph as the planner needs it: for every type, what each subgraph knows of it.
use std::collections::BTreeSet;

use apollo_compiler::Name;
use apollo_compiler::ast::Type;
use hashbrown::HashMap;
use indexmap::IndexMap;

use super::contexts::ContextArg;
use super::field_set::FieldSet;
use super::rights::Rights;
use super::types::{TypeIx, Types};

/// A subgraph of the supergraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubgraphInfo {
    /// Its name as it was composed under.
    pub name: String,
    /// Its address.
    pub url: String,
}

/// Index in [`Model::subgraphs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SubId(pub u16);

impl SubId {
    pub fn ix(self) -> usize {
        usize::from(self.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar,
    Enum,
    Input,
    Object,
    Interface,
    Union,
}

/// All types of the supergraph, also those that clients can't see.
#[derive(Debug)]
pub(crate) struct Model {
    pub subgraphs: Vec<SubgraphInfo>,
    pub types: Vec<TypeDef>,
    pub by_name: HashMap<Name, TypeIx>,
    pub query: TypeIx,
    pub mutation: Option<TypeIx>,
    pub subscription: Option<TypeIx>,
}

#[derive(Debug)]
pub(crate) struct TypeDef {
    pub name: Name,
    pub kind: Kind,
    pub inaccessible: bool,
    pub fields: IndexMap<Name, FieldDef>,
    /// Object types it may be at run time in the supergraph (an object: itself).
    pub possible: Types,
    /// Enum values that clients know.
    pub values: Vec<Name>,
    /// Inaccessible enum values.
    pub hidden_values: Vec<Name>,
    pub rights: Rights,
    /// By subgraph.
    pub subs: Vec<Option<Box<SubType>>>,
}

#[derive(Debug)]
pub(crate) struct FieldDef {
    pub ty: Type,
    pub rights: Rights,
}

/// A type as one subgraph knows it.
#[derive(Debug, Default)]
pub(crate) struct SubType {
    pub keys: Vec<Key>,
    pub interface_object: bool,
    /// Fields of the keys that stand on an extension of the type.
    pub extension_keys: Vec<Name>,
    pub fields: HashMap<Name, SubField>,
    /// Types it may be at run time in this subgraph (an interface object: itself).
    pub possible: Types,
}

#[derive(Debug)]
pub(crate) struct Key {
    pub fields: FieldSet,
    /// Whether the subgraph can be entered by it.
    pub resolvable: bool,
}

/// A field as one subgraph knows it.
#[derive(Debug, Clone)]
pub(crate) struct SubField {
    pub ty: Type,
    /// Known, but resolved elsewhere.
    pub external: bool,
    pub requires: Option<FieldSet>,
    pub provides: Option<FieldSet>,
    /// Label of the `@override(label:)` that takes this field away while it is active.
    pub lost_when: Option<String>,
    /// Label of the `@override(label:)` that gives this field here only while it is active.
    pub won_when: Option<String>,
    /// Arguments that are filled from an enclosing object. With any, `requires` is there, perhaps empty.
    pub context: Vec<ContextArg>,
}

impl Model {
    pub fn ty(&self, ix: TypeIx) -> &TypeDef {
        &self.types[ix.0 as usize]
    }

    pub fn named(&self, name: &str) -> Option<TypeIx> {
        self.by_name.get(name).copied()
    }

    pub fn sub(&self, s: SubId, ix: TypeIx) -> Option<&SubType> {
        self.ty(ix).subs[s.ix()].as_deref()
    }

    pub fn sub_field(&self, s: SubId, ix: TypeIx, field: &str) -> Option<&SubField> {
        self.sub(s, ix)?.fields.get(field)
    }

    pub fn all_subgraphs(&self) -> impl Iterator<Item = SubId> + use<> {
        (0..self.subgraphs.len() as u16).map(SubId)
    }

    /// Named type of a field's type.
    pub fn inner(&self, ty: &Type) -> Option<TypeIx> {
        self.named(ty.inner_named_type())
    }

    pub fn is_composite(&self, ix: TypeIx) -> bool {
        matches!(self.ty(ix).kind, Kind::Object | Kind::Interface | Kind::Union)
    }

    /// Labels of all overrides, sorted.
    pub fn labels(&self) -> Vec<String> {
        let subs = self.types.iter().flat_map(|ty| ty.subs.iter().flatten());
        let fields = subs.flat_map(|sub| sub.fields.values());
        let labels: BTreeSet<&String> = fields
            .flat_map(|f| f.lost_when.iter().chain(&f.won_when))
            .collect();
        labels.into_iter().cloned().collect()
    }

    /// Object types of the set that clients may see.
    pub fn visible(&self, types: &Types) -> Types {
        types.iter().filter(|t| !self.ty(*t).inaccessible).collect()
    }
}
