//! Lays out places, virtual positions and demands for the client's selection.
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use indexmap::IndexMap;

use super::{Child, Demand, FieldKey, Hop, HopKey, Origin, Place, PlaceId, PosId, Position, Walk};
use crate::graph::{Candidate, Door, How, Overlay, Reach, Source, Via};
use crate::normalize::{FieldUse, Selected, SelectedField, Selection};
use crate::plan::OperationKind;
use crate::settings::PlanError;
use crate::supergraph::model::{Kind, SubId};
use crate::supergraph::types::{TypeIx, Types};

/// Nesting of places.
const DEPTH_LIMIT: usize = 250;

impl<'a> Walk<'a> {
    pub(super) fn explore_root(&mut self, kind: OperationKind, root: TypeIx, selection: &'a Selection) -> Result<(), PlanError> {
        let types = Types::one(root);
        let place = self.place(None, "".into(), Types::default(), types, true);
        if kind == OperationKind::Query {
            self.root_positions(place, root, 0);
            return self.explore(place, selection);
        }
        self.claim_slots(place, selection);
        for (stage, field) in selection.fields.iter().enumerate() {
            let Selected::Field(used) = &field.what else { continue };
            self.places[place].base.clear();
            self.places[place].reach.clear();
            self.root_positions(place, root, stage);
            let one = self.richest(place, root, used);
            self.places[place].base.retain(|pos| Some(*pos) == one);
            self.places[place].reach.clear();
            self.explore_field(place, field, used)?;
        }
        Ok(())
    }

    fn root_positions(&mut self, place: PlaceId, root: TypeIx, stage: usize) {
        for sub in self.graph.model.all_subgraphs().filter(|s| self.graph.model.sub(*s, root).is_some()) {
            let cover = BTreeMap::from([(root, root)]);
            let origin = Origin::Root { stage };
            let pos = self.position(place, sub, 0, Overlay::default(), cover, Some(root), origin);
            self.places[place].base.push(pos);
        }
    }

    /// The root position that can answer most of a field by itself (a mutation is called once).
    fn richest(&self, place: PlaceId, root: TypeIx, used: &FieldUse) -> Option<PosId> {
        let score = |pos: &PosId| {
            let sub = self.positions[*pos].sub;
            let access = self.graph.resolves(sub, root, Overlay::default(), root, &used.name);
            access.map(|_| self.answerable(sub, &used.sub))
        };
        let scored = self.places[place].base.iter().filter_map(|pos| Some((score(pos)?, *pos)));
        scored.max_by_key(|(score, pos)| (*score, std::cmp::Reverse(*pos))).map(|(_, pos)| pos)
    }

    fn answerable(&self, sub: SubId, selection: &Selection) -> usize {
        let has = |field: &SelectedField, name: &str| {
            field.on.iter().any(|t| self.graph.resolves(sub, t, Overlay::default(), t, name).is_some())
        };
        selection
            .fields
            .iter()
            .map(|field| match &field.what {
                Selected::Field(used) if has(field, &used.name) => 1 + self.answerable(sub, &used.sub),
                _ => 0,
            })
            .sum()
    }

    pub(super) fn place(
        &mut self,
        parent: Option<PlaceId>,
        slot: Rc<str>,
        parent_on: Types,
        types: Types,
        certain: bool,
    ) -> PlaceId {
        self.places.push(Place {
            parent,
            slot,
            parent_on,
            common: types.clone(),
            types,
            certain,
            base: Vec::new(),
            slots: Default::default(),
            children: Vec::new(),
            hops: BTreeMap::new(),
            reach: HashMap::new(),
            wanted: false,
        });
        self.places.len() - 1
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of a position")]
    fn position(
        &mut self,
        place: PlaceId,
        sub: SubId,
        level: u8,
        overlay: Overlay,
        cover: BTreeMap<TypeIx, TypeIx>,
        declared: Option<TypeIx>,
        origin: Origin<'a>,
    ) -> PosId {
        self.positions.push(Position {
            place,
            sub,
            level,
            overlay,
            cover,
            declared,
            origin,
            active: Types::default(),
            picks: Vec::new(),
            picked: HashMap::new(),
            typename: false,
            wanted: false,
        });
        self.positions.len() - 1
    }

    fn claim_slots(&mut self, place: PlaceId, selection: &'a Selection) {
        for field in &selection.fields {
            if let Selected::Field(used) | Selected::Withheld(used) = &field.what {
                let key = FieldKey { name: used.name.clone(), args: used.args.clone() };
                self.claim(place, &field.response_key.as_str().into(), &key, &field.on);
            }
        }
    }

    fn explore(&mut self, place: PlaceId, selection: &'a Selection) -> Result<(), PlanError> {
        self.claim_slots(place, selection);
        for field in &selection.fields {
            match &field.what {
                Selected::Field(used) => self.explore_field(place, field, used)?,
                Selected::Typename => self.typenames.push((place, field.on.clone())),
                Selected::Given | Selected::Withheld(_) => {}
            }
        }
        self.note_typename(place, selection);
        Ok(())
    }

    /// The runtime type must be known where the answer depends on it.
    fn note_typename(&mut self, place: PlaceId, selection: &Selection) {
        if self.places[place].certain {
            return;
        }
        let model = self.graph.model;
        let types = self.places[place].types.clone();
        let visible = model.visible(&types);
        let differs = |field: &SelectedField| matches!(field.what, Selected::Typename) || !visible.is_subset(&field.on);
        if visible.len() < types.len() || selection.fields.iter().any(differs) {
            self.typenames.push((place, types));
        }
    }

    fn explore_field(&mut self, place: PlaceId, field: &'a SelectedField, used: &'a FieldUse) -> Result<(), PlanError> {
        let key = FieldKey { name: used.name.clone(), args: used.args.clone() };
        let slot: Rc<str> = field.response_key.as_str().into();
        let conditional = !self.is_all(place, self.claimed(place, &slot, &key));
        let here = &self.places[place];
        let on = field.on.and(if conditional { &here.common } else { &here.types });
        let lost = field.on.minus(&on);
        if !lost.is_empty() && !here.certain {
            let known = self.lost.entry(std::ptr::from_ref(field)).or_default();
            *known = known.or(&lost);
        }
        self.check_one_origin(place, &on, &used.name)?;
        if used.sub.fields.is_empty() {
            for (on, candidates) in self.groups(place, &on, &used.name, conditional)? {
                self.demands.push(Demand { on, slot: slot.clone(), key: key.clone(), candidates });
            }
            return Ok(());
        }
        for child in self.child_places(place, &slot, &key, &on, conditional, &used.name)? {
            self.depth += 1;
            if self.depth > DEPTH_LIMIT {
                return Err(PlanError::TooDeep(DEPTH_LIMIT));
            }
            self.explore(child, &used.sub)?;
            self.depth -= 1;
        }
        Ok(())
    }

    /// A field of several runtime types must be reachable for all of them from one and the same
    /// position: no subgraph's answer tells which types another one's objects have.
    fn check_one_origin(&mut self, place: PlaceId, on: &Types, name: &'a str) -> Result<(), PlanError> {
        let base = self.places[place].base.clone();
        if on.len() < 2 || base.len() < 2 {
            return Ok(());
        }
        let certain = self.places[place].certain;
        for pos in base {
            let mut all = true;
            for t in on.iter() {
                let position = &self.positions[pos];
                let Some(local) = position.cover.get(&t).copied() else { continue };
                let source = Source { sub: position.sub, local, level: position.level, overlay: position.overlay };
                let reach = self.graph.reach(t, vec![source], certain)?;
                all &= !self.graph.candidates(t, &reach, name, false)?.is_empty();
            }
            if all {
                return Ok(());
            }
        }
        Err(PlanError::Unreachable { coordinate: name.to_owned(), path: self.path(place, name) })
    }

    /// The places below a field: one for each group of runtime types that have the same candidates.
    pub(super) fn child_places(
        &mut self,
        place: PlaceId,
        slot: &Rc<str>,
        key: &FieldKey,
        on: &Types,
        conditional: bool,
        name: &'a str,
    ) -> Result<Vec<PlaceId>, PlanError> {
        let mut children = Vec::new();
        for (on, candidates) in self.groups(place, on, name, conditional)? {
            let child = self.child_place(place, slot, key, &on, &candidates);
            self.places[place].children.push(Child { slot: slot.clone(), key: key.clone(), on, place: child });
            children.push(child);
        }
        Ok(children)
    }

    fn child_place(&mut self, place: PlaceId, slot: &Rc<str>, key: &FieldKey, on: &Types, from: &[(PosId, u8)]) -> PlaceId {
        let model = self.graph.model;
        let sample = on.first().expect("a group has a type");
        let inner = model.ty(sample).fields.get(&key.name).and_then(|f| model.inner(&f.ty));
        let certain = inner.is_some_and(|i| model.ty(i).kind == Kind::Object);
        let child = self.place(Some(place), slot.clone(), on.clone(), Types::default(), certain);
        let (mut types, mut common): (Types, Option<Types>) = Default::default();
        for (parent, level) in from {
            let pos = self.child_position(child, *parent, *level, slot, key, on);
            let cover: Types = self.positions[pos].cover.keys().copied().collect();
            common = Some(common.map_or_else(|| cover.clone(), |c| c.and(&cover)));
            types = types.or(&cover);
            self.places[child].base.push(pos);
        }
        self.places[child].types = types;
        self.places[child].common = common.unwrap_or_default();
        child
    }

    fn child_position(&mut self, child: PlaceId, parent: PosId, level: u8, slot: &Rc<str>, key: &FieldKey, on: &Types) -> PosId {
        let (sub, overlay) = (self.positions[parent].sub, self.positions[parent].overlay);
        let mut cover = BTreeMap::new();
        let (mut declared, mut below) = (None, Overlay::default());
        for t in on.iter() {
            let local = self.positions[parent].cover[&t];
            let Some(field) = self.graph.model.sub_field(sub, local, &key.name) else { continue };
            below = self.graph.below(overlay, t, &key.name, field);
            declared = self.graph.model.inner(&field.ty);
            if let Some(declared) = declared {
                cover.extend(self.graph.cover(sub, declared));
            }
        }
        let origin = Origin::Field { parent, slot: slot.clone(), key: key.clone(), on: on.clone() };
        self.position(child, sub, level, below, cover, declared, origin)
    }

    /// Groups runtime types by the positions at which a field can be had.
    pub(super) fn groups(
        &mut self,
        place: PlaceId,
        on: &Types,
        name: &'a str,
        conditional: bool,
    ) -> Result<Vec<(Types, Vec<(PosId, u8)>)>, PlanError> {
        type Declared = Option<TypeIx>;
        let mut groups: IndexMap<Vec<(PosId, u8, Declared)>, Vec<TypeIx>> = IndexMap::new();
        for t in on.iter() {
            let candidates = self.positions_for(place, t, name, conditional)?;
            if candidates.is_empty() {
                let def = self.graph.model.ty(t);
                if def.inaccessible {
                    continue;
                }
                let coordinate = format!("{}.{name}", def.name);
                return Err(PlanError::Unreachable { coordinate, path: self.path(place, name) });
            }
            let declared = |pos: PosId| {
                let (sub, local) = (self.positions[pos].sub, self.positions[pos].cover[&t]);
                self.graph.model.sub_field(sub, local, name).and_then(|f| self.graph.model.inner(&f.ty))
            };
            let signature = candidates.iter().map(|(pos, level)| (*pos, *level, declared(*pos))).collect();
            groups.entry(signature).or_default().push(t);
        }
        let plain = |signature: Vec<(PosId, u8, Declared)>| signature.into_iter().map(|(p, l, _)| (p, l)).collect();
        Ok(groups.into_iter().map(|(signature, on)| (on.into_iter().collect(), plain(signature))).collect())
    }

    /// Positions at which a field of runtime type `t` can be had, nearest first.
    pub(super) fn positions_for(
        &mut self,
        place: PlaceId,
        t: TypeIx,
        name: &'a str,
        conditional: bool,
    ) -> Result<Vec<(PosId, u8)>, PlanError> {
        let reach = self.reach_at(place, t)?;
        let candidates = self.graph.candidates(t, &reach, name, conditional)?;
        let sources = self.sources(place, t);
        let mut found = Vec::new();
        for candidate in candidates {
            if let Some(pos) = self.materialize(place, t, &reach, &sources, &candidate, name, conditional) {
                found.push((pos, self.positions[pos].level));
            }
        }
        found.sort_by_key(|(_, level)| *level);
        Ok(found)
    }

    fn sources(&self, place: PlaceId, t: TypeIx) -> Vec<PosId> {
        let covers = |pos: &PosId| self.positions[*pos].cover.contains_key(&t);
        self.places[place].base.iter().copied().filter(covers).collect()
    }

    pub(super) fn reach_at(&mut self, place: PlaceId, t: TypeIx) -> Result<Rc<Reach<'a>>, PlanError> {
        if let Some(reach) = self.places[place].reach.get(&t) {
            return Ok(reach.clone());
        }
        let base = self.sources(place, t).into_iter().map(|pos| {
            let p = &self.positions[pos];
            Source { sub: p.sub, local: p.cover[&t], level: p.level, overlay: p.overlay }
        });
        let base = base.collect();
        let reach = self.graph.reach(t, base, self.places[place].certain)?;
        self.places[place].reach.insert(t, reach.clone());
        Ok(reach)
    }

    /// The position of a candidate, made when it is the first time it is met.
    #[expect(clippy::too_many_arguments, reason = "one candidate in its place")]
    fn materialize(
        &mut self,
        place: PlaceId,
        t: TypeIx,
        reach: &Reach<'a>,
        sources: &[PosId],
        candidate: &Candidate,
        name: &'a str,
        conditional: bool,
    ) -> Option<PosId> {
        let (door, requires) = match candidate.how {
            How::Base(ix) => {
                return Some(sources[ix]);
            }
            How::Hop(ix) => (ix, None),
            How::Requires(ix) => {
                let (door, _) = &reach.open[ix];
                let field = self.graph.model.sub_field(door.sub, door.local, name)?;
                (ix, field.requires.as_ref().map(|r| self.requirement(r)))
            }
        };
        let (door, _) = &reach.open[door];
        let mut level = candidate.level;
        let typed = conditional && door.via == Via::InterfaceObject && !self.places[place].certain;
        if typed {
            level = level.max(reach.known? + 1);
        }
        Some(self.open(place, t, door, level, requires, typed))
    }

    /// The entity fetch behind a door, for one more runtime type.
    pub(super) fn open(
        &mut self,
        place: PlaceId,
        t: TypeIx,
        door: &Door<'a>,
        level: u8,
        requires: Option<usize>,
        typed: bool,
    ) -> PosId {
        let pos = self.hop(place, (door.sub, level, requires));
        self.positions[pos].cover.entry(t).or_insert(door.local);
        let Origin::Hop(hop) = &mut self.positions[pos].origin else { unreachable!("a hop was made") };
        hop.doors.entry(t).or_insert((door.via, door.typename, door.key));
        hop.conditional |= typed;
        pos
    }

    fn requirement(&mut self, set: &'a crate::supergraph::field_set::FieldSet) -> usize {
        let known = self.requirements.iter().position(|r| *r == set);
        known.unwrap_or_else(|| {
            self.requirements.push(set);
            self.requirements.len() - 1
        })
    }

    fn hop(&mut self, place: PlaceId, key: HopKey) -> PosId {
        if let Some(pos) = self.places[place].hops.get(&key) {
            return *pos;
        }
        let (sub, level, requires) = key;
        let stage = self.places[place].base.first().map_or(0, |pos| self.stage(*pos));
        let requires = requires.map(|ix| self.requirements[ix]);
        let origin = Origin::Hop(Hop { stage, requires, ..Hop::default() });
        let pos = self.position(place, sub, level, Overlay::default(), BTreeMap::new(), None, origin);
        self.places[place].hops.insert(key, pos);
        pos
    }
}
