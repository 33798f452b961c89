//! The way to a place in the answer, told only when something is wrong there.
use crate::errors::Segment;

/// The way to where the writer is, on its stack.
pub(crate) struct Trail<'t> {
    pub(crate) above: Option<&'t Trail<'t>>,
    pub(crate) at: Step<'t>,
}

#[derive(Clone, Copy)]
pub(crate) enum Step<'t> {
    Key(&'t str),
    Index(usize),
    /// The way to an object of which a part is written.
    Place(&'t [Segment]),
}

impl Trail<'_> {
    /// The path in the answer.
    pub(crate) fn path(&self) -> Vec<Segment> {
        let steps = std::iter::successors(Some(self), |trail| trail.above);
        let mut path: Vec<Segment> = Vec::new();
        for trail in steps {
            match trail.at {
                Step::Key(key) => path.push(Segment::Key(key.into())),
                Step::Index(index) => path.push(Segment::Index(index)),
                Step::Place(place) => path.extend(place.iter().rev().cloned()),
            }
        }
        path.reverse();
        path
    }
}
