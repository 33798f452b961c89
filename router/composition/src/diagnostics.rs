//! Errors and hints, as data for tools and as text for people.

mod fix;

use apollo_compiler::ast::{Definition, Document};
use serde::Serialize;
use std::fmt::Write as _;

use crate::Subgraph;
use fix::fix;

/// One error or hint. As JSON it has exactly these five keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Diagnostic {
    /// A code of the Federation documentation, as `INVALID_FIELD_SHARING`.
    pub code: String,
    /// What is wrong and what to do.
    pub message: String,
    /// The subgraph to change, where one is to blame.
    pub subgraph: Option<String>,
    /// Line in that subgraph's SDL, from 1.
    pub line: Option<usize>,
    /// Column in that line, in characters from 1.
    pub column: Option<usize>,
}

impl Diagnostic {
    /// An error at a definition of a subgraph's SDL.
    pub(crate) fn at(
        subgraph: &Subgraph,
        code: &str,
        document: &Document,
        definition: &Definition,
        message: String,
    ) -> Diagnostic {
        let span = definition.location();
        let at = span.and_then(|span| span.line_column(&document.sources));
        Diagnostic {
            code: code.to_owned(),
            message: format!("[{}] {message}", subgraph.name),
            subgraph: Some(subgraph.name.clone()),
            line: at.map(|at| at.line),
            column: at.map(|at| at.column),
        }
    }

    /// An error that no single subgraph is to blame for.
    pub(crate) fn global(code: &str, message: impl Into<String>) -> Diagnostic {
        let code = code.to_owned();
        Diagnostic {
            code,
            message: message.into(),
            subgraph: None,
            line: None,
            column: None,
        }
    }
}

/// Orders by subgraph and place, without repetitions.
pub(crate) fn tidy(mut all: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let key = |d: &Diagnostic| {
        (
            d.subgraph.clone(),
            d.line,
            d.column,
            d.code.clone(),
            d.message.clone(),
        )
    };
    all.sort_by_key(key);
    all.dedup();
    all
}

/// Prints diagnostics for a terminal: code and message, then the source line with a caret, then the usual fix.
pub fn render(diagnostics: &[Diagnostic], subgraphs: &[Subgraph]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        render_one(&mut out, diagnostic, subgraphs);
    }
    out
}

fn render_one(out: &mut String, diagnostic: &Diagnostic, subgraphs: &[Subgraph]) {
    let mut lines = diagnostic.message.lines();
    let _ = writeln!(out, "{}: {}", diagnostic.code, lines.next().unwrap_or_default());
    for line in lines {
        let _ = writeln!(out, "  {line}");
    }
    if let Some(name) = &diagnostic.subgraph {
        render_place(out, name, diagnostic, subgraphs);
    }
    if let Some(fix) = fix(&diagnostic.code) {
        let _ = writeln!(out, "  = fix: {fix}");
    }
    out.push('\n');
}

fn render_place(out: &mut String, name: &str, diagnostic: &Diagnostic, subgraphs: &[Subgraph]) {
    let (Some(line), Some(column)) = (diagnostic.line, diagnostic.column) else {
        let _ = writeln!(out, "  --> subgraph {name}");
        return;
    };
    let _ = writeln!(out, "  --> subgraph {name}, line {line}, column {column}");
    let source = subgraphs.iter().find(|subgraph| subgraph.name == name);
    let Some(text) = source.and_then(|subgraph| subgraph.sdl.lines().nth(line.saturating_sub(1))) else {
        return;
    };
    let number = line.to_string();
    let gutter = " ".repeat(number.len());
    let before = text.chars().take(column.saturating_sub(1));
    let pad: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let _ = writeln!(out, " {gutter} |\n {number} | {text}\n {gutter} | {pad}^");
}
