//! Looks for a better walk than the greedy one: calls that others could replace are avoided in turn, and
//! the best walk wins. What is forced needs no second look; the search ends with the work budget.
use std::collections::BTreeSet;

use super::{Group, Origin, Position, Walk};
use crate::fetch;
use crate::graph::Graph;
use crate::normalize::Selection;
use crate::plan::OperationKind;
use crate::settings::PlanError;
use crate::supergraph::types::TypeIx;

/// Walks besides the first.
const ATTEMPTS: usize = 16;
/// The part of the work budget that they may take together: what is dear to plan is planned once.
const SHARE: u64 = 4;

type Avoided = BTreeSet<Group>;

/// An operation to walk.
#[derive(Clone, Copy)]
struct Task<'a> {
    kind: OperationKind,
    root: TypeIx,
    selection: &'a Selection,
    /// What comes later is fetched apart.
    waves: bool,
}

/// Walks the whole operation.
pub(crate) fn walk<'a>(
    graph: Graph<'a>,
    kind: OperationKind,
    root: TypeIx,
    selection: &'a Selection,
    waves: bool,
) -> Result<Walk<'a>, PlanError> {
    let mut task = Task {
        kind,
        root,
        selection,
        waves,
    };
    let before = graph.budget.left();
    let first = match attempt(graph.clone(), task, Avoided::new()) {
        // What cannot be fetched apart can be fetched together.
        Err(PlanError::Unreachable { .. }) if waves => {
            task.waves = false;
            attempt(graph, task, Avoided::new())?
        }
        first => first?,
    };
    let price = before - first.graph.budget.left();
    Ok(improve(first, task, price))
}

fn attempt<'a>(graph: Graph<'a>, task: Task<'a>, avoided: Avoided) -> Result<Walk<'a>, PlanError> {
    let mut walk = Walk::new(graph, avoided);
    walk.waves = task.waves;
    walk.explore_root(task.kind, task.root, task.selection)?;
    walk.choose()?;
    Ok(walk)
}

/// `price`: what one walk takes of the budget.
fn improve<'a>(first: Walk<'a>, task: Task<'a>, price: u64) -> Walk<'a> {
    let mut graph = first.graph.clone();
    let least = graph.budget.left().saturating_sub(graph.budget.whole() / SHARE);
    let mut best = (first.cost(), first);
    let mut tried = BTreeSet::from([Avoided::new()]);
    while let Some(avoided) = best.1.next_to_try(&tried).filter(|_| best.0.fetches > 1) {
        if tried.len() > ATTEMPTS || graph.budget.left() < least + price {
            break;
        }
        tried.insert(avoided.clone());
        let before = graph.budget.left();
        let Ok(other) = attempt(graph.clone(), task, avoided) else {
            break;
        };
        // Comparing the walks is work too.
        let spent = before - other.graph.budget.left() + other.positions.len() as u64;
        if graph.budget.spend(spent as usize).is_err() {
            break;
        }
        let cost = other.cost();
        if cost < best.0 {
            best = (cost, other);
        }
    }
    best.1
}

/// What a plan costs, dearest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    steps: usize,
    fetches: usize,
    /// Fields asked for, each as often as steps are before it.
    late: usize,
    /// Kinds of representations and fields asked for.
    data: usize,
}

impl Walk<'_> {
    fn cost(&self) -> Cost {
        let (steps, fetches) = fetch::extent(self);
        let wanted = || self.positions.iter().filter(|p| p.wanted);
        let sent = |p: &Position<'_>| match &p.origin {
            Origin::Hop(hop) => 3 * hop.sent.iter().map(|s| s.on.len()).sum::<usize>(),
            _ => 0,
        };
        Cost {
            steps,
            fetches,
            late: wanted().map(|p| usize::from(p.level) * p.picks.len()).sum(),
            data: wanted().map(|p| p.picks.len() + sent(p)).sum(),
        }
    }

    /// What this walk avoids, and one or two more of its calls that others could replace.
    fn next_to_try(&self, tried: &BTreeSet<Avoided>) -> Option<Avoided> {
        let optional: BTreeSet<Group> = self
            .fetched
            .iter()
            .filter(|group| !self.forced.contains(*group))
            .chain(&self.called)
            .copied()
            .collect();
        let with = |more: &[Group]| self.avoided.iter().chain(more).copied().collect::<Avoided>();
        let one = optional.iter().map(|group| with(&[*group]));
        let two = optional
            .iter()
            .flat_map(|a| optional.range(a..).skip(1).map(|b| with(&[*a, *b])));
        one.chain(two).find(|avoided| !tried.contains(avoided))
    }
}
