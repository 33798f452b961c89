//! `baedal-router plan`.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

use baedal_planner::{Access, Operation, Plan, Settings, Supergraph};
use serde::Serialize;
use serde_json::{Map, Value};

use super::PlanArgs;
use crate::config::LimitsConfig;
use crate::supergraph::sdl;

pub const HELP: &str = "\
Examples:
  baedal-router plan --supergraph supergraph.graphql query.graphql
  echo '{ me { name } }' | baedal-router plan --supergraph supergraph.graphql -
  baedal-router plan --supergraph supergraph.graphql --label 'percent(5)' --scope read:orders query.graphql

Each fetch has a number, its subgraph and what it waits for, then the query sent, then how each variable of entities is
written: `.me.orders: {Order id}` sends `__typename` and `id` of each object at me.orders.
`baedal-router explain` says why each fetch is there.

Without --scope, --policy or --anonymous the plan is that of a caller who may see everything. It is made within the default
of limits.plan_budget.";

/// Plans and prints.
pub fn run(args: &PlanArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let (_, plan) = made(args)?;
    print(args, &plan)
}

/// Prints for people, or as JSON.
pub(super) fn print(
    args: &PlanArgs,
    what: &(impl Display + Serialize),
) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(what)?)?;
    } else {
        writeln!(out, "{}", what.to_string().trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The plan that the arguments ask for.
pub(super) fn made(args: &PlanArgs) -> Result<(Supergraph, Plan), Box<dyn std::error::Error>> {
    let text = read(&args.supergraph)?;
    let query = read(&args.query)?;
    let given: Map<String, Value> = serde_json::from_str(&args.variables)
        .map_err(|error| format!("--variables is not a JSON object: {error}"))?;
    let supergraph = sdl::read(&text)?;
    let operation = Operation::parse(&supergraph, &query, args.operation.as_deref())?;
    let coerced = coerce(&operation, &supergraph, &given)?;
    let settings = Settings {
        active_labels: labels(args, &supergraph)?,
        ..LimitsConfig::default().planning()
    };
    let plan = baedal_planner::plan(&supergraph, &operation, &coerced, &settings, &access(args))?;
    Ok((supergraph, plan))
}

fn labels(args: &PlanArgs, supergraph: &Supergraph) -> Result<BTreeSet<String>, String> {
    let known = supergraph.override_labels();
    match args.labels.iter().find(|label| !known.contains(label)) {
        Some(label) if known.is_empty() => {
            Err(format!("--label {label}: this supergraph has no override labels"))
        }
        Some(label) => Err(format!(
            "--label {label}: this supergraph has only the labels {}",
            known.join(", ")
        )),
        None => Ok(args.labels.iter().cloned().collect()),
    }
}

fn access(args: &PlanArgs) -> Access {
    if !args.anonymous && args.scopes.is_empty() && args.policies.is_empty() {
        return Access::unrestricted();
    }
    Access::new(
        !args.anonymous,
        args.scopes.iter().cloned().collect(),
        args.policies.iter().cloned().collect(),
    )
}

/// A plan depends on variables only through conditions: one without a value matters only there.
fn coerce(
    operation: &Operation,
    supergraph: &Supergraph,
    given: &Map<String, Value>,
) -> Result<Map<String, Value>, String> {
    operation.coerce_variables(supergraph, given).or_else(|errors| {
        let conditional = operation.conditional_variables();
        let fatal = |error: &&baedal_planner::CoercionError| {
            given.contains_key(&error.variable) || conditional.contains(&error.variable)
        };
        match errors.iter().find(fatal) {
            Some(error) => Err(format!("{error} (give it with --variables)")),
            None => Ok(given.clone()),
        }
    })
}

fn read(file: &Path) -> Result<String, String> {
    if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| format!("cannot read stdin: {error}"))?;
        return Ok(text);
    }
    std::fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))
}
