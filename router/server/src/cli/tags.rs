//! `--include-tag` and `--exclude-tag`: the variant of a supergraph that a contract shows.

use baedal_composition::Diagnostic;
use baedal_composition::contract::{Contract, apply};
use clap::Args;

/// Tags of a contract.
#[derive(Debug, Clone, Default, Args)]
pub struct TagArgs {
    /// Show only fields with this @tag, on themselves or on their type, and what they lead to; repeat it for more
    #[arg(long = "include-tag", value_name = "TAG")]
    include: Vec<String>,
    /// Leave out everything with this @tag, and what cannot be used without it; repeat it for more
    #[arg(long = "exclude-tag", value_name = "TAG")]
    exclude: Vec<String>,
}

impl TagArgs {
    /// The variant of a supergraph; the supergraph itself where no tag is given. Unknown tags are told on stderr.
    pub fn variant(&self, supergraph: String) -> Result<String, Diagnostic> {
        if self.include.is_empty() && self.exclude.is_empty() {
            return Ok(supergraph);
        }
        let contract = Contract {
            include: self.include.iter().cloned().collect(),
            exclude: self.exclude.iter().cloned().collect(),
        };
        let contracted = apply(&supergraph, &contract)?;
        for tag in &contracted.unknown_tags {
            eprintln!("hint: nothing in the supergraph bears the tag `{tag}`: is it spelt right?");
        }
        Ok(contracted.supergraph_sdl)
    }
}
