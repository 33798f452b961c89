//! Which runtime types a position can read.
use std::cell::OnceCell;
use std::rc::Rc;

use crate::supergraph::types::{TypeIx, Types};

/// Runtime types, each with the type as which a subgraph knows it: itself, or an interface object.
/// A copy is cheap: most positions have the same few covers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cover(Rc<Pairs>);

#[derive(Clone, Debug, Default)]
struct Pairs {
    /// By runtime type.
    pairs: Vec<(TypeIx, TypeIx)>,
    types: OnceCell<Types>,
}

impl Cover {
    pub fn types(&self) -> &Types {
        self.0.types.get_or_init(|| self.iter().map(|(t, _)| t).collect())
    }

    fn position(&self, t: TypeIx) -> Result<usize, usize> {
        self.0.pairs.binary_search_by_key(&t, |(t, _)| *t)
    }

    /// The local type of a runtime type.
    pub fn get(&self, t: TypeIx) -> Option<TypeIx> {
        self.position(t).ok().map(|ix| self.0.pairs[ix].1)
    }

    pub fn contains(&self, t: TypeIx) -> bool {
        self.position(t).is_ok()
    }

    /// Whether the subgraph tells that an object is of this type.
    pub fn shows(&self, t: TypeIx) -> bool {
        self.get(t) == Some(t)
    }

    /// The types that the subgraph tells.
    pub fn shown(&self) -> Types {
        self.iter()
            .filter(|(t, local)| t == local)
            .map(|(t, _)| t)
            .collect()
    }

    pub fn iter(&self) -> impl Iterator<Item = (TypeIx, TypeIx)> + '_ {
        self.0.pairs.iter().copied()
    }

    /// Both; where both know a runtime type, as `other` does.
    pub fn with(&self, other: &Cover) -> Cover {
        if self.0.pairs.is_empty() {
            return other.clone();
        }
        if other.iter().all(|(t, local)| self.get(t) == Some(local)) {
            return self.clone();
        }
        let mine = self.iter().filter(|(t, _)| !other.contains(*t));
        mine.chain(other.iter()).collect()
    }

    /// With one type more, if it is not in yet.
    pub fn add(&mut self, t: TypeIx, local: TypeIx) {
        if let Err(at) = self.position(t) {
            let inner = Rc::make_mut(&mut self.0);
            inner.pairs.insert(at, (t, local));
            inner.types.take();
        }
    }
}

/// Of several local types for one runtime type the first counts.
impl FromIterator<(TypeIx, TypeIx)> for Cover {
    fn from_iter<I: IntoIterator<Item = (TypeIx, TypeIx)>>(items: I) -> Cover {
        let mut pairs: Vec<(TypeIx, TypeIx)> = items.into_iter().collect();
        pairs.sort_by_key(|(t, _)| *t);
        pairs.dedup_by_key(|(t, _)| *t);
        let types = OnceCell::new();
        Cover(Rc::new(Pairs { pairs, types }))
    }
}
