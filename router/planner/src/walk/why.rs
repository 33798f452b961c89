//! Why a field can be had nowhere: for each subgraph that knows it, what is missing.
use super::{PlaceId, Walk};
use crate::graph::Door;
use crate::settings::PlanError;
use crate::supergraph::model::{SubField, SubId};
use crate::supergraph::types::{TypeIx, Types};

impl<'a> Walk<'a> {
    /// The error for a field that none of these runtime types can have at a place.
    pub(super) fn unreachable(&mut self, place: PlaceId, on: &Types, name: &'a str) -> PlanError {
        let path = self.path(place, name);
        let Some(t) = on.iter().next() else {
            let coordinate = name.to_owned();
            return PlanError::Unreachable {
                coordinate,
                path,
                reasons: Vec::new(),
            };
        };
        let reasons = self.reasons(place, t, name);
        PlanError::Unreachable {
            coordinate: format!("{}.{name}", self.graph.model.ty(t).name),
            path,
            reasons: reasons.unwrap_or_else(|no_budget_left| vec![no_budget_left.to_string()]),
        }
    }

    fn reasons(&mut self, place: PlaceId, t: TypeIx, name: &'a str) -> Result<Vec<String>, PlanError> {
        let model = self.graph.model;
        let mut reasons = Vec::new();
        for sub in model.all_subgraphs() {
            for (local, field) in self.knowing(sub, t, name) {
                self.graph.budget.spend(1)?;
                let why = self.reason(place, t, sub, field)?;
                let as_interface = if local == t {
                    String::new()
                } else {
                    format!(" as an interface object of {}", model.ty(local).name)
                };
                reasons.push(format!(
                    "\"{}\"{as_interface} {why}",
                    model.subgraphs[sub.ix()].name
                ));
            }
        }
        if reasons.is_empty() {
            reasons.push("no subgraph has it".into());
        }
        Ok(reasons)
    }

    /// How a subgraph has the field: of the type itself, or of an interface object.
    fn knowing(&mut self, sub: SubId, t: TypeIx, name: &str) -> Vec<(TypeIx, &'a SubField)> {
        let model = self.graph.model;
        let mut locals = vec![t];
        for door in self.graph.doors(t).iter().filter(|door| door.sub == sub) {
            if !locals.contains(&door.local) {
                locals.push(door.local);
            }
        }
        let known = |local| model.sub_field(sub, local, name).map(|field| (local, field));
        locals.into_iter().filter_map(known).collect()
    }

    fn reason(
        &mut self,
        place: PlaceId,
        t: TypeIx,
        sub: SubId,
        field: &'a SubField,
    ) -> Result<String, PlanError> {
        let name = &self.graph.model.ty(t).name;
        if field.external {
            return Ok("has it as @external only".into());
        }
        if !self.graph.live(field) {
            return Ok("does not have it while the labels of @override are as they are".into());
        }
        let here = |door: &Door<'_>| door.sub == sub;
        if !self.graph.doors(t).iter().any(here) {
            return Ok(format!("has it, but no resolvable @key of {name}"));
        }
        let reach = self.reach_at(place, t)?;
        if !reach.open.iter().any(|(door, _)| here(door)) {
            return Ok(format!(
                "has it, but no @key of {name} that can be filled from here"
            ));
        }
        let unset = field
            .context
            .iter()
            .find(|arg| self.enclosing(place, arg).is_none());
        if let Some(arg) = unset {
            let context = arg.context.rsplit("__").next().unwrap_or_default();
            return Ok(format!(
                "has it, but nothing around it sets the context \"{context}\""
            ));
        }
        Ok(match &field.requires {
            Some(_) => "has it, but what it requires cannot be had here".into(),
            None => "has it, but cannot be told which objects are of that type".into(),
        })
    }
}
