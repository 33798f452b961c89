//! The tree of a request, in a few flat vectors.
//!
//! An object is a chain of *parts*, one for each fetch that gave it fields; a part is a range of entries
//! (slot and value). Parts may be shared: an entity sent once and found at many places is one range of entries
//! that many objects link. Leaf values are ranges of the received bodies, which are kept alive here.
use baedal_planner::plan::Slot;
use bytes::Bytes;

use crate::scan::Form;
use crate::twins::Twins;
use crate::types::RuntimeType;

/// A value as JSON text in a received body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) start: u32,
    pub(crate) len: u32,
    pub(crate) buffer: u16,
    pub(crate) form: Form,
}

/// A run of entries or items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl Run {
    pub(crate) fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.start as usize + self.len as usize
    }
}

/// An object of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ObjectId(pub(crate) u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    /// JSON by its grammar, but of no use to a client: half a surrogate pair, a number beyond any range.
    Unfit,
    Leaf(Leaf),
    List(Run),
    Object(ObjectId),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) slot: Slot,
    pub(crate) value: Value,
}

/// What is kept of a leaf: as little as can be, since most of what is received is leaves.
const _: () = assert!(size_of::<Value>() == 12 && size_of::<Entry>() == 16);

const NO_PART: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Part {
    run: Run,
    next: u32,
}

#[derive(Clone, Copy, Debug)]
struct Object {
    runtime: RuntimeType,
    first: Part,
}

/// Where the next entry of an object is expected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    at: usize,
    end: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Arena {
    buffers: Vec<Bytes>,
    objects: Vec<Object>,
    parts: Vec<Part>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) items: Vec<Value>,
    /// Entries of objects that are still open: each level takes what it pushed.
    pub(crate) open_entries: Vec<Entry>,
    /// Items of lists that are still open.
    pub(crate) open_items: Vec<Value>,
    /// Objects of the body that is read.
    pub(crate) twins: Twins,
    /// Whether any object is at several places.
    pub(crate) shared: bool,
    /// Slots whose value could not be joined with what another subgraph gave for the same place.
    pub(crate) disputed: Vec<Slot>,
    /// Bytes of all that was copied because it came once for several places.
    pub(crate) copied: usize,
}

impl Arena {
    /// The arena with the root object in it.
    pub(crate) fn new() -> (Arena, ObjectId) {
        let mut arena = Arena::default();
        let root = arena.add_object(RuntimeType::Unknown, Run { start: 0, len: 0 });
        (arena, root)
    }

    /// Keeps a body and gives its number; `None` when there is no number left.
    pub(crate) fn keep(&mut self, body: Bytes) -> Option<u16> {
        let number = u16::try_from(self.buffers.len()).ok()?;
        // Room for what most bodies hold, so that reading them moves nothing.
        self.entries.reserve(body.len() / 32);
        self.objects.reserve(body.len() / 256);
        self.buffers.push(body);
        Some(number)
    }

    /// Bytes of all bodies kept.
    pub(crate) fn received(&self) -> usize {
        self.buffers.iter().map(Bytes::len).sum()
    }

    /// How many objects there are.
    pub(crate) fn objects(&self) -> usize {
        self.objects.len()
    }

    pub(crate) fn add_object(&mut self, runtime: RuntimeType, run: Run) -> ObjectId {
        self.objects.push(Object {
            runtime,
            first: Part { run, next: NO_PART },
        });
        ObjectId(index(self.objects.len() - 1))
    }

    /// The entries from `base` on, which belong to an object without objects in it.
    #[inline]
    pub(crate) fn run_from(&self, base: usize) -> Run {
        Run {
            start: index(base),
            len: index(self.entries.len() - base),
        }
    }

    /// Moves the open entries from `base` on to a run of their own.
    pub(crate) fn close_entries(&mut self, base: usize) -> Run {
        let start = index(self.entries.len());
        let open = &self.open_entries[base..];
        self.entries.extend_from_slice(open);
        let len = index(open.len());
        self.open_entries.truncate(base);
        Run { start, len }
    }

    /// Moves the open items from `base` on to a run of their own.
    pub(crate) fn close_items(&mut self, base: usize) -> Run {
        let start = index(self.items.len());
        let open = &self.open_items[base..];
        self.items.extend_from_slice(open);
        let len = index(open.len());
        self.open_items.truncate(base);
        Run { start, len }
    }

    /// Forgets the body read before, and what a reading that broke off left open.
    pub(crate) fn clear_open(&mut self) {
        self.open_entries.clear();
        self.open_items.clear();
        self.twins.clear();
    }

    /// Bytes that the tree takes, bodies not counted.
    #[cfg(test)]
    pub(crate) fn size(&self) -> usize {
        self.objects.capacity() * size_of::<Object>()
            + self.parts.capacity() * size_of::<Part>()
            + (self.entries.capacity() + self.open_entries.capacity()) * size_of::<Entry>()
            + (self.items.capacity() + self.open_items.capacity()) * size_of::<Value>()
    }

    /// Gives an object further entries. Their slots must not be in it yet.
    pub(crate) fn link(&mut self, object: ObjectId, run: Run) {
        if run.len == 0 {
            return;
        }
        let first = self.objects[object.0 as usize].first;
        if first.run.len == 0 {
            self.objects[object.0 as usize].first.run = run;
            return;
        }
        self.parts.push(Part {
            run,
            next: first.next,
        });
        self.objects[object.0 as usize].first.next = index(self.parts.len() - 1);
    }

    pub(crate) fn runtime(&self, object: ObjectId) -> RuntimeType {
        self.objects[object.0 as usize].runtime
    }

    pub(crate) fn set_runtime(&mut self, object: ObjectId, runtime: RuntimeType) {
        self.objects[object.0 as usize].runtime = runtime;
    }

    /// The runs of an object's entries.
    pub(crate) fn runs(&self, object: ObjectId) -> impl Iterator<Item = Run> + '_ {
        let first = self.objects[object.0 as usize].first;
        std::iter::successors(Some(first), |part| self.parts.get(part.next as usize).copied())
            .map(|part| part.run)
    }

    /// The first run: all there is of an object that was just read.
    pub(crate) fn first_run(&self, object: ObjectId) -> Run {
        self.objects[object.0 as usize].first.run
    }

    /// Where in `entries` an object's slot is.
    pub(crate) fn locate(&self, object: ObjectId, slot: Slot) -> Option<usize> {
        self.runs(object)
            .find_map(|run| run.range().find(|&at| self.entries[at].slot == slot))
    }

    pub(crate) fn find(&self, object: ObjectId, slot: Slot) -> Option<Value> {
        self.locate(object, slot).map(|at| self.entries[at].value)
    }

    pub(crate) fn cursor(&self, object: ObjectId) -> Cursor {
        let range = self.first_run(object).range();
        Cursor {
            at: range.start,
            end: range.end,
        }
    }

    /// Like [`Arena::find`], one comparison when slots are asked for in the order they were read.
    #[inline]
    pub(crate) fn find_next(&self, object: ObjectId, slot: Slot, cursor: &mut Cursor) -> Option<Value> {
        if cursor.at < cursor.end {
            let entry = &self.entries[cursor.at];
            if entry.slot == slot {
                cursor.at += 1;
                return Some(entry.value);
            }
        }
        self.search(object, slot, cursor)
    }

    fn search(&self, object: ObjectId, slot: Slot, cursor: &mut Cursor) -> Option<Value> {
        for run in self.runs(object) {
            let range = run.range();
            if let Some(offset) = self.entries[range.clone()]
                .iter()
                .position(|entry| entry.slot == slot)
            {
                let at = range.start + offset;
                *cursor = Cursor {
                    at: at + 1,
                    end: range.end,
                };
                return Some(self.entries[at].value);
            }
        }
        None
    }

    pub(crate) fn items(&self, run: Run) -> &[Value] {
        &self.items[run.range()]
    }

    pub(crate) fn raw(&self, leaf: Leaf) -> &[u8] {
        &self.from(leaf)[..leaf.len as usize]
    }

    /// The body a leaf is in, from the leaf on.
    #[inline]
    pub(crate) fn from(&self, leaf: Leaf) -> &[u8] {
        &self.buffers[leaf.buffer as usize][leaf.start as usize..]
    }
}

/// Bodies are read only while all that was received fits 32 bits, and whatever is kept of a body is smaller than it.
pub(crate) fn index(at: usize) -> u32 {
    u32::try_from(at).expect("a request's tree is bounded by the bytes received")
}
