//! Plans federated operations: a supergraph, an operation and its variables in, a [`plan::Plan`] out.
//!
//! Pure and synchronous: no I/O, no clock, the same plan for the same input. It knows nothing of
//! HTTP, of how a plan is executed, or of how the supergraph was composed: it reads the public join
//! specification ([`supergraph`]). [`plan()`] tells the story.
mod authorize;
pub mod cost;
mod directed;
mod display;
pub mod explain;
mod fetch;
mod figures;
mod graph;
mod incremental;
mod labels;
mod normalize;
pub mod operation;
pub mod plan;
mod project;
mod settings;
pub mod supergraph;
mod walk;

use serde_json::{Map, Value};

pub use cost::{CostError, CostSettings, Estimate};
pub use explain::{Explanation, explain};
pub use figures::Figures;
pub use operation::{CoercionError, Operation, OperationError};
pub use plan::{OperationKind, Plan};
pub use settings::{Access, PlanError, Settings};
pub use supergraph::{AskedRights, SubgraphInfo, Supergraph, SupergraphError};

/// Plans an operation for one caller and one set of values of its conditional variables.
pub fn plan(
    sg: &Supergraph,
    op: &Operation,
    coerced: &Map<String, Value>,
    settings: &Settings,
    access: &Access,
) -> Result<Plan, PlanError> {
    let model = &sg.model;
    let kind = op.kind();
    let root = match kind {
        OperationKind::Query => Some(model.query),
        OperationKind::Mutation => model.mutation,
        OperationKind::Subscription => model.subscription,
    };
    let root = root.expect("a validated operation has a root type");
    let mut budget = settings::Budget::new(settings.work_budget);
    let mut deferring =
        incremental::Deferring::new(settings.incremental && kind != OperationKind::Subscription);
    let selection = normalize::Normalizer {
        model,
        operation: op,
        variables: coerced,
        budget: &mut budget,
        deferring: &mut deferring,
    }
    .operation(root)?;
    let (selection, errors) = authorize::authorize(model, access, selection);
    let graph = graph::Graph::new(model, &settings.active_labels, budget);
    let mut walk = walk::walk(graph, kind, root, &selection, deferring.parts.len() > 1)?;
    let mut names = project::Interner::default();
    let fetch::Fetched { fetches, of_head } = fetch::fetches(&mut walk, &op.operation, kind, &mut names);
    let answer = project::project(&walk, root, &selection, &mut names);
    let incremental = incremental::needs::parts(&walk, &selection, deferring, &fetches, &of_head);
    Ok(Plan {
        kind,
        slots: names.slots,
        types: names.types,
        fetches,
        answer,
        errors,
        incremental,
    })
}
