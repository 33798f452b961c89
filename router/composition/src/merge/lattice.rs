//! Who is a subtype of whom in the supergraph.
//!
//! <https://spec.graphql.org/draft/#IsSubType()>

use apollo_compiler::Name;
use apollo_compiler::ast::Type;
use std::collections::{BTreeSet, HashMap};

use crate::model::{Kind, Model};

/// Subtype relations between named types, joined over all subgraphs.
#[derive(Debug, Default)]
pub(crate) struct Lattice {
    /// Interface or union → all that are of it, in any subgraph.
    below: HashMap<Name, BTreeSet<Name>>,
    /// Interface → object types that implement it.
    objects: HashMap<Name, BTreeSet<Name>>,
}

impl Lattice {
    /// Reads the relations of all subgraphs.
    pub fn of(models: &[Model]) -> Lattice {
        let mut lattice = Lattice::default();
        for ty in models.iter().flat_map(|model| model.types.values()) {
            for interface in &ty.implements {
                lattice
                    .below
                    .entry(interface.clone())
                    .or_default()
                    .insert(ty.name.clone());
                if ty.kind == Kind::Object && !ty.interface_object {
                    lattice
                        .objects
                        .entry(interface.clone())
                        .or_default()
                        .insert(ty.name.clone());
                }
            }
            if !ty.members.is_empty() {
                lattice
                    .below
                    .entry(ty.name.clone())
                    .or_default()
                    .extend(ty.members.iter().cloned());
            }
        }
        lattice
    }

    /// Object types that implement an interface anywhere.
    pub fn implementations(&self, interface: &str) -> impl Iterator<Item = &Name> {
        self.objects.get(interface).into_iter().flatten()
    }

    fn named(&self, above: &Name, below: &Name) -> bool {
        above == below || self.below.get(above).is_some_and(|set| set.contains(below))
    }

    /// Whether a `below` can stand wherever an `above` is expected.
    pub fn is_subtype(&self, above: &Type, below: &Type) -> bool {
        match (above, below) {
            (Type::Named(a), Type::Named(b) | Type::NonNullNamed(b)) => self.named(a, b),
            (Type::NonNullNamed(a), Type::NonNullNamed(b)) => self.named(a, b),
            (Type::List(a), Type::List(b) | Type::NonNullList(b)) => self.is_subtype(a, b),
            (Type::NonNullList(a), Type::NonNullList(b)) => self.is_subtype(a, b),
            _ => false,
        }
    }
}
