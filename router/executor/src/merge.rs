//! Attaches what was read to the objects it belongs to.
use baedal_planner::plan::Slot;

use crate::arena::{Arena, Entry, ObjectId, Run, Value};
use crate::shape::Shape;
use crate::types::RuntimeType;

/// Why an entity is not attached to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unattached {
    /// The `__typename` that came is not that of the object it came for.
    WrongType,
    /// So much was copied already that there is no room for another copy.
    TooMuch,
}

impl Arena {
    /// Gives `target` the fields of `source`, which was just read by `shape`.
    /// `again`: it was attached somewhere before, so what can't be shared is copied, while the copies of the request
    /// take less than `room` bytes.
    pub(crate) fn attach(
        &mut self,
        target: ObjectId,
        source: ObjectId,
        shape: &Shape,
        again: bool,
        room: usize,
    ) -> Result<(), Unattached> {
        let copied = again && !shape.shareable();
        if copied && self.copied >= room {
            return Err(Unattached::TooMuch);
        }
        self.merge_types(target, source)?;
        let read = self.first_run(source);
        let run = if copied { self.copy_run(read, shape) } else { read };
        self.add_run(target, run, shape.exclusive);
        Ok(())
    }

    /// Gives `target` entries that were copied from an entity equal to it. (Of two types, its own stays.)
    pub(crate) fn attach_copy(&mut self, target: ObjectId, entity: ObjectId, run: Run, exclusive: bool) {
        if self.merge_types(target, entity).is_ok() {
            self.add_run(target, run, exclusive);
        }
    }

    fn add_run(&mut self, target: ObjectId, run: Run, exclusive: bool) {
        if exclusive {
            self.link(target, run);
        } else {
            self.merge_run(target, run);
        }
    }

    fn merge_types(&mut self, target: ObjectId, source: ObjectId) -> Result<(), Unattached> {
        match (self.runtime(target), self.runtime(source)) {
            (_, RuntimeType::Unknown) => Ok(()),
            (RuntimeType::Unknown, known) => {
                self.set_runtime(target, known);
                Ok(())
            }
            (one, other) if one == other => Ok(()),
            _ => Err(Unattached::WrongType),
        }
    }

    /// Adds entries whose slots may be in the object already.
    fn merge_run(&mut self, target: ObjectId, run: Run) {
        let base = self.open_entries.len();
        for at in run.range() {
            let entry = self.entries[at];
            let Some(place) = self.locate(target, entry.slot) else {
                self.open_entries.push(entry);
                continue;
            };
            let before = self.disputed.len();
            self.entries[place].value = self.merged(self.entries[place].value, entry.value);
            if self.disputed.len() > before {
                // However deep it was, it is reported at the field of the outermost object.
                self.disputed.truncate(before);
                self.disputed.push(entry.slot);
            }
        }
        let added = self.close_entries(base);
        self.link(target, added);
    }

    /// What was there stays, except null; objects are joined, and lists of the same length item by item.
    fn merged(&mut self, old: Value, new: Value) -> Value {
        match (old, new) {
            (Value::Null, new) => new,
            (Value::Object(target), Value::Object(source)) => {
                self.merge_objects(target, source);
                old
            }
            (Value::List(one), Value::List(other)) if one.len == other.len => {
                for (to, from) in one.range().zip(other.range()) {
                    self.items[to] = self.merged(self.items[to], self.items[from]);
                }
                old
            }
            (Value::Leaf(_), Value::Leaf(_)) | (_, Value::Null | Value::Unfit) | (Value::Unfit, _) => old,
            _ => {
                self.disputed.push(Slot(u32::MAX));
                old
            }
        }
    }

    /// Objects of different types at one place are not joined: the first stays.
    fn merge_objects(&mut self, target: ObjectId, source: ObjectId) {
        if target == source {
            return;
        }
        if self.merge_types(target, source).is_err() {
            self.disputed.push(Slot(u32::MAX));
            return;
        }
        let runs: Vec<Run> = self.runs(source).collect();
        for run in runs {
            self.merge_run(target, run);
        }
    }

    /// Copies the entries of an object read by `shape`; objects below that nobody else writes in are shared.
    fn copy_run(&mut self, run: Run, shape: &Shape) -> Run {
        let base = self.open_entries.len();
        self.copied += run.range().len() * size_of::<Entry>();
        self.open_entries.extend_from_slice(&self.entries[run.range()]);
        for (slot, nested) in shape.objects().filter(|(_, nested)| !nested.pure) {
            let Some(offset) = self.open_entries[base..]
                .iter()
                .position(|entry| entry.slot == slot)
            else {
                continue;
            };
            let copy = self.copy_value(self.open_entries[base + offset].value, nested);
            self.open_entries[base + offset].value = copy;
        }
        self.close_entries(base)
    }

    fn copy_value(&mut self, value: Value, shape: &Shape) -> Value {
        match value {
            Value::Object(id) => {
                let run = self.copy_run(self.first_run(id), shape);
                let runtime = self.runtime(id);
                Value::Object(self.add_object(runtime, run))
            }
            Value::List(run) => {
                let base = self.open_items.len();
                self.copied += run.range().len() * size_of::<Value>();
                for at in run.range() {
                    let copy = self.copy_value(self.items[at], shape);
                    self.open_items.push(copy);
                }
                Value::List(self.close_items(base))
            }
            other => other,
        }
    }
}
