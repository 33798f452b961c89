//! Stage 5: can every field of the public schema be reached, along every path a query may take?
//!
//! A *position* is a place where a fetch can stand: a subgraph and the type it knows there. A query that walks down the
//! schema stands at a set of positions, since several subgraphs may resolve the same field; keys then lead to more.
//! Each pair (type, positions) is looked at once, breadth first, so the example in an error is a shortest one.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/composition#rules-of-composition>

mod explain;
mod reach;
mod world;

use apollo_compiler::Name;
use std::collections::{HashSet, VecDeque};

use crate::diagnostics::Diagnostic;
use crate::merge::merged::Merged;
use crate::model::{Kind, Model, ROOTS};
use explain::Step;
use reach::Reach;
use world::{Position, TypeId, World};

/// States looked at, at most; beyond, what is left is up to the planner, which refuses what it cannot plan.
const MAX_STATES: usize = 100_000;

/// Walks the public schema; one error for each field that some path cannot reach. Labelled overrides must leave all
/// reachable both while they are in force and while they are not.
pub(crate) fn satisfy(models: &[Model], merged: &Merged) -> Result<(), Vec<Diagnostic>> {
    let mut errors = walk(models, merged, true);
    if merged.has_labels {
        errors.extend(walk(models, merged, false));
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn walk(models: &[Model], merged: &Merged, labels: bool) -> Vec<Diagnostic> {
    let world = World::of(merged, labels);
    let mut walk = Walk {
        models,
        reach: Reach::new(&world),
        queue: VecDeque::new(),
        seen: HashSet::new(),
        steps: Vec::new(),
        reported: HashSet::new(),
        errors: Vec::new(),
    };
    for root in ROOTS {
        walk.start(root);
    }
    walk.run();
    walk.errors
}

/// A type, where one stands there, and the last step of the way (an index into [`Walk::steps`]).
type State = (TypeId, Vec<Position>, usize);

struct Walk<'w> {
    models: &'w [Model],
    reach: Reach<'w>,
    queue: VecDeque<State>,
    seen: HashSet<(TypeId, Vec<Position>)>,
    /// All steps of all ways, each with the one before.
    steps: Vec<(Option<usize>, Step)>,
    reported: HashSet<(TypeId, Name)>,
    errors: Vec<Diagnostic>,
}

impl Walk<'_> {
    fn start(&mut self, root: &str) {
        if let Some(ty) = self.reach.world.id(root) {
            let positions = self.reach.world.everywhere(ty);
            self.steps.push((None, Step::Root(ty)));
            self.queue.push_back((ty, positions, self.steps.len() - 1));
        }
    }

    fn run(&mut self) {
        while let Some((ty, positions, way)) = self.queue.pop_front() {
            if self.seen.len() >= MAX_STATES {
                return;
            }
            if self.reach.world.ty(ty).kind == Kind::Object {
                self.object(ty, positions, way);
            } else {
                self.abstract_type(ty, positions, way);
            }
        }
    }

    /// Every implementation or member that can come back here.
    fn abstract_type(&mut self, ty: TypeId, positions: Vec<Position>, way: usize) {
        if !self.seen.insert((ty, positions.clone())) {
            return;
        }
        let casts = self.reach.casts(ty, &positions);
        if casts.untyped {
            self.report_untyped(ty, way);
        }
        for (object, positions) in casts.objects {
            if !self.reach.world.ty(object).marks.inaccessible {
                self.steps.push((Some(way), Step::On(object)));
                self.object(object, positions, self.steps.len() - 1);
            }
        }
    }

    /// Every public field of an object.
    fn object(&mut self, ty: TypeId, positions: Vec<Position>, way: usize) {
        if !self.seen.insert((ty, positions.clone())) {
            return;
        }
        let closure = self.reach.closure(ty, &positions);
        let world = self.reach.world;
        for (name, field) in &world.ty(ty).fields {
            let target = world.id(field.ty.inner_named_type());
            let hidden = target.is_some_and(|target| world.ty(target).marks.inaccessible);
            if field.marks.inaccessible || hidden {
                continue;
            }
            let next = self.reach.step(ty, &closure, name);
            if next.is_empty() {
                self.report(ty, name, &closure, way);
            } else if let Some(target) = target.filter(|target| world.is_composite(*target)) {
                let next = if world.ty(target).name == "Query" {
                    world.everywhere(target)
                } else {
                    next
                };
                self.steps.push((Some(way), Step::Field(ty, name.clone())));
                self.queue.push_back((target, next, self.steps.len() - 1));
            }
        }
    }

    fn report(&mut self, ty: TypeId, field: &Name, closure: &[Position], way: usize) {
        if !self.reported.insert((ty, field.clone())) {
            return;
        }
        let mut steps = self.way(way);
        steps.push(Step::Field(ty, field.clone()));
        let query = explain::query(self.reach.world, &steps);
        let reasons = explain::reasons(self.reach.world, self.models, ty, field, closure);
        let message = format!(
            "The following supergraph API query:\n{query}\ncannot be satisfied by the subgraphs because:\n{reasons}"
        );
        self.errors
            .push(Diagnostic::global("SATISFIABILITY_ERROR", message));
    }

    fn report_untyped(&mut self, ty: TypeId, way: usize) {
        let typename = apollo_compiler::name!("__typename");
        if !self.reported.insert((ty, typename.clone())) {
            return;
        }
        let mut steps = self.way(way);
        steps.push(Step::Field(ty, typename));
        let query = explain::query(self.reach.world, &steps);
        let name = &self.reach.world.ty(ty).name;
        let message = format!(
            "The following supergraph API query:\n{query}\ncannot be satisfied by the subgraphs because:\n- the subgraph knows \"{name}\" as an @interfaceObject only, and no subgraph that defines the interface has a resolvable @key on it that could be filled: the concrete type cannot be found."
        );
        self.errors
            .push(Diagnostic::global("SATISFIABILITY_ERROR", message));
    }

    /// The steps from the root to one.
    fn way(&self, last: usize) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut next = Some(last);
        while let Some(index) = next {
            let (before, step) = &self.steps[index];
            steps.push(step.clone());
            next = *before;
        }
        steps.reverse();
        steps
    }
}
