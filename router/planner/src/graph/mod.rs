//! The graph a plan walks: nodes are (subgraph, type); edges are field moves ([`Graph::resolves`]),
//! key moves and interface-object moves ([`reach`]), and abstract moves ([`Graph::cover`]).
mod cover;
mod reach;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use hashbrown::HashMap;

use crate::settings::Budget;
use crate::supergraph::field_set::{FieldSet, FieldSetItem};
use crate::supergraph::model::{Key, Kind, Model, SubField, SubId};
use crate::supergraph::types::{TypeIx, Types};

pub(crate) use cover::Cover;
pub(crate) use reach::{Candidate, How, Reach};

/// A place where an object of some runtime type can be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Source {
    pub sub: SubId,
    /// The runtime type as the subgraph knows it: itself, or an interface object.
    pub local: TypeIx,
    /// Sequential steps before it is there.
    pub level: u8,
    pub overlay: Overlay,
}

/// Fields that a `@provides` above makes local. Index in [`Graph::overlays`]; 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Overlay(u32);

/// How a field can be had from a source.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Access<'a> {
    Local,
    /// Only in an entity fetch whose representation carries these fields.
    Requires(&'a FieldSet),
}

/// How a subgraph is entered by a representation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Via {
    /// As the runtime type itself, which must be known.
    Concrete,
    /// As an interface object: the answer's `__typename` means nothing.
    InterfaceObject,
    /// As an interface of which the runtime type is not known yet.
    Interface,
    /// By a root fetch: the query type is the same object wherever it is met.
    Query,
}

/// Nothing: what the query type is entered by.
static NO_KEY: Key = Key {
    fields: FieldSet(Vec::new()),
    resolvable: true,
};

/// A way into a subgraph for one runtime type.
#[derive(Clone, Debug)]
pub(crate) struct Door<'a> {
    pub sub: SubId,
    pub via: Via,
    /// `__typename` of the representation.
    pub typename: TypeIx,
    /// The type as it is known behind the door.
    pub local: TypeIx,
    pub key: &'a Key,
}

#[derive(Clone)]
pub(crate) struct Graph<'a> {
    pub model: &'a Model,
    labels: &'a BTreeSet<String>,
    pub budget: Budget,
    overlays: Vec<FieldSet>,
    doors: HashMap<TypeIx, Rc<Vec<Door<'a>>>>,
    reached: HashMap<reach::ReachKey, Rc<Reach<'a>>>,
    covers: RefCell<HashMap<(SubId, TypeIx), Cover>>,
    nesting: usize,
}

impl<'a> Graph<'a> {
    pub fn new(model: &'a Model, labels: &'a BTreeSet<String>, budget: Budget) -> Graph<'a> {
        Graph {
            model,
            labels,
            budget,
            overlays: vec![FieldSet::default()],
            doors: HashMap::new(),
            reached: HashMap::new(),
            covers: RefCell::default(),
            nesting: 0,
        }
    }

    /// Whether the overrides leave a field where it is.
    pub fn live(&self, field: &SubField) -> bool {
        let active = |label: &Option<String>| label.as_ref().map(|l| self.labels.contains(l));
        active(&field.lost_when) != Some(true) && active(&field.won_when) != Some(false)
    }

    /// Whether a field of runtime type `t` can be had at a position.
    pub fn resolves(
        &self,
        sub: SubId,
        local: TypeIx,
        overlay: Overlay,
        t: TypeIx,
        field: &str,
    ) -> Option<Access<'a>> {
        let known = self.model.sub_field(sub, local, field)?;
        if known.context.is_empty() && self.provided(overlay, t, field).next().is_some() {
            return Some(Access::Local);
        }
        if known.external || !self.live(known) {
            return None;
        }
        Some(match &known.requires {
            Some(requires) => Access::Requires(requires),
            None => Access::Local,
        })
    }

    fn provided(&self, overlay: Overlay, t: TypeIx, field: &str) -> impl Iterator<Item = &FieldSetItem> {
        let items = &self.overlays[overlay.0 as usize].0;
        items
            .iter()
            .filter(move |i| i.name == field && i.on.as_ref().is_none_or(|on| on.contains(t)))
    }

    /// The overlay below a field.
    pub fn below(&mut self, overlay: Overlay, t: TypeIx, name: &str, field: &SubField) -> Overlay {
        let mut items: Vec<FieldSetItem> = self
            .provided(overlay, t, name)
            .flat_map(|i| i.sub.0.iter().cloned())
            .collect();
        if let Some(provides) = &field.provides {
            items.extend(provides.0.iter().cloned());
        }
        if items.is_empty() {
            return Overlay::default();
        }
        let set = FieldSet(items);
        let found = self.overlays.iter().position(|o| *o == set);
        let ix = found.unwrap_or_else(|| {
            self.overlays.push(set);
            self.overlays.len() - 1
        });
        Overlay(ix as u32)
    }

    /// Which runtime types an object declared as `declared` in a subgraph may have, each with its local type.
    pub fn cover(&self, sub: SubId, declared: TypeIx) -> Cover {
        let mut covers = self.covers.borrow_mut();
        covers
            .entry((sub, declared))
            .or_insert_with(|| self.cover_of(sub, declared))
            .clone()
    }

    fn cover_of(&self, sub: SubId, declared: TypeIx) -> Cover {
        let Some(here) = self.model.sub(sub, declared) else {
            return Cover::default();
        };
        let mut cover = Vec::new();
        for local in here.possible.iter() {
            if self.model.sub(sub, local).is_some_and(|s| s.interface_object) {
                cover.extend(self.model.ty(local).possible.iter().map(|t| (t, local)));
            } else {
                cover.push((local, local));
            }
        }
        cover.into_iter().collect()
    }

    /// Ways into all subgraphs for a runtime type.
    pub(crate) fn doors(&mut self, t: TypeIx) -> Rc<Vec<Door<'a>>> {
        if let Some(doors) = self.doors.get(&t) {
            return doors.clone();
        }
        let model = self.model;
        let mut doors = Vec::new();
        let interfaces: Vec<TypeIx> = (0..model.types.len() as u32)
            .map(TypeIx)
            .filter(|i| *i != t && model.ty(*i).kind == Kind::Interface)
            .filter(|i| model.ty(*i).possible.contains(t))
            .collect();
        for sub in model.all_subgraphs() {
            if t == model.query && model.sub(sub, t).is_some() {
                doors.push(Door {
                    sub,
                    via: Via::Query,
                    typename: t,
                    local: t,
                    key: &NO_KEY,
                });
            }
            let mut add = |via, typename, local| {
                let Some(here) = model.sub(sub, typename) else {
                    return;
                };
                let keys = here.keys.iter().filter(|k| k.resolvable);
                doors.extend(keys.map(|key| Door {
                    sub,
                    via,
                    typename,
                    local,
                    key,
                }));
            };
            add(Via::Concrete, t, t);
            for interface in &interfaces {
                match model.sub(sub, *interface) {
                    Some(here) if here.interface_object => add(Via::InterfaceObject, *interface, *interface),
                    Some(here) if here.possible.contains(t) => add(Via::Interface, *interface, t),
                    _ => {}
                }
            }
        }
        let doors = Rc::new(doors);
        self.doors.insert(t, doors.clone());
        doors
    }

    /// Object types of an item of a field set, of those possible at its place.
    pub fn item_types(&self, item: &FieldSetItem, types: &Types) -> Types {
        item.on.as_ref().map_or_else(|| types.clone(), |on| types.and(on))
    }
}
