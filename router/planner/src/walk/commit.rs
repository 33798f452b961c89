//! Makes a position wanted, and with it all that it stands on.
use std::rc::Rc;

use super::need::Terms;
use super::{FieldKey, Group, Hop, Origin, Pick, PlaceId, PosId, Sent, Walk};
use crate::graph::Via;
use crate::settings::PlanError;
use crate::supergraph::types::{TypeIx, Types};

impl<'a> Walk<'a> {
    /// Wants a position for these runtime types.
    pub(super) fn commit(&mut self, pos: PosId, on: &Types) -> Result<(), PlanError> {
        let position = &mut self.positions[pos];
        let fresh = on.minus(&position.active);
        let first = !std::mem::replace(&mut position.wanted, true);
        if fresh.is_empty() && !first {
            return Ok(());
        }
        position.active = position.active.or(on);
        let (place, level) = (position.place, position.level);
        self.places[place].wanted = true;
        match &self.positions[pos].origin {
            Origin::Root { .. } => self.fetch_group(self.group(pos, 0)),
            Origin::Field { .. } if !first => {}
            Origin::Field {
                parent,
                slot,
                key,
                on,
            } => {
                let (parent, slot, key, on) = (*parent, slot.clone(), key.clone(), on.clone());
                self.commit(parent, &on)?;
                self.pick(parent, &slot, &key, &on, Some(pos));
            }
            Origin::Hop(_) => {
                self.fetch_group(self.group(pos, level));
                for t in fresh.iter() {
                    self.represent(pos, t)?;
                }
            }
        }
        Ok(())
    }

    fn fetch_group(&mut self, group: Group) {
        self.fetched.insert(group);
        if self.forcing {
            self.forced.insert(group);
        }
    }

    /// Selects a field at a position.
    pub(super) fn pick(
        &mut self,
        pos: PosId,
        slot: &Rc<str>,
        key: &FieldKey,
        on: &Types,
        child: Option<PosId>,
    ) {
        let position = &mut self.positions[pos];
        let known = position.picked.entry(slot.clone()).or_default();
        let same = known
            .iter()
            .find(|ix| position.picks[**ix].key == *key && position.picks[**ix].child == child);
        match same {
            Some(ix) => position.picks[*ix].on = position.picks[*ix].on.or(on),
            None => {
                known.push(position.picks.len());
                position.picks.push(Pick {
                    slot: slot.clone(),
                    key: key.clone(),
                    on: on.clone(),
                    child,
                });
            }
        }
    }

    /// The executor finds the entities by the runtime types of what encloses them.
    fn know_way(&mut self, place: PlaceId, max: u8, after: &mut Vec<PosId>) -> Result<(), PlanError> {
        let mut at = place;
        while let Some(parent) = self.places[at].parent {
            let on = self.places[at].parent_on.clone();
            if !self.is_all(parent, &on) {
                for t in on.iter() {
                    after.extend(self.know(parent, t, max)?);
                }
            }
            at = parent;
        }
        Ok(())
    }

    fn hop_at(&mut self, pos: PosId) -> &mut Hop<'a> {
        match &mut self.positions[pos].origin {
            Origin::Hop(hop) => hop,
            _ => unreachable!("only a hop has representations"),
        }
    }

    /// Makes an entity fetch's representation of one runtime type, and wants what it is written from.
    fn represent(&mut self, pos: PosId, t: TypeIx) -> Result<(), PlanError> {
        let position = &self.positions[pos];
        let (place, level, wave) = (position.place, position.level, position.wave);
        let Origin::Hop(hop) = &position.origin else {
            unreachable!("only a hop has representations")
        };
        let Some(door) = hop.doors.get(&t).copied() else {
            return Ok(());
        };
        let (via, typename, _) = door;
        let (requires, conditional) = (hop.requires, hop.conditional);
        let any = self.places[place].certain || (via != Via::Concrete && !conditional);
        let (max, on) = (level - 1, Types::one(t));
        let key = self.cheapest_key(pos, t, door)?;
        let mut after = Vec::new();
        if !any && let Some(shown) = self.know(place, t, max)? {
            after.push(shown);
        }
        if via == Via::Query {
            after.extend(self.ensure_presence(place, max)?);
        }
        self.know_way(place, max, &mut after)?;
        let mut fields = self.need(
            place,
            &on,
            &key.fields,
            Terms {
                max,
                required: false,
                wave,
                untyped: any,
            },
            &mut after,
        )?;
        if let Some(requires) = requires {
            let required = true;
            let untyped = any;
            let terms = Terms {
                max,
                required,
                wave,
                untyped,
            };
            let more = self.need(place, &on, requires.fields, terms, &mut after)?;
            super::need::join(&mut fields, more);
            let filled = self.fill(place, requires.context, terms, &mut after)?;
            self.hop_at(pos).context = filled;
        }
        let heads: Vec<PosId> = after.into_iter().map(|p| self.head(p)).collect();
        let hop = self.hop_at(pos);
        hop.after.extend(heads);
        let sent = Sent {
            on,
            any,
            typename,
            fields,
        };
        match hop
            .sent
            .iter_mut()
            .find(|s| s.any == any && s.typename == typename && s.fields == sent.fields)
        {
            Some(same) => same.on = same.on.or(&sent.on),
            None => hop.sent.push(sent),
        }
        Ok(())
    }
}
