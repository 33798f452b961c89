//! Contracts: a variant of the public schema, made of what bears certain tags or lacks others.
//!
//! A supergraph in, the same supergraph with `@inaccessible` on what the contract leaves out: every gateway that
//! honours the specification serves the variant, and still uses what is hidden to answer it.
//!
//! The rules:
//! - What bears an excluded tag is left out, with all fields of a type that does.
//! - With included tags, a field of an object or interface is left out unless it or its type bears one, or an interface
//!   that stays has the field. Other elements need no tag: they stay as long as a field that stays leads to them.
//! - What cannot be used without something left out is left out too: a field of such a type, a field with such a
//!   required argument, an interface's field that an implementation lost; and types that are empty or that no
//!   query reaches.
//!
//! <https://specs.apollo.dev/tag/v0.3/>, <https://specs.apollo.dev/inaccessible/v0.2/>

mod closure;
mod links;
mod reachable;
mod view;
mod write;

use apollo_compiler::Schema;
use std::collections::BTreeSet;

use crate::diagnostics::Diagnostic;
use view::View;

/// Which tags a variant shows and which it leaves out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contract {
    /// Only what bears one of these; empty: everything.
    pub include: BTreeSet<String>,
    /// Nothing that bears one of these, whatever else it bears.
    pub exclude: BTreeSet<String>,
}

/// A supergraph under a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contracted {
    /// The supergraph, with more that is `@inaccessible`.
    pub supergraph_sdl: String,
    /// Tags of the contract that nothing in the supergraph bears: a misspelt one may show what it should hide.
    pub unknown_tags: Vec<String>,
}

/// Applies a contract to a supergraph.
///
/// # Errors
/// The text is not a supergraph, or the contract leaves nothing to query.
pub fn apply(supergraph_sdl: &str, contract: &Contract) -> Result<Contracted, Diagnostic> {
    let mut schema = Schema::parse(supergraph_sdl, "supergraph.graphql").map_err(|failed| {
        let first = failed.errors.iter().next().map(|error| error.error.to_string());
        let message = format!("The supergraph cannot be read: {}.", first.unwrap_or_default());
        Diagnostic::global("INVALID_FEDERATION_SUPERGRAPH", message)
    })?;
    let links = links::read(&schema);
    let mut view = view::read(&schema, &links);
    let unknown_tags = unknown(&view, contract);
    closure::select(&mut view, contract);
    closure::close(&mut view);
    reachable::hide_others(&mut view, &schema);
    let query = schema.schema_definition.query.as_ref();
    if query.is_none_or(|query| view.types.get(&query.name).is_none_or(|ty| ty.hidden)) {
        return Err(nothing_left(contract));
    }
    write::hide(&mut schema, &view, &links);
    Ok(Contracted {
        supergraph_sdl: schema.to_string(),
        unknown_tags,
    })
}

fn unknown(view: &View, contract: &Contract) -> Vec<String> {
    let all = contract.include.union(&contract.exclude);
    all.filter(|tag| !view.tags.contains(*tag)).cloned().collect()
}

fn nothing_left(contract: &Contract) -> Diagnostic {
    let list = |tags: &BTreeSet<String>| tags.iter().cloned().collect::<Vec<_>>().join(", ");
    let message = format!(
        "The contract (include: [{}], exclude: [{}]) leaves nothing to query: tag at least one field of Query that it shows.",
        list(&contract.include),
        list(&contract.exclude)
    );
    Diagnostic::global("QUERY_ROOT_TYPE_INACCESSIBLE", message)
}
