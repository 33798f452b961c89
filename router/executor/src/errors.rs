//! The answer's `errors`: <https://spec.graphql.org/October2021/#sec-Errors>.
use baedal_planner::plan::FetchId;
use serde::Serialize;
use serde_json::{Map, Value};

/// A step of an error's path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub(crate) enum Segment {
    /// A response key.
    Key(Box<str>),
    /// A list index.
    Index(usize),
}

/// One error.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Problem {
    pub(crate) message: Box<str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) path: Vec<Segment>,
    #[serde(skip_serializing_if = "Extensions::is_empty")]
    pub(crate) extensions: Extensions,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Extensions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<Box<str>>,
    /// Name of the subgraph.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service: Option<Box<str>>,
    /// What else the subgraph said.
    #[serde(flatten)]
    pub(crate) others: Map<String, Value>,
}

impl Extensions {
    pub(crate) fn code(code: &str) -> Extensions {
        Extensions {
            code: Some(code.into()),
            ..Extensions::default()
        }
    }

    fn is_empty(&self) -> bool {
        self.code.is_none() && self.service.is_none() && self.others.is_empty()
    }
}

/// The errors of a request, of which only the first `max` are kept.
#[derive(Debug)]
pub(crate) struct Errors {
    kept: Vec<Problem>,
    /// Of each that is kept.
    notes: Vec<Note>,
    /// The fetch that is looked at.
    pub(crate) origin: Option<FetchId>,
    /// Places that are empty for a reason that stands at another place.
    excused: Vec<Vec<Segment>>,
    total: usize,
    max: usize,
}

/// What becomes of an error in an answer of many parts.
#[derive(Clone, Copy, Debug)]
struct Note {
    /// The fetch it came of.
    origin: Option<FetchId>,
    told: bool,
}

impl Errors {
    pub(crate) fn new(max: usize) -> Errors {
        Errors {
            kept: Vec::new(),
            notes: Vec::new(),
            origin: None,
            excused: Vec::new(),
            total: 0,
            max,
        }
    }

    pub(crate) fn total(&self) -> usize {
        self.total
    }

    pub(crate) fn is_full(&self) -> bool {
        self.kept.len() >= self.max
    }

    /// Counts errors, the first of which are made and kept.
    pub(crate) fn push(&mut self, problem: impl FnOnce() -> Problem) {
        self.total += 1;
        if !self.is_full() {
            self.kept.push(problem());
            self.notes.push(Note {
                origin: self.origin,
                told: false,
            });
        }
    }

    /// Notes that an error at another place says already why there is nothing at `path`.
    pub(crate) fn excuse(&mut self, path: Vec<Segment>) {
        self.excused.push(path);
    }

    /// Whether an error at `path`, above it or below it says already why there is nothing at `path`.
    pub(crate) fn explain(&self, path: &[Segment]) -> bool {
        let related = |other: &[Segment]| {
            let shared = other.len().min(path.len());
            shared > 0 && other[..shared] == path[..shared]
        };
        self.kept.iter().any(|problem| related(&problem.path)) || self.excused.iter().any(|at| related(at))
    }

    /// Appends `,"errors":[…]` if there are any.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        if self.total == 0 {
            return;
        }
        let note = self.left_out();
        let all: Vec<&Problem> = self.kept.iter().chain(&note).collect();
        out.extend_from_slice(b",\"errors\":");
        out.append(&mut serde_json::to_vec(&all).expect("an error is always JSON"));
    }

    /// What says how many are not kept.
    fn left_out(&self) -> Option<Problem> {
        let left_out = self.total - self.kept.len();
        (left_out > 0).then(|| Problem {
            message: format!("{left_out} more errors are not shown.").into(),
            path: Vec::new(),
            extensions: Extensions::code("TOO_MANY_ERRORS"),
        })
    }

    /// How many are kept.
    pub(crate) fn kept(&self) -> usize {
        self.kept.len()
    }

    /// Takes those that were not told and that `wanted` says belong here: `,"errors":[…]`, or nothing.
    pub(crate) fn tell(&mut self, wanted: impl Fn(usize, &Problem, Option<FetchId>) -> bool) -> Vec<u8> {
        let mut told: Vec<&Problem> = Vec::new();
        for (at, (problem, note)) in self.kept.iter().zip(&mut self.notes).enumerate() {
            if !note.told && wanted(at, problem, note.origin) {
                note.told = true;
                told.push(problem);
            }
        }
        listed(&told)
    }

    /// All that were not told, and how many are not kept.
    pub(crate) fn tell_rest(&mut self) -> Vec<u8> {
        let note = self.left_out();
        let rest = self.kept.iter().zip(&mut self.notes);
        let rest =
            rest.filter_map(|(problem, note)| (!std::mem::replace(&mut note.told, true)).then_some(problem));
        listed(&rest.chain(&note).collect::<Vec<_>>())
    }
}

fn listed(problems: &[&Problem]) -> Vec<u8> {
    let mut out = Vec::new();
    if !problems.is_empty() {
        out.extend_from_slice(b",\"errors\":");
        out.append(&mut serde_json::to_vec(problems).expect("an error is always JSON"));
    }
    out
}
