//! Stage 5: can every field of the public schema be reached, along every path a query may take?
//!
//! A *position* is a place where a fetch can stand: a subgraph and the type it knows there. A query that walks down the
//! schema stands at a set of positions, since several subgraphs may resolve the same field; keys then lead to more.
//! What can be had of an object depends on nothing but all positions that keys lead to and the contexts that are set
//! around it, so each object type with these is looked at once, breadth first: the example in an error is a shortest one.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/composition#rules-of-composition>

mod explain;
mod reach;
mod runtime_types;
mod world;

use apollo_compiler::Name;
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::rc::Rc;

use crate::diagnostics::Diagnostic;
use crate::merge::merged::Merged;
use crate::model::{Kind, Model, ROOTS};
use explain::Step;
use reach::Reach;
use world::{Around, Position, TypeId, World};

/// States looked at, at most.
const MAX_STATES: usize = 500_000;

/// Labels of which every combination is looked at; of more, each alone and all but each.
const MAX_LABELS: usize = 4;

/// Walks the public schema; one error for each field that some path cannot reach. Labelled overrides must leave all
/// reachable whichever of them are in force. Yields hints where nothing is wrong.
pub(crate) fn satisfy(models: &[Model], merged: &Merged) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let (mut errors, mut hints) = Default::default();
    for labels in combinations(&labels(merged)) {
        let (more_errors, more_hints) = walk(models, merged, &labels, MAX_STATES);
        add_new(&mut errors, more_errors);
        add_new(&mut hints, more_hints);
    }
    if errors.is_empty() { Ok(hints) } else { Err(errors) }
}

/// What one combination of labels says, most others say too.
fn add_new(known: &mut Vec<Diagnostic>, more: Vec<Diagnostic>) {
    for diagnostic in more {
        if known.iter().all(|other| other.message != diagnostic.message) {
            known.push(diagnostic);
        }
    }
}

fn labels(merged: &Merged) -> Vec<&str> {
    let fields = merged.types.values().flat_map(|ty| ty.fields.values());
    let joins = fields.flat_map(|field| &field.joins);
    let labels: BTreeSet<&str> = joins.filter_map(|join| join.label.as_deref()).collect();
    labels.into_iter().collect()
}

/// Sets of labels that may be in force together.
fn combinations<'m>(labels: &[&'m str]) -> Vec<BTreeSet<&'m str>> {
    let all: BTreeSet<&str> = labels.iter().copied().collect();
    if labels.len() <= MAX_LABELS {
        let chosen = |set: usize| (0..labels.len()).filter(move |n| set & (1 << n) != 0);
        return (0..1 << labels.len())
            .map(|set| chosen(set).map(|n| labels[n]).collect())
            .collect();
    }
    let without = |label: &&'m str| all.iter().filter(|l| *l != label).copied().collect();
    let mut sets = vec![BTreeSet::new(), all.clone()];
    sets.extend(labels.iter().map(|label| BTreeSet::from([*label])));
    sets.extend(labels.iter().map(without));
    sets
}

fn walk(
    models: &[Model],
    merged: &Merged,
    labels: &BTreeSet<&str>,
    max_states: usize,
) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
    let world = World::of(merged, labels);
    let mut walk = Walk {
        models,
        reach: Reach::new(&world),
        queue: VecDeque::new(),
        abstracts: HashSet::new(),
        objects: HashSet::new(),
        steps: Vec::new(),
        reported: HashSet::new(),
        errors: Vec::new(),
        hints: Vec::new(),
    };
    for root in ROOTS {
        walk.start(root);
    }
    walk.run(max_states);
    (walk.errors, walk.hints)
}

/// A place on a way through the schema.
struct State<'w> {
    ty: TypeId,
    /// Where one stands.
    positions: Vec<Position>,
    around: Around<'w>,
    /// The last step of the way: an index into [`Walk::steps`].
    way: usize,
}

struct Walk<'w> {
    models: &'w [Model],
    reach: Reach<'w>,
    queue: VecDeque<State<'w>>,
    /// Abstract types looked at, with the positions they were met at.
    abstracts: HashSet<(TypeId, Vec<Position>, Around<'w>)>,
    /// Object types looked at, with all positions that keys lead to.
    objects: HashSet<(TypeId, Rc<[Position]>, Around<'w>)>,
    /// All steps of all ways, each with the one before.
    steps: Vec<(Option<usize>, Step)>,
    reported: HashSet<(TypeId, Name)>,
    errors: Vec<Diagnostic>,
    hints: Vec<Diagnostic>,
}

impl<'w> Walk<'w> {
    fn start(&mut self, root: &str) {
        if let Some(ty) = self.reach.world.id(root) {
            let positions = self.reach.world.everywhere(ty);
            self.steps.push((None, Step::Root(ty)));
            self.queue.push_back(State {
                ty,
                positions,
                around: Rc::new([]),
                way: self.steps.len() - 1,
            });
        }
    }

    fn run(&mut self, max_states: usize) {
        while let Some(state) = self.queue.pop_front() {
            if self.objects.len() + self.abstracts.len() >= max_states {
                return self.report_too_many(max_states);
            }
            if self.reach.world.ty(state.ty).kind == Kind::Object {
                self.object(state);
            } else {
                self.abstract_type(state);
            }
        }
    }

    /// Every implementation or member that can come back here.
    fn abstract_type(&mut self, state: State<'w>) {
        let State {
            ty,
            positions,
            around,
            way,
        } = state;
        if !self.abstracts.insert((ty, positions.clone(), Rc::clone(&around))) {
            return;
        }
        let casts = self.reach.casts(ty, &positions);
        if casts.untyped {
            self.report_untyped(ty, &positions, way);
        }
        for (object, positions) in casts.objects {
            if !self.reach.world.ty(object).marks.inaccessible {
                self.steps.push((Some(way), Step::On(object)));
                self.object(State {
                    ty: object,
                    positions,
                    around: Rc::clone(&around),
                    way: self.steps.len() - 1,
                });
            }
        }
    }

    /// Every public field of an object.
    fn object(&mut self, state: State<'w>) {
        let (ty, way) = (state.ty, state.way);
        let closure = self.reach.closure(ty, &state.positions);
        if !self
            .objects
            .insert((ty, Rc::clone(&closure), Rc::clone(&state.around)))
        {
            return;
        }
        let world = self.reach.world;
        let below = world.below(ty, &state.around);
        for (name, field) in &world.ty(ty).fields {
            let target = world.id(field.ty.inner_named_type());
            let hidden = target.is_some_and(|target| world.ty(target).marks.inaccessible);
            if field.marks.inaccessible || hidden {
                continue;
            }
            let filled = |at: &Position| world.unset(*at, name, &state.around).is_none();
            let next = self.reach.step_from_some(ty, &closure, name, filled);
            if next.is_empty() {
                self.report((ty, name), &closure, &state);
            } else if let Some(target) = target.filter(|target| world.is_composite(*target)) {
                self.check_runtime_types(ty, name, &closure);
                self.steps.push((Some(way), Step::Field(ty, name.clone())));
                self.queue.push_back(State {
                    ty: target,
                    positions: next,
                    around: Rc::clone(&below),
                    way: self.steps.len() - 1,
                });
            }
        }
    }

    /// Subgraphs that share a field must be able to answer it with a common type.
    fn check_runtime_types(&mut self, ty: TypeId, field: &Name, closure: &[Position]) {
        use runtime_types::Finding;
        match runtime_types::check(self.reach.world, self.models, ty, field, closure) {
            Finding::Alike => {}
            Finding::Different(hint) => self.hints.push(hint),
            Finding::Disjoint(error) => self.errors.push(error),
        }
    }

    fn report(&mut self, (ty, field): (TypeId, &Name), closure: &[Position], state: &State<'w>) {
        if !self.reported.insert((ty, field.clone())) {
            return;
        }
        let mut steps = self.way(state.way);
        steps.push(Step::Field(ty, field.clone()));
        let query = explain::query(self.reach.world, &steps);
        let reasons = explain::reasons(&mut self.reach, self.models, (ty, field), closure, &state.around);
        let message = format!(
            "The following supergraph API query:\n{query}\ncannot be satisfied by the subgraphs because:\n{reasons}"
        );
        let error = match explain::defining(self.reach.world, self.models, ty, field) {
            Some((graph, place)) => self.models[graph].report("SATISFIABILITY_ERROR", place, message),
            None => Diagnostic::global("SATISFIABILITY_ERROR", message),
        };
        self.errors.push(error);
    }

    fn report_untyped(&mut self, ty: TypeId, positions: &[Position], way: usize) {
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
        let model = positions.first().map(|at| &self.models[at.graph]);
        let place = model.and_then(|model| model.types.get(name)?.place);
        self.errors.push(match model {
            Some(model) => model.report("SATISFIABILITY_ERROR", place, message),
            None => Diagnostic::global("SATISFIABILITY_ERROR", message),
        });
    }

    fn report_too_many(&mut self, max_states: usize) {
        let message = format!(
            "Whether every query can be satisfied was not found out: there are more than {max_states} combinations of types and subgraphs to look at. Fewer subgraphs that share the same types without a common @key, or fewer different @provides, make fewer."
        );
        self.errors.push(Diagnostic::global(
            "MAX_VALIDATION_SUBGRAPH_PATHS_EXCEEDED",
            message,
        ));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Subgraph;

    /// Giving up is said, not kept quiet.
    #[test]
    fn a_walk_cut_short_is_an_error() {
        let subgraph = Subgraph {
            name: "a".to_owned(),
            url: String::new(),
            sdl: "type Query { a: A } type A { b: B } type B { c: Int }".to_owned(),
        };
        let read = crate::ingest::ingest_all(&[&subgraph]);
        let merged = crate::merge::merge(&read.models).merged;
        assert!(walk(&read.models, &merged, &BTreeSet::new(), 3).0.is_empty());
        let (errors, _) = walk(&read.models, &merged, &BTreeSet::new(), 2);
        assert_eq!(errors[0].code, "MAX_VALIDATION_SUBGRAPH_PATHS_EXCEEDED");
    }
}
