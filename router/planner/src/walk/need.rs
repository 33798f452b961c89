//! Internal demands: key fields and required fields of representations.
use super::positions::Field;
use super::{Asked, FieldKey, PlaceId, PosId, SentField, Walk, Wave};
use crate::settings::PlanError;
use crate::supergraph::field_set::{FieldSet, FieldSetItem};
use crate::supergraph::types::Types;

/// On which terms fields are wanted.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    /// Highest level of the fetches that may bring them.
    pub max: u8,
    /// Of a `@requires`: null may be a value.
    pub required: bool,
    /// For whose fetch.
    pub wave: Wave,
    /// They are written without looking at the runtime type: a slot must mean the same for all.
    pub untyped: bool,
}

/// Whose fields are needed, and by when.
struct Wanting<'w> {
    place: PlaceId,
    on: &'w Types,
    /// Whether that is a condition inside of the field set.
    conditional: bool,
    terms: Terms,
}

impl<'a> Walk<'a> {
    /// Wants the fields of a set at a place, from positions up to a level; these are added to `after`.
    pub(super) fn need(
        &mut self,
        place: PlaceId,
        on: &Types,
        set: &'a FieldSet,
        terms: Terms,
        after: &mut Vec<PosId>,
    ) -> Result<Vec<SentField>, PlanError> {
        let mut fields = Vec::new();
        for item in &set.0 {
            let matching = self.graph.item_types(item, on);
            if matching.is_empty() {
                continue;
            }
            let conditional = !self.places[place].certain && !on.is_subset(&matching);
            let wanting = Wanting {
                place,
                on: &matching,
                conditional,
                terms,
            };
            let field = self.need_item(item, &wanting, after)?;
            join(&mut fields, vec![field]);
        }
        Ok(fields)
    }

    fn need_item(
        &mut self,
        item: &'a FieldSetItem,
        want: &Wanting<'_>,
        after: &mut Vec<PosId>,
    ) -> Result<SentField, PlanError> {
        self.graph.budget.spend(1)?;
        let key = FieldKey {
            name: item.name.clone(),
            args: item.args.clone(),
        };
        let slot = if want.terms.untyped {
            self.slot_for_all(want.place, &key, want.on)
        } else {
            self.slot_for(want.place, &key, want.on)
        };
        let fields = if item.sub.0.is_empty() {
            self.need_leaf(&slot, &key, &item.name, want, after)?;
            None
        } else {
            Some(self.need_below(&slot, &key, item, want, after)?)
        };
        let model = self.graph.model;
        let non_null = |t| {
            model
                .ty(t)
                .fields
                .get(&item.name)
                .is_some_and(|f| f.ty.is_non_null())
        };
        Ok(SentField {
            name: item.name.clone(),
            slot,
            on: want.conditional.then(|| want.on.clone()),
            fields,
            nullable: want.terms.required && !want.on.iter().all(non_null),
        })
    }

    fn need_leaf(
        &mut self,
        slot: &std::rc::Rc<str>,
        key: &FieldKey,
        name: &'a str,
        want: &Wanting<'_>,
        after: &mut Vec<PosId>,
    ) -> Result<(), PlanError> {
        let asked = Asked::within(want.terms.wave);
        for (on, candidates) in self.groups(want.place, want.on, name, false, asked)? {
            let near = candidates
                .into_iter()
                .filter(|(_, level)| *level <= want.terms.max)
                .map(|(pos, _)| pos);
            let mut near: Vec<PosId> = near.collect();
            near.extend(self.fetched_before(want.place, slot, key, &on, want.terms));
            let wanted = self.want_cheapest(&near, |walk, pos| {
                walk.commit(pos, &on)?;
                walk.pick(pos, slot, key, &on, None);
                Ok(())
            })?;
            let Some(pos) = wanted else {
                return Err(self.unreachable(want.place, &on, name));
            };
            after.push(pos);
        }
        Ok(())
    }

    fn need_below(
        &mut self,
        slot: &std::rc::Rc<str>,
        key: &FieldKey,
        item: &'a FieldSetItem,
        want: &Wanting<'_>,
        after: &mut Vec<PosId>,
    ) -> Result<Vec<SentField>, PlanError> {
        let same = |c: &&super::Child| c.slot == *slot && c.key == *key && c.on.intersects(want.on);
        let known: Vec<(PlaceId, Types)> = self.places[want.place]
            .children
            .iter()
            .filter(same)
            .map(|c| (c.place, c.on.clone()))
            .collect();
        let mut rest = want.on.clone();
        known.iter().for_each(|(_, on)| rest = rest.minus(on));
        for (child, on) in &known {
            let asked = Asked::within(want.terms.wave);
            let field = Field { slot, key, on, asked };
            self.come_in_time(want.place, *child, field, (&item.name, want.terms.max))?;
        }
        let mut children: Vec<PlaceId> = known.into_iter().map(|(place, _)| place).collect();
        if !rest.is_empty() {
            let field = Field {
                slot,
                key,
                on: &rest,
                asked: Asked::within(want.terms.wave),
            };
            children.extend(self.child_places(want.place, field, false, &item.name)?);
        }
        let mut fields = Vec::new();
        for child in children {
            let types = self.places[child].types.clone();
            let terms = Terms {
                untyped: false,
                ..want.terms
            };
            join(&mut fields, self.need(child, &types, &item.sub, terms, after)?);
            if !self.places[child].certain && differs(&item.sub, &types) {
                for t in types.iter() {
                    after.extend(self.know(child, t, want.terms.max)?);
                }
            }
            if !self.places[child].wanted {
                after.extend(self.ensure_presence(child, want.terms.max)?);
            }
        }
        Ok(fields)
    }
}

fn differs(set: &FieldSet, types: &Types) -> bool {
    set.0
        .iter()
        .any(|item| item.on.as_ref().is_some_and(|on| !types.is_subset(on)))
}

/// Adds members to a representation; equal ones once, members of one object joined.
pub(super) fn join(fields: &mut Vec<SentField>, more: Vec<SentField>) {
    for field in more {
        let same = fields
            .iter_mut()
            .find(|f| f.name == field.name && f.slot == field.slot && f.on == field.on);
        match (same, field) {
            (None, field) => fields.push(field),
            (Some(known), field) => {
                known.nullable &= field.nullable;
                if let (Some(inner), Some(added)) = (&mut known.fields, field.fields) {
                    join(inner, added);
                }
            }
        }
    }
}
