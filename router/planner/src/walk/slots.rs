//! Slots of one place: in one object a slot has one value.
use std::rc::Rc;

use super::{FieldKey, PlaceId, Walk};
use crate::supergraph::types::{TypeIx, Types};
use hashbrown::HashMap;

/// What a slot means for some runtime types.
#[derive(Clone, Debug)]
struct SlotUse {
    name: Rc<str>,
    key: FieldKey,
    on: Types,
}

/// The slots of a place, in the order of their first use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots {
    uses: Vec<SlotUse>,
    by_name: HashMap<Rc<str>, Vec<usize>>,
}

impl Slots {
    fn named(&self, name: &str) -> impl Iterator<Item = &SlotUse> {
        self.by_name
            .get(name)
            .into_iter()
            .flatten()
            .map(|ix| &self.uses[*ix])
    }

    /// Gives a slot its meaning; the same meaning again is widened.
    fn claim(&mut self, name: &Rc<str>, key: &FieldKey, on: &Types) {
        let indexes = self.by_name.entry(name.clone()).or_default();
        match indexes.iter().find(|ix| self.uses[**ix].key == *key) {
            Some(ix) => self.uses[*ix].on = self.uses[*ix].on.or(on),
            None => {
                indexes.push(self.uses.len());
                self.uses.push(SlotUse {
                    name: name.clone(),
                    key: key.clone(),
                    on: on.clone(),
                });
            }
        }
    }

    /// What a slot means for a runtime type.
    pub fn meaning(&self, name: &str, t: TypeIx) -> Option<&FieldKey> {
        self.named(name).find(|s| s.on.contains(t)).map(|s| &s.key)
    }

    /// A slot that holds a field for a runtime type.
    pub fn holding(&self, key: &FieldKey, t: TypeIx) -> Option<Rc<str>> {
        let mut uses = self.uses.iter();
        uses.find(|s| s.key == *key && s.on.contains(t))
            .map(|s| s.name.clone())
    }

    /// Place of a slot in the order of first use.
    pub fn order(&self, name: &str) -> usize {
        self.by_name
            .get(name)
            .and_then(|ixs| ixs.first())
            .copied()
            .unwrap_or(usize::MAX)
    }
}

impl Walk<'_> {
    pub(super) fn claim(&mut self, place: PlaceId, name: &Rc<str>, key: &FieldKey, on: &Types) {
        self.places[place].slots.claim(name, key, on);
    }

    /// A slot that holds this field for these types: one that does already, else one of its own.
    pub(super) fn slot_for(&mut self, place: PlaceId, key: &FieldKey, on: &Types) -> Rc<str> {
        let name = self.slot_free_for(place, key, on);
        self.claim(place, &name, key, on);
        name
    }

    /// The same, where the slot means nothing else for any type of the place.
    pub(super) fn slot_for_all(&mut self, place: PlaceId, key: &FieldKey, on: &Types) -> Rc<str> {
        let all = self.places[place].types.or(on);
        let name = self.slot_free_for(place, key, &all);
        self.claim(place, &name, key, on);
        name
    }

    fn slot_free_for(&self, place: PlaceId, key: &FieldKey, on: &Types) -> Rc<str> {
        let slots = &self.places[place].slots;
        let free = |name: &str| slots.named(name).all(|s| s.key == *key || !s.on.intersects(on));
        let shared = slots
            .uses
            .iter()
            .filter(|s| s.key == *key && free(&s.name))
            .max_by_key(|s| (on.and(&s.on).len(), *s.name == *key.name.as_str()));
        match shared {
            Some(slot) => slot.name.clone(),
            None => (0..)
                .map(|n| {
                    if n == 0 {
                        key.name.to_string()
                    } else {
                        format!("{}_{n}", key.name)
                    }
                })
                .find(|name| free(name))
                .expect("some number is free")
                .into(),
        }
    }
}
