//! Objects that came before, letter by letter: an entity that a subgraph repeats wherever it stands is read, completed by
//! other fetches and written once, however often it is in the body.
//!
//! Whether two equal texts may be one object is known when a plan is compiled ([`crate::places::Places::alike`]): where
//! all that ever becomes of an object follows from the object itself.
use crate::arena::{ObjectId, index};
use crate::shape::Shape;

/// Entries of the table, for bodies of any length.
const MOST: usize = 1024;
const FEWEST: usize = 64;
/// After so many looks it is decided whether looking pays, ...
const TRIAL: u32 = 128;
/// ... which it does if one of so many finds something.
const WORTH: u32 = 16;

/// The objects of one body: a table of fixed size, in which a newer object takes the place of an older one.
#[derive(Debug, Default)]
pub(crate) struct Twins {
    table: Vec<Twin>,
    looks: u32,
    found: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Twin {
    /// Where its text is in the body; empty if there is none.
    start: u32,
    len: u32,
    /// The shape, by its address: it lives as long as the program.
    shape: usize,
    object: u32,
}

/// Where an object that was not found is kept once it is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vacancy(usize);

impl Twins {
    /// Forgets all: another body is read.
    pub(crate) fn clear(&mut self) {
        self.table.clear();
        (self.looks, self.found) = (0, 0);
    }

    /// Whether looking for twins is worth its time.
    #[inline]
    pub(crate) fn pays(&self) -> bool {
        self.looks < TRIAL || self.found * WORTH >= self.looks
    }

    /// The object whose text `body` has at `start`, and its length, if it is known. Objects are told apart by what
    /// precedes `end`, where the first of their values ends.
    pub(crate) fn find(
        &mut self,
        body: &[u8],
        start: usize,
        end: usize,
        shape: &Shape,
    ) -> Result<(ObjectId, usize), Vacancy> {
        if self.table.is_empty() {
            let size = (body.len() / 64).next_power_of_two().clamp(FEWEST, MOST);
            self.table.resize(size, Twin::default());
        }
        self.looks += 1;
        let address = std::ptr::from_ref(shape).addr();
        let place = hash(&body[..end], address) & (self.table.len() - 1);
        let twin = self.table[place];
        let (from, len) = (twin.start as usize, twin.len as usize);
        if twin.shape == address && len > 0 && body[start..].starts_with(&body[from..from + len]) {
            self.found += 1;
            return Ok((ObjectId(twin.object), len));
        }
        Err(Vacancy(place))
    }

    /// Keeps an object that was read from `start` on.
    pub(crate) fn keep(&mut self, at: Vacancy, shape: &Shape, start: usize, len: usize, object: ObjectId) {
        self.table[at.0] = Twin {
            start: index(start),
            len: index(len),
            shape: std::ptr::from_ref(shape).addr(),
            object: object.0,
        };
    }
}

/// Of the last letters, which tell one key from another.
#[inline]
fn hash(text: &[u8], shape: usize) -> usize {
    let last = text
        .last_chunk::<16>()
        .map_or(0, |chunk| u128::from_le_bytes(*chunk));
    let folded = (last as u64) ^ ((last >> 64) as u64).rotate_left(23) ^ (shape as u64).rotate_left(40);
    (folded.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize
}
