//! Entities that a subgraph gave before in the same request: found by their representation's text, copied, not asked for again.
use std::hash::BuildHasher;
use std::ops::Range;

use baedal_planner::plan::{self, Copied, FetchId};
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::arena::{Arena, Entry, ObjectId, Value};
use crate::program::{Group, Target};
use crate::represent::represent;
use crate::types::TypeTable;
use crate::walk::Once;

/// Where entities of a group may be.
#[derive(Debug)]
pub(crate) struct Known {
    fetch: FetchId,
    target: Target,
    copies: Vec<Copied>,
}

/// An object that need not be asked for: an entity like it is in the tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reused {
    pub(crate) object: ObjectId,
    entity: ObjectId,
    /// Index in the group's known places.
    known: usize,
}

/// A known entity: the text of its representation, and where it is.
struct Remembered {
    text: Range<usize>,
    entity: ObjectId,
    known: usize,
}

/// The known entities of a group, by their representation's text.
#[derive(Default)]
pub(crate) struct Memory {
    text: Vec<u8>,
    entities: HashTable<Remembered>,
    hasher: DefaultHashBuilder,
}

impl Known {
    pub(crate) fn compile(known: &plan::Known, types: &TypeTable) -> Known {
        Known {
            fetch: known.fetch,
            target: Target::compile(&known.target, types),
            copies: known.copies.clone(),
        }
    }
}

impl Memory {
    /// `failed`: for each fetch of the plan, whether it had any error.
    pub(crate) fn of(group: &Group, arena: &Arena, root: ObjectId, failed: &[bool]) -> Memory {
        let mut memory = Memory::default();
        let mut once = Once::new(arena);
        for (number, known) in group.known.iter().enumerate() {
            if failed.get(known.fetch).is_none_or(|failed| *failed) {
                continue;
            }
            let Target {
                path,
                representations,
            } = &known.target;
            once.walk(arena, root, path, &mut |entity| {
                let start = memory.text.len();
                let whole = known.copies.iter().all(|c| arena.find(entity, c.from).is_some());
                if whole && represent(arena, entity, representations, &mut memory.text).is_some() {
                    memory.add(start, entity, number);
                } else {
                    memory.text.truncate(start);
                }
            });
        }
        memory
    }

    fn add(&mut self, start: usize, entity: ObjectId, known: usize) {
        let Memory {
            text,
            entities,
            hasher,
        } = self;
        let new = &text[start..];
        let hash = hasher.hash_one(new);
        if entities
            .find(hash, |one| &text[one.text.clone()] == new)
            .is_some()
        {
            return text.truncate(start);
        }
        let one = Remembered {
            text: start..text.len(),
            entity,
            known,
        };
        entities.insert_unique(hash, one, |one| hasher.hash_one(&text[one.text.clone()]));
    }

    /// The entity of a representation, for an object.
    pub(crate) fn find(&self, representation: &[u8], object: ObjectId) -> Option<Reused> {
        if self.entities.is_empty() {
            return None;
        }
        let hash = self.hasher.hash_one(representation);
        let same = |one: &Remembered| &self.text[one.text.clone()] == representation;
        self.entities.find(hash, same).map(|one| Reused {
            object,
            entity: one.entity,
            known: one.known,
        })
    }
}

impl Arena {
    /// Gives an object what a known entity has. `exclusive`: nobody else writes these slots.
    pub(crate) fn reuse(&mut self, group: &Group, reused: &Reused, exclusive: bool) {
        let copies = &group.known[reused.known].copies;
        let base = self.open_entries.len();
        self.copy_entries(reused.entity, copies);
        let run = self.close_entries(base);
        self.attach_copy(reused.object, reused.entity, run, exclusive);
    }

    fn copy_entries(&mut self, entity: ObjectId, copies: &[Copied]) {
        self.copied += copies.len() * size_of::<Entry>();
        for copied in copies {
            if let Some(value) = self.find(entity, copied.from) {
                let value = match &copied.fields {
                    Some(fields) => self.copy_known(value, fields),
                    None => value,
                };
                let slot = copied.to;
                self.open_entries.push(Entry { slot, value });
            }
        }
    }

    fn copy_known(&mut self, value: Value, copies: &[Copied]) -> Value {
        match value {
            Value::Object(object) => {
                let base = self.open_entries.len();
                self.copy_entries(object, copies);
                let run = self.close_entries(base);
                Value::Object(self.add_object(self.runtime(object), run))
            }
            Value::List(run) => {
                let base = self.open_items.len();
                self.copied += run.range().len() * size_of::<Value>();
                for at in run.range() {
                    let copy = self.copy_known(self.items[at], copies);
                    self.open_items.push(copy);
                }
                Value::List(self.close_items(base))
            }
            other => other,
        }
    }
}
