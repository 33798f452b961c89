//! One helper that touches the API.
use std::path::{Path, PathBuf};

use baedal_planner::{Access, Operation, Plan, PlanError, Settings, Supergraph, plan};
use serde_json::{Map, Value};

/// Definitions every supergraph begins with, so that cases need not repeat them.
const PRELUDE: &str = include_str!("cases/prelude.graphql");

pub fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

pub fn sdl(body: &str) -> String {
    let mut prelude = PRELUDE.to_owned();
    for (root, line) in [("Mutation", "  mutation: Mutation\n"), ("Subscription", "  subscription: Subscription\n")] {
        if !body.contains(&format!("type {root} ")) {
            prelude = prelude.replace(line, "");
        }
    }
    format!("{prelude}\n{body}")
}

pub fn supergraph(body: &str) -> Supergraph {
    Supergraph::parse(&sdl(body)).expect("the supergraph is readable")
}

pub fn case(name: &str) -> (String, Supergraph) {
    let body = std::fs::read_to_string(cases().join(name).join("supergraph.graphql")).expect("the case exists");
    (sdl(&body), supergraph(&body))
}

/// `# variables: {…}` on the first line of an operation file.
pub fn variables_of(text: &str) -> Map<String, Value> {
    let first = text.lines().next().unwrap_or_default();
    match first.strip_prefix("# variables:") {
        Some(json) => serde_json::from_str(json).expect("variables are a JSON object"),
        None => Map::new(),
    }
}

pub fn plan_with(sg: &Supergraph, text: &str, access: &Access) -> Result<Plan, PlanError> {
    let operation = Operation::parse(sg, text, None).expect("the operation is valid");
    let variables = operation.coerce_variables(sg, &variables_of(text)).expect("the variables fit");
    plan(sg, &operation, &variables, &Settings::default(), access)
}

pub fn plan_of(sg: &Supergraph, text: &str) -> Plan {
    plan_with(sg, text, &Access::unrestricted()).expect("there is a plan")
}
