//! Which fields of the answer are written, and what is noted on the way for what comes later.
use baedal_planner::plan::{FragmentId, PartId, StreamedList, Wrapping};

use crate::arena::{ObjectId, Run};
use crate::errors::Segment;
use crate::projection::{Composite, Field, Projection};
use crate::trail::Trail;
use crate::types::RuntimeType;

/// An object as it is written.
pub(crate) type Object<'p> = (ObjectId, RuntimeType, &'p Projection);

/// What the writer asks.
pub(crate) trait View<'p> {
    /// Whether what was written of an object may be written again without looking.
    const REPEATS: bool;

    /// Whether a field is written.
    fn shows(&self, field: &Field) -> bool;

    /// An object is begun, after so many bytes.
    fn enter(&mut self, at: usize, object: Object<'p>, trail: Option<&Trail<'_>>);

    /// Only the first items of a list were written, after so many bytes.
    fn list(&mut self, at: usize, stream: &StreamedList, rest: Rest<'p>, trail: &Trail<'_>);

    /// What was written after so many bytes is taken back.
    fn cut(&mut self, at: usize);
}

/// All of an answer.
pub(crate) struct Whole;

impl<'p> View<'p> for Whole {
    const REPEATS: bool = true;

    #[inline(always)]
    fn shows(&self, _: &Field) -> bool {
        true
    }

    #[inline(always)]
    fn enter(&mut self, _: usize, _: Object<'p>, _: Option<&Trail<'_>>) {}

    fn list(&mut self, _: usize, _: &StreamedList, _: Rest<'p>, _: &Trail<'_>) {}

    #[inline(always)]
    fn cut(&mut self, _: usize) {}
}

/// Stands for the object of a list.
const NOBODY: ObjectId = ObjectId(0);

/// Which fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Those of a part, each of which is written once.
    Part(PartId),
    /// All that a fragment selects, whatever was written before.
    Fragment(FragmentId),
}

/// Something of an object that comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A deferred fragment begins there.
    Fragment(FragmentId),
    /// Some of its fields are of this part.
    Fields(PartId),
}

/// An object of the answer, of which something comes later.
#[derive(Clone, Debug)]
pub(crate) struct Found<'p> {
    pub(crate) what: What,
    pub(crate) object: ObjectId,
    pub(crate) runtime: RuntimeType,
    pub(crate) projection: &'p Projection,
    pub(crate) path: Vec<Segment>,
    /// It is no object, but the rest of a list.
    pub(crate) rest: Option<Rest<'p>>,
    /// How many bytes were written before it.
    at: usize,
}

impl<'p> Found<'p> {
    /// The root, of which nothing was written.
    pub(crate) fn root(object: ObjectId, projection: &'p Projection) -> Found<'p> {
        Found {
            what: What::Fields(PartId::FIRST),
            object,
            runtime: RuntimeType::Unknown,
            projection,
            path: Vec::new(),
            rest: None,
            at: 0,
        }
    }
}

/// The items of a list that come later.
#[derive(Clone, Debug)]
pub(crate) struct Rest<'p> {
    pub(crate) items: Run,
    /// How many came.
    pub(crate) first: usize,
    pub(crate) wrapping: &'p Wrapping,
    pub(crate) of: &'p Composite,
    /// What is shown of them.
    pub(crate) shown: Shown,
}

/// A part of an answer.
pub(crate) struct Parts<'p, 'a> {
    shown: Shown,
    /// For each fragment the one it waits for.
    parents: &'a [Option<FragmentId>],
    /// The object whose part this is was there before.
    known: bool,
    /// Whether fragments are delivered whole: then only those are noted that wait for what is written.
    whole: bool,
    pub(crate) found: Vec<Found<'p>>,
}

impl<'p, 'a> Parts<'p, 'a> {
    /// `whole`: fragments are delivered one by one, with all they select.
    /// What is written is of `place`.
    pub(crate) fn new(
        shown: Shown,
        parents: &'a [Option<FragmentId>],
        whole: bool,
        place: &Found<'p>,
    ) -> Parts<'p, 'a> {
        Parts {
            shown,
            parents,
            known: place.what != What::Fields(PartId::FIRST) && place.rest.is_none(),
            whole,
            found: Vec::new(),
        }
    }

    fn fragments(&self, (_, runtime, projection): Object<'p>) -> impl Iterator<Item = What> {
        let current = match self.shown {
            Shown::Part(_) => None,
            Shown::Fragment(fragment) => Some(fragment),
        };
        let parent = |fragment: FragmentId| self.parents.get(fragment.0 as usize).copied().flatten();
        let waits = move |fragment: FragmentId| !self.whole || parent(fragment) == current;
        let here = projection
            .spreads
            .iter()
            .filter(move |(_, on)| on.matches(runtime));
        here.map(|(fragment, _)| *fragment)
            .filter(move |one| waits(*one))
            .map(What::Fragment)
    }

    /// The other parts that fields of an object are in.
    fn others(&self, (_, runtime, projection): Object<'p>) -> Vec<What> {
        let mut others: Vec<What> = Vec::new();
        let Shown::Part(part) = self.shown else {
            return others;
        };
        for field in projection.fields.iter().filter(|field| field.on.matches(runtime)) {
            let what = What::Fields(field.part());
            if field.part() != part && !others.contains(&what) {
                others.push(what);
            }
        }
        others
    }
}

impl<'p> View<'p> for Parts<'p, '_> {
    const REPEATS: bool = false;

    fn shows(&self, field: &Field) -> bool {
        match self.shown {
            Shown::Part(part) => field.part() == part,
            Shown::Fragment(fragment) => {
                let deferral = field.deferral.as_ref();
                deferral.is_some_and(|deferral| deferral.fragments.contains(&fragment))
            }
        }
    }

    fn enter(&mut self, at: usize, object: Object<'p>, trail: Option<&Trail<'_>>) {
        if std::mem::take(&mut self.known) && !self.whole {
            return;
        }
        let mut found: Vec<What> = self.fragments(object).collect();
        if !self.whole {
            found.extend(self.others(object));
        }
        let (id, runtime, projection) = object;
        for what in found {
            self.found.push(Found {
                what,
                object: id,
                runtime,
                projection,
                path: trail.map_or_else(Vec::new, Trail::path),
                rest: None,
                at,
            });
        }
    }

    fn list(&mut self, at: usize, stream: &StreamedList, rest: Rest<'p>, trail: &Trail<'_>) {
        let path = trail.path();
        for what in [What::Fragment(stream.fragment), What::Fields(stream.part)] {
            self.found.push(Found {
                what,
                object: NOBODY,
                runtime: RuntimeType::Unknown,
                projection: &rest.of.projection,
                path: path.clone(),
                rest: Some(Rest {
                    shown: self.shown,
                    ..rest.clone()
                }),
                at,
            });
        }
    }

    fn cut(&mut self, at: usize) {
        self.found.retain(|found| found.at < at);
    }
}
