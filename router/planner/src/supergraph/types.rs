//! Sets of object types.
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Index of a type in the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TypeIx(pub u32);

/// Sets up to this size need no memory of their own.
const FEW: usize = 3;

/// A set of object types: ascending, without repetition. A copy is cheap.
#[derive(Clone)]
pub(crate) struct Types(Repr);

#[derive(Clone)]
enum Repr {
    Few(u8, [TypeIx; FEW]),
    Many(Arc<[TypeIx]>),
}

impl Types {
    pub fn one(t: TypeIx) -> Types {
        Types(Repr::Few(1, [t, TypeIx::default(), TypeIx::default()]))
    }

    fn of(ascending: &[TypeIx]) -> Types {
        if ascending.len() > FEW {
            return Types(Repr::Many(ascending.into()));
        }
        let mut few = [TypeIx::default(); FEW];
        few[..ascending.len()].copy_from_slice(ascending);
        Types(Repr::Few(ascending.len() as u8, few))
    }

    pub fn as_slice(&self) -> &[TypeIx] {
        match &self.0 {
            Repr::Few(len, items) => &items[..usize::from(*len)],
            Repr::Many(items) => items,
        }
    }

    pub fn contains(&self, t: TypeIx) -> bool {
        self.position(t).is_some()
    }

    /// Where a type is in the ascending order.
    pub fn position(&self, t: TypeIx) -> Option<usize> {
        self.as_slice().binary_search(&t).ok()
    }

    pub fn iter(&self) -> impl Iterator<Item = TypeIx> + '_ {
        self.as_slice().iter().copied()
    }

    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn first(&self) -> Option<TypeIx> {
        self.as_slice().first().copied()
    }

    pub fn is_subset(&self, other: &Types) -> bool {
        self.same(other) || (self.len() <= other.len() && self.iter().all(|t| other.contains(t)))
    }

    pub fn intersects(&self, other: &Types) -> bool {
        let (small, large) = if self.len() <= other.len() {
            (self, other)
        } else {
            (other, self)
        };
        small.iter().any(|t| large.contains(t))
    }

    pub fn and(&self, other: &Types) -> Types {
        if self.same(other) {
            return self.clone();
        }
        let (small, large) = if self.len() <= other.len() {
            (self, other)
        } else {
            (other, self)
        };
        small.filtered(|t| large.contains(t))
    }

    pub fn minus(&self, other: &Types) -> Types {
        if self.same(other) {
            return Types::default();
        }
        self.filtered(|t| !other.contains(t))
    }

    pub fn or(&self, other: &Types) -> Types {
        if other.is_subset(self) {
            return self.clone();
        }
        if self.is_subset(other) {
            return other.clone();
        }
        self.iter().chain(other.iter()).collect()
    }

    fn filtered(&self, keep: impl Fn(TypeIx) -> bool) -> Types {
        let kept = self.iter().filter(|t| keep(*t)).count();
        if kept == self.len() {
            return self.clone();
        }
        if kept > FEW {
            return Types(Repr::Many(self.iter().filter(|t| keep(*t)).collect()));
        }
        let mut few = [TypeIx::default(); FEW];
        for (to, t) in few.iter_mut().zip(self.iter().filter(|t| keep(*t))) {
            *to = t;
        }
        Types(Repr::Few(kept as u8, few))
    }

    /// Whether both are known to be equal without looking at their members.
    fn same(&self, other: &Types) -> bool {
        matches!((&self.0, &other.0), (Repr::Many(a), Repr::Many(b)) if Arc::ptr_eq(a, b))
    }
}

impl Default for Types {
    fn default() -> Types {
        Types(Repr::Few(0, [TypeIx::default(); FEW]))
    }
}

impl PartialEq for Types {
    fn eq(&self, other: &Types) -> bool {
        self.same(other) || self.as_slice() == other.as_slice()
    }
}

impl Eq for Types {}

impl Hash for Types {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}

impl fmt::Debug for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.as_slice()).finish()
    }
}

impl FromIterator<TypeIx> for Types {
    fn from_iter<I: IntoIterator<Item = TypeIx>>(items: I) -> Types {
        let mut all: Vec<TypeIx> = items.into_iter().collect();
        all.sort_unstable();
        all.dedup();
        Types::of(&all)
    }
}
