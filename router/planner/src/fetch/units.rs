//! Entity fetches of one place in one call become one, unless their representations contradict.
use hashbrown::HashMap;

use crate::supergraph::types::Types;
use crate::walk::{Filled, Origin, PlaceId, PosId, Sent, SentField, Walk};

/// Entities of one place with one representation and one selection.
#[derive(Debug)]
pub(super) struct Unit<'a> {
    pub place: PlaceId,
    pub position: PosId,
    /// The heads it is made of, `position` first.
    pub heads: Vec<PosId>,
    pub sent: Vec<Sent>,
    pub context: Vec<Filled<'a>>,
}

/// Which heads become one; [`join`] makes them so.
pub(super) fn units<'a>(walk: &Walk<'a>, heads: &[PosId]) -> Vec<Unit<'a>> {
    let mut units: Vec<Unit<'a>> = Vec::new();
    let mut at_place: HashMap<PlaceId, Vec<usize>> = HashMap::new();
    for head in heads {
        let place = walk.positions[*head].place;
        let Origin::Hop(hop) = &walk.positions[*head].origin else {
            continue;
        };
        let (sent, context) = (hop.sent.clone(), hop.context.clone());
        let here = at_place.entry(place).or_default();
        let joined = here
            .iter()
            .filter(|ix| fits(walk, &units[**ix], (*head, &sent)))
            .find_map(|ix| merge_sent(&units[*ix].sent, &sent).map(|merged| (*ix, merged)));
        if let Some((ix, merged)) = joined {
            units[ix].sent = merged;
            units[ix].heads.push(*head);
            continue;
        }
        here.push(units.len());
        units.push(Unit {
            place,
            position: *head,
            heads: vec![*head],
            sent,
            context,
        });
    }
    units
}

/// Whether heads that are one unit take in another.
pub(super) fn joins(walk: &Walk<'_>, heads: &[PosId], other: PosId) -> bool {
    let same_place = walk.positions[heads[0]].place == walk.positions[other].place;
    let query = |head: PosId| matches!(&walk.positions[head].origin, Origin::Hop(hop) if hop.query);
    same_place && !query(heads[0]) && units(walk, &[heads, &[other]].concat()).len() == 1
}

/// Moves what a unit's heads select to its position.
pub(super) fn join(walk: &mut Walk<'_>, unit: &Unit<'_>) {
    for head in &unit.heads[1..] {
        merge_positions(walk, unit.position, *head);
    }
}

/// A unit's heads, those with one representation together.
pub(super) fn parts<'a>(walk: &Walk<'a>, unit: &Unit<'a>) -> Vec<Unit<'a>> {
    let mut parts: Vec<Unit<'a>> = Vec::new();
    for head in &unit.heads {
        let Origin::Hop(hop) = &walk.positions[*head].origin else {
            continue;
        };
        let same = parts
            .iter_mut()
            .find(|part| part.sent == hop.sent && hop.context.is_empty() && part.context.is_empty());
        match same {
            Some(part) => part.heads.push(*head),
            None => parts.push(Unit {
                place: unit.place,
                position: *head,
                heads: vec![*head],
                sent: hop.sent.clone(),
                context: hop.context.clone(),
            }),
        }
    }
    parts
}

/// Behind an interface object's door no type condition can be written: whatever is selected there is
/// asked of all entities sent. So what is wanted of some types only is not joined with what is wanted of others.
fn fits(walk: &Walk<'_>, unit: &Unit<'_>, (head, sent): (PosId, &[Sent])) -> bool {
    let added = |pos: &PosId| walk.positions[*pos].cover.iter().any(|(t, local)| t != local);
    let types = |sent: &[Sent]| sent.iter().fold(Types::default(), |all, sent| all.or(&sent.on));
    !(added(&head) || unit.heads.iter().any(added)) || types(&unit.sent) == types(sent)
}

/// Both sets of representations in one, by runtime type; `None` where they contradict.
fn merge_sent(a: &[Sent], b: &[Sent]) -> Option<Vec<Sent>> {
    let one = |s: &Sent| {
        s.on.iter()
            .map(|t| Sent {
                on: Types::one(t),
                ..s.clone()
            })
            .collect::<Vec<_>>()
    };
    let mut all: Vec<Sent> = a.iter().flat_map(one).collect();
    for sent in b.iter().flat_map(one) {
        match all.iter_mut().find(|s| s.on == sent.on) {
            None => all.push(sent),
            Some(known) if known.typename == sent.typename => {
                known.any &= sent.any;
                merge_fields(&mut known.fields, &sent.fields)?;
            }
            Some(_) => return None,
        }
    }
    let mut merged: Vec<Sent> = Vec::new();
    for sent in all {
        let same =
            |s: &&mut Sent| s.any == sent.any && s.typename == sent.typename && s.fields == sent.fields;
        match merged.iter_mut().find(same) {
            Some(known) => known.on = known.on.or(&sent.on),
            None => merged.push(sent),
        }
    }
    Some(merged)
}

fn merge_fields(into: &mut Vec<SentField>, more: &[SentField]) -> Option<()> {
    for field in more {
        if into.iter().any(|f| f.name == field.name && f.slot != field.slot) {
            return None;
        }
        match into.iter_mut().find(|f| f.name == field.name && f.on == field.on) {
            Some(known) => {
                known.nullable &= field.nullable;
                if let (Some(inner), Some(added)) = (&mut known.fields, &field.fields) {
                    merge_fields(inner, added)?;
                }
            }
            None => into.push(field.clone()),
        }
    }
    Some(())
}

/// Moves what `from` selects into `into`: both are views of one subgraph on one place.
fn merge_positions(walk: &mut Walk<'_>, into: PosId, from: PosId) {
    let source = &mut walk.positions[from];
    let (picks, cover) = (std::mem::take(&mut source.picks), source.cover.clone());
    let (active, typename) = (source.active.clone(), source.typename);
    let target = &mut walk.positions[into];
    target.cover = target.cover.with(&cover);
    target.active = target.active.or(&active);
    target.typename |= typename;
    for pick in picks {
        let picks = &mut walk.positions[into].picks;
        let same = picks.iter_mut().find(|p| {
            p.slot == pick.slot
                && p.key == pick.key
                && p.child.is_some() == pick.child.is_some()
                && (p.child.is_none() || p.on == pick.on)
        });
        let Some(known) = same else {
            picks.push(pick);
            continue;
        };
        known.on = known.on.or(&pick.on);
        if let (Some(a), Some(b)) = (known.child, pick.child) {
            merge_positions(walk, a, b);
        }
    }
}
