//! Where objects stand in the answer. An entity that is reached by several ways brings the same objects to each of them,
//! and a list below them, and so on: what was written once of an object by the same projection is copied from there.
//!
//! A table of a fixed size, in which a newer object takes the place of an older one: a search costs a multiplication,
//! and an answer in which nothing repeats pays no more than that.
use std::ops::Range;

use crate::arena::ObjectId;
use crate::projection::Projection;

/// Places of the table, for answers of many objects.
const MOST: usize = 1024;
/// With fewer objects than this nothing is kept.
const FEWEST: usize = 24;

#[derive(Debug, Default)]
pub(crate) struct Memo {
    kept: Vec<Kept>,
}

#[derive(Clone, Debug, Default)]
struct Kept {
    /// Its number and one, so that nothing is the object of an empty place.
    object: u64,
    /// The projection, by its address: it lives as long as the program.
    projection: usize,
    text: Range<usize>,
}

impl Memo {
    /// For an answer made of so many objects.
    pub(crate) fn new(objects: usize) -> Memo {
        let size = match objects {
            0..FEWEST => 0,
            many => many.next_power_of_two().min(MOST),
        };
        Memo {
            kept: vec![Kept::default(); size],
        }
    }

    /// Where the object was written, if it was.
    #[inline]
    pub(crate) fn find(&self, object: ObjectId, projection: &Projection) -> Option<Range<usize>> {
        let (number, address) = key(object, projection);
        let kept = self.kept.get(self.place(number, address))?;
        (kept.object == number && kept.projection == address).then(|| kept.text.clone())
    }

    /// Keeps where it was written.
    #[inline]
    pub(crate) fn keep(&mut self, object: ObjectId, projection: &Projection, text: Range<usize>) {
        let (number, address) = key(object, projection);
        let place = self.place(number, address);
        if let Some(kept) = self.kept.get_mut(place) {
            *kept = Kept {
                object: number,
                projection: address,
                text,
            };
        }
    }

    fn place(&self, number: u64, address: usize) -> usize {
        // Fibonacci hashing; the table's size is a power of two, or nothing.
        let mixed = (number ^ (address as u64).rotate_left(20)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> 32) as usize & self.kept.len().saturating_sub(1)
    }
}

fn key(object: ObjectId, projection: &Projection) -> (u64, usize) {
    (u64::from(object.0) + 1, std::ptr::from_ref(projection).addr())
}
