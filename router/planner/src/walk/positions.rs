//! Places, and the virtual positions at them.
use std::collections::BTreeMap;
use std::rc::Rc;

use hashbrown::HashMap;

use super::{
    Asked, Child, FIRST_WAVE, FieldKey, Hop, HopKey, Origin, Place, PlaceId, PosId, Position, Requirement,
    Walk, Wave,
};
use crate::graph::{Candidate, Cover, Door, How, Overlay, Reach, Source, Via};
use crate::settings::PlanError;
use crate::supergraph::model::{Kind, SubId};
use crate::supergraph::types::{TypeIx, Types};

/// What a position costs, in steps of work.
const POSITION: usize = 6;

/// A field on the way to a child place.
#[derive(Clone, Copy)]
pub(super) struct Field<'f> {
    pub slot: &'f Rc<str>,
    pub key: &'f FieldKey,
    pub on: &'f Types,
    /// For whom.
    pub asked: Asked,
}

/// How an entity fetch is entered.
pub(super) struct Entry {
    pub level: u8,
    pub requires: Option<usize>,
    /// Only entities of known runtime types are sent.
    pub typed: bool,
    pub wave: Wave,
}

impl<'a> Place<'a> {
    pub fn new(types: Types, certain: bool) -> Place<'a> {
        Place {
            parent: None,
            slot: "".into(),
            parent_on: Types::default(),
            common: types.clone(),
            types,
            certain,
            base: Vec::new(),
            slots: Default::default(),
            children: Vec::new(),
            hops: BTreeMap::new(),
            reach: HashMap::new(),
            wanted: false,
        }
    }
}

impl<'a> Position<'a> {
    pub fn new(place: PlaceId, sub: SubId, level: u8, origin: Origin<'a>) -> Position<'a> {
        Position {
            place,
            sub,
            level,
            wave: FIRST_WAVE,
            head: 0,
            overlay: Overlay::default(),
            cover: Cover::default(),
            declared: None,
            origin,
            active: Types::default(),
            picks: Vec::new(),
            picked: HashMap::new(),
            typename: false,
            wanted: false,
        }
    }
}

impl<'a> Walk<'a> {
    pub(super) fn add_place(&mut self, place: Place<'a>) -> PlaceId {
        self.places.push(place);
        self.places.len() - 1
    }

    pub(super) fn add_position(&mut self, mut position: Position<'a>) -> PosId {
        let pos = self.positions.len();
        position.head = match &position.origin {
            Origin::Field { parent, .. } => self.positions[*parent].head,
            Origin::Root { .. } | Origin::Hop(_) => pos,
        };
        self.positions.push(position);
        pos
    }

    /// The places below a field: one for each group of runtime types that have the same candidates.
    /// `name` is the field's name for as long as the walk lives.
    pub(super) fn child_places(
        &mut self,
        place: PlaceId,
        field: Field<'_>,
        conditional: bool,
        name: &'a str,
    ) -> Result<Vec<PlaceId>, PlanError> {
        let mut children = Vec::new();
        for (on, candidates) in self.groups(place, field.on, name, conditional, field.asked)? {
            self.graph.budget.spend(POSITION * candidates.len())?;
            let child = self.child_place(place, Field { on: &on, ..field }, &candidates);
            let (slot, key) = (field.slot.clone(), field.key.clone());
            self.places[place].children.push(Child {
                slot,
                key,
                on,
                place: child,
            });
            children.push(child);
        }
        Ok(children)
    }

    fn child_place(&mut self, parent: PlaceId, field: Field<'_>, from: &[(PosId, u8)]) -> PlaceId {
        let model = self.graph.model;
        let inner = |t| {
            model
                .ty(t)
                .fields
                .get(&field.key.name)
                .and_then(|f| model.inner(&f.ty))
        };
        let first = field.on.first().and_then(inner);
        let is_object = first.is_some_and(|i| model.ty(i).kind == Kind::Object);
        let certain = is_object && field.on.iter().all(|t| inner(t) == first);
        let (slot, parent_on) = (field.slot.clone(), field.on.clone());
        let place = Place {
            parent: Some(parent),
            slot,
            parent_on,
            ..Place::new(Types::default(), certain)
        };
        let child = self.add_place(place);
        let (mut types, mut common): (Types, Option<Types>) = Default::default();
        for (position, level) in from {
            let pos = self.child_position(child, *position, *level, field);
            let cover = self.positions[pos].cover.types().clone();
            common = Some(common.map_or_else(|| cover.clone(), |c| c.and(&cover)));
            types = types.or(&cover);
            self.places[child].base.push(pos);
        }
        self.places[child].types = types;
        self.places[child].common = common.unwrap_or_default();
        child
    }

    /// Lets the objects below a field come where they are needed on this level already: what the client defers may be needed
    /// before, as part of a key.
    pub(super) fn come_in_time(
        &mut self,
        place: PlaceId,
        child: PlaceId,
        field: Field<'_>,
        (name, max): (&'a str, u8),
    ) -> Result<(), PlanError> {
        let near = |pos: &PosId| self.positions[*pos].level <= max;
        if self.places[child].base.iter().any(near) {
            return Ok(());
        }
        for (on, candidates) in self.groups(place, field.on, name, false, field.asked)? {
            for (pos, level) in candidates.into_iter().filter(|(_, level)| *level <= max) {
                let here = self.child_position(child, pos, level, Field { on: &on, ..field });
                self.places[child].base.push(here);
            }
        }
        // It was worked out from where the objects came before.
        self.places[child].reach.clear();
        Ok(())
    }

    fn child_position(&mut self, child: PlaceId, parent: PosId, level: u8, field: Field<'_>) -> PosId {
        let (sub, overlay) = (self.positions[parent].sub, self.positions[parent].overlay);
        let mut cover = Cover::default();
        let (mut declared, mut below) = (None, Overlay::default());
        for t in field.on.iter() {
            let local = self.positions[parent].cover.get(t);
            let Some(known) = local.and_then(|local| self.graph.model.sub_field(sub, local, &field.key.name))
            else {
                continue;
            };
            below = self.graph.below(overlay, t, &field.key.name, known);
            declared = self.graph.model.inner(&known.ty);
            if let Some(declared) = declared {
                cover = cover.with(&self.graph.cover(sub, declared));
            }
        }
        let (slot, key, on) = (field.slot.clone(), field.key.clone(), field.on.clone());
        let origin = Origin::Field {
            parent,
            slot,
            key,
            on,
        };
        let wave = self.positions[parent].wave;
        self.add_position(Position {
            overlay: below,
            cover,
            declared,
            wave,
            ..Position::new(child, sub, level, origin)
        })
    }

    /// Positions at which a field of runtime type `t` can be had, nearest first.
    pub(super) fn positions_for(
        &mut self,
        place: PlaceId,
        t: TypeIx,
        name: &'a str,
        conditional: bool,
        asked: Asked,
    ) -> Result<Vec<(PosId, u8)>, PlanError> {
        let reach = self.reach_at(place, t)?;
        let candidates = self.graph.candidates(t, &reach, name, conditional)?;
        let sources = self.sources(place, t);
        self.graph.budget.spend(candidates.len() + sources.len())?;
        let mut found = Vec::with_capacity(candidates.len());
        for candidate in candidates.iter() {
            let pos = match candidate.how {
                How::Base(ix) => match sources.get(ix) {
                    Some(pos) => Some(self.apart(*pos, t, name, &reach, asked)?),
                    None => None,
                },
                How::Hop(ix) | How::Requires(ix) => {
                    let (door, _) = &reach.open[ix];
                    let typed = self.is_typed(place, door, conditional);
                    let level = if typed {
                        reach.known.map(|k| candidate.level.max(k + 1))
                    } else {
                        Some(candidate.level)
                    };
                    let requires = self.requirement_of(candidate, name);
                    let level = self.filled_level(place, requires, level)?;
                    level.map(|level| {
                        self.open(
                            place,
                            t,
                            door,
                            Entry {
                                level,
                                requires,
                                typed,
                                wave: asked.wave,
                            },
                        )
                    })
                }
            };
            found.extend(pos.map(|pos| (pos, self.positions[pos].level)));
        }
        found.sort_by_key(|(_, level)| *level);
        Ok(found)
    }

    /// Behind an interface object's door a type condition can't be written, and nothing says which of the objects
    /// here are of its interface: the type must be known before.
    fn is_typed(&self, place: PlaceId, door: &Door<'a>, conditional: bool) -> bool {
        let place = &self.places[place];
        let all = || {
            place
                .types
                .is_subset(&self.graph.model.ty(door.typename).possible)
        };
        door.via == Via::InterfaceObject && !place.certain && (conditional || !all())
    }

    fn requirement_of(&mut self, candidate: &Candidate, name: &'a str) -> Option<usize> {
        let How::Requires(_) = candidate.how else {
            return None;
        };
        let field = self.graph.model.sub_field(candidate.sub, candidate.local, name)?;
        let fields = field.requires.as_ref()?;
        let context = field.context.as_slice();
        Some(self.requirement(Requirement { fields, context }))
    }

    fn requirement(&mut self, requirement: Requirement<'a>) -> usize {
        let known = self.requirements.iter().position(|r| *r == requirement);
        known.unwrap_or_else(|| {
            self.requirements.push(requirement);
            self.requirements.len() - 1
        })
    }

    /// The level of an entity fetch, moved behind what its contextual arguments are filled with; `None`
    /// where a context is not set around the place.
    fn filled_level(
        &mut self,
        place: PlaceId,
        requires: Option<usize>,
        level: Option<u8>,
    ) -> Result<Option<u8>, PlanError> {
        let context = requires.map_or(&[][..], |ix| self.requirements[ix].context);
        let (Some(level), false) = (level, context.is_empty()) else {
            return Ok(level);
        };
        let filled = self.context_level(place, context)?;
        Ok(filled.map(|there| level.max(there + 1)))
    }

    fn sources(&self, place: PlaceId, t: TypeIx) -> Vec<PosId> {
        let covers = |pos: &PosId| self.positions[*pos].cover.contains(t);
        self.places[place].base.iter().copied().filter(covers).collect()
    }

    pub(super) fn reach_at(&mut self, place: PlaceId, t: TypeIx) -> Result<Rc<Reach<'a>>, PlanError> {
        if let Some(reach) = self.places[place].reach.get(&t) {
            return Ok(reach.clone());
        }
        let base = self.sources(place, t).into_iter().filter_map(|pos| {
            let p = &self.positions[pos];
            Some(Source {
                sub: p.sub,
                local: p.cover.get(t)?,
                level: p.level,
                overlay: p.overlay,
            })
        });
        let base = base.collect();
        let reach = self.graph.reach(t, base, self.places[place].certain)?;
        self.places[place].reach.insert(t, reach.clone());
        Ok(reach)
    }

    /// The entity fetch behind a door, made when it is met first, for one more runtime type.
    pub(super) fn open(&mut self, place: PlaceId, t: TypeIx, door: &Door<'a>, entry: Entry) -> PosId {
        let apart = matches!(door.via, Via::InterfaceObject | Via::Query);
        let object = apart.then_some(door.local);
        let key = (door.sub, entry.level, entry.requires, object, entry.wave);
        let pos = self.hop(place, key);
        self.positions[pos].cover.add(t, door.local);
        if door.via == Via::Query {
            self.positions[pos].declared = Some(door.local);
        }
        let Origin::Hop(hop) = &mut self.positions[pos].origin else {
            unreachable!("a hop was made")
        };
        hop.doors.entry(t).or_insert((door.via, door.typename, door.key));
        hop.conditional |= entry.typed;
        hop.query |= door.via == Via::Query;
        pos
    }

    fn hop(&mut self, place: PlaceId, key: HopKey) -> PosId {
        if let Some(pos) = self.places[place].hops.get(&key) {
            return *pos;
        }
        let (sub, level, requires, _, wave) = key;
        let stage = self.places[place].base.first().map_or(0, |pos| self.stage(*pos));
        let requires = requires.map(|ix| self.requirements[ix]);
        let origin = Origin::Hop(Hop {
            stage,
            requires,
            ..Hop::default()
        });
        let pos = self.add_position(Position {
            wave,
            ..Position::new(place, sub, level, origin)
        });
        self.places[place].hops.insert(key, pos);
        pos
    }
}
