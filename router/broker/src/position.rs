//! Where a stream is in a topic: the next offset of each partition.
//!
//! As text it is a cursor: version, a mark of the topic, and the offsets, in base64. It is checked, not signed: it gives
//! nobody a record that the filters of a stream do not, so a forged one only begins elsewhere.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::{Extent, LogError};

/// The first byte of a cursor.
const VERSION: u8 = 1;
/// More partitions than any topic has.
const MOST: usize = 10_000;

/// The next offset of each partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position(Vec<i64>);

impl Position {
    /// At these offsets.
    pub fn at(offsets: Vec<i64>) -> Position {
        Position(offsets)
    }

    /// After all that there is.
    pub fn end_of(extents: &[Extent]) -> Position {
        Position(extents.iter().map(|extent| extent.next).collect())
    }

    /// The offsets, by partition.
    pub fn offsets(&self) -> &[i64] {
        &self.0
    }

    /// The next offset of a partition; of one that is not known yet, its beginning.
    pub fn of(&self, partition: usize) -> i64 {
        self.0.get(partition).copied().unwrap_or(0)
    }

    /// Goes on to after a record.
    pub fn pass(&mut self, partition: usize, offset: i64) {
        self.reach(partition, offset + 1);
    }

    /// Is at `next` or after.
    pub fn reach(&mut self, partition: usize, next: i64) {
        if self.0.len() <= partition {
            self.0.resize(partition + 1, 0);
        }
        self.0[partition] = self.0[partition].max(next);
    }

    /// Is where `other` is, or after.
    pub fn reach_all(&mut self, other: &Position) {
        for (partition, next) in other.0.iter().enumerate() {
            self.reach(partition, *next);
        }
    }

    /// Whether nothing that is before `other` comes after this.
    pub fn has_reached(&self, other: &Position) -> bool {
        let partitions = 0..self.0.len().max(other.0.len());
        partitions
            .into_iter()
            .all(|partition| self.of(partition) >= other.of(partition))
    }

    /// The same with a place in every partition that there is.
    ///
    /// # Errors
    /// If records after it are no longer kept, or it is of another topic of this name.
    pub fn within(&self, extents: &[Extent]) -> Result<Position, LogError> {
        if self.0.len() > extents.len() {
            return Err(LogError::Expired);
        }
        let kept = |(partition, extent): (usize, &Extent)| {
            // A partition that is newer than the position is read from its beginning.
            let next = self.of(partition);
            (extent.first <= next && next <= extent.next).then_some(next)
        };
        let offsets: Option<Vec<i64>> = extents.iter().enumerate().map(kept).collect();
        offsets.map(Position).ok_or(LogError::Expired)
    }

    /// As a cursor in this topic.
    pub fn cursor(&self, topic: &str) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&mark(topic));
        for offset in &self.0 {
            let mut left = offset.unsigned_abs();
            while left >= 0x80 {
                bytes.push((left & 0x7f) as u8 | 0x80);
                left >>= 7;
            }
            bytes.push(left as u8);
        }
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position that a cursor in this topic tells; `None` if it is none.
    pub fn of_cursor(cursor: &str, topic: &str) -> Option<Position> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let mut rest = bytes.strip_prefix(&[VERSION])?.strip_prefix(&mark(topic))?;
        let mut offsets = Vec::new();
        while !rest.is_empty() {
            let (offset, read) = varint(rest)?;
            offsets.push(offset);
            rest = &rest[read..];
            if offsets.len() > MOST {
                return None;
            }
        }
        Some(Position(offsets))
    }
}

fn varint(bytes: &[u8]) -> Option<(i64, usize)> {
    let mut value = 0u64;
    for (index, byte) in bytes.iter().take(9).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((i64::try_from(value).ok()?, index + 1));
        }
    }
    None
}

/// FNV-1a: tells topics apart, and need not do more.
fn mark(topic: &str) -> [u8; 4] {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    topic.bytes().fold(0x811c_9dc5, step).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_nothing_else_does() {
        for offsets in [vec![], vec![0], vec![1, 127, 128, 300, i64::MAX]] {
            let position = Position::at(offsets);
            let cursor = position.cursor("orders");
            assert_eq!(Position::of_cursor(&cursor, "orders"), Some(position));
            assert_eq!(Position::of_cursor(&cursor, "payments"), None, "of another topic");
        }
        let cursor = Position::at(vec![300]).cursor("orders");
        for broken in [
            "",
            "x",
            "!!",
            "17",
            &cursor[1..],
            &cursor[..cursor.len() - 1],
            &format!("{cursor}_w"),
        ] {
            assert_eq!(Position::of_cursor(broken, "orders"), None, "{broken}");
        }
    }

    #[test]
    fn a_position_is_good_while_its_records_are_kept() {
        let extent = |first, next| Extent { first, next };
        let position = Position::at(vec![5, 7]);
        let within = |extents: &[Extent]| position.within(extents).ok().map(|position| position.0);
        assert_eq!(within(&[extent(0, 9), extent(7, 7)]), Some(vec![5, 7]));
        assert_eq!(
            within(&[extent(0, 9), extent(7, 7), extent(0, 4)]),
            Some(vec![5, 7, 0])
        );
        assert_eq!(within(&[extent(6, 9), extent(7, 7)]), None, "a record is gone");
        assert_eq!(
            within(&[extent(0, 4), extent(0, 7)]),
            None,
            "the topic is another"
        );
        assert_eq!(within(&[extent(0, 9)]), None);
    }

    #[test]
    fn positions_only_grow() {
        let mut position = Position::at(vec![5, 7]);
        position.pass(0, 2);
        assert_eq!(position, Position::at(vec![5, 7]));
        position.pass(2, 0);
        assert_eq!(position, Position::at(vec![5, 7, 1]));
        assert!(position.has_reached(&Position::at(vec![5])));
        assert!(!position.has_reached(&Position::at(vec![5, 8])));
        position.reach_all(&Position::at(vec![0, 8]));
        assert_eq!(position, Position::at(vec![5, 8, 1]));
    }
}
