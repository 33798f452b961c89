//! The plan: what to fetch, in which order, and how the client's answer is made of it.
//!
//! A plan is data. It is pure, printable, the same for the same input, and the only thing the
//! executor knows about an operation. It belongs to one operation, one set of values of the
//! variables used in `@skip`/`@include` (these are evaluated before planning, so a plan has no
//! conditions), and one set of rights of the caller.
//!
//! Three kinds of selection trees describe data, each for one direction:
//!
//! * [`Shape`]: what a subgraph may answer, and in which slot of the request's tree it is kept;
//! * [`Representation`]: how the input of an entity fetch is written from the tree;
//! * [`Projection`]: how the client's answer is written from the tree.
//!
//! # The tree
//!
//! All fetched data of a request is merged in one tree of objects. An object is a set of
//! *slots* (interned names, [`Slot`]) and, where known, a runtime type ([`TypeId`]). A field
//! the client sees is kept in the slot named by its response key. A field that only the planner
//! needs (a key, an input of `@requires`), and whose value could differ from the client's field
//! of the same response key, is kept in a slot of its own. So in one object a slot has one value.
//!
//! Reading a fetch *merges*: an object met where an object already is adds its slots, a list met
//! where a list of the same length is merges item by item.
mod incremental;

use serde::Serialize;

pub use incremental::{
    Deferral, DeferredFragment, FragmentId, Incremental, InitialCount, Part, PartId, Spread, StreamedList,
};

/// Index in [`Plan::slots`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Slot(pub u32);

/// Index in [`Plan::types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct TypeId(pub u32);

/// Index in [`Plan::fetches`].
pub type FetchId = usize;

/// Object types, ascending and without repetition.
pub type TypeSet = Vec<TypeId>;

/// The three kinds of operations of the GraphQL specification, section 2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OperationKind {
    /// Root fields run in parallel.
    Query,
    /// Root fields run one after another, in document order.
    Mutation,
    /// One root field, an event at a time.
    Subscription,
}

/// What to fetch and how to answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Kind of the client's operation.
    pub kind: OperationKind,
    /// Slot names. A slot of a field the client sees has its response key as name.
    pub slots: Vec<Box<str>>,
    /// Names of object types this plan distinguishes.
    pub types: Vec<Box<str>>,
    /// In an order in which every fetch comes after all it waits for.
    /// In a subscription, the first is the root fetch whose events drive the rest.
    pub fetches: Vec<Fetch>,
    /// The client's answer.
    pub answer: Projection,
    /// Errors known at planning time (fields removed by authorization).
    pub errors: Vec<PlannedError>,
    /// What of the answer may come later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incremental: Option<Incremental>,
}

/// One call of one subgraph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fetch {
    /// Name of the subgraph.
    pub subgraph: Box<str>,
    /// Fetches that must be finished (or skipped) before this one starts, each smaller than its own index.
    pub after: Vec<FetchId>,
    /// Kind of the operation sent: `Query` for every entity fetch.
    pub kind: OperationKind,
    /// The operation sent, as text. Entity groups use the variables named in [`EntityGroup::variable`].
    pub query: Box<str>,
    /// Name of the operation in `query`, when it has one.
    pub operation_name: Option<Box<str>>,
    /// Client variables that `query` uses; they are sent under their own name when they have a value.
    pub variables: Vec<Box<str>>,
    /// Where the data goes.
    pub entry: Entry,
    /// The same of the same entities with each representation apart: sent, in the same step, for those entities that
    /// lack something which only a part of what is asked needs (an input of `@requires` that was lost to an error).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Box<Fetch>>,
}

/// Where the data of a fetch goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Entry {
    /// Into the root object of the tree.
    Root(Shape),
    /// Into entities that other fetches have brought.
    Entities(Vec<EntityGroup>),
    /// Into objects of the type `Query` that other fetches have brought (a payload's `query: Query!`).
    Queries(QueryGroup),
}

/// A root fetch for objects of the type `Query` below others. It is sent once, if there is such an object, and what
/// comes back is read into each of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueryGroup {
    /// Where the objects are. Nothing is sent of their representations: these say by runtime type which objects are meant.
    pub targets: Vec<Target>,
    /// What comes back.
    pub shape: Shape,
}

/// One `_entities` field of an entity fetch. A fetch has several when entities of different types
/// or with different selections are wanted from the same subgraph at the same time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EntityGroup {
    /// Response key of this `_entities` field in the subgraph's answer.
    pub response_key: Box<str>,
    /// Name of the variable that holds its representations.
    pub variable: Box<str>,
    /// Where the entities are. Equal representations of all targets are sent once,
    /// and the entity that comes back is read into each of its places.
    pub targets: Vec<Target>,
    /// What comes back for each entity.
    pub shape: Shape,
    /// Variables filled from objects that enclose the entities (`@fromContext`). A fetch whose entities have
    /// such variables has one group, and is called once for each set of values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<ContextVariable>,
    /// Where this subgraph may have given the same entities before: these are not asked for again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<Known>,
}

/// A variable whose value is in an object around the entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContextVariable {
    /// Its name in the query.
    pub name: Box<str>,
    /// Whether null is a legal value. Where it is not, an entity with a null there is left out.
    /// An entity whose value was never fetched is left out always.
    pub nullable: bool,
    /// Where the value is, for each of the group's targets: the first whose `on` matches, nearest first.
    pub sources: Vec<Vec<ContextSource>>,
}

/// An enclosing object that may hold the value of a context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContextSource {
    /// How many steps of the target's path lead to it; 0 is the root object.
    pub depth: usize,
    /// Its runtime types; `None` for any.
    pub on: Option<TypeSet>,
    /// The value is that of the first field whose `on` matches, then of its only inner field that does, and
    /// so on; a list of values where a list is on the way; null where none matches.
    pub fields: Vec<RepresentationField>,
}

/// A place whose entities came from the same subgraph with all that a group asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Known {
    /// The fetch that brought them, one of those that this one waits for (by way of others, too).
    /// Where it failed, or had errors, they are not known.
    pub fetch: FetchId,
    /// Where they are, and how they are written as this group's representations: equal texts are equal entities.
    pub target: Target,
    /// What becomes of their slots. A slot that is absent in one of them was not fetched for it.
    pub copies: Vec<Copied>,
}

/// A slot of a known entity that is a slot of the one that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// Slot of the known entity.
    pub from: Slot,
    /// Slot of the wanted one.
    pub to: Slot,
    /// For objects and (nested) lists of them: what of each.
    pub fields: Option<Vec<Copied>>,
}

/// Entities at one place of the tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Target {
    /// Steps from the root. Lists (of lists) are entered item by item without a step of their own;
    /// a null or absent value ends the walk there.
    pub path: Vec<PathStep>,
    /// What to send, by runtime type: the first whose `on` matches. An entity that matches none is left out.
    pub representations: Vec<Representation>,
}

/// A step down the tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct PathStep {
    /// The slot to follow.
    pub slot: Slot,
    /// Go on only with objects whose runtime type is one of these; `None` for any.
    pub on: Option<TypeSet>,
}

/// How one entity is written as an element of `representations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Representation {
    /// Runtime types it applies to; `None` for any, also an unknown one.
    pub on: Option<TypeSet>,
    /// `__typename` to send (an interface's name for interface objects).
    pub typename: Box<str>,
    /// Other members.
    pub fields: Vec<RepresentationField>,
}

/// A member of a representation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RepresentationField {
    /// Name to send: always the field's name in the schema.
    pub name: Box<str>,
    /// Where its value is in the tree.
    pub slot: Slot,
    /// Written only when the enclosing object's runtime type is one of these; `None` for any.
    /// Of several entries with one name the first that matches is written.
    pub on: Option<TypeSet>,
    /// The members when the value is an object or a list of objects; `None` for a leaf.
    pub fields: Option<Vec<RepresentationField>>,
    /// Whether null is a legal value. Where it is not (keys), an entity with a null there is left out.
    /// An entity for which the slot is absent (never fetched, or its fetch failed) is left out always.
    pub nullable: bool,
}

/// What a subgraph may answer at one place: the union over all type conditions of the selection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// In the order of the query text, which is the order subgraphs answer in.
    pub fields: Vec<ShapeField>,
}

/// A field that may come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShapeField {
    /// Key in the subgraph's answer.
    pub response_key: Box<str>,
    /// What becomes of its value.
    pub keep: Keep,
}

/// What becomes of a value of a subgraph's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// It is the runtime type of the object. (Never asked of an interface object, whose answer
    /// would be the interface's name.)
    Typename,
    /// A scalar or enum value, or (nested) lists of them: kept as the JSON text received.
    Leaf(Slot),
    /// An object or (nested) lists of objects.
    Object(Slot, Shape),
}

/// The client's selection at one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Projection {
    /// In the client's order. Of several entries with one response key at most one applies to a runtime type.
    pub fields: Vec<ProjectedField>,
    /// Deferred fragments that begin here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spreads: Vec<Spread>,
}

/// A field of the client's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProjectedField {
    /// Key in the client's answer.
    pub response_key: Box<str>,
    /// Written only when the object's runtime type is one of these; `None` for any.
    /// An object of unknown runtime type matches only `None`.
    pub on: Option<TypeSet>,
    /// Where the value comes from.
    pub source: Source,
    /// When it comes; `None`: with the first answer, and nothing defers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deferral: Option<Box<Deferral>>,
}

/// Where a value of the client's answer comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The object's runtime type; where none is known the type that is certain by the schema.
    Typename(Option<Box<str>>),
    /// Given as JSON text with the request under the response key (introspection, root only).
    Given,
    /// A field that authorization removed: null here; its error stands in [`Plan::errors`]
    /// (`null` in a non-null place is propagated as usual).
    Withheld(Wrapping),
    /// A field of the tree.
    Field(Slot, FieldType),
}

/// The type of a field, as far as the answer depends on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldType {
    /// Lists and non-nulls around the named type.
    pub wrapping: Wrapping,
    /// The named type.
    pub named: Named,
}

/// A type's lists and non-nulls, from the outside in: `[[T!]]!` is
/// `Wrapping { nullable: false, item: Some(Wrapping { nullable: true, item: Some(Wrapping { nullable: false, item: None }) }) }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wrapping {
    /// Whether null may stand here.
    pub nullable: bool,
    /// For a list: the wrapping of its items.
    pub item: Option<Box<Wrapping>>,
}

/// The named type of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Named {
    /// `Int`: a JSON integer of 32 bits.
    Int,
    /// `Float`: any JSON number.
    Float,
    /// `String`: a JSON string.
    String,
    /// `Boolean`: `true` or `false`.
    Boolean,
    /// `ID`: a JSON string or integer.
    Id,
    /// A custom scalar: any JSON value.
    Scalar,
    /// An enum.
    Enum {
        /// Values the public schema knows.
        values: Vec<Box<str>>,
        /// Values that become null, as the public schema does not know them. Any other is an error.
        hidden: Vec<Box<str>>,
    },
    /// An object, interface or union.
    Object {
        /// Name of the type when it is an object type (so that the runtime type is certain).
        certain: Option<TypeId>,
        /// Runtime types the public schema allows here. An object of another *known* type becomes null.
        possible: TypeSet,
        /// The client's selection.
        projection: Projection,
    },
}

/// An error that stands before anything is fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedError {
    /// What the client reads.
    pub message: Box<str>,
    /// `extensions.code`.
    pub code: Box<str>,
    /// Response keys from the root (no list indexes).
    pub path: Vec<Box<str>>,
}
