//! `baedal-router explain`.

use std::process::ExitCode;

use super::PlanArgs;
use super::plan::{made, print};

pub const HELP: &str = "\
Examples:
  baedal-router explain --supergraph supergraph.graphql query.graphql
  echo '{ me { orders { price } } }' | baedal-router explain --supergraph supergraph.graphql -

For each fetch of the plan:
  because   who uses what it brings: the client, or a later fetch that sends it (as a key, for @requires, as an argument
            from the context)
  needs     what it sends of what earlier fetches brought
  yields    what it brings, by response keys from the root
The arguments are those of `baedal-router plan`, which prints the queries.";

/// Plans, and prints why the plan is as it is.
pub fn run(args: &PlanArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let (supergraph, plan) = made(args)?;
    print(args, &baedal_planner::explain(&supergraph, &plan))
}
