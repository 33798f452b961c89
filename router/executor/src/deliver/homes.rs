//! With which part of an answer an error is told: with that of the field it is about; one that is about a whole fetch, with
//! what the fetch was for.
use baedal_planner::plan::{FetchId, FragmentId, Incremental, PartId};

use crate::errors::{Problem, Segment};
use crate::program::Program;
use crate::projection::{Projection, Source};

pub(super) struct Homes<'p> {
    answer: &'p Projection,
    incremental: Option<&'p Incremental>,
}

impl<'p> Homes<'p> {
    pub(super) fn new(program: &'p Program) -> Homes<'p> {
        Homes {
            answer: &program.answer,
            incremental: program.incremental(),
        }
    }

    /// Whether an error belongs to the first answer.
    pub(super) fn is_first(&self, problem: &Problem, origin: Option<FetchId>) -> bool {
        self.part_at(&problem.path) == PartId::FIRST && self.needs(PartId::FIRST, origin)
    }

    /// Whether an error belongs to a part.
    pub(super) fn is_in(&self, part: PartId, problem: &Problem, origin: Option<FetchId>) -> bool {
        let place = self.part_at(&problem.path);
        place == part || place == PartId::FIRST && origin.is_some() && self.needs(part, origin)
    }

    /// Whether an error belongs to any part that a fragment defers.
    pub(super) fn is_of(&self, fragment: FragmentId, problem: &Problem, origin: Option<FetchId>) -> bool {
        let parts = self.incremental.map_or(&[][..], |all| &all.parts);
        let mut of_it = (0..)
            .zip(parts)
            .filter(|(_, part)| part.fragments.contains(&fragment));
        of_it.any(|(part, _)| self.is_in(PartId(part), problem, origin))
    }

    /// Whether it is at or below a place, or a place above it. Errors that stand before anything is fetched have no
    /// indexes in their paths.
    pub(super) fn is_at(&self, path: &[Segment], problem: &Problem) -> bool {
        let (mut place, mut error) = (path.iter().peekable(), problem.path.iter().peekable());
        while let (Some(one), Some(other)) = (place.peek(), error.peek()) {
            match (one, other) {
                (Segment::Index(_), Segment::Key(_)) => drop(place.next()),
                (Segment::Key(_), Segment::Index(_)) => drop(error.next()),
                _ if one == other => {
                    place.next();
                    error.next();
                }
                _ => return false,
            }
        }
        true
    }

    fn needs(&self, part: PartId, origin: Option<FetchId>) -> bool {
        let part = self.incremental.map(|all| &all.parts[part.0 as usize]);
        origin.is_none_or(|fetch| part.is_some_and(|part| part.fetches.contains(&fetch)))
    }

    /// The part of the innermost field of a path.
    fn part_at(&self, path: &[Segment]) -> PartId {
        let (mut selection, mut part) = (Some(self.answer), PartId::FIRST);
        for step in path {
            let (Segment::Key(key), Some(here)) = (step, selection) else {
                continue;
            };
            let Some(field) = here.fields.iter().find(|field| field.response_key == *key) else {
                break;
            };
            part = field.part();
            selection = match &field.source {
                Source::Object(_, _, composite) => Some(&composite.projection),
                _ => None,
            };
        }
        part
    }
}
