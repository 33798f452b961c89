//! Lays out places, virtual positions and demands for the client's selection.
use std::rc::Rc;

use super::positions::Field;
use super::{Asked, Demand, FieldKey, Origin, Place, PlaceId, PosId, Position, Walk};
use crate::graph::{Access, Cover, Overlay, Source};
use crate::normalize::{FieldUse, Selected, SelectedField, Selection};
use crate::plan::OperationKind;
use crate::settings::PlanError;
use crate::supergraph::model::{Kind, SubId};
use crate::supergraph::types::{TypeIx, Types};

/// Nesting of places.
const DEPTH_LIMIT: usize = 250;

impl<'a> Walk<'a> {
    pub(super) fn explore_root(
        &mut self,
        kind: OperationKind,
        root: TypeIx,
        selection: &'a Selection,
    ) -> Result<(), PlanError> {
        let place = self.add_place(Place::new(Types::one(root), true));
        if kind == OperationKind::Query {
            self.root_positions(place, root, 0);
            return self.explore(place, selection);
        }
        self.claim_slots(place, selection);
        for (stage, field) in selection.fields.iter().enumerate() {
            let Selected::Field(used) = &field.what else {
                continue;
            };
            self.places[place].base.clear();
            self.places[place].reach.clear();
            self.root_positions(place, root, stage);
            let one = self.richest(place, root, used);
            if self.places[place].base.len() > 1 {
                let one = one.map(|pos| self.group(pos, 0));
                self.called.extend(one);
            }
            self.places[place].base.retain(|pos| Some(*pos) == one);
            self.places[place].reach.clear();
            self.explore_field(place, field, used)?;
        }
        Ok(())
    }

    fn root_positions(&mut self, place: PlaceId, root: TypeIx, stage: usize) {
        for sub in self
            .graph
            .model
            .all_subgraphs()
            .filter(|s| self.graph.model.sub(*s, root).is_some())
        {
            let (cover, declared) = (Cover::from_iter([(root, root)]), Some(root));
            let origin = Origin::Root { stage };
            let pos = self.add_position(Position {
                cover,
                declared,
                ..Position::new(place, sub, 0, origin)
            });
            self.places[place].base.push(pos);
        }
    }

    /// The root position that can answer most of a field by itself (a mutation is called once).
    fn richest(&self, place: PlaceId, root: TypeIx, used: &FieldUse) -> Option<PosId> {
        let score = |pos: &PosId| {
            let sub = self.positions[*pos].sub;
            let welcome = !self.avoided.contains(&self.group(*pos, 0));
            let access = self
                .graph
                .resolves(sub, root, Overlay::default(), root, &used.name);
            access.map(|_| (welcome, self.answerable(sub, &used.sub)))
        };
        let scored = self.places[place]
            .base
            .iter()
            .filter_map(|pos| Some((score(pos)?, *pos)));
        scored
            .max_by_key(|(score, pos)| (*score, std::cmp::Reverse(*pos)))
            .map(|(_, pos)| pos)
    }

    fn answerable(&self, sub: SubId, selection: &Selection) -> usize {
        let has = |field: &SelectedField, name: &str| {
            field.on.iter().any(|t| {
                matches!(
                    self.graph.resolves(sub, t, Overlay::default(), t, name),
                    Some(Access::Local)
                )
            })
        };
        selection
            .fields
            .iter()
            .map(|field| match &field.what {
                Selected::Field(used) if has(field, &used.name) => 1 + self.answerable(sub, &used.sub),
                _ => 0,
            })
            .sum()
    }

    fn claim_slots(&mut self, place: PlaceId, selection: &'a Selection) {
        for field in &selection.fields {
            if let Selected::Field(used) | Selected::Withheld(used) = &field.what {
                let key = FieldKey {
                    name: used.name.clone(),
                    args: used.args.clone(),
                };
                self.claim(place, &field.response_key.as_str().into(), &key, &field.on);
            }
        }
    }

    fn explore(&mut self, place: PlaceId, selection: &'a Selection) -> Result<(), PlanError> {
        self.claim_slots(place, selection);
        for field in &selection.fields {
            match &field.what {
                Selected::Field(used) => self.explore_field(place, field, used)?,
                Selected::Typename => {
                    self.check_typename(place, field)?;
                    self.typenames.push((place, field.on.clone()));
                }
                // Introspection is answered once, for the root.
                Selected::Given if self.places[place].parent.is_some() => {
                    return Err(self.unreachable(place, &field.on, "__schema"));
                }
                Selected::Given | Selected::Withheld(_) => {}
            }
        }
        Ok(())
    }

    /// An interface that nothing implements can be read where it is an interface object; no type can be told of it.
    fn check_typename(&mut self, place: PlaceId, field: &'a SelectedField) -> Result<(), PlanError> {
        let model = self.graph.model;
        let types = self.places[place].types.clone();
        if !self.places[place].certain && types.iter().any(|t| model.ty(t).kind == Kind::Interface) {
            return Err(self.unreachable(place, &field.on, "__typename"));
        }
        Ok(())
    }

    /// The runtime type must be known where the answer depends on it.
    fn note_typename(&mut self, place: PlaceId, used: &FieldUse) {
        if self.places[place].certain {
            return;
        }
        let model = self.graph.model;
        let types = self.places[place].types.clone();
        // The answer is written for all types that the public schema allows here, not only for those that can come.
        let possible = model
            .inner(&used.ty)
            .map(|inner| model.visible(&model.ty(inner).possible));
        let possible = possible.unwrap_or_default();
        let differs = |field: &SelectedField| {
            matches!(field.what, Selected::Typename) || !possible.is_subset(&field.on)
        };
        if model.visible(&types).len() < types.len() || used.sub.fields.iter().any(differs) {
            self.typenames.push((place, types));
        }
    }

    fn explore_field(
        &mut self,
        place: PlaceId,
        field: &'a SelectedField,
        used: &'a FieldUse,
    ) -> Result<(), PlanError> {
        let key = FieldKey {
            name: used.name.clone(),
            args: used.args.clone(),
        };
        let slot: Rc<str> = field.response_key.as_str().into();
        if self.places[place].certain && self.places[place].types.is_empty() {
            return Err(self.unreachable(place, &field.on, &used.name));
        }
        let conditional = field.conditional && !self.places[place].certain;
        let here = &self.places[place];
        let on = field.on.and(if conditional { &here.common } else { &here.types });
        // Of types that can't come here there is nothing to lose, and so no need to know the type.
        let lost = field.on.and(&here.types).minus(&on);
        if !lost.is_empty() && !here.certain {
            let known = self.lost.entry(std::ptr::from_ref(field)).or_default();
            *known = known.or(&lost);
        }
        self.check_one_origin(place, &on, &used.name)?;
        let asked = Asked::by(field, self.waves);
        let model = self.graph.model;
        if !model
            .inner(&used.ty)
            .is_some_and(|inner| model.is_composite(inner))
        {
            for (on, candidates) in self.groups(place, &on, &used.name, conditional, asked)? {
                self.demands.push(Demand {
                    wave: asked.wave,
                    on,
                    slot: slot.clone(),
                    key: key.clone(),
                    candidates,
                });
            }
            return Ok(());
        }
        for child in self.child_places(
            place,
            Field {
                slot: &slot,
                key: &key,
                on: &on,
                asked,
            },
            conditional,
            &used.name,
        )? {
            self.depth += 1;
            if self.depth > DEPTH_LIMIT {
                return Err(PlanError::TooDeep(DEPTH_LIMIT));
            }
            self.explore(child, &used.sub)?;
            self.note_typename(child, used);
            self.depth -= 1;
        }
        Ok(())
    }

    /// A field of several runtime types must be reachable for all of them from one and the same
    /// position: no subgraph's answer tells which types another one's objects have.
    fn check_one_origin(&mut self, place: PlaceId, on: &Types, name: &'a str) -> Result<(), PlanError> {
        let base = self.places[place].base.clone();
        if on.len() < 2 || base.len() < 2 {
            return Ok(());
        }
        let certain = self.places[place].certain;
        let mut reasons = Vec::with_capacity(base.len());
        for pos in base {
            let mut missed = Vec::new();
            for t in on.iter() {
                let position = &self.positions[pos];
                let Some(local) = position.cover.get(t) else {
                    continue;
                };
                let source = Source {
                    sub: position.sub,
                    local,
                    level: position.level,
                    overlay: position.overlay,
                };
                let reach = self.graph.reach(t, vec![source], certain)?;
                if self.graph.candidates(t, &reach, name, false)?.is_empty() {
                    missed.push(self.graph.model.ty(t).name.as_str());
                }
            }
            if missed.is_empty() {
                return Ok(());
            }
            let sub = &self.graph.model.subgraphs[self.positions[pos].sub.ix()];
            let missed = missed.join(" and ");
            reasons.push(format!("\"{}\" leads to no {name} of {missed}", sub.name));
        }
        reasons.push("and no subgraph tells which types another one's objects have".into());
        Err(PlanError::Unreachable {
            coordinate: name.to_owned(),
            path: self.path(place, name),
            reasons,
        })
    }
}
