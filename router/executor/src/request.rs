//! Writes a fetch's request body.
use bytes::Bytes;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;
use std::ops::Range;

use crate::arena::{Arena, ObjectId};
use crate::inputs::Inputs;
use crate::known::{Memory, Reused};
use crate::program::{Body, Entry, Fetch, Group};
use crate::represent::{Representation, represent};
use crate::types::RuntimeType;
use crate::walk::Once;

/// A request body, and what its answer will be about.
#[derive(Debug, Default)]
pub struct Request {
    /// The whole body.
    pub body: Bytes,
    /// For each entity group of the fetch, in order.
    pub(crate) sent: Vec<SentGroup>,
    /// It is the fetch's fallback that was asked.
    pub(crate) fallback: bool,
}

/// What became of a fetch's inputs.
#[derive(Debug)]
pub(crate) struct Made {
    /// `None` when there is no entity to ask for.
    pub(crate) body: Option<Bytes>,
    /// For each entity group of the fetch, in order.
    pub(crate) sent: Vec<SentGroup>,
    /// Objects that were left out, if the fetch has a fallback for them.
    pub(crate) left_out: Vec<ObjectId>,
}

/// The entities of a group that were asked for.
#[derive(Debug, Default)]
pub(crate) struct SentGroup {
    /// How many representations were sent.
    pub(crate) count: u32,
    pub(crate) asked: Vec<Asked>,
    /// Objects that need not be asked for.
    pub(crate) reused: Vec<Reused>,
}

/// An object that waits for the entity of a representation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) representation: u32,
    pub(crate) object: ObjectId,
    /// The `__typename` sent, if it is an object type of the plan.
    pub(crate) typename: RuntimeType,
}

/// Where the inputs of a fetch are looked for.
#[derive(Clone, Copy)]
pub(crate) struct Tree<'a> {
    pub(crate) arena: &'a Arena,
    pub(crate) root: ObjectId,
    /// For each fetch of the plan, whether it had any error.
    pub(crate) failed: &'a [bool],
    /// Only these objects count, in ascending order.
    pub(crate) only: Option<&'a [ObjectId]>,
}

/// The request of a fetch.
pub(crate) fn request(fetch: &Fetch, inputs: &Inputs, tree: Tree<'_>) -> Made {
    let mut made = Made {
        body: None,
        sent: Vec::new(),
        left_out: Vec::new(),
    };
    if let Entry::Queries(group) = &fetch.entry {
        made.sent.push(queried(group, tree));
        if made.sent[0].count == 0 {
            return made;
        }
    }
    let (head, variables) = match &fetch.body {
        Body::Fixed(body) => {
            made.body = Some(body.clone());
            return made;
        }
        Body::Open { head, variables } => (head, variables),
    };
    let mut out = Vec::with_capacity(head.len() + 256);
    out.extend_from_slice(head);
    write_variables(variables, inputs, &mut out);
    if let Entry::Entities(groups) = &fetch.entry {
        for group in groups {
            separate(&mut out);
            let (sent, left_out) = write_group(group, tree, fetch.fallback.is_some(), &mut out);
            made.sent.push(sent);
            made.left_out.extend(left_out);
        }
        if made.sent.iter().all(|group| group.count == 0) {
            return made;
        }
    }
    out.extend_from_slice(b"}}");
    made.body = Some(out.into());
    made
}

/// The request of a fetch's fallback for objects that the fetch itself left out; `None` when it has none of them either.
pub(crate) fn fallback(
    fetch: &Fetch,
    inputs: &Inputs,
    tree: Tree<'_>,
    mut left_out: Vec<ObjectId>,
) -> Option<Request> {
    let fallback = fetch.fallback.as_deref().filter(|_| !left_out.is_empty())?;
    left_out.sort_unstable();
    let only = Some(&*left_out);
    let made = request(fallback, inputs, Tree { only, ..tree });
    Some(Request {
        body: made.body?,
        sent: made.sent,
        fallback: true,
    })
}

/// The objects that one answer is for.
fn queried(group: &Group, tree: Tree<'_>) -> SentGroup {
    let Tree { arena, root, .. } = tree;
    let (mut batch, mut text) = (Batch::default(), Vec::new());
    let mut once = Once::new(arena);
    for target in &group.targets {
        let found = &mut |object| _ = batch.add(arena, object, &target.representations, &mut text);
        once.walk(arena, root, &target.path, found);
    }
    batch.sent()
}

/// The client's variables that a query uses and that have values.
pub(crate) fn write_variables(variables: &[(Box<str>, Box<[u8]>)], inputs: &Inputs, out: &mut Vec<u8>) {
    for (name, key) in variables {
        if let Some(value) = inputs.variable(name) {
            separate(out);
            out.extend_from_slice(key);
            out.extend_from_slice(value);
        }
    }
}

/// A comma, except after the opening brace.
pub(crate) fn separate(out: &mut Vec<u8>) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
}

/// Gives also, where somebody wants to know them, the objects that were left out.
fn write_group(group: &Group, tree: Tree<'_>, wanted: bool, out: &mut Vec<u8>) -> (SentGroup, Vec<ObjectId>) {
    let Tree {
        arena,
        root,
        failed,
        only,
    } = tree;
    let mut left_out = Vec::new();
    out.extend_from_slice(&group.variable);
    out.push(b'[');
    let mut batch = Batch {
        memory: Memory::of(group, arena, root, failed),
        ..Batch::default()
    };
    let mut once = Once::new(arena);
    for target in &group.targets {
        once.walk(arena, root, &target.path, &mut |object| {
            if only.is_some_and(|only| only.binary_search(&object).is_err()) {
                return;
            }
            if !batch.add(arena, object, &target.representations, out) && wanted {
                left_out.push(object);
            }
        });
    }
    out.push(b']');
    (batch.sent(), left_out)
}

/// Representations being written, equal ones once.
#[derive(Default)]
pub(crate) struct Batch {
    equal: Equal,
    memory: Memory,
    asked: Vec<Asked>,
    reused: Vec<Reused>,
}

impl Batch {
    /// Appends the representation of an entity, if it has one, none like it is there, and the entity is not known.
    /// Gives whether it has one.
    pub(crate) fn add(
        &mut self,
        arena: &Arena,
        object: ObjectId,
        representations: &[Representation],
        out: &mut Vec<u8>,
    ) -> bool {
        let mark = out.len();
        if !self.equal.spans.is_empty() {
            out.push(b',');
        }
        let start = out.len();
        let Some(typename) = represent(arena, object, representations, out) else {
            out.truncate(mark);
            return false;
        };
        if let Some(known) = self.memory.find(&out[start..], object) {
            self.reused.push(known);
            out.truncate(mark);
            return true;
        }
        let (representation, new) = self.equal.number(out, start);
        if !new {
            out.truncate(mark);
        }
        self.asked.push(Asked {
            representation,
            object,
            typename,
        });
        true
    }

    pub(crate) fn sent(self) -> SentGroup {
        SentGroup {
            count: crate::arena::index(self.equal.spans.len()),
            asked: self.asked,
            reused: self.reused,
        }
    }
}

/// Numbers texts, equal ones alike.
#[derive(Default)]
struct Equal {
    spans: Vec<Range<usize>>,
    /// Each with its hash, so that growing reads no text again.
    numbers: HashTable<(u32, u64)>,
    hasher: DefaultHashBuilder,
}

impl Equal {
    /// The number of `out[start..]`, and whether it is new.
    fn number(&mut self, out: &[u8], start: usize) -> (u32, bool) {
        let text = &out[start..];
        let spans = &self.spans;
        let at = |number: u32| &out[spans[number as usize].clone()];
        let hash = self.hasher.hash_one(text);
        let same = |(number, other): &(u32, u64)| *other == hash && at(*number) == text;
        if let Some((number, _)) = self.numbers.find(hash, same) {
            return (*number, false);
        }
        let number = crate::arena::index(spans.len());
        self.numbers
            .insert_unique(hash, (number, hash), |(_, hash)| *hash);
        self.spans.push(start..out.len());
        (number, true)
    }
}
