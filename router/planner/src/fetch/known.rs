//! Entities that a subgraph gives twice in one request: what an earlier fetch brought is not asked for again.
//!
//! Whether two places hold the same entity is known only when both are there, so the plan says
//! where to look: places whose entities come from the same subgraph with at least the same fields,
//! and how they are written as this group's representation. Equal texts are equal entities.
use apollo_compiler::Name;
use hashbrown::{HashMap, HashSet};

use super::order::Call;
use super::units::Unit;
use super::{path, representation};
use crate::plan::{Copied, FetchId, Known, Target};
use crate::project::Interner;
use crate::supergraph::model::SubId;
use crate::supergraph::types::{TypeIx, Types};
use crate::walk::{FIRST_WAVE, Origin, Pick, PlaceId, PosId, Sent, SentField, Walk, Wave};

/// Places looked through for one group of entities.
const PLACES: usize = 16;
/// Fields compared in one plan; what lies beyond is asked for again.
const WORK: usize = 100_000;

/// A position whose entities a fetch brings.
#[derive(Clone, Copy)]
struct Giver {
    fetch: FetchId,
    stage: usize,
    level: u8,
    wave: Wave,
    pos: PosId,
}

/// What earlier fetches give.
pub(super) struct Given {
    givers: HashMap<(SubId, TypeIx), Vec<Giver>>,
    /// What entity fetches ask for.
    wanted: HashSet<(SubId, TypeIx)>,
    /// Picks of givers by field name.
    picks: HashMap<PosId, HashMap<Name, Vec<usize>>>,
    work: usize,
}

impl Given {
    pub fn new(walk: &Walk<'_>, calls: &[Call]) -> Given {
        let hops = calls.iter().filter(|c| c.level > 0);
        let wanted = hops.flat_map(|c| c.heads.iter().map(|h| (c.sub, &walk.positions[*h].active)));
        Given {
            givers: HashMap::new(),
            wanted: wanted
                .flat_map(|(sub, active)| active.iter().map(move |t| (sub, t)))
                .collect(),
            picks: HashMap::new(),
            work: WORK,
        }
    }

    /// Notes what a fetch brings: everything below its heads.
    pub fn note(&mut self, walk: &Walk<'_>, fetch: FetchId, call: &Call) {
        // Of an entity with contextual arguments, equal representations are not equal entities.
        let plain = |head: &&PosId| !matches!(&walk.positions[**head].origin, Origin::Hop(hop) if !hop.context.is_empty());
        let mut open: Vec<PosId> = call.heads.iter().filter(plain).copied().collect();
        let mut seen: HashSet<PosId> = HashSet::new();
        while let Some(pos) = open.pop().filter(|_| !self.wanted.is_empty()) {
            if !seen.insert(pos) {
                continue;
            }
            let position = &walk.positions[pos];
            open.extend(position.picks.iter().filter_map(|pick| pick.child));
            for t in position
                .active
                .iter()
                .filter(|t| self.wanted.contains(&(call.sub, *t)))
            {
                let givers = self.givers.entry((call.sub, t)).or_default();
                let (stage, level, wave) = (call.stage, call.level, call.wave);
                givers.push(Giver {
                    fetch,
                    stage,
                    level,
                    wave,
                    pos,
                });
            }
        }
    }

    /// Where a unit's entities may be known from. Only steps before this one count: waiting for them makes no plan longer.
    pub fn find(
        &mut self,
        walk: &Walk<'_>,
        call: &Call,
        unit: &Unit<'_>,
        names: &mut Interner,
    ) -> Vec<Known> {
        let mut found = Vec::new();
        if !unit.context.is_empty() {
            return found;
        }
        for sent in &unit.sent {
            for t in sent.on.iter() {
                let givers = self.givers.get(&(call.sub, t)).cloned().unwrap_or_default();
                // Nothing waits for what another wave brings, but for the first.
                let in_time = |g: &Giver| g.wave == FIRST_WAVE || g.wave == call.wave;
                let before = givers
                    .into_iter()
                    .filter(|g| g.stage == call.stage && g.level < call.level && in_time(g));
                for giver in before {
                    self.work = self.work.saturating_sub(1);
                    if self.work > 0 && found.len() < PLACES && walk.positions[giver.pos].place != unit.place
                    {
                        let known = self.known(walk, giver, unit, (sent, t), names);
                        let known = known.filter(|known| !found.contains(known));
                        found.extend(known);
                    }
                }
            }
        }
        found
    }

    /// The giver's entities of a runtime type, if they have all that the unit selects: together with those of all
    /// types that are sent alike, if these have the same.
    fn known(
        &mut self,
        walk: &Walk<'_>,
        giver: Giver,
        unit: &Unit<'_>,
        (sent, t): (&Sent, TypeIx),
        names: &mut Interner,
    ) -> Option<Known> {
        let place = &walk.places[walk.positions[giver.pos].place];
        let alike = sent.any && sent.typename != t && place.types.is_subset(&sent.on);
        let known = alike.then(|| self.known_as(walk, giver, unit, (sent, &sent.on, true), names));
        let one = Types::one(t);
        known
            .flatten()
            .or_else(|| self.known_as(walk, giver, unit, (sent, &one, place.certain), names))
    }

    /// `any`: also entities of unknown types.
    fn known_as(
        &mut self,
        walk: &Walk<'_>,
        giver: Giver,
        unit: &Unit<'_>,
        (sent, on, any): (&Sent, &Types, bool),
        names: &mut Interner,
    ) -> Option<Known> {
        let copies = self.copies(walk, (unit.position, giver.pos), on, names)?;
        let written = Sent {
            fields: self.members(walk, giver.pos, unit, (sent, on))?,
            any,
            on: on.clone(),
            typename: sent.typename,
        };
        Some(Known {
            fetch: giver.fetch,
            target: Target {
                path: path(walk, walk.positions[giver.pos].place, names),
                representations: vec![representation(walk, &written, names)],
            },
            copies,
        })
    }

    /// The members of a representation at the giver, the same for all these types.
    fn members(
        &mut self,
        walk: &Walk<'_>,
        giver: PosId,
        unit: &Unit<'_>,
        (sent, on): (&Sent, &Types),
    ) -> Option<Vec<SentField>> {
        let places = (unit.place, walk.positions[giver].place);
        let mut members: Option<Vec<SentField>> = None;
        for t in on.iter() {
            let fields = there(walk, places, &sent.fields, t)?;
            let brought = fields.iter().all(|f| self.has(walk, giver, f, t));
            if !brought || members.as_ref().is_some_and(|known| *known != fields) {
                return None;
            }
            members = Some(fields);
        }
        members
    }

    /// Whether the giver's fetch, or what that waited for, brings a member of a representation.
    fn has(&mut self, walk: &Walk<'_>, giver: PosId, field: &SentField, t: TypeIx) -> bool {
        let position = &walk.positions[giver];
        let sent = match &position.origin {
            Origin::Hop(hop) => hop.sent.as_slice(),
            _ => &[],
        };
        let was_sent = sent
            .iter()
            .any(|s| s.on.contains(t) && s.fields.iter().any(|f| f == field));
        was_sent
            || position
                .picks
                .iter()
                .any(|p| p.slot == field.slot && p.key.name == field.name && p.on.contains(t))
    }

    /// What of the giver's slots are the fields that `to` selects; `None` unless they are all there.
    fn copies(
        &mut self,
        walk: &Walk<'_>,
        (to, from): (PosId, PosId),
        on: &Types,
        names: &mut Interner,
    ) -> Option<Vec<Copied>> {
        let (wants, gives) = (&walk.positions[to], &walk.positions[from]);
        let same_view = on.iter().all(|t| wants.cover.get(t) == gives.cover.get(t));
        if !same_view || (wants.typename && !gives.typename) {
            return None;
        }
        let mut copies: Vec<Copied> = Vec::new();
        for pick in &wants.picks {
            let on = pick.on.and(on);
            if on.is_empty() {
                continue;
            }
            let given = self.given(walk, from, pick, &on)?;
            let fields = match (pick.child, given.child) {
                (Some(to), Some(from)) => {
                    let below = walk.positions[to].active.clone();
                    Some(self.copies(walk, (to, from), &below, names)?)
                }
                (None, None) => None,
                _ => return None,
            };
            let copied = Copied {
                from: names.slot(&given.slot),
                to: names.slot(&pick.slot),
                fields,
            };
            let clash = |c: &Copied| (c.from == copied.from || c.to == copied.to) && *c != copied;
            if copies.iter().any(clash) {
                return None;
            }
            if !copies.contains(&copied) {
                copies.push(copied);
            }
        }
        Some(copies)
    }

    /// The giver's pick of the same field for all these runtime types.
    fn given<'w>(&mut self, walk: &'w Walk<'_>, from: PosId, pick: &Pick, on: &Types) -> Option<&'w Pick> {
        let picks = &walk.positions[from].picks;
        let by_name = self.picks.entry(from).or_insert_with(|| {
            let mut by_name: HashMap<Name, Vec<usize>> = HashMap::new();
            for (ix, pick) in picks.iter().enumerate() {
                by_name.entry(pick.key.name.clone()).or_default().push(ix);
            }
            by_name
        });
        let named = by_name.get(&pick.key.name).map(Vec::as_slice).unwrap_or_default();
        self.work = self.work.checked_sub(1 + named.len())?;
        let mut named = named.iter().map(|ix| &picks[*ix]);
        named.find(|p| p.key == pick.key && on.is_subset(&p.on) && p.child.is_some() == pick.child.is_some())
    }
}

/// The members of a representation as they stand at another place; `None` where they don't.
fn there(
    walk: &Walk<'_>,
    (here, other): (PlaceId, PlaceId),
    fields: &[SentField],
    t: TypeIx,
) -> Option<Vec<SentField>> {
    let mut members = Vec::with_capacity(fields.len());
    for field in fields
        .iter()
        .filter(|f| f.on.as_ref().is_none_or(|on| on.contains(t)))
    {
        let key = walk.places[here].slots.meaning(&field.slot, t)?;
        let slot = walk.places[other].slots.holding(key, t)?;
        let inner = match &field.fields {
            None => None,
            Some(inner) => {
                let (here, here_type) = only_child(walk, here, &field.slot, t)?;
                let (other, other_type) = only_child(walk, other, &slot, t)?;
                if here_type != other_type {
                    return None;
                }
                Some(there(walk, (here, other), inner, here_type)?)
            }
        };
        members.push(SentField {
            name: field.name.clone(),
            slot,
            on: None,
            fields: inner,
            nullable: field.nullable,
        });
    }
    Some(members)
}

/// The place below a slot and its type, where there is no other.
fn only_child(walk: &Walk<'_>, place: PlaceId, slot: &str, t: TypeIx) -> Option<(PlaceId, TypeIx)> {
    let children = &walk.places[place].children;
    let mut below = children.iter().filter(|c| *c.slot == *slot && c.on.contains(t));
    let child = below.next().filter(|_| below.next().is_none())?.place;
    let types = &walk.places[child].types;
    (walk.places[child].certain && types.len() == 1).then_some((child, types.first()?))
}
