//! The latest records of a topic, so that whoever was away for a moment needs no reader.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::{Position, Record};

/// The latest records, up to a number of bytes.
pub struct Recent {
    records: VecDeque<Arc<Record>>,
    /// What is after this is here, or has not come yet.
    from: Position,
    weight: usize,
    limit: usize,
}

impl Recent {
    /// None yet: all after `from` is still to come.
    pub fn after(from: Position, limit: usize) -> Recent {
        Recent {
            records: VecDeque::new(),
            from,
            weight: 0,
            limit,
        }
    }

    /// Remembers one more, and forgets the oldest.
    pub fn push(&mut self, record: Arc<Record>) {
        self.weight += record.weight();
        self.records.push_back(record);
        while self.weight > self.limit {
            let Some(oldest) = self.records.pop_front() else {
                return;
            };
            self.weight -= oldest.weight();
            self.from.pass(oldest.partition, oldest.offset);
        }
    }

    /// All after `position` that `wanted` wants; `None` if not all of it is here.
    pub fn since(
        &self,
        position: &Position,
        wanted: impl Fn(&Record) -> bool,
    ) -> Option<VecDeque<Arc<Record>>> {
        position.has_reached(&self.from).then(|| {
            let missed = self
                .records
                .iter()
                .filter(|record| record.offset >= position.of(record.partition) && wanted(record));
            missed.cloned().collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn record(offset: i64) -> Arc<Record> {
        Arc::new(Record::new(0, offset, None, Bytes::from_static(b"xxxxxxxxxx")))
    }

    #[test]
    fn what_is_forgotten_is_not_pretended_to_be_nothing() {
        let limit = 3 * record(0).weight();
        let mut recent = Recent::after(Position::at(vec![4]), limit);
        for offset in 4..10 {
            recent.push(record(offset));
        }
        let since = |next: i64| {
            let found = recent.since(&Position::at(vec![next]), |_| true)?;
            Some(found.iter().map(|record| record.offset).collect::<Vec<_>>())
        };
        assert_eq!(since(7), Some(vec![7, 8, 9]));
        assert_eq!(since(9), Some(vec![9]));
        assert_eq!(since(10), Some(vec![]));
        assert_eq!(since(6), None);
    }
}
