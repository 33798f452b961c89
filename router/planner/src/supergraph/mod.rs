//! Reads a supergraph: the SDL of the join specification (v0.1–v0.5), as any composition emits it.
//!
//! Stages, one file each: [`links`] (which specifications the document uses, and whether we may
//! serve it), [`read`] (into the compact [`model`]), [`api`] (what clients see).
pub(crate) mod api;
pub(crate) mod contexts;
pub(crate) mod costs;
pub(crate) mod field_set;
mod incremental;
pub(crate) mod links;
pub(crate) mod model;
mod possible;
mod provided;
mod read;
pub(crate) mod rights;
pub(crate) mod types;

use apollo_compiler::collections::HashMap;
use apollo_compiler::schema::Implementers;
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Schema};

use model::Model;
pub use model::SubgraphInfo;
pub use rights::AskedRights;

/// Why a supergraph can't be served.
#[derive(Debug, thiserror::Error)]
pub enum SupergraphError {
    /// The text is not GraphQL SDL.
    #[error("the supergraph is not valid GraphQL SDL: {0}")]
    Syntax(String),
    /// No `join` specification is linked, or its graph enum is missing.
    #[error("this SDL is not a supergraph: {0}")]
    NotASupergraph(String),
    /// A specification that must be understood for security or execution is not.
    #[error(
        "the supergraph uses {url} for {purpose}, which this gateway does not know{}; serving it would be unsafe",
        but(known)
    )]
    UnknownSpecification {
        /// The `url` of the `@link` or `@core`.
        url: String,
        /// `SECURITY` or `EXECUTION`.
        purpose: String,
        /// Versions of it that are known, if any.
        known: String,
    },
    /// Its join specification is newer than all this gateway knows.
    #[error("the supergraph is written in {url}; this gateway reads join v0.1 to v0.5")]
    UnknownJoin {
        /// The `url` of the `@link` or `@core`.
        url: String,
    },
    /// A directive of the join specification says something impossible.
    #[error("{coordinate}: {reason}")]
    Invalid {
        /// Type or field.
        coordinate: String,
        /// What is wrong there.
        reason: String,
    },
    /// What remains for clients is not a valid schema.
    #[error("the public schema of this supergraph is not valid: {0}")]
    PublicSchema(String),
}

fn but(known: &str) -> String {
    if known.is_empty() {
        String::new()
    } else {
        format!(" (it knows {known})")
    }
}

/// A supergraph, ready to plan for.
#[derive(Debug)]
pub struct Supergraph {
    pub(crate) model: Model,
    api: Valid<Schema>,
    api_sdl: String,
    pub(crate) implementers: HashMap<Name, Implementers>,
    pub(crate) costs: costs::Costs,
    labels: Vec<String>,
}

impl Supergraph {
    /// Reads supergraph SDL.
    pub fn parse(sdl: &str) -> Result<Supergraph, SupergraphError> {
        let schema = Schema::parse(sdl, "supergraph.graphql")
            .map_err(|e| SupergraphError::Syntax(e.errors.to_string()))?;
        let links = links::read(&schema)?;
        let model = read::model(&schema, &links)?;
        let api = api::api_schema(&schema, &links)?;
        Ok(Supergraph {
            costs: costs::costs(&schema, &links),
            labels: model.labels(),
            api_sdl: api.to_string(),
            implementers: api.implementers_map(),
            api,
            model,
        })
    }

    /// The same, with `@defer` and `@stream` in the schema that clients see.
    pub fn with_incremental(mut self) -> Result<Supergraph, SupergraphError> {
        self.api = incremental::with_directives(self.api)?;
        self.api_sdl = self.api.to_string();
        Ok(self)
    }

    /// The schema that clients see: for validation and introspection.
    pub fn api_schema(&self) -> &Valid<Schema> {
        &self.api
    }

    /// The schema that clients see, as SDL.
    pub fn api_sdl(&self) -> &str {
        &self.api_sdl
    }

    /// What the supergraph asks of callers, over all its types and fields.
    pub fn asked_rights(&self) -> AskedRights {
        let mut asked = AskedRights::default();
        for ty in &self.model.types {
            asked.add(&ty.rights);
            ty.fields.values().for_each(|field| asked.add(&field.rights));
        }
        asked
    }

    /// Labels of `@override(label:)`, sorted. The set of those that are active decides who resolves some fields.
    pub fn override_labels(&self) -> &[String] {
        &self.labels
    }

    /// The subgraphs, in the order of the supergraph's graph enum.
    pub fn subgraphs(&self) -> &[SubgraphInfo] {
        &self.model.subgraphs
    }
}
