//! Finds the objects at the end of a path of the tree.
use baedal_planner::plan::{self, Slot};

use crate::arena::{Arena, ObjectId, Value};
use crate::types::TypeMask;

/// A step of a target's path.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) slot: Slot,
    pub(crate) on: TypeMask,
}

impl Step {
    pub(crate) fn compile(step: &plan::PathStep) -> Step {
        Step {
            slot: step.slot,
            on: TypeMask::of_condition(&step.on),
        }
    }
}

/// A step of a place in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Slot(Slot),
    Index(usize),
}

/// Remembers the way, where somebody wants to know it.
pub(crate) trait Trail {
    fn enter(&mut self, _: At) {}
    fn leave(&mut self) {}
    /// An object is left by one of its slots.
    fn inside(&mut self, _: ObjectId) {}
    fn outside(&mut self) {}
    /// Whether an object was met before with as many steps to go, and need not be entered again.
    fn again(&mut self, _: ObjectId, _steps: usize) -> bool {
        false
    }
}

/// Remembers which objects were met: one that is at several places is entered once.
#[derive(Debug)]
pub(crate) struct Once {
    /// For each object, if any is at several places, where it was met last.
    met: Vec<u32>,
    /// Less than what stands for the end of the path of this walk.
    base: u32,
}

impl Once {
    pub(crate) fn new(arena: &Arena) -> Once {
        let objects = if arena.shared { arena.objects() } else { 0 };
        Once {
            met: vec![0; objects],
            base: 0,
        }
    }

    /// Calls `found` with each object at the end of `path` below `root` once.
    pub(crate) fn walk(
        &mut self,
        arena: &Arena,
        root: ObjectId,
        path: &[Step],
        found: &mut impl FnMut(ObjectId),
    ) {
        walk(arena, Value::Object(root), path, self, &mut |object, _: &Once| {
            found(object)
        });
        self.base += crate::arena::index(path.len() + 1);
    }
}

impl Trail for Once {
    #[inline]
    fn again(&mut self, object: ObjectId, steps: usize) -> bool {
        let Some(met) = self.met.get_mut(object.0 as usize) else {
            return false;
        };
        let here = self.base + crate::arena::index(steps) + 1;
        std::mem::replace(met, here) == here
    }
}

impl Trail for Vec<At> {
    fn enter(&mut self, at: At) {
        self.push(at);
    }
    fn leave(&mut self) {
        self.pop();
    }
}

/// Calls `found` with each object at the end of `path` below `value`, in the order of the tree.
/// Recursion is bounded by the path, and by the nesting that `read` allows.
pub(crate) fn walk<T: Trail>(
    arena: &Arena,
    value: Value,
    path: &[Step],
    trail: &mut T,
    found: &mut impl FnMut(ObjectId, &T),
) {
    match value {
        Value::Object(object) => {
            if trail.again(object, path.len()) {
                return;
            }
            let Some((step, rest)) = path.split_first() else {
                return found(object, trail);
            };
            let Some(value) = arena.find(object, step.slot) else {
                return;
            };
            trail.inside(object);
            trail.enter(At::Slot(step.slot));
            walk_step(arena, value, step, rest, trail, found);
            trail.leave();
            trail.outside();
        }
        Value::List(_) | Value::Null | Value::Unfit | Value::Leaf(_) => {}
    }
}

/// Enters the (lists of) objects of a slot whose type the step asks for.
fn walk_step<T: Trail>(
    arena: &Arena,
    value: Value,
    step: &Step,
    rest: &[Step],
    trail: &mut T,
    found: &mut impl FnMut(ObjectId, &T),
) {
    match value {
        Value::Object(object) if step.on.matches(arena.runtime(object)) => {
            walk(arena, value, rest, trail, found)
        }
        Value::List(run) => {
            for (index, &item) in arena.items(run).iter().enumerate() {
                trail.enter(At::Index(index));
                walk_step(arena, item, step, rest, trail, found);
                trail.leave();
            }
        }
        _ => {}
    }
}
