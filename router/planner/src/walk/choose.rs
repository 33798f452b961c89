//! Picks a position for each demand. Never more steps than the farthest demand needs anyway; under
//! that deadline as few fetches as a greedy cover finds: what is forced first, then what costs
//! nothing more, then the fetch that serves most for its price.
use hashbrown::HashMap;

use super::positions::Entry;
use super::{Demand, Group, Origin, PlaceId, PosId, Walk};
use crate::graph::Via;
use crate::settings::PlanError;

use crate::supergraph::types::{TypeIx, Types};

/// Price of a fetch that is to be avoided.
const AVOIDED: usize = 100;

impl Walk<'_> {
    pub(super) fn choose(&mut self) -> Result<(), PlanError> {
        let mut demands = std::mem::take(&mut self.demands);
        demands.sort_by_key(|demand| demand.wave);
        while let Some(wave) = demands.first().map(|demand| demand.wave) {
            let later = demands.partition_point(|demand| demand.wave == wave);
            let later = demands.split_off(later);
            self.choose_wave(std::mem::replace(&mut demands, later))?;
        }
        self.presence()?;
        for (place, on) in std::mem::take(&mut self.typenames) {
            self.typename(place, &on)?;
        }
        Ok(())
    }

    fn choose_wave(&mut self, mut open: Vec<Demand>) -> Result<(), PlanError> {
        open.retain(|demand| !self.is_served(demand));
        let deadline = open
            .iter()
            .filter_map(|d| d.candidates.first())
            .map(|c| c.1)
            .max()
            .unwrap_or(0);
        open.iter_mut()
            .for_each(|d| d.candidates.retain(|c| c.1 <= deadline));
        self.forcing = true;
        self.take(&mut open, |_, demand| {
            (demand.candidates.len() == 1).then(|| demand.candidates[0].0)
        })?;
        self.forcing = false;
        while !open.is_empty() {
            self.take(&mut open, |walk, demand| walk.free(demand))?;
            let best = self.best(&open)?;
            self.take(&mut open, |_, demand| {
                best.filter(|b| demand.candidates.iter().any(|c| c.0 == *b))
            })?;
        }
        Ok(())
    }

    /// Serves the demands for which `pick` names a position; keeps the others.
    fn take(
        &mut self,
        open: &mut Vec<Demand>,
        pick: impl Fn(&Self, &Demand) -> Option<PosId>,
    ) -> Result<(), PlanError> {
        let mut rest = Vec::new();
        for demand in std::mem::take(open) {
            self.graph.budget.spend(demand.candidates.len())?;
            match pick(self, &demand) {
                Some(pos) => self.serve(pos, &demand)?,
                None => rest.push(demand),
            }
        }
        *open = rest;
        Ok(())
    }

    fn serve(&mut self, pos: PosId, demand: &Demand) -> Result<(), PlanError> {
        self.commit(pos, &demand.on)?;
        self.pick(pos, &demand.slot, &demand.key, &demand.on, None);
        Ok(())
    }

    fn free(&self, demand: &Demand) -> Option<PosId> {
        let free = demand.candidates.iter().filter(|c| self.price(c.0) == 0);
        // What comes earlier first: a provided field, above all, is to be taken where it is provided.
        free.min_by_key(|c| (c.1, self.distance(c.0))).map(|c| c.0)
    }

    /// The position whose fetch serves most of the open demands for its price.
    fn best(&mut self, open: &[Demand]) -> Result<Option<PosId>, PlanError> {
        let mut served: HashMap<Group, usize> = HashMap::new();
        for demand in open {
            self.graph.budget.spend(demand.candidates.len())?;
            for (pos, level) in &demand.candidates {
                *served.entry(self.group(*pos, *level)).or_default() += 1;
            }
        }
        let mut best: Option<(usize, usize, (u8, usize), PosId)> = None;
        for (pos, level) in open.iter().flat_map(|d| &d.candidates) {
            let count = served[&self.group(*pos, *level)];
            let price = self.price(*pos).max(1);
            let far = (*level, self.distance(*pos));
            let better =
                |(c, p, f, _): &(usize, usize, (u8, usize), PosId)| (count * p, *f) > (c * price, far);
            if best.as_ref().is_none_or(better) {
                best = Some((count, price, far, *pos));
            }
        }
        Ok(best.map(|(_, _, _, pos)| pos))
    }

    /// How many fetches more a position costs.
    pub(super) fn price(&self, pos: PosId) -> usize {
        let position = &self.positions[pos];
        if position.wanted {
            return 0;
        }
        match &position.origin {
            Origin::Root { .. } => self.price_of(self.group(pos, 0)),
            Origin::Field { .. } => self.price(position.head),
            Origin::Hop(_) => {
                let own = self.price_of(self.group(pos, position.level));
                own + self.way(position.place).map_or(0, |base| self.price(base))
            }
        }
    }

    fn price_of(&self, group: Group) -> usize {
        match () {
            () if self.fetched.contains(&group) => 0,
            () if self.avoided.contains(&group) => AVOIDED,
            () => 1,
        }
    }

    /// The position that would have to be wanted so that a place's objects are there. Only the nearest that
    /// is not to be avoided is looked at: prices are asked often, and must not branch.
    fn way(&self, place: PlaceId) -> Option<PosId> {
        let base = &self.places[place].base;
        let near = base.iter().any(|b| self.positions[*b].wanted);
        let welcome = base.iter().find(|b| !self.avoids(**b));
        welcome.or(base.first()).copied().filter(|_| !near)
    }

    /// Whether a position is in a fetch that is to be avoided.
    fn avoids(&self, pos: PosId) -> bool {
        let head = self.positions[pos].head;
        !self.avoided.is_empty()
            && self
                .avoided
                .contains(&self.group(head, self.positions[head].level))
    }

    /// How much must be selected before a position is there: fields on the way from what its fetch
    /// selects already; for an entity fetch, what its representations are made of.
    pub(super) fn distance(&self, pos: PosId) -> usize {
        let position = &self.positions[pos];
        if position.wanted {
            return 0;
        }
        match &position.origin {
            Origin::Root { .. } => 1,
            Origin::Field { parent, .. } => 1 + self.distance(*parent),
            Origin::Hop(_) => 2 + self.way(position.place).map_or(0, |base| self.distance(base)),
        }
    }

    /// Wants the cheapest of some positions, and what else `then` makes of it; what it pulls in is forced only if it had no alternative.
    pub(super) fn want_cheapest(
        &mut self,
        candidates: &[PosId],
        then: impl FnOnce(&mut Self, PosId) -> Result<(), PlanError>,
    ) -> Result<Option<PosId>, PlanError> {
        let Some(pos) = self.cheapest(candidates) else {
            return Ok(None);
        };
        let forcing = self.forcing;
        self.forcing &= candidates.len() == 1;
        then(self, pos)?;
        self.forcing = forcing;
        Ok(Some(pos))
    }

    fn cheapest(&self, candidates: &[PosId]) -> Option<PosId> {
        candidates.iter().copied().min_by_key(|pos| {
            (
                self.price(*pos),
                self.distance(*pos),
                self.positions[*pos].level,
                *pos,
            )
        })
    }

    /// Every place must be asked for by some fetch, or its objects would be missing from the answer.
    fn presence(&mut self) -> Result<(), PlanError> {
        for place in 1..self.places.len() {
            self.graph.budget.spend(1)?;
            if !self.places[place].wanted {
                self.ensure_presence(place, u8::MAX)?;
            }
        }
        Ok(())
    }

    pub(super) fn ensure_presence(&mut self, place: PlaceId, max: u8) -> Result<Option<PosId>, PlanError> {
        let base = self.places[place].base.iter().copied();
        let near: Vec<PosId> = base.filter(|p| self.positions[*p].level <= max).collect();
        self.want_cheapest(&near, |walk, pos| {
            let on = walk.positions[pos].cover.types().clone();
            walk.commit(pos, &on)
        })
    }

    /// Makes the runtime type known where it is one of these.
    fn typename(&mut self, place: PlaceId, on: &Types) -> Result<(), PlanError> {
        if self.places[place].certain {
            return Ok(());
        }
        let mut wanted: Vec<PosId> = self
            .hops_and_base(place)
            .filter(|p| self.positions[*p].wanted)
            .collect();
        wanted.sort_by_key(|p| (self.positions[*p].wave, self.positions[*p].level, *p));
        wanted.retain(|p| self.positions[*p].cover.iter().any(|(t, local)| t == local));
        let mut missing = on.and(&self.places[place].types);
        for pos in &wanted {
            let shown = self.positions[*pos].cover.shown();
            self.positions[*pos].typename |= missing.intersects(&shown);
            missing = missing.minus(&shown);
        }
        if wanted.is_empty() {
            for t in missing.iter() {
                self.know(place, t, u8::MAX)?;
            }
        }
        Ok(())
    }

    fn hops_and_base(&self, place: PlaceId) -> impl Iterator<Item = PosId> + '_ {
        let place = &self.places[place];
        place.base.iter().chain(place.hops.values()).copied()
    }

    /// A position, not above a level, at which the runtime type `t` shows itself; it is made to.
    pub(super) fn know(&mut self, place: PlaceId, t: TypeIx, max: u8) -> Result<Option<PosId>, PlanError> {
        self.graph.budget.spend(1)?;
        let shows = |walk: &Self, p: &PosId| {
            let position = &walk.positions[*p];
            position.cover.shows(t) && position.level <= max
        };
        let mut candidates: Vec<PosId> = self.places[place]
            .base
            .iter()
            .copied()
            .filter(|p| shows(self, p))
            .collect();
        if candidates.is_empty() {
            candidates = self
                .interface_doors(place, t)?
                .into_iter()
                .filter(|p| shows(self, p))
                .collect();
        }
        self.want_cheapest(&candidates, |walk, pos| {
            walk.commit(pos, &Types::one(t))?;
            walk.positions[pos].typename = true;
            Ok(())
        })
    }

    /// Hops to where an interface object's interface is real.
    fn interface_doors(&mut self, place: PlaceId, t: TypeIx) -> Result<Vec<PosId>, PlanError> {
        let reach = self.reach_at(place, t)?;
        let doors = reach.open.iter().filter(|(door, _)| door.via == Via::Interface);
        let doors: Vec<_> = doors.cloned().collect();
        let wave = self.wave_of_place(place);
        let entry = |level| Entry {
            level,
            requires: None,
            typed: false,
            wave,
        };
        Ok(doors
            .into_iter()
            .map(|(door, level)| self.open(place, t, &door, entry(level)))
            .collect())
    }
}
