//! Sets of object types.
use std::collections::BTreeSet;

/// Index of a type in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TypeIx(pub u32);

/// A set of object types: ascending, without repetition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Types(Vec<TypeIx>);

impl Types {
    pub fn one(t: TypeIx) -> Types {
        Types(vec![t])
    }

    pub fn contains(&self, t: TypeIx) -> bool {
        self.0.binary_search(&t).is_ok()
    }

    pub fn iter(&self) -> impl Iterator<Item = TypeIx> + '_ {
        self.0.iter().copied()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn first(&self) -> Option<TypeIx> {
        self.0.first().copied()
    }

    pub fn is_subset(&self, other: &Types) -> bool {
        self.0.len() <= other.0.len() && self.iter().all(|t| other.contains(t))
    }

    pub fn intersects(&self, other: &Types) -> bool {
        self.iter().any(|t| other.contains(t))
    }

    pub fn and(&self, other: &Types) -> Types {
        Types(self.iter().filter(|t| other.contains(*t)).collect())
    }

    pub fn minus(&self, other: &Types) -> Types {
        Types(self.iter().filter(|t| !other.contains(*t)).collect())
    }

    pub fn or(&self, other: &Types) -> Types {
        if other.is_subset(self) {
            return self.clone();
        }
        self.iter().chain(other.iter()).collect()
    }
}

impl FromIterator<TypeIx> for Types {
    fn from_iter<I: IntoIterator<Item = TypeIx>>(items: I) -> Types {
        Types(items.into_iter().collect::<BTreeSet<_>>().into_iter().collect())
    }
}
