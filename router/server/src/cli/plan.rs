//! `baedal-router plan`.

use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

use baedal_planner::{Access, Operation, Supergraph};
use serde_json::{Map, Value};

use super::PlanArgs;
use crate::config::LimitsConfig;
use crate::supergraph::sdl;

pub const HELP: &str = "\
  baedal-router plan --supergraph supergraph.graphql query.graphql
  echo '{ me { name } }' | baedal-router plan --supergraph supergraph.graphql -

The plan is that of a caller who may see everything, made within the default of limits.plan_budget.";

/// Plans and prints.
pub fn run(args: &PlanArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let text = read(&args.supergraph)?;
    let query = read(&args.query)?;
    let given: Map<String, Value> = serde_json::from_str(&args.variables)
        .map_err(|error| format!("--variables is not a JSON object: {error}"))?;
    let supergraph = sdl::read(&text)?;
    let operation = Operation::parse(&supergraph, &query, args.operation.as_deref())?;
    let coerced = coerce(&operation, &supergraph, &given)?;
    let plan = baedal_planner::plan(
        &supergraph,
        &operation,
        &coerced,
        &LimitsConfig::default().planning(),
        &Access::unrestricted(),
    )?;
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&plan)?)?;
    } else {
        writeln!(out, "{}", plan.to_string().trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
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
