//! Leaves, and lists of them.
use baedal_planner::plan::Wrapping;

use super::{Writer, Written};
use crate::arena::Value;
use crate::leaf::{LeafKind, for_each_item};
use crate::scan::Form;
use crate::trail::{Step, Trail};
use crate::view::View;

impl<'p, V: View<'p>> Writer<'p, '_, V> {
    pub(super) fn leaf(
        &mut self,
        value: Option<Value>,
        wrapping: &Wrapping,
        kind: &LeafKind,
        trail: &Trail<'_>,
    ) -> Written {
        let mark = self.out.mark();
        let written = match value {
            Some(Value::Leaf(leaf)) => {
                let arena = self.arena;
                if kind.fits_all(leaf.form, wrapping, || arena.raw(leaf)) {
                    self.out.leaf(leaf);
                    return Ok(());
                }
                self.flawed_leaf(leaf.form, arena.raw(leaf), wrapping, kind, trail)
            }
            None | Some(Value::Null) => self.null(wrapping, trail),
            Some(_) => self.wrong(kind.describe(), trail),
        };
        self.settle(written, wrapping, mark)
    }

    /// A leaf (or list of leaves) with something wrong in it: item by item, to find where.
    fn flawed_leaf(
        &mut self,
        form: Form,
        raw: &[u8],
        wrapping: &Wrapping,
        kind: &LeafKind,
        trail: &Trail<'_>,
    ) -> Written {
        if form == Form::Null || (wrapping.item.is_none() && kind.hides(raw)) {
            return self.null(wrapping, trail);
        }
        let mark = self.out.mark();
        let written = match &wrapping.item {
            None if kind.fits(form, || raw) => {
                self.out.text(raw);
                Ok(())
            }
            None => self.wrong(kind.describe(), trail),
            Some(item) => self.flawed_list(raw, item, kind, trail),
        };
        self.settle(written, wrapping, mark)
    }

    fn flawed_list(&mut self, raw: &[u8], item: &Wrapping, kind: &LeafKind, trail: &Trail<'_>) -> Written {
        let mut written = Ok(());
        let mut index = 0;
        self.out.byte(b'[');
        let is_list = for_each_item(raw, &mut |form, raw| {
            if index > 0 {
                self.out.byte(b',');
            }
            let trail = Trail {
                above: Some(trail),
                at: Step::Index(index),
            };
            index += 1;
            if written.is_ok() {
                written = self.flawed_leaf(form, raw, item, kind, &trail);
            }
        });
        self.out.byte(b']');
        if is_list {
            written
        } else {
            self.wrong("a list", trail)
        }
    }
}
