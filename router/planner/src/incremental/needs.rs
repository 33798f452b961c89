//! Which fetches each part of an answer needs: those that select its fields, and all that these wait for.
use std::collections::{BTreeMap, BTreeSet};

use super::Deferring;
use crate::normalize::{Selected, SelectedField, Selection};
use crate::plan::{Fetch, FetchId, Incremental, Part, PartId};
use crate::supergraph::types::Types;
use crate::walk::{FIRST_WAVE, PlaceId, PosId, Position, Walk};

/// The parts of an answer, and what each needs; `None` if all of it comes at once.
pub(crate) fn parts(
    walk: &Walk<'_>,
    selection: &Selection,
    deferring: Deferring,
    fetches: &[Fetch],
    of_head: &BTreeMap<PosId, FetchId>,
) -> Option<Incremental> {
    if deferring.parts.len() < 2 {
        return None;
    }
    let mut needs = Needs {
        walk,
        of_head,
        at_place: vec![Vec::new(); walk.places.len()],
        fetches: vec![BTreeSet::new(); deferring.parts.len()],
    };
    for pos in (0..walk.positions.len()).filter(|pos| walk.positions[*pos].wanted) {
        needs.at_place[walk.positions[pos].place].push(pos);
    }
    needs.selection(0, selection);
    // Each is after the part that it belongs to.
    for (later, first) in &deferring.streams {
        needs.fetches[later.0 as usize] = needs.fetches[first.0 as usize].clone();
    }
    let part = |(fragments, needed): (Vec<_>, BTreeSet<FetchId>)| Part {
        fragments,
        fetches: with_before(fetches, needed),
    };
    let parts = deferring.parts.into_iter().zip(needs.fetches);
    Some(Incremental {
        parts: parts.map(part).collect(),
        fragments: deferring.fragments,
    })
}

/// The fetches, and all that they wait for.
fn with_before(fetches: &[Fetch], mut needed: BTreeSet<FetchId>) -> Vec<FetchId> {
    // What a fetch waits for is before it.
    for id in (0..fetches.len()).rev() {
        if needed.contains(&id) {
            needed.extend(&fetches[id].after);
        }
    }
    needed.into_iter().collect()
}

/// With which part a field comes.
pub(crate) fn part_of(field: &SelectedField) -> PartId {
    field
        .deferral
        .as_ref()
        .map_or(PartId::FIRST, |deferral| deferral.part)
}

struct Needs<'a, 'w> {
    walk: &'a Walk<'w>,
    of_head: &'a BTreeMap<PosId, FetchId>,
    /// Wanted positions.
    at_place: Vec<Vec<PosId>>,
    /// By part.
    fetches: Vec<BTreeSet<FetchId>>,
}

impl Needs<'_, '_> {
    fn selection(&mut self, place: PlaceId, selection: &Selection) {
        for field in &selection.fields {
            let part = part_of(field);
            match &field.what {
                Selected::Field(used) => {
                    let presence = !used.sub.fields.is_empty();
                    self.picked(place, &field.response_key, &field.on, (part, presence));
                    for child in self.below(place, field) {
                        self.types(child, part);
                        self.selection(child, &used.sub);
                    }
                }
                Selected::Typename => self.types(place, part),
                Selected::Given | Selected::Withheld(_) => {}
            }
        }
    }

    fn below(&self, place: PlaceId, field: &SelectedField) -> Vec<PlaceId> {
        let children = self.walk.places[place].children.iter();
        let of_field =
            children.filter(|c| *c.slot == *field.response_key.as_str() && c.on.intersects(&field.on));
        of_field.map(|child| child.place).collect()
    }

    /// The fetches that select a field; of those that only say that an object is there (`presence`), the first will do.
    fn picked(&mut self, place: PlaceId, slot: &str, on: &Types, (part, presence): (PartId, bool)) {
        let picks = |position: &Position<'_>| {
            position
                .picks
                .iter()
                .any(|pick| *pick.slot == *slot && pick.on.intersects(on))
        };
        let here = self.at_place[place].iter().copied();
        let found = here.filter(|pos| picks(&self.walk.positions[*pos]));
        let mut found: Vec<(bool, FetchId)> = found
            .map(|pos| (!self.is_near(pos, part), self.fetch(pos)))
            .collect();
        found.sort_unstable();
        if presence {
            found.truncate(1);
        }
        self.fetches[part.0 as usize].extend(found.into_iter().map(|(_, fetch)| fetch));
    }

    /// Whether a position is in a fetch that is made for the part, or for the first.
    fn is_near(&self, pos: PosId, part: PartId) -> bool {
        let wave = self.walk.positions[pos].wave;
        wave == FIRST_WAVE || u32::from(wave) == part.0
    }

    /// The fetches that tell the runtime type, where they are asked for it.
    fn types(&mut self, place: PlaceId, part: PartId) {
        let told = self.at_place[place]
            .iter()
            .filter(|pos| self.walk.positions[**pos].typename);
        let (ours, others): (Vec<PosId>, Vec<PosId>) = told.partition(|pos| self.is_near(**pos, part));
        let tell = if ours.is_empty() { others } else { ours };
        let fetches: Vec<FetchId> = tell.into_iter().map(|pos| self.fetch(pos)).collect();
        self.fetches[part.0 as usize].extend(fetches);
    }

    fn fetch(&self, pos: PosId) -> FetchId {
        self.of_head[&self.walk.head(pos)]
    }
}
