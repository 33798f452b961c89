//! Runtime types: names read from subgraphs, and the sets of them that conditions are made of.
use baedal_planner::plan::{TypeId, TypeSet};
use hashbrown::HashMap;

/// What is known of an object's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuntimeType {
    /// No `__typename` came.
    Unknown,
    /// A type of the plan.
    Known(TypeId),
    /// A `__typename` the plan does not have.
    Foreign,
}

/// A set of types an object is matched with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TypeMask {
    /// Any type, also an unknown one.
    Any,
    /// Types below 64, a bit each.
    Few(u64),
    /// Ascending types.
    Many(Box<[TypeId]>),
}

impl TypeMask {
    pub(crate) fn of(set: &TypeSet) -> TypeMask {
        if set.iter().all(|id| id.0 < 64) {
            return TypeMask::Few(set.iter().fold(0, |bits, id| bits | (1 << id.0)));
        }
        let mut ids = set.clone();
        ids.sort_unstable();
        TypeMask::Many(ids.into())
    }

    pub(crate) fn of_condition(on: &Option<TypeSet>) -> TypeMask {
        on.as_ref().map_or(TypeMask::Any, TypeMask::of)
    }

    #[inline]
    pub(crate) fn matches(&self, runtime: RuntimeType) -> bool {
        match (self, runtime) {
            (TypeMask::Any, _) => true,
            (TypeMask::Few(bits), RuntimeType::Known(id)) => id.0 < 64 && bits >> id.0 & 1 == 1,
            (TypeMask::Many(ids), RuntimeType::Known(id)) => ids.binary_search(&id).is_ok(),
            _ => false,
        }
    }
}

/// The plan's types by name.
#[derive(Debug)]
pub(crate) struct TypeTable {
    quoted: Vec<Box<[u8]>>,
    ids: HashMap<Box<[u8]>, TypeId>,
}

impl TypeTable {
    pub(crate) fn new(names: &[Box<str>]) -> TypeTable {
        let quoted: Vec<Box<[u8]>> = names.iter().map(|name| quoted(name)).collect();
        let ids = quoted
            .iter()
            .zip(0..)
            .map(|(name, id)| (name.clone(), TypeId(id)))
            .collect();
        TypeTable { quoted, ids }
    }

    /// A type's name as a JSON string.
    pub(crate) fn quoted(&self, id: TypeId) -> &[u8] {
        self.quoted.get(id.0 as usize).map_or(b"null", |name| name)
    }

    /// The type of this name, if the plan has it.
    pub(crate) fn known(&self, name: &str) -> RuntimeType {
        self.ids
            .get(&*quoted(name))
            .map_or(RuntimeType::Unknown, |id| RuntimeType::Known(*id))
    }

    /// The type whose name is this JSON string. `hint` is the last answer: lists are often of one type.
    pub(crate) fn find(&self, raw: &[u8], hint: &mut TypeId) -> RuntimeType {
        if self
            .quoted
            .get(hint.0 as usize)
            .is_some_and(|name| **name == *raw)
        {
            return RuntimeType::Known(*hint);
        }
        let found = self.ids.get(raw).copied().or_else(|| {
            let plain = raw
                .contains(&b'\\')
                .then(|| serde_json::from_slice::<String>(raw).ok())??;
            self.ids.get(&*quoted(&plain)).copied()
        });
        match found {
            Some(id) => {
                *hint = id;
                RuntimeType::Known(id)
            }
            None => RuntimeType::Foreign,
        }
    }
}

/// A text as JSON.
pub(crate) fn quoted(text: &str) -> Box<[u8]> {
    serde_json::to_vec(text).expect("a string is always JSON").into()
}
