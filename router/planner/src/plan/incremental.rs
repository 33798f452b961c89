//! What of an answer may come later: `@defer` and `@stream`.
//! <https://github.com/graphql/graphql-spec/pull/1110>
use serde::Serialize;

use super::{FetchId, TypeSet};

/// Index in [`Incremental::fragments`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct FragmentId(pub u32);

/// Index in [`Incremental::parts`]; the first is the answer that comes at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct PartId(pub u32);

impl PartId {
    /// The answer that comes at once.
    pub const FIRST: PartId = PartId(0);
}

/// How an answer falls apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Incremental {
    /// Deferred fragments, each after the one it is in; and streamed lists.
    pub fragments: Vec<DeferredFragment>,
    /// Fields that are deferred by the same fragments. What is selected twice is in one part only.
    pub parts: Vec<Part>,
}

/// A fragment with `@defer`, or a field with `@stream`, at one place of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeferredFragment {
    /// The client's name for it.
    pub label: Option<Box<str>>,
    /// The deferred fragment around it.
    pub parent: Option<FragmentId>,
}

/// Fields that come together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The fragments that defer it. None of them is in another of them.
    pub fragments: Vec<FragmentId>,
    /// What must be fetched before, ascending: with each fetch all that it waits for.
    pub fetches: Vec<FetchId>,
}

/// A deferred fragment that begins at a place of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// Which one.
    pub fragment: FragmentId,
    /// For objects of these runtime types only; `None` for any.
    pub on: Option<TypeSet>,
}

/// When a field of the answer comes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Deferral {
    /// With which part.
    pub part: PartId,
    /// All deferred fragments that select it, be it selected besides.
    pub fragments: Vec<FragmentId>,
    /// Of a list: that only its first items come with the part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamedList>,
}

/// A list whose items after the first come later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StreamedList {
    /// What stands for it among the fragments.
    pub fragment: FragmentId,
    /// The part of the later items.
    pub part: PartId,
    /// How many come at once.
    pub first: InitialCount,
}

/// A number of items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum InitialCount {
    /// It is in the operation.
    Fixed(usize),
    /// It is the value of this variable.
    Variable(Box<str>),
}
