//! Stage 1: from SDL text to a [`Model`]: parse, resolve links, check that it is valid GraphQL, read, upgrade.

mod annotations;
mod disallowed;
mod graphql;
mod link;
mod read;
mod roots;
mod spec;
mod upgrade;
mod usage;

use apollo_compiler::ast::Document;
use apollo_compiler::parser::Parser;
use apollo_compiler::validation::DiagnosticList;

use crate::Subgraph;
use crate::diagnostics::Diagnostic;
use crate::model::{Federation, Model};

/// SDL values and types nest no deeper than this.
const RECURSION_LIMIT: usize = 200;

/// The subgraphs that could be read, and what is wrong with the others.
pub(crate) struct Ingested {
    /// In the order given.
    pub models: Vec<Model>,
    pub errors: Vec<Diagnostic>,
    /// Every subgraph is among the models.
    pub complete: bool,
}

/// Reads all subgraphs.
pub(crate) fn ingest_all(subgraphs: &[&Subgraph]) -> Ingested {
    let mut errors = check_names(subgraphs);
    let mut models: Vec<Model> = Vec::with_capacity(subgraphs.len());
    for subgraph in subgraphs {
        match ingest(subgraph) {
            Ok(model) if models.last().is_none_or(|before| before.name != model.name) => models.push(model),
            Ok(_) => {} // The second of a name, which is reported.
            Err(more) => errors.extend(more),
        }
    }
    upgrade::upgrade_all(&mut models);
    models.iter_mut().for_each(usage::record);
    Ingested {
        complete: errors.is_empty(),
        models,
        errors,
    }
}

/// Names tell subgraphs apart in errors, metrics and the supergraph.
fn check_names(subgraphs: &[&Subgraph]) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    if subgraphs.is_empty() {
        errors.push(Diagnostic::global(
            "NO_QUERIES",
            "There is no subgraph to compose: name at least one.",
        ));
    }
    for (index, subgraph) in subgraphs.iter().enumerate() {
        let name = subgraph.name.as_str();
        if name.trim().is_empty() {
            errors.push(Diagnostic::global(
                "INVALID_SUBGRAPH_NAME",
                "A subgraph needs a name that is not empty.",
            ));
        }
        if name == "_" || name.starts_with("__") {
            let message = format!("Invalid name \"{name}\" for a subgraph: this name is reserved.");
            errors.push(Diagnostic::global("INVALID_SUBGRAPH_NAME", message));
        }
        if index > 0 && subgraphs[index - 1].name == name {
            let message = format!("Two subgraphs are named \"{name}\": give each its own name.");
            errors.push(Diagnostic::global("INVALID_SUBGRAPH_NAME", message));
        }
    }
    errors
}

/// Reads one subgraph.
fn ingest(subgraph: &Subgraph) -> Result<Model, Vec<Diagnostic>> {
    let document = parse(subgraph)?;
    let linked = link::resolve(&document, subgraph)?;
    let mut errors = graphql::check(&document, &linked, subgraph);
    errors.extend(disallowed::check(&document, &linked, subgraph));
    let roots = roots::resolve(&document, subgraph).unwrap_or_else(|more| {
        errors.extend(more);
        roots::Roots::new()
    });
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut model = read::read(&document, &linked, &roots, subgraph);
    if matches!(linked.version, Federation::Two(_)) {
        upgrade::drop_fake_externals(&mut model);
    }
    Ok(model)
}

fn parse(subgraph: &Subgraph) -> Result<Document, Vec<Diagnostic>> {
    let mut parser = Parser::new().recursion_limit(RECURSION_LIMIT);
    let parsed = parser.parse_ast(subgraph.sdl.clone(), &subgraph.name);
    parsed.map_err(|failed| invalid_graphql(&failed.errors, subgraph, &|message| message))
}

/// apollo-compiler's findings as diagnostics; `explain` may add to the message.
fn invalid_graphql(
    found: &DiagnosticList,
    subgraph: &Subgraph,
    explain: &dyn Fn(String) -> String,
) -> Vec<Diagnostic> {
    let one = |message: String, at: Option<(usize, usize)>| Diagnostic {
        code: "INVALID_GRAPHQL".to_owned(),
        message: format!("[{}] {}", subgraph.name, explain(message)),
        subgraph: Some(subgraph.name.clone()),
        line: at.map(|at| at.0),
        column: at.map(|at| at.1),
    };
    found
        .iter()
        .map(|each| {
            let at = each
                .line_column_range()
                .map(|range| (range.start.line, range.start.column));
            one(each.error.to_string(), at)
        })
        .collect()
}

/// Whether federation defines a directive of this name.
pub(crate) fn is_of_federation(name: &str) -> bool {
    spec::find(name).is_some()
}
