//! Fetches of their own for what may come later: a field that the client defers must not make the fetch slow that brings
//! what is around it.
use std::rc::Rc;

use super::need::Terms;
use super::positions::Entry;
use super::{Demand, FIRST_WAVE, FieldKey, Origin, PlaceId, PosId, Position, Walk, Wave};
use crate::graph::{Access, Overlay, Reach, Via};
use crate::incremental::needs::part_of;
use crate::normalize::SelectedField;
use crate::settings::PlanError;
use crate::supergraph::types::{TypeIx, Types};

/// Who asks for a field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub wave: Wave,
    /// It is not to be fetched together with fields of other waves.
    apart: bool,
}

impl Asked {
    /// The client. Without `waves` all is fetched together.
    pub fn by(field: &SelectedField, waves: bool) -> Asked {
        if !waves {
            return Asked::within(FIRST_WAVE);
        }
        Asked {
            // There are fewer parts than the budget has steps, and fewer than this by far.
            wave: Wave::try_from(part_of(field).0).unwrap_or(Wave::MAX),
            apart: true,
        }
    }

    /// A fetch of this wave, which takes what is there.
    pub fn within(wave: Wave) -> Asked {
        Asked { wave, apart: false }
    }
}

impl<'a> Walk<'a> {
    /// Where a field is fetched that could be had at a position: there, or in a later fetch of the same subgraph, if that
    /// can be entered by a key. (The root needs none.)
    pub(super) fn apart(
        &mut self,
        pos: PosId,
        t: TypeIx,
        name: &'a str,
        reach: &Reach<'a>,
        asked: Asked,
    ) -> Result<PosId, PlanError> {
        let position = &self.positions[pos];
        if !asked.apart || position.wave == asked.wave {
            return Ok(pos);
        }
        let (place, sub) = (position.place, position.sub);
        if let Origin::Root { .. } = position.origin {
            let is_query = t == self.graph.model.query;
            return Ok(if is_query {
                self.later_root(pos, asked.wave)
            } else {
                pos
            });
        }
        self.graph.budget.spend(reach.open.len())?;
        let mut doors: Vec<_> = reach
            .open
            .iter()
            .filter(|(door, _)| door.sub == sub && door.via == Via::Concrete)
            .collect();
        doors.retain(|(door, _)| {
            let access = self.graph.resolves(sub, door.local, Overlay::default(), t, name);
            matches!(access, Some(Access::Local))
        });
        let Some((door, level)) = doors.into_iter().min_by_key(|(_, level)| *level).cloned() else {
            return Ok(pos);
        };
        let entry = Entry {
            level,
            requires: None,
            typed: false,
            wave: asked.wave,
        };
        Ok(self.open(place, t, &door, entry))
    }

    /// A root fetch of a later wave.
    fn later_root(&mut self, pos: PosId, wave: Wave) -> PosId {
        if let Some(known) = self.later_roots.get(&(pos, wave)) {
            return *known;
        }
        let first = &self.positions[pos];
        let root = Position {
            wave,
            cover: first.cover.clone(),
            declared: first.declared,
            ..Position::new(
                first.place,
                first.sub,
                0,
                Origin::Root {
                    stage: self.stage(pos),
                },
            )
        };
        let root = self.add_position(root);
        self.later_roots.insert((pos, wave), root);
        root
    }

    /// The wave in which a place's objects come.
    pub(super) fn wave_of_place(&self, place: PlaceId) -> Wave {
        let base = self.places[place].base.iter();
        base.map(|pos| self.positions[*pos].wave)
            .min()
            .unwrap_or(FIRST_WAVE)
    }

    /// Entity fetches of the first wave that bring a field which a later one needs.
    pub(super) fn fetched_before(
        &self,
        place: PlaceId,
        slot: &Rc<str>,
        key: &FieldKey,
        on: &Types,
        terms: Terms,
    ) -> Vec<PosId> {
        if terms.wave == FIRST_WAVE {
            return Vec::new();
        }
        let hops = self.places[place].hops.values().copied();
        hops.filter(|pos| self.positions[*pos].level <= terms.max && self.brings(*pos, slot, key, on))
            .collect()
    }

    /// Whether the first wave brings already what a later one is to: a key, or an input of `@requires`.
    pub(super) fn is_served(&self, demand: &Demand) -> bool {
        let Some((first, _)) = demand.candidates.first().filter(|_| demand.wave != FIRST_WAVE) else {
            return false;
        };
        let place = &self.places[self.positions[*first].place];
        let mut here = place.base.iter().chain(place.hops.values());
        here.any(|pos| self.brings(*pos, &demand.slot, &demand.key, &demand.on))
    }

    fn brings(&self, pos: PosId, slot: &Rc<str>, key: &FieldKey, on: &Types) -> bool {
        let position = &self.positions[pos];
        let picks = &position.picks;
        position.wanted
            && position.wave == FIRST_WAVE
            && picks
                .iter()
                .any(|pick| pick.slot == *slot && pick.key == *key && on.is_subset(&pick.on))
    }
}
