//! Slots of one place: in one object a slot has one value.
use std::rc::Rc;

use super::{FieldKey, PlaceId, Walk};
use crate::supergraph::types::Types;

/// What a slot means for some runtime types.
#[derive(Clone, Debug)]
pub(crate) struct SlotUse {
    pub name: Rc<str>,
    pub key: FieldKey,
    pub on: Types,
}

impl Walk<'_> {
    /// Gives a slot its meaning; the same meaning again is widened.
    pub(super) fn claim(&mut self, place: PlaceId, name: &Rc<str>, key: &FieldKey, on: &Types) {
        let slots = &mut self.places[place].slots;
        match slots.iter_mut().find(|s| s.name == *name && s.key == *key) {
            Some(used) => used.on = used.on.or(on),
            None => slots.push(SlotUse { name: name.clone(), key: key.clone(), on: on.clone() }),
        }
    }

    /// A slot that holds this field for these types: one that does already, else one of its own.
    pub(super) fn slot_for(&mut self, place: PlaceId, key: &FieldKey, on: &Types) -> Rc<str> {
        let slots = &self.places[place].slots;
        let free = |name: &str| slots.iter().all(|s| &*s.name != name || s.key == *key || !s.on.intersects(on));
        let shared = slots
            .iter()
            .filter(|s| s.key == *key && free(&s.name))
            .max_by_key(|s| (on.and(&s.on).len(), *s.name == *key.name.as_str()));
        let name = match shared {
            Some(slot) => slot.name.clone(),
            None => (0..)
                .map(|n| if n == 0 { key.name.to_string() } else { format!("{}_{n}", key.name) })
                .find(|name| free(name))
                .expect("some number is free")
                .into(),
        };
        self.claim(place, &name, key, on);
        name
    }
}
