//! Lists of objects, and the items of them that come later.
use baedal_planner::plan::{StreamedList, Wrapping};

use super::{Writer, Written};
use crate::arena::Value;
use crate::projection::Composite;
use crate::trail::{Step, Trail};
use crate::view::{Rest, View};

impl<'p, V: View<'p>> Writer<'p, '_, V> {
    /// Items of a list, the first of which has this index.
    pub(super) fn items(
        &mut self,
        items: &[Value],
        first: usize,
        (item, of): (&Wrapping, &'p Composite),
        trail: &Trail<'_>,
    ) -> Written {
        self.out.byte(b'[');
        let written = items.iter().enumerate().try_for_each(|(offset, &value)| {
            if offset > 0 {
                self.out.byte(b',');
            }
            let trail = Trail {
                above: Some(trail),
                at: Step::Index(first + offset),
            };
            self.composite(Some(value), item, of, &trail)
        });
        self.out.byte(b']');
        written
    }

    /// The first items of a list; the rest is noted.
    pub(super) fn streamed(
        &mut self,
        stream: &StreamedList,
        rest: Rest<'p>,
        wrapping: &Wrapping,
        trail: &Trail<'_>,
    ) -> Written {
        let mark = self.out.mark();
        let all = self.arena.items(rest.items);
        let now = &all[..rest.first.min(all.len())];
        let written = self.items(now, 0, (rest.wrapping, rest.of), trail);
        if written.is_ok() && now.len() < all.len() {
            self.view.list(mark.place(), stream, rest, trail);
        }
        self.settle(written, wrapping, mark)
    }

    /// The items of a list that were not written before.
    pub(super) fn rest(&mut self, rest: &Rest<'p>, trail: &Trail<'_>) -> Written {
        let items = self.arena.items(rest.items).get(rest.first..).unwrap_or_default();
        self.items(items, rest.first, (rest.wrapping, rest.of), trail)
    }
}
