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
}

impl Trail<'_> {
    /// The path in the answer.
    pub(crate) fn path(&self) -> Vec<Segment> {
        let steps = std::iter::successors(Some(self), |trail| trail.above);
        let segment = |trail: &Trail<'_>| match trail.at {
            Step::Key(key) => Segment::Key(key.into()),
            Step::Index(index) => Segment::Index(index),
        };
        let mut path: Vec<Segment> = steps.map(segment).collect();
        path.reverse();
        path
    }
}
