//! Stage 4: prints the supergraph in the form of the link and join specifications.
//!
//! <https://specs.apollo.dev/join/v0.3/>, <https://specs.apollo.dev/link/v1.0/>

mod header;
mod types;

use std::fmt::Write as _;

use crate::merge::merged::Merged;
use crate::model::Marks;

/// Prints a merged supergraph.
pub(crate) fn emit(merged: &Merged) -> String {
    let mut out = String::new();
    header::write(&mut out, merged);
    types::write(&mut out, merged);
    out
}

/// A GraphQL string literal.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A description: a block string where that keeps the text, else a quoted one.
fn description(out: &mut String, text: Option<&str>, indent: &str) {
    let Some(text) = text else { return };
    if text.is_empty() || !is_block_safe(text) {
        let _ = writeln!(out, "{indent}{}", quoted(text));
        return;
    }
    let escaped = text.replace("\"\"\"", "\\\"\"\"");
    let _ = writeln!(out, "{indent}\"\"\"");
    for line in escaped.split('\n') {
        if line.is_empty() {
            out.push('\n');
        } else {
            let _ = writeln!(out, "{indent}{line}");
        }
    }
    let _ = writeln!(out, "{indent}\"\"\"");
}

/// Block strings lose leading and trailing blank lines and common indentation.
fn is_block_safe(text: &str) -> bool {
    let blank = |line: Option<&str>| line.is_some_and(|line| line.trim().is_empty());
    let starts_indented = text.starts_with([' ', '\t']);
    let control = text.chars().any(|c| c.is_control() && c != '\n');
    !starts_indented && !control && !blank(text.split('\n').next()) && !blank(text.split('\n').next_back())
}

/// Directives of an element that are not join's.
fn marks(marks: &Marks) -> Vec<String> {
    let mut all = Vec::new();
    if marks.inaccessible {
        all.push("@inaccessible".to_owned());
    }
    all.extend(
        marks
            .tags
            .iter()
            .map(|tag| format!("@tag(name: {})", quoted(tag))),
    );
    if marks.authenticated {
        all.push("@authenticated".to_owned());
    }
    all.extend(
        marks
            .scopes
            .as_ref()
            .map(|scopes| format!("@requiresScopes(scopes: {})", nested(scopes))),
    );
    all.extend(
        marks
            .policies
            .as_ref()
            .map(|policies| format!("@policy(policies: {})", nested(policies))),
    );
    all.extend(marks.cost.map(|weight| format!("@cost(weight: {weight})")));
    all.extend(marks.list_size.as_ref().map(list_size));
    let written = marks
        .deprecated
        .iter()
        .chain(&marks.specified_by)
        .chain(&marks.custom);
    all.extend(written.map(|directive| directive.serialize().no_indent().to_string()));
    all
}

fn list(items: &[String]) -> String {
    let quoted: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    format!("[{}]", quoted.join(", "))
}

fn nested(alternatives: &[Vec<String>]) -> String {
    let inner: Vec<String> = alternatives.iter().map(|one| list(one)).collect();
    format!("[{}]", inner.join(", "))
}

fn list_size(size: &crate::model::ListSize) -> String {
    let parts = [
        size.assumed.map(|number| format!("assumedSize: {number}")),
        size.slicing
            .as_ref()
            .map(|names| format!("slicingArguments: {}", list(names))),
        size.sized
            .as_ref()
            .map(|names| format!("sizedFields: {}", list(names))),
        size.require_one
            .map(|flag| format!("requireOneSlicingArgument: {flag}")),
    ];
    let given: Vec<String> = parts.into_iter().flatten().collect();
    if given.is_empty() {
        "@listSize".to_owned()
    } else {
        format!("@listSize({})", given.join(", "))
    }
}

#[cfg(test)]
mod read_back;
