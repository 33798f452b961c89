//! Which wanted positions share a call, and in which order calls are made.
use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;

use super::units;
use crate::plan::{Entry, Fetch, FetchId};
use crate::supergraph::model::SubId;
use crate::walk::{FIRST_WAVE, Origin, PlaceId, PosId, Walk, Wave};

/// One call of a subgraph: root positions, or entity fetches of one step.
#[derive(Debug)]
pub(super) struct Call {
    pub stage: usize,
    pub level: u8,
    pub sub: SubId,
    /// For which part of the answer.
    pub wave: Wave,
    pub heads: Vec<PosId>,
}

impl Call {
    /// Whether another is made in the same step.
    pub fn is_beside(&self, other: &Call) -> bool {
        (self.stage, self.level, self.wave) == (other.stage, other.level, other.wave)
    }
}

/// Stage, level, subgraph, wave.
type Key = (usize, u8, SubId, Wave);
type Groups = BTreeMap<Key, Vec<PosId>>;

/// Groups the heads of all wanted fetches; later ones of a subgraph take in earlier ones for which nothing waits.
pub(super) fn order(walk: &Walk<'_>) -> Vec<Call> {
    let mut levels = BTreeMap::new();
    for pos in 0..walk.positions.len() {
        if walk.positions[pos].wanted && !matches!(walk.positions[pos].origin, Origin::Field { .. }) {
            level(walk, pos, &mut levels);
        }
    }
    let stages = stages(walk, &levels);
    let mut groups = Groups::new();
    for (head, level) in &levels {
        let stage = stages[&walk.stage(*head)];
        groups
            .entry((
                stage,
                *level,
                walk.positions[*head].sub,
                walk.positions[*head].wave,
            ))
            .or_default()
            .push(*head);
    }
    let waiters = Waiters::new(walk, &levels);
    rejoin(walk, &waiters, &mut groups, &mut levels);
    sink(&waiters, &mut groups, &mut levels);
    let calls = groups.into_iter().flat_map(|((stage, level, sub, wave), heads)| {
        let call = move |heads| Call {
            stage,
            level,
            sub,
            wave,
            heads,
        };
        apart(walk, heads).into_iter().map(call)
    });
    calls.collect()
}

/// Entities that are asked for with arguments from the context have a call of their own, which the
/// executor makes once for each value; what else is asked of these entities goes along. So have objects of the query
/// type, which are no entities.
fn apart(walk: &Walk<'_>, heads: Vec<PosId>) -> Vec<Vec<PosId>> {
    let alone = |head: &PosId| match &walk.positions[*head].origin {
        Origin::Hop(hop) => hop.query || !hop.context.is_empty(),
        _ => false,
    };
    let (alone, mut together): (Vec<PosId>, Vec<PosId>) = heads.into_iter().partition(alone);
    let mut calls = Vec::new();
    for head in alone {
        let mut call = vec![head];
        // What else is asked of the same entities by the same key goes along.
        let mut join = |other: &PosId| {
            let joins = units::joins(walk, &call, *other);
            if joins {
                call.push(*other);
            }
            !joins
        };
        together.retain(|other| join(other));
        calls.push(call);
    }
    calls.insert(0, together);
    calls.retain(|heads| !heads.is_empty());
    calls
}

fn level(walk: &Walk<'_>, head: PosId, levels: &mut BTreeMap<PosId, u8>) -> u8 {
    if let Some(level) = levels.get(&head) {
        return *level;
    }
    let found = match &walk.positions[head].origin {
        Origin::Hop(hop) => {
            1 + hop
                .after
                .iter()
                .map(|h| level(walk, *h, levels))
                .max()
                .unwrap_or(0)
        }
        _ => 0,
    };
    levels.insert(head, found);
    found
}

/// Root fields of a mutation run one after another; neighbours of one subgraph go in one call
/// when nothing is to be fetched between them.
fn stages(walk: &Walk<'_>, levels: &BTreeMap<PosId, u8>) -> BTreeMap<usize, usize> {
    let mut calls: BTreeMap<usize, BTreeSet<(u8, SubId)>> = BTreeMap::new();
    for (head, level) in levels {
        calls
            .entry(walk.stage(*head))
            .or_default()
            .insert((*level, walk.positions[*head].sub));
    }
    let mut merged = BTreeMap::new();
    let mut last: Option<(usize, BTreeSet<(u8, SubId)>)> = None;
    for (stage, calls) in calls {
        let roots = |c: &BTreeSet<(u8, SubId)>| {
            c.iter()
                .filter(|(l, _)| *l == 0)
                .copied()
                .collect::<BTreeSet<_>>()
        };
        let to = match &last {
            Some((to, before)) if before.len() == 1 && *before == roots(&calls) => *to,
            Some((to, _)) => to + 1,
            None => 0,
        };
        merged.insert(stage, to);
        last = Some((to, calls));
    }
    merged
}

/// Entities of one place wait for the last fetch of their subgraph, unless something waits for them:
/// so one reference is resolved once.
fn rejoin(walk: &Walk<'_>, waiters: &Waiters, groups: &mut Groups, levels: &mut BTreeMap<PosId, u8>) {
    let mut places: BTreeSet<(Key, PlaceId)> = BTreeSet::new();
    for (key, heads) in groups.iter() {
        places.extend(heads.iter().map(|h| (*key, walk.positions[*h].place)));
    }
    let keys: Vec<_> = groups
        .keys()
        .copied()
        .filter(|(_, level, ..)| *level > 0)
        .rev()
        .collect();
    for key @ (stage, level, sub, wave) in keys {
        let last = (stage + 1, 0, SubId(0), FIRST_WAVE);
        if !groups
            .range((stage, level + 1, SubId(0), FIRST_WAVE)..last)
            .any(|((_, _, s, w), _)| (*s, *w) == (sub, wave))
        {
            continue;
        }
        for head in groups[&key].clone() {
            let place = walk.positions[head].place;
            let limit = waiters.earliest(levels, &[head]);
            let later = groups.range((stage, level + 1, SubId(0), FIRST_WAVE)..last);
            let mut into = later.map(|(key, _)| *key).filter(|into @ (_, l, s, w)| {
                (*s, *w) == (sub, wave)
                    && limit.is_none_or(|limit| *l < limit)
                    && places.contains(&(*into, place))
            });
            let Some(into) = into.next() else {
                continue;
            };
            groups.entry(key).or_default().retain(|h| *h != head);
            levels.insert(head, into.1);
            places.insert((into, place));
            let target = groups.entry(into).or_default();
            target.push(head);
            target.sort_unstable();
        }
    }
}

fn sink(waiters: &Waiters, groups: &mut Groups, levels: &mut BTreeMap<PosId, u8>) {
    let keys: Vec<_> = groups
        .keys()
        .copied()
        .filter(|(_, level, ..)| *level > 0)
        .rev()
        .collect();
    for key @ (stage, level, sub, wave) in keys {
        let heads = &groups[&key];
        let limit = waiters.earliest(levels, heads);
        let last = (stage + 1, 0, SubId(0), FIRST_WAVE);
        let later = groups.range((stage, level + 1, SubId(0), FIRST_WAVE)..last);
        let into = later
            .filter(|((_, l, s, w), heads)| {
                (*s, *w) == (sub, wave) && !heads.is_empty() && limit.is_none_or(|limit| *l < limit)
            })
            .map(|(key, _)| *key)
            .next();
        if let Some(into) = into {
            let heads = groups.insert(key, Vec::new()).unwrap_or_default();
            heads.iter().for_each(|head| _ = levels.insert(*head, into.1));
            let target = groups.entry(into).or_default();
            target.extend(heads);
            target.sort_unstable();
        }
    }
}

/// Which heads wait for a head.
struct Waiters(HashMap<PosId, Vec<PosId>>);

impl Waiters {
    fn new(walk: &Walk<'_>, levels: &BTreeMap<PosId, u8>) -> Waiters {
        let mut waiters: HashMap<PosId, Vec<PosId>> = HashMap::new();
        for pos in levels.keys() {
            if let Origin::Hop(hop) = &walk.positions[*pos].origin {
                hop.after
                    .iter()
                    .for_each(|head| waiters.entry(*head).or_default().push(*pos));
            }
        }
        Waiters(waiters)
    }

    /// Lowest level of what waits for these heads.
    fn earliest(&self, levels: &BTreeMap<PosId, u8>, heads: &[PosId]) -> Option<u8> {
        let waiting = heads.iter().filter_map(|head| self.0.get(head)).flatten();
        waiting.map(|pos| levels[pos]).min()
    }
}

/// What a call waits for: the calls that bring its representations, and the stage before.
pub(super) fn after(
    walk: &Walk<'_>,
    calls: &[Call],
    id_of: &BTreeMap<PosId, FetchId>,
    id: FetchId,
) -> Vec<FetchId> {
    let call = &calls[id];
    let mut after = BTreeSet::new();
    for head in &call.heads {
        match &walk.positions[*head].origin {
            Origin::Hop(hop) => after.extend(hop.after.iter().map(|h| id_of[h])),
            _ => {
                let before = |other: &Call| other.stage + 1 == call.stage && other.wave == FIRST_WAVE;
                after.extend((0..id).filter(|i| before(&calls[*i])));
            }
        }
    }
    after.into_iter().collect()
}

/// What a fetch waits for, with what brings entities that it need not ask for.
pub(super) fn with_known(fetches: &[Fetch], after: BTreeSet<FetchId>, entry: &Entry) -> Vec<FetchId> {
    let Entry::Entities(groups) = entry else {
        return after.into_iter().collect();
    };
    let known = groups.iter().flat_map(|g| &g.known);
    let wanted: BTreeSet<FetchId> = known.map(|k| k.fetch).collect();
    let mut before = BTreeSet::new();
    let mut open: Vec<FetchId> = after.iter().copied().filter(|_| !wanted.is_empty()).collect();
    while let Some(id) = open.pop() {
        if before.insert(id) {
            open.extend(&fetches[id].after);
        }
    }
    let late = wanted.difference(&before).copied().collect();
    after.union(&late).copied().collect()
}
