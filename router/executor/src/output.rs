//! The client's answer as it is written.
//!
//! What is written next often stands next in the subgraph's body as well: the same key, the same value, the same brace.
//! So bytes of a body are not copied at once: they are *pending*, and as long as what is written equals what follows
//! them there, there is just more pending. A run of fields, of objects, or a whole list is copied in one piece.
use std::ops::Range;

use bytes::Bytes;

use crate::arena::{Arena, Leaf};
use crate::literal::Literal;

#[derive(Debug)]
pub(crate) struct Output<'a> {
    arena: &'a Arena,
    text: Vec<u8>,
    /// A body, from where the pending bytes begin; empty if nothing is pending.
    body: &'a [u8],
    /// How many bytes of `body` are pending.
    pending: usize,
    /// Which body it is, and where in it the pending bytes end.
    buffer: u16,
    end: u32,
}

/// A place in an output, to cut back to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(usize);

impl Mark {
    /// How many bytes are before it.
    pub(crate) fn place(self) -> usize {
        self.0
    }
}

/// So many bytes are copied at once where that is shorter than a call.
const WIDTH: usize = 32;

impl<'a> Output<'a> {
    /// For an answer of about `room` bytes at most.
    pub(crate) fn new(arena: &'a Arena, room: usize) -> Output<'a> {
        Output::with_capacity(arena, arena.received().min(room) + 64)
    }

    /// For a part of an answer.
    pub(crate) fn with_capacity(arena: &'a Arena, capacity: usize) -> Output<'a> {
        Output {
            arena,
            text: Vec::with_capacity(capacity),
            body: &[],
            pending: 0,
            buffer: 0,
            end: 0,
        }
    }

    /// Appends a literal.
    #[inline(always)]
    pub(crate) fn literal(&mut self, literal: &Literal) {
        if literal.begins(&self.body[self.pending..]) {
            self.extend(literal.len());
        } else {
            self.flush();
            literal.append(&mut self.text);
        }
    }

    #[inline(always)]
    pub(crate) fn byte(&mut self, byte: u8) {
        if self.body.get(self.pending) == Some(&byte) {
            self.extend(1);
        } else {
            self.flush();
            self.text.push(byte);
        }
    }

    pub(crate) fn text(&mut self, text: &[u8]) {
        if self.body[self.pending..].starts_with(text) {
            self.extend(text.len());
        } else {
            self.flush();
            self.text.extend_from_slice(text);
        }
    }

    /// Appends a leaf.
    #[inline(always)]
    pub(crate) fn leaf(&mut self, leaf: Leaf) {
        if self.pending > 0 && self.buffer == leaf.buffer && self.end == leaf.start {
            self.extend(leaf.len as usize);
        } else {
            self.flush();
            self.body = self.arena.from(leaf);
            self.pending = leaf.len as usize;
            self.buffer = leaf.buffer;
            self.end = leaf.start + leaf.len;
        }
    }

    #[inline(always)]
    fn extend(&mut self, bytes: usize) {
        self.pending += bytes;
        self.end += bytes as u32;
    }

    #[inline]
    fn flush(&mut self) {
        match self.body.first_chunk::<WIDTH>() {
            Some(chunk) if self.pending <= WIDTH => {
                self.text.extend_from_slice(chunk);
                self.text.truncate(self.text.len() - WIDTH + self.pending);
            }
            _ => self.text.extend_from_slice(&self.body[..self.pending]),
        }
        self.body = &[];
        self.pending = 0;
    }

    /// Bytes written.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.text.len() + self.pending
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark(self.len())
    }

    /// Appends what was appended before.
    pub(crate) fn repeat(&mut self, text: Range<usize>) {
        self.flush();
        self.text.extend_from_within(text);
    }

    /// Takes back what was appended since `mark`.
    pub(crate) fn cut(&mut self, mark: Mark) {
        self.flush();
        self.text.truncate(mark.0);
    }

    /// All that was written, and after it what `last` appends.
    pub(crate) fn finish(mut self, last: impl FnOnce(&mut Vec<u8>)) -> Bytes {
        self.flush();
        last(&mut self.text);
        self.text.into()
    }
}
