//! Arguments filled from the context: where the value stands, when it can be there, and that it is fetched.
//! <https://specs.apollo.dev/context/v0.1/>
use super::need::Terms;
use super::{PlaceId, PosId, SentField, Walk};
use crate::settings::PlanError;
use crate::supergraph::contexts::ContextArg;
use crate::supergraph::field_set::FieldSet;
use crate::supergraph::types::Types;

/// An argument, and where its value is read for the entities of a fetch.
#[derive(Clone, Debug)]
pub(crate) struct Filled<'a> {
    pub arg: &'a ContextArg,
    /// Nearest first: the first whose condition the enclosing object fulfils.
    pub sources: Vec<ContextSource>,
}

/// An enclosing object that sets a context.
#[derive(Clone, Debug)]
pub(crate) struct ContextSource {
    pub place: PlaceId,
    /// Its runtime types; `None` for any.
    pub on: Option<Types>,
    /// The selection: the first field whose condition holds.
    pub fields: Vec<SentField>,
}

impl<'a> Walk<'a> {
    /// The enclosing places that set a context, nearest first, with the runtime types that do. `None` where
    /// an object can stand without any of them around it.
    pub(super) fn enclosing(&self, place: PlaceId, arg: &ContextArg) -> Option<Vec<(PlaceId, Types)>> {
        let mut found = Vec::new();
        let mut at = place;
        while let Some(parent) = self.places[at].parent {
            let around = &self.places[at].parent_on;
            let setters = around.and(&arg.setters);
            let all = setters.len() == around.len();
            if !setters.is_empty() {
                found.push((parent, setters));
            }
            if all {
                return Some(found);
            }
            at = parent;
        }
        None
    }

    /// The level at which the values of all arguments are there.
    pub(super) fn context_level(
        &mut self,
        place: PlaceId,
        args: &'a [ContextArg],
    ) -> Result<Option<u8>, PlanError> {
        let mut level = 0;
        for arg in args {
            let Some(sources) = self.enclosing(place, arg) else {
                return Ok(None);
            };
            for (source, on) in sources {
                for t in on.iter() {
                    let reach = self.reach_at(source, t)?;
                    match self.graph.set_level(t, &arg.selection, &reach, &mut Vec::new())? {
                        Some(there) => level = level.max(there),
                        None => return Ok(None),
                    }
                }
            }
        }
        Ok(Some(level))
    }

    /// Wants the values of the arguments for a fetch's entities.
    pub(super) fn fill(
        &mut self,
        place: PlaceId,
        args: &'a [ContextArg],
        terms: Terms,
        after: &mut Vec<PosId>,
    ) -> Result<Vec<Filled<'a>>, PlanError> {
        let mut filled = Vec::with_capacity(args.len());
        for arg in args {
            let enclosing = self
                .enclosing(place, arg)
                .expect("a contextual field is a candidate only where its context is");
            let mut sources = Vec::with_capacity(enclosing.len());
            for (source, on) in enclosing {
                let fields = self.need(source, &on, &arg.selection, terms, after)?;
                let any = self.is_all(source, &on);
                if !any || conditional(&arg.selection, &on) {
                    for t in on.iter() {
                        after.extend(self.know(source, t, terms.max)?);
                    }
                }
                sources.push(ContextSource {
                    place: source,
                    on: (!any).then_some(on),
                    fields,
                });
            }
            filled.push(Filled { arg, sources });
        }
        Ok(filled)
    }
}

fn conditional(set: &FieldSet, types: &Types) -> bool {
    let conditions = set.0.iter().filter_map(|item| item.on.as_ref());
    conditions.into_iter().any(|on| !types.is_subset(on))
}
