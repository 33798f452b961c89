//! How far the subgraphs are from a place: a fixpoint over the key moves of one runtime type.
//!
//! Types, not requests: the result depends only on where an object can be read already, so it is
//! remembered, and every place of the same kind costs one look-up. Levels fall strictly along a
//! derivation (a key's fields are nearer than the door it opens), so plans made from it end.
use std::cell::RefCell;
use std::rc::Rc;

use hashbrown::{HashMap, HashSet};

use super::{Access, Door, Graph, Source, Via};
use crate::settings::PlanError;
use crate::supergraph::field_set::{FieldSet, FieldSetItem};
use crate::supergraph::model::SubId;
use crate::supergraph::types::TypeIx;

/// Nesting of composite key fields followed.
const NESTING_LIMIT: usize = 6;
/// Steps left for filling the contextual arguments of a field that others need: a place's surroundings
/// are not looked at here.
const CONTEXT_STEPS: u8 = 3;
/// With more ways than this, later ones are not looked at.
const FEW: usize = 4;
/// Longest chain of hops.
const LEVEL_LIMIT: u8 = 60;

/// The level at which an object is there and its runtime type is known.
fn met(reach: &Reach<'_>) -> Option<u8> {
    let there = reach.base.iter().map(|source| source.level).min()?;
    reach.known.map(|known| known.max(there))
}

pub(crate) type ReachKey = (TypeIx, Vec<Source>, bool);

type Found<'a> = HashMap<(&'a str, bool), Rc<[Candidate]>>;

/// What can be reached from the sources of a place, for one runtime type.
#[derive(Debug)]
pub(crate) struct Reach<'a> {
    pub base: Vec<Source>,
    /// Doors that can be opened, each with the level behind it.
    pub open: Vec<(Door<'a>, u8)>,
    /// Level at which the runtime type is known.
    pub known: Option<u8>,
    /// Ways to its fields that were asked for, by name and whether blind.
    found: RefCell<Found<'a>>,
}

/// A way to get a field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Candidate {
    pub how: How,
    pub sub: SubId,
    pub local: TypeIx,
    pub level: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum How {
    /// At the n-th of the place's sources for this runtime type.
    Base(usize),
    /// Behind a door ([`Reach::open`]).
    Hop(usize),
    /// Behind a door, carrying the required fields.
    Requires(usize),
}

impl<'a> Graph<'a> {
    /// What can be reached from the sources. `certain`: the place is of an object type.
    pub fn reach(&mut self, t: TypeIx, base: Vec<Source>, certain: bool) -> Result<Rc<Reach<'a>>, PlanError> {
        let key = (t, base, certain);
        if let Some(reach) = self.reached.get(&key) {
            return Ok(reach.clone());
        }
        let reach = Rc::new(self.fixpoint(t, key.1.clone(), certain)?);
        if self.nesting == 0 {
            self.reached.insert(key, reach.clone());
        }
        Ok(reach)
    }

    fn fixpoint(&mut self, t: TypeIx, base: Vec<Source>, certain: bool) -> Result<Reach<'a>, PlanError> {
        let doors = self.doors(t);
        let at_base = if certain {
            Some(0)
        } else {
            base.iter().filter(|s| s.local == t).map(|s| s.level).min()
        };
        let mut levels: Vec<Option<u8>> = vec![None; doors.len()];
        let mut reach = Reach {
            base,
            open: Vec::new(),
            known: at_base,
            found: RefCell::default(),
        };
        loop {
            let mut changed = false;
            for (ix, door) in doors.iter().enumerate() {
                self.budget.spend(1)?;
                let typed = match door.via {
                    Via::Concrete => reach.known,
                    Via::InterfaceObject => Some(0),
                    Via::Interface => {
                        Some(0).filter(|_| at_base.is_none() && self.holds_all(door, &reach.base))
                    }
                    Via::Query => met(&reach).filter(|_| reach.base.iter().all(|s| s.sub != door.sub)),
                };
                let (Some(typed), Some(keyed)) = (
                    typed,
                    self.set_level(t, &door.key.fields, &reach, &mut Vec::new())?,
                ) else {
                    continue;
                };
                let level = typed.max(keyed) + 1;
                if level < LEVEL_LIMIT && levels[ix].is_none_or(|old| level < old) {
                    levels[ix] = Some(level);
                    changed = true;
                    if door.local == t {
                        reach.known = Some(reach.known.map_or(level, |k| k.min(level)));
                    }
                }
            }
            let open = doors
                .iter()
                .zip(&levels)
                .filter_map(|(d, l)| l.map(|l| (d.clone(), l)));
            reach.open = open.collect();
            if !changed {
                return Ok(reach);
            }
        }
    }

    /// Whether whatever is here, of unknown runtime type, is of the interface that a door is for.
    fn holds_all(&self, door: &Door<'a>, base: &[Source]) -> bool {
        let possible = &self.model.ty(door.typename).possible;
        base.iter()
            .any(|source| self.model.ty(source.local).possible.is_subset(possible))
    }

    /// The level at which all fields of a set are there.
    pub fn set_level(
        &mut self,
        t: TypeIx,
        set: &'a FieldSet,
        reach: &Reach<'a>,
        guard: &mut Vec<(SubId, &'a str)>,
    ) -> Result<Option<u8>, PlanError> {
        let mut level = 0;
        for item in set
            .0
            .iter()
            .filter(|i| i.on.as_ref().is_none_or(|on| on.contains(t)))
        {
            match self.item_level(t, item, reach, guard)? {
                Some(l) => level = level.max(l),
                None => return Ok(None),
            }
        }
        Ok(Some(level))
    }

    fn item_level(
        &mut self,
        t: TypeIx,
        item: &'a FieldSetItem,
        reach: &Reach<'a>,
        guard: &mut Vec<(SubId, &'a str)>,
    ) -> Result<Option<u8>, PlanError> {
        let mut candidates = self.guarded(t, reach, &item.name, guard)?;
        for candidate in &mut candidates {
            let known = self.model.sub_field(candidate.sub, candidate.local, &item.name);
            if known.is_some_and(|field| !field.context.is_empty()) {
                candidate.level += CONTEXT_STEPS;
            }
        }
        if item.sub.0.is_empty() {
            return Ok(candidates.iter().map(|c| c.level).min());
        }
        if self.nesting >= NESTING_LIMIT {
            return Ok(None);
        }
        let mut below: Vec<(TypeIx, Vec<Source>)> = Vec::new();
        for candidate in &candidates {
            for (child, source) in self.step(t, candidate, reach, &item.name) {
                match below.iter_mut().find(|(c, _)| *c == child) {
                    Some((_, sources)) => sources.push(source),
                    None => below.push((child, vec![source])),
                }
            }
        }
        self.nesting += 1;
        let certain = self.field_is_object(t, &item.name);
        let level = self.below_level(item, below, certain);
        self.nesting -= 1;
        level
    }

    fn below_level(
        &mut self,
        item: &'a FieldSetItem,
        below: Vec<(TypeIx, Vec<Source>)>,
        certain: bool,
    ) -> Result<Option<u8>, PlanError> {
        let mut level = None;
        for (child, sources) in below {
            let nearest = sources.iter().map(|s| s.level).min().unwrap_or(0);
            let reach = self.reach(child, sources, certain)?;
            match self.set_level(child, &item.sub, &reach, &mut Vec::new())? {
                Some(l) => level = Some(level.unwrap_or(0).max(l).max(nearest)),
                None => return Ok(None),
            }
        }
        Ok(level)
    }

    pub fn field_is_object(&self, t: TypeIx, field: &str) -> bool {
        let inner = self
            .model
            .ty(t)
            .fields
            .get(field)
            .and_then(|f| self.model.inner(&f.ty));
        inner.is_some_and(|i| self.model.ty(i).kind == crate::supergraph::model::Kind::Object)
    }

    /// The sources one field further down, by runtime type.
    pub fn step(
        &mut self,
        t: TypeIx,
        from: &Candidate,
        reach: &Reach<'a>,
        field: &str,
    ) -> Vec<(TypeIx, Source)> {
        let overlay = match from.how {
            How::Base(ix) => reach.base[ix].overlay,
            _ => super::Overlay::default(),
        };
        let Some(known) = self.model.sub_field(from.sub, from.local, field) else {
            return Vec::new();
        };
        let overlay = self.below(overlay, t, field, known);
        let Some(declared) = self.model.inner(&known.ty) else {
            return Vec::new();
        };
        let source = |local| Source {
            sub: from.sub,
            local,
            level: from.level,
            overlay,
        };
        let cover = self.cover(from.sub, declared);
        cover
            .iter()
            .map(|(child, local)| (child, source(local)))
            .collect()
    }

    /// All ways to get a field of runtime type `t`, one for each subgraph, nearest first; where these
    /// are few, then a later fetch of the same subgraph: it may be needed anyway.
    ///
    /// `blind`: interface objects that came with the place can't be used (they do not tell which of
    /// them a type condition is about).
    pub fn candidates(
        &mut self,
        t: TypeIx,
        reach: &Reach<'a>,
        field: &'a str,
        blind: bool,
    ) -> Result<Rc<[Candidate]>, PlanError> {
        let known = reach.found.borrow().get(&(field, blind)).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let mut found = self.guarded(t, reach, field, &mut Vec::new())?;
        found.retain(|c| !(blind && c.local != t && matches!(c.how, How::Base(_))));
        let (mut subs, mut again) = (HashSet::new(), Vec::new());
        found.retain(|c| {
            let nearest = subs.insert(c.sub);
            if !nearest && !matches!(c.how, How::Base(_)) {
                again.push(c.clone());
            }
            nearest
        });
        if found.len() <= FEW {
            again.retain(|c| subs.remove(&c.sub));
            found.append(&mut again);
        }
        let found: Rc<[Candidate]> = found.into();
        reach.found.borrow_mut().insert((field, blind), found.clone());
        Ok(found)
    }

    fn guarded(
        &mut self,
        t: TypeIx,
        reach: &Reach<'a>,
        field: &'a str,
        guard: &mut Vec<(SubId, &'a str)>,
    ) -> Result<Vec<Candidate>, PlanError> {
        let mut found: Vec<Candidate> = Vec::new();
        self.budget.spend(reach.base.len() + reach.open.len())?;
        for (ix, source) in reach.base.iter().enumerate() {
            if let Some(Access::Local) = self.resolves(source.sub, source.local, source.overlay, t, field) {
                let how = How::Base(ix);
                found.push(Candidate {
                    how,
                    sub: source.sub,
                    local: source.local,
                    level: source.level,
                });
            }
        }
        for (ix, (door, level)) in reach.open.iter().enumerate() {
            let (how, level) = match self.resolves(door.sub, door.local, Default::default(), t, field) {
                None => continue,
                Some(Access::Local) => (How::Hop(ix), *level),
                Some(Access::Requires(requires)) => {
                    if guard.contains(&(door.sub, field)) {
                        continue;
                    }
                    guard.push((door.sub, field));
                    let needs = self.set_level(t, requires, reach, guard)?;
                    guard.pop();
                    let Some(needs) = needs else { continue };
                    (How::Requires(ix), (*level).max(needs + 1))
                }
            };
            found.push(Candidate {
                how,
                sub: door.sub,
                local: door.local,
                level,
            });
        }
        found.sort_by_key(|c| (c.level, !matches!(c.how, How::Base(_))));
        Ok(found)
    }
}
