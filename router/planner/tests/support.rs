//! One helper that touches the API.
use baedal_planner::{Access, Operation, Plan, PlanError, Settings, Supergraph, plan};

pub use crate::case_files::{case, cases, folders, operations, sdl, supergraph, variables_of};

pub fn plan_with(sg: &Supergraph, text: &str, access: &Access) -> Result<Plan, PlanError> {
    let operation = Operation::parse(sg, text, None).expect("the operation is valid");
    let variables = operation
        .coerce_variables(sg, &variables_of(text))
        .expect("the variables fit");
    plan(sg, &operation, &variables, &Settings::default(), access)
}

pub fn plan_of(sg: &Supergraph, text: &str) -> Plan {
    plan_with(sg, text, &Access::unrestricted()).expect("there is a plan")
}
