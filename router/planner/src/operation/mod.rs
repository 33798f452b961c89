//! A client's operation: parsed, validated against the public schema, one operation chosen.
pub(crate) mod conditions;
mod incremental;
mod introspect;
mod rules;
mod variables;
mod weigh;

use std::collections::HashSet;

use apollo_compiler::ast::Document;
use apollo_compiler::executable::{self, OperationType};
use apollo_compiler::parser::{LineColumn, Parser, SourceSpan};
use apollo_compiler::response::GraphQLError as CompilerError;
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{ExecutableDocument, Node, introspection};
use serde::Serialize;

use crate::plan::OperationKind;
use crate::supergraph::Supergraph;

pub use variables::CoercionError;

/// Nesting of a document, as the parser counts it. The parser and the passes after it recurse.
const RECURSION_LIMIT: usize = 200;
/// Lexical tokens of a document.
const TOKEN_LIMIT: usize = 250_000;

/// An error as a GraphQL response carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestError {
    /// What is wrong.
    pub message: String,
    /// Where in the document, lines and columns from 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
    /// `extensions`.
    pub extensions: Extensions,
}

/// A place in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Location {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// `extensions` of a request error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Extensions {
    /// `GRAPHQL_PARSE_FAILED`, `GRAPHQL_VALIDATION_FAILED`, `OPERATION_RESOLUTION_FAILURE` or `INTROSPECTION_TOO_DEEP`.
    pub code: &'static str,
}

/// The document can't be executed; nothing was sent to any subgraph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", errors.iter().map(|e| e.message.as_str()).collect::<Vec<_>>().join("; "))]
pub struct OperationError {
    /// At least one.
    pub errors: Vec<RequestError>,
}

/// An operation of a client.
#[derive(Clone, Debug)]
pub struct Operation {
    pub(crate) document: Valid<ExecutableDocument>,
    pub(crate) operation: Node<executable::Operation>,
    conditional: Vec<String>,
    introspects: bool,
    incremental: bool,
}

impl Operation {
    /// Parses and validates a document and chooses its operation.
    pub fn parse(sg: &Supergraph, query: &str, name: Option<&str>) -> Result<Operation, OperationError> {
        let parser = Parser::new()
            .recursion_limit(RECURSION_LIMIT)
            .token_limit(TOKEN_LIMIT);
        let ast = parse_document(parser, query)?;
        let document = ast
            .to_executable_validate(sg.api_schema())
            .map_err(|e| diagnostics(&e.errors, "GRAPHQL_VALIDATION_FAILED"))?;
        rules::check(sg.api_schema(), &document)?;
        let incremental = incremental::is_incremental(&document);
        if incremental {
            incremental::check(sg.api_schema(), &document)?;
        }
        let operation = document
            .operations
            .get(name)
            .map_err(|e| {
                one(
                    e.to_graphql_error(&document.sources),
                    "OPERATION_RESOLUTION_FAILURE",
                )
            })?
            .clone();
        introspection::check_max_depth(&document, &operation)
            .map_err(|e| one(e.to_graphql_error(&document.sources), "INTROSPECTION_TOO_DEEP"))?;
        let conditional = conditions::variables(&document, &operation);
        let introspects = operation.is_query()
            && operation
                .root_fields(&document)
                .any(|f| f.name == "__schema" || f.name == "__type");
        Ok(Operation {
            operation,
            document,
            conditional,
            introspects,
            incremental,
        })
    }

    /// Kind of the operation.
    pub fn kind(&self) -> OperationKind {
        match self.operation.operation_type {
            OperationType::Query => OperationKind::Query,
            OperationType::Mutation => OperationKind::Mutation,
            OperationType::Subscription => OperationKind::Subscription,
        }
    }

    /// Name of the operation.
    pub fn name(&self) -> Option<&str> {
        self.operation.name.as_ref().map(|n| n.as_str())
    }

    /// Variables that decide `@skip`, `@include`, `@defer` or `@stream`, sorted. With their values a plan is fixed.
    pub fn conditional_variables(&self) -> &[String] {
        &self.conditional
    }

    /// Whether the document defers or streams anything: then the plan depends on [`Settings::incremental`](crate::Settings).
    pub fn is_incremental(&self) -> bool {
        self.incremental
    }

    /// Whether root fields `__schema` or `__type` are selected.
    pub fn introspects(&self) -> bool {
        self.introspects
    }
}

fn parse_document(mut parser: Parser, query: &str) -> Result<Document, OperationError> {
    parser
        .parse_ast(query, "operation")
        .map_err(|e| diagnostics(&e.errors, "GRAPHQL_PARSE_FAILED"))
}

fn one(error: CompilerError, code: &'static str) -> OperationError {
    OperationError {
        errors: vec![request_error(error, code)],
    }
}

/// A document that is not valid, and where.
fn invalid(document: &ExecutableDocument, at: Option<SourceSpan>, message: String) -> RequestError {
    let place = at.and_then(|span| span.line_column(&document.sources));
    let location = |place: LineColumn| Location {
        line: place.line,
        column: place.column,
    };
    RequestError {
        message,
        locations: place.into_iter().map(location).collect(),
        extensions: Extensions {
            code: "GRAPHQL_VALIDATION_FAILED",
        },
    }
}

fn request_error(error: CompilerError, code: &'static str) -> RequestError {
    let locations = error
        .locations
        .iter()
        .map(|l| Location {
            line: l.line,
            column: l.column,
        })
        .collect();
    RequestError {
        message: error.message,
        locations,
        extensions: Extensions { code },
    }
}

fn diagnostics(list: &DiagnosticList, code: &'static str) -> OperationError {
    let mut seen = HashSet::new();
    let mut errors: Vec<RequestError> = Vec::new();
    for diagnostic in list.iter() {
        let error = request_error(diagnostic.to_json(), code);
        let place: Vec<_> = error.locations.iter().map(|l| (l.line, l.column)).collect();
        if seen.insert((error.message.clone(), place)) {
            errors.push(error);
        }
    }
    OperationError { errors }
}
