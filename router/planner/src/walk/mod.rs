//! Walks a selection through the graph from all candidate positions at once.
//!
//! 1. [`explore`]: lays out the *places* of the answer, and at each the *positions* (fetches in
//!    which its object could be read), none of them wanted yet; every leaf becomes a *demand* with
//!    its candidate positions.
//! 2. [`choose`]: picks a position for each demand: fewest steps, then fewest fetches, greedily;
//!    [`search`] tries others.
//! 3. [`commit`]: a picked position pulls in what it stands on: its parent's field, or the key
//!    fields and required fields of its representation.
mod choose;
mod commit;
mod context;
mod explore;
mod groups;
mod keys;
mod need;
mod positions;
mod search;
mod slots;
mod waves;
mod why;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use apollo_compiler::Name;
use hashbrown::HashMap;

use crate::graph::{Cover, Graph, Overlay, Reach, Via};
use crate::normalize::SelectedField;
use crate::supergraph::contexts::ContextArg;
use crate::supergraph::field_set::{Args, FieldSet};
use crate::supergraph::model::{Key, SubId};
use crate::supergraph::types::{TypeIx, Types};

pub(crate) use context::{ContextSource, Filled};
pub(crate) use search::walk;
use waves::Asked;

/// Index in [`Walk::places`].
pub(crate) type PlaceId = usize;
/// Index in [`Walk::positions`].
pub(crate) type PosId = usize;
/// For which part of the answer a fetch is made: what the client lets come later is fetched by fetches of its own.
pub(crate) type Wave = u16;
/// The wave of the answer that comes at once.
pub(crate) const FIRST_WAVE: Wave = 0;

/// A field with its arguments; in one object, equal uses have equal values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FieldKey {
    pub name: Name,
    pub args: Args,
}

/// Where objects stand in the answer.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub parent: Option<PlaceId>,
    /// Slot of the enclosing object.
    pub slot: Rc<str>,
    /// Runtime types of the enclosing object below which this place is.
    pub parent_on: Types,
    /// Runtime types that can be met here.
    pub types: Types,
    /// Those that every candidate position knows: a type condition that is impossible from one of
    /// them is impossible, wherever the field will be resolved.
    pub common: Types,
    /// Whether the schema says which one (an object type).
    pub certain: bool,
    /// Positions that come with the enclosing object.
    pub base: Vec<PosId>,
    /// What each slot means for which runtime types.
    pub slots: slots::Slots,
    pub children: Vec<Child>,
    hops: BTreeMap<HopKey, PosId>,
    reach: HashMap<TypeIx, Rc<Reach<'a>>>,
    /// Whether some fetch asks for it.
    pub wanted: bool,
}

/// A place one field further down.
#[derive(Debug)]
pub(crate) struct Child {
    pub slot: Rc<str>,
    pub key: FieldKey,
    pub on: Types,
    pub place: PlaceId,
}

/// Subgraph, level, which required fields are carried (index in [`Walk::requirements`]), and the interface
/// object it enters (a runtime type can be behind several of one subgraph) or the query type; the wave.
type HopKey = (SubId, u8, Option<usize>, Option<TypeIx>, Wave);

/// A fetch's view of a place.
#[derive(Debug)]
pub(crate) struct Position<'a> {
    pub place: PlaceId,
    pub sub: SubId,
    pub level: u8,
    pub wave: Wave,
    /// The root or hop position of the fetch it is in.
    pub head: PosId,
    overlay: Overlay,
    /// Runtime types it can read, each with its local type.
    pub cover: Cover,
    /// Type of the field as the subgraph declares it; `None` where the position is an entity.
    pub declared: Option<TypeIx>,
    pub origin: Origin<'a>,
    /// Runtime types for which it is wanted.
    pub active: Types,
    pub picks: Vec<Pick>,
    /// Picks by slot.
    picked: HashMap<Rc<str>, Vec<usize>>,
    /// Whether it is asked for the runtime type.
    pub typename: bool,
    pub wanted: bool,
}

#[derive(Debug)]
pub(crate) enum Origin<'a> {
    /// A root fetch. Stages run one after another (mutations).
    Root { stage: usize },
    /// A field of another position of the same fetch.
    Field {
        parent: PosId,
        slot: Rc<str>,
        key: FieldKey,
        on: Types,
    },
    /// An entity fetch.
    Hop(Hop<'a>),
}

/// An entity fetch of one place.
#[derive(Debug, Default)]
pub(crate) struct Hop<'a> {
    pub stage: usize,
    doors: BTreeMap<TypeIx, Entrance<'a>>,
    requires: Option<Requirement<'a>>,
    conditional: bool,
    /// It is no entity fetch, but a root fetch for objects of the query type.
    pub query: bool,
    pub sent: Vec<Sent>,
    /// Arguments of the fetch's fields that enclosing objects fill.
    pub context: Vec<Filled<'a>>,
    /// Positions whose fetches must be finished before.
    pub after: BTreeSet<PosId>,
}

/// How an entity fetch is entered, the `__typename` it is entered by, and the key.
type Entrance<'a> = (Via, TypeIx, &'a Key);

/// What a field asks of the fetch that selects it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Requirement<'a> {
    /// Carried in the representation.
    fields: &'a FieldSet,
    /// Filled from enclosing objects.
    context: &'a [ContextArg],
}

/// A representation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sent {
    pub on: Types,
    /// It is written without looking at the runtime type.
    pub any: bool,
    pub typename: TypeIx,
    pub fields: Vec<SentField>,
}

/// A member of a representation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SentField {
    pub name: Name,
    pub slot: Rc<str>,
    /// Runtime types of the enclosing object; `None` for any.
    pub on: Option<Types>,
    pub fields: Option<Vec<SentField>>,
    pub nullable: bool,
}

/// A field selected at a position.
#[derive(Clone, Debug)]
pub(crate) struct Pick {
    pub slot: Rc<str>,
    pub key: FieldKey,
    pub on: Types,
    pub child: Option<PosId>,
}

/// Something a position is wanted for.
#[derive(Debug)]
struct Demand {
    wave: Wave,
    on: Types,
    slot: Rc<str>,
    key: FieldKey,
    /// With their levels, nearest first.
    candidates: Vec<(PosId, u8)>,
}

/// The state of one planning.
pub(crate) struct Walk<'a> {
    pub graph: Graph<'a>,
    /// Fetches that are to be made only where there is no other way.
    avoided: BTreeSet<Group>,
    /// Root fetches chosen to be made once (mutations), where there may be another.
    called: BTreeSet<Group>,
    pub places: Vec<Place<'a>>,
    pub positions: Vec<Position<'a>>,
    demands: Vec<Demand>,
    /// Places where the client asks for `__typename`, or at least for presence.
    typenames: Vec<(PlaceId, Types)>,
    requirements: Vec<Requirement<'a>>,
    /// Whether what comes later is fetched apart.
    waves: bool,
    /// Root fetches of later waves, by those of the first.
    later_roots: BTreeMap<(PosId, Wave), PosId>,
    /// Fetches there are already.
    fetched: BTreeSet<Group>,
    /// Those of them that had no alternative, and whether the next ones have none.
    forced: BTreeSet<Group>,
    forcing: bool,
    depth: usize,
    /// For selected fields (by address), the runtime types for which no subgraph is asked.
    lost: HashMap<*const SelectedField, Types>,
}

/// Positions that end in one fetch: stage, subgraph, level, wave.
type Group = (usize, SubId, u8, Wave);

impl<'a> Walk<'a> {
    fn new(graph: Graph<'a>, avoided: BTreeSet<Group>) -> Walk<'a> {
        Walk {
            graph,
            avoided,
            called: BTreeSet::new(),
            places: Vec::new(),
            positions: Vec::new(),
            demands: Vec::new(),
            typenames: Vec::new(),
            requirements: Vec::new(),
            waves: false,
            later_roots: BTreeMap::new(),
            fetched: BTreeSet::new(),
            forced: BTreeSet::new(),
            forcing: false,
            depth: 0,
            lost: HashMap::new(),
        }
    }
}

impl Walk<'_> {
    /// The root or hop position of the fetch this position is in.
    pub fn head(&self, pos: PosId) -> PosId {
        self.positions[pos].head
    }

    /// The stage of the fetch this position is in.
    pub fn stage(&self, pos: PosId) -> usize {
        match &self.positions[self.head(pos)].origin {
            Origin::Root { stage } => *stage,
            Origin::Hop(hop) => hop.stage,
            Origin::Field { .. } => unreachable!("a head is no field"),
        }
    }

    /// The fetch of a position, if it is on this level.
    fn group(&self, pos: PosId, level: u8) -> Group {
        let position = &self.positions[pos];
        (self.stage(pos), position.sub, level, position.wave)
    }

    /// Runtime types for which a selected field is asked of no subgraph; it is null there.
    pub fn lost(&self, field: &SelectedField) -> Option<&Types> {
        self.lost.get(&std::ptr::from_ref(field))
    }

    /// Whether the runtime types are all that clients can meet at a place.
    pub fn is_all(&self, place: PlaceId, on: &Types) -> bool {
        let place = &self.places[place];
        place.certain || self.graph.model.visible(&place.types).is_subset(on)
    }

    /// Response keys from the root, for messages.
    pub fn path(&self, place: PlaceId, last: &str) -> String {
        let mut names = vec![last.to_owned()];
        let mut at = place;
        while let Some(parent) = self.places[at].parent {
            names.push(self.places[at].slot.to_string());
            at = parent;
        }
        names.reverse();
        names.join(".")
    }
}
