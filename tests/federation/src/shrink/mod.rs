//! Makes a failed case small: parts of its operation and of its graph are left out as long as it still fails.
mod graph;
mod operation;

use std::panic::catch_unwind;

use crate::differential::{Failure, Pair};
use crate::generate::Request;
use crate::generate::graph::Graph;

/// Attempts at most. One takes some milliseconds.
const ATTEMPTS: usize = 3000;

/// A failed case.
#[derive(Clone, Debug)]
pub struct Failed {
    /// The graph.
    pub graph: Graph,
    /// The operation; none: the graph does not compose.
    pub request: Option<Request>,
    /// What is wrong.
    pub failure: Failure,
}

/// The smallest case found that fails in the same way, by trying whatever is smaller by one step.
pub fn shrink(failed: Failed, fails: &dyn Fn(&Graph, Option<&Request>) -> Option<Failure>) -> Failed {
    let mut shrinking = Shrinking {
        best: failed,
        fails,
        attempts: ATTEMPTS,
    };
    while shrinking.operation() | shrinking.graph() {}
    shrinking.best
}

/// How a case fails: federated and whole compared.
pub fn differs(graph: &Graph, request: Option<&Request>) -> Option<Failure> {
    // What was left out may leave a graph that makes no sense at all.
    let pair = match catch_unwind(|| Pair::new(graph)).ok()? {
        Ok(pair) => pair,
        Err(failure) => return Some(failure),
    };
    let request = request?;
    if !pair.is_valid(request) {
        return None;
    }
    pair.differs(request)
}

struct Shrinking<'f> {
    best: Failed,
    fails: &'f dyn Fn(&Graph, Option<&Request>) -> Option<Failure>,
    attempts: usize,
}

impl Shrinking<'_> {
    /// Takes a smaller case if it fails in the same way.
    fn attempt(&mut self, graph: Graph, request: Option<Request>) -> bool {
        let same = graph == self.best.graph && request == self.best.request;
        if self.attempts == 0 || same {
            return false;
        }
        self.attempts -= 1;
        let failure = (self.fails)(&graph, request.as_ref());
        let Some(failure) = failure.filter(|failure| failure.alike(&self.best.failure)) else {
            return false;
        };
        self.best = Failed {
            graph,
            request,
            failure,
        };
        true
    }

    fn operation(&mut self) -> bool {
        let (mut better, mut step) = (false, 0);
        while let Some(request) = self.best.request.as_ref() {
            let Some(smaller) = operation::smaller(request, step) else {
                return better;
            };
            // After a success the same step is another one.
            if self.attempt(self.best.graph.clone(), Some(smaller)) {
                better = true;
            } else {
                step += 1;
            }
        }
        better
    }

    fn graph(&mut self) -> bool {
        let (mut better, mut step) = (false, 0);
        while let Some(smaller) = graph::smaller(&self.best.graph, step) {
            if self.attempt(smaller, self.best.request.clone()) {
                better = true;
            } else {
                step += 1;
            }
        }
        better
    }
}
