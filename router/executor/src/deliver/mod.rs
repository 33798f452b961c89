//! Answers in parts: `@defer` and `@stream`. Everything is fetched as for one answer, each fetch once; a part is written as soon as what
//! it needs is there. <https://github.com/graphql/graphql-spec/pull/1110>
//!
//! * `state` is what the client knows of: deferred fragments at objects of the answer, and what of these waits;
//! * `pending` writes by the present draft: each field once, fragments announced and completed;
//! * `whole` writes as clients of `deferSpec=20220824` read it: a fragment at an object is one message, with all its fields;
//! * `homes` says with which part an error is told; `message` puts JSON together.

mod homes;
mod message;
mod pending;
mod state;
mod whole;

use baedal_planner::plan::{FragmentId, PartId};
use bytes::Bytes;

use self::message::{Message, Told};
use self::state::{Stage, State};
use crate::inputs::{Answer, Inputs};
use crate::port::Subgraphs;
use crate::program::Program;
use crate::schedule::Run;
use crate::view::{Found, Parts, Shown};
use crate::write::write_part;

/// How parts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `pending`, `incremental` and `completed`, as in the present draft of the specification.
    Pending,
    /// `incremental` with paths and labels, as Apollo's `deferSpec=20220824`.
    Whole,
}

/// A part of an answer: one JSON text.
#[derive(Clone, Debug)]
pub struct Piece {
    /// `{"data":…,"hasNext":…}` for the first, `{"incremental":[…],"hasNext":…}` for the others.
    pub body: Bytes,
    /// Whether it is the last.
    pub last: bool,
}

/// Executes a program, and hands on each part of its answer as soon as it can be written (of a plan without parts, the
/// one that is all). What is given back has no body. Dropping the future cancels the calls under way.
pub async fn execute_incremental<'p, S: Subgraphs>(
    program: &'p Program,
    inputs: &'p Inputs,
    subgraphs: &S,
    format: Format,
    mut deliver: impl FnMut(Piece) + Send,
) -> Answer {
    let mut run = Run::new(program, inputs);
    let mut delivery = Delivery::new(program, inputs, format);
    let mut go_on = |run: &mut Run<'p>| {
        while let Some(piece) = delivery.advance(run) {
            deliver(piece);
        }
        !delivery.ended
    };
    run.drive(subgraphs, &mut go_on).await;
    Answer {
        body: Bytes::new(),
        errors: run.errors.total(),
        calls: run.calls(),
    }
}

/// An answer under way.
struct Delivery<'p> {
    program: &'p Program,
    format: Format,
    begun: bool,
    ended: bool,
    /// For each part, whether all it needs was fetched.
    ready: Vec<bool>,
    state: State<'p>,
    /// Bytes there may still be.
    room: usize,
}

impl<'p> Delivery<'p> {
    fn new(program: &'p Program, inputs: &Inputs, format: Format) -> Delivery<'p> {
        let parts = program
            .incremental()
            .map_or(1, |incremental| incremental.parts.len());
        Delivery {
            program,
            format,
            begun: false,
            ended: false,
            ready: vec![false; parts],
            state: State::new(program),
            room: inputs.max_answer,
        }
    }

    /// What can be told now that could not be before: the first answer, or all that is ready after it.
    fn advance(&mut self, run: &mut Run<'p>) -> Option<Piece> {
        if self.ended {
            return None;
        }
        self.look(run);
        run.errors.origin = None;
        let mut message = Message::default();
        if !self.begun {
            if !self.ready[PartId::FIRST.0 as usize] {
                return None;
            }
            self.begun = true;
            self.first(run, &mut message);
        } else {
            match self.format {
                Format::Pending => self.more_pending(run, &mut message),
                Format::Whole => self.more_whole(run, &mut message),
            }
            if message.is_empty() {
                return None;
            }
        }
        self.ended = !self.state.goes_on();
        if self.ended {
            message.rest(run.errors.tell_rest(), self.format);
        }
        self.room = self.room.saturating_sub(message.len());
        Some(Piece {
            body: message.finish(!self.ended),
            last: self.ended,
        })
    }

    fn look(&mut self, run: &Run<'p>) {
        let Some(incremental) = self.program.incremental() else {
            self.ready[0] = (0..self.program.fetches.len()).all(|fetch| run.is_done(fetch));
            return;
        };
        for (ready, part) in self.ready.iter_mut().zip(&incremental.parts) {
            *ready = *ready || part.fetches.iter().all(|fetch| run.is_done(*fetch));
        }
    }

    fn first(&mut self, run: &mut Run<'p>, message: &mut Message) {
        let root = Found::root(run.root, &self.program.answer);
        let before = run.errors.kept();
        let (data, found) = self.write(run, message, &root, Shown::Part(PartId::FIRST));
        let announced = self.state.note(found);
        let homes = homes::Homes::new(self.program);
        let errors = match self.state.goes_on() {
            true => run
                .errors
                .tell(|at, problem, origin| at >= before || homes.is_first(problem, origin)),
            false => run.errors.tell_rest(),
        };
        message.data(data, errors);
        if self.format == Format::Pending {
            message.pending(self.told(&announced));
        }
    }

    /// What the client is told of fragments that it is to wait for.
    fn told(&self, announced: &[usize]) -> Vec<Told<'_>> {
        let told = |at: &usize| {
            let instance = &self.state.instances[*at];
            let Stage::Pending(id) = instance.stage else {
                return None;
            };
            Some(Told {
                id,
                path: &instance.place.path,
                label: instance.label,
            })
        };
        announced.iter().filter_map(told).collect()
    }

    /// What is shown of an object, and what comes later of what is in it.
    fn write(
        &self,
        run: &mut Run<'p>,
        message: &Message,
        place: &Found<'p>,
        shown: Shown,
    ) -> (Option<Bytes>, Vec<Found<'p>>) {
        let whole = self.format == Format::Whole;
        // The rest of a list is of the part that its first items were.
        let shown = place.rest.as_ref().map_or(shown, |rest| rest.shown);
        let mut view = Parts::new(shown, self.state.parents(), whole, place);
        let text = write_part(run, place, &mut view, self.room.saturating_sub(message.len()));
        (text, view.found)
    }

    /// Whether all that a fragment defers was fetched.
    fn is_ready(&self, fragment: FragmentId) -> bool {
        let parts = self
            .program
            .incremental()
            .map_or(&[][..], |incremental| &incremental.parts);
        let mut of_it = parts
            .iter()
            .zip(&self.ready)
            .filter(|(part, _)| part.fragments.contains(&fragment));
        of_it.all(|(_, ready)| *ready)
    }
}
