//! `baedal-router config schema` and `config print`.

use std::io::Write;
use std::process::ExitCode;

use super::serve::configure;
use super::{ConfigCommand, PrintArgs};
use crate::config;

pub const HELP: &str = "\
Examples:
  Let an editor complete and check the file (for example VS Code with its YAML extension):
    baedal-router config schema > router.schema.json
    # yaml-language-server: $schema=router.schema.json
  See what a gateway would use, of two files and a flag:
    baedal-router config print --config router.yaml --config production.yaml --listen 0.0.0.0:4000";

pub const PRINT_HELP: &str = "\
Prints every key with the value that `serve` would use with the same arguments: files merged, environment expanded,
defaults filled in. Secrets, and passwords in URLs, are shown as ***. What is printed is a configuration file itself.

Examples:
  baedal-router config print --config router.yaml
  baedal-router config print --subgraph products=http://127.0.0.1:4101/graphql --json";

pub const SCHEMA_HELP: &str = "\
Prints the JSON Schema (draft 2020-12) of the configuration file: every key, what it means, its default.

Examples:
  baedal-router config schema > router.schema.json";

/// Runs one of them.
pub fn run(command: ConfigCommand) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    match command {
        ConfigCommand::Schema => writeln!(out, "{}", serde_json::to_string_pretty(config::schema())?)?,
        ConfigCommand::Print(PrintArgs { serve, json }) => {
            let shown = configure(serve)?.shown();
            match json {
                true => writeln!(out, "{}", serde_json::to_string_pretty(&shown)?)?,
                false => write!(out, "{}", serde_norway::to_string(&shown)?)?,
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
