//! Which of an entity's keys opens a door at the least price.
use super::{Asked, Entrance, PlaceId, PosId, Walk, Wave};
use crate::settings::PlanError;
use crate::supergraph::field_set::FieldSet;
use crate::supergraph::model::Key;
use crate::supergraph::types::TypeIx;

/// Fetches more, then how much must be selected. What can't be had is dearest.
type Price = (usize, usize);

impl<'a> Walk<'a> {
    /// Of the keys by which an entity fetch can be entered in time, the cheapest.
    pub(super) fn cheapest_key(
        &mut self,
        pos: PosId,
        t: TypeIx,
        entrance: Entrance<'a>,
    ) -> Result<&'a Key, PlanError> {
        let (via, typename, key) = entrance;
        let (place, sub, level, wave) = {
            let position = &self.positions[pos];
            (position.place, position.sub, position.level, position.wave)
        };
        let reach = self.reach_at(place, t)?;
        let same = reach.open.iter().filter(|(door, at)| {
            *at <= level && door.sub == sub && door.via == via && door.typename == typename
        });
        let keys: Vec<&'a Key> = same.map(|(door, _)| door.key).collect();
        if keys.len() < 2 {
            return Ok(key);
        }
        let mut best: Option<(Price, &'a Key)> = None;
        for key in keys {
            let price = self.price_of_key(place, t, &key.fields, (level - 1, wave))?;
            if best.as_ref().is_none_or(|(known, _)| price < *known) {
                best = Some((price, key));
            }
        }
        self.forcing = false;
        Ok(best.map_or(key, |(_, key)| key))
    }

    fn price_of_key(
        &mut self,
        place: PlaceId,
        t: TypeIx,
        set: &'a FieldSet,
        (max, wave): (u8, Wave),
    ) -> Result<Price, PlanError> {
        let mut whole = (0, 0);
        for item in &set.0 {
            let found = self.positions_for(place, t, &item.name, false, Asked::within(wave))?;
            let near = found.into_iter().filter(|(_, level)| *level <= max);
            let price = |pos: PosId| {
                let picked = self.positions[pos].picks.iter().any(|p| p.key.name == item.name);
                (self.price(pos), usize::from(!picked) + self.distance(pos))
            };
            let Some(best) = near.map(|(pos, _)| price(pos)).min() else {
                return Ok((usize::MAX, 0));
            };
            whole = (whole.0 + best.0, whole.1 + best.1);
        }
        Ok(whole)
    }
}
