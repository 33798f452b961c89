//! Runtime types of a place, grouped by where a field of theirs can be had.
use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;

use super::{Asked, PlaceId, PosId, Walk};
use crate::graph::Overlay;
use crate::settings::PlanError;
use crate::supergraph::model::SubId;
use crate::supergraph::types::{TypeIx, Types};

/// What a runtime type among several costs, in steps of work.
const TYPE: usize = 4;

/// Runtime types that have the same candidate positions, with the levels of these.
pub(super) type TypeGroup = (Types, Vec<(PosId, u8)>);

/// The type of a field as a subgraph declares it, and what is provided below.
type Below = Option<(TypeIx, Overlay)>;

impl<'a> Walk<'a> {
    /// Groups runtime types by the positions at which a field can be had.
    pub(super) fn groups(
        &mut self,
        place: PlaceId,
        on: &Types,
        name: &'a str,
        conditional: bool,
        asked: Asked,
    ) -> Result<Vec<TypeGroup>, PlanError> {
        let here = &self.places[place];
        let whole = !conditional && !here.certain && here.types == *on;
        if let (&[t], false) = (on.as_slice(), whole) {
            return self.group_of_one(place, t, name, conditional, asked);
        }
        self.graph.budget.spend(TYPE * on.len())?;
        let mut by_type = Vec::with_capacity(on.len());
        for t in on.iter() {
            by_type.push((t, self.positions_for(place, t, name, conditional, asked)?));
        }
        if !conditional {
            self.prefer_interface_object(&mut by_type, name);
        }
        let mut groups: IndexMap<Vec<(PosId, u8, Below)>, Vec<TypeIx>, DefaultHashBuilder> =
            IndexMap::default();
        for (t, candidates) in by_type {
            if candidates.is_empty() {
                self.missing(place, t, name)?;
                continue;
            }
            let mut signature = Vec::with_capacity(candidates.len());
            for (pos, level) in candidates {
                signature.push((pos, level, self.below(pos, t, name)));
            }
            groups.entry(signature).or_default().push(t);
        }
        let plain =
            |signature: Vec<(PosId, u8, Below)>| signature.into_iter().map(|(p, l, _)| (p, l)).collect();
        Ok(groups
            .into_iter()
            .map(|(signature, on)| (on.into_iter().collect(), plain(signature)))
            .collect())
    }

    /// What a position has below a field of a runtime type.
    fn below(&mut self, pos: PosId, t: TypeIx, name: &str) -> Below {
        let position = &self.positions[pos];
        let local = position.cover.get(t)?;
        let field = self.graph.model.sub_field(position.sub, local, name)?;
        let declared = self.graph.model.inner(&field.ty)?;
        Some((declared, self.graph.below(position.overlay, t, name, field)))
    }

    fn group_of_one(
        &mut self,
        place: PlaceId,
        t: TypeIx,
        name: &'a str,
        conditional: bool,
        asked: Asked,
    ) -> Result<Vec<TypeGroup>, PlanError> {
        let candidates = self.positions_for(place, t, name, conditional, asked)?;
        if candidates.is_empty() {
            self.missing(place, t, name)?;
            return Ok(Vec::new());
        }
        Ok(vec![(Types::one(t), candidates)])
    }

    /// What clients can't see may be had nowhere.
    fn missing(&mut self, place: PlaceId, t: TypeIx, name: &'a str) -> Result<(), PlanError> {
        if self.graph.model.ty(t).inaccessible {
            return Ok(());
        }
        Err(self.unreachable(place, &Types::one(t), name))
    }

    /// Without a type condition a field that an interface object adds is the interface object's, for
    /// all types, also where an implementation has a field of its own. A field that the real interface
    /// has is not added.
    fn prefer_interface_object(&self, by_type: &mut [(TypeIx, Vec<(PosId, u8)>)], name: &str) {
        let Some((_, first)) = by_type.first() else { return };
        let model = self.graph.model;
        let real = |local: TypeIx| {
            let knows = |sub: &SubId| {
                model
                    .sub(*sub, local)
                    .is_some_and(|known| !known.interface_object)
            };
            let mut subs = model.all_subgraphs().filter(knows);
            subs.any(|sub| model.sub_field(sub, local, name).is_some())
        };
        let adds = |t: &TypeIx, pos: &PosId| {
            let local = self.positions[*pos].cover.get(*t);
            local.is_some_and(|local| local != *t && !real(local))
        };
        let everywhere = |pos: &PosId| {
            by_type
                .iter()
                .all(|(t, c)| c.iter().any(|c| c.0 == *pos) && adds(t, pos))
        };
        let common: Vec<PosId> = first.iter().map(|c| c.0).filter(everywhere).collect();
        if !common.is_empty() {
            by_type
                .iter_mut()
                .for_each(|(_, candidates)| candidates.retain(|c| common.contains(&c.0)));
        }
    }
}
