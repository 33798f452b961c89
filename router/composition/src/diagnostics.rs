//! Errors and hints, as data for tools and as text for people.

use serde::Serialize;
use std::fmt::Write as _;

use crate::Subgraph;

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

/// What usually helps, in words; `None` where the message already says it all.
fn fix(code: &str) -> Option<&'static str> {
    Some(match code {
        "INVALID_FIELD_SHARING" => {
            "mark the field @shareable in every subgraph that resolves it, or keep it in one subgraph only (@external or @override in the others)"
        }
        "SATISFIABILITY_ERROR" => {
            "give the type a resolvable @key that the asking subgraph can fill, or let that subgraph resolve the field"
        }
        "EXTERNAL_UNUSED" => "remove the field, or use it in a @key, @requires or @provides",
        "EXTERNAL_MISSING_ON_BASE" => "define the field without @external in the subgraph that resolves it",
        "KEY_INVALID_FIELDS" | "REQUIRES_INVALID_FIELDS" | "PROVIDES_INVALID_FIELDS" => {
            "name only fields that this subgraph defines, with a selection in braces below objects"
        }
        "REQUIRES_FIELDS_MISSING_EXTERNAL" | "PROVIDES_FIELDS_MISSING_EXTERNAL" => {
            "mark the named field @external in this subgraph, or drop it from the selection"
        }
        "FIELD_TYPE_MISMATCH" | "FIELD_ARGUMENT_TYPE_MISMATCH" | "EXTERNAL_TYPE_MISMATCH" => {
            "declare the same type everywhere; it may differ only in nullability or be a subtype"
        }
        "TYPE_KIND_MISMATCH" => "use one kind for the type in all subgraphs, or rename one of them",
        "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH" | "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH" => {
            "make it optional or give it a default, or add it to the other subgraphs"
        }
        "ENUM_VALUE_MISMATCH" => "add the value to the other subgraphs, or mark it @inaccessible",
        "EMPTY_MERGED_ENUM_TYPE" | "EMPTY_MERGED_INPUT_TYPE" => {
            "let the subgraphs agree on at least one member"
        }
        "UNKNOWN_FEDERATION_LINK_VERSION" => "link https://specs.apollo.dev/federation/v2.0 up to v2.12",
        "NO_QUERIES" => "let at least one subgraph define a field on Query",
        "INTERFACE_FIELD_NO_IMPLEM" => {
            "add the field to the implementing type in a subgraph that can resolve it"
        }
        "EXTENSION_WITH_NO_BASE" => "define the type (without extend) in the subgraph that owns it",
        _ => return None,
    })
}
