//! Field sets: the selections inside `@key`, `@requires` and `@provides`.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/directives#fieldset>

use apollo_compiler::Name;
use apollo_compiler::ast::{Argument, Definition, Document, Selection, Value};
use apollo_compiler::{Node, parser::Parser};

use crate::model::{Kind, Model, Place, TypeDef};

/// Field sets nest no deeper than this.
const MAX_DEPTH: usize = 32;

/// A field set, parsed as far as it can be.
#[derive(Debug, Clone)]
pub(crate) struct FieldSet {
    /// The text, without outer braces.
    pub raw: String,
    pub place: Place,
    /// The selection, or why there is none.
    pub parsed: Result<Vec<Sel>, String>,
    /// The argument was a string, as Federation 2 demands.
    pub is_string: bool,
}

/// One selection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sel {
    Field {
        name: Name,
        aliased: bool,
        args: Vec<Node<Argument>>,
        directives: bool,
        sub: Vec<Sel>,
    },
    /// `... on T { }`; without a condition the selection counts for the enclosing type.
    On {
        condition: Option<Name>,
        directives: bool,
        sub: Vec<Sel>,
    },
}

impl FieldSet {
    /// Reads the argument of a directive.
    pub fn read(value: Option<&Node<Value>>, place: Place) -> FieldSet {
        let (raw, is_string) = match value.map(|node| &**node) {
            Some(Value::String(text)) => (text.clone(), true),
            Some(other) => (loose_text(other), false),
            None => (String::new(), false),
        };
        let raw = strip_braces(&raw);
        let parsed = parse(&raw);
        FieldSet {
            raw,
            place,
            parsed,
            is_string,
        }
    }

    /// The selection, empty where it could not be parsed.
    pub fn selection(&self) -> &[Sel] {
        self.parsed.as_deref().unwrap_or_default()
    }
}

/// Federation 1 tools also wrote `@key(fields: id)` and `@key(fields: ["a", "b"])`.
fn loose_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Enum(name) => name.to_string(),
        Value::List(items) => items
            .iter()
            .map(|item| loose_text(item))
            .collect::<Vec<_>>()
            .join(" "),
        _ => String::new(),
    }
}

fn strip_braces(raw: &str) -> String {
    let trimmed = raw.trim();
    let inner = trimmed.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inner.map_or(trimmed, str::trim).to_owned()
}

/// Reads a selection that may stand in braces.
pub(crate) fn parse_selection(text: &str) -> Result<Vec<Sel>, String> {
    parse(&strip_braces(text))
}

fn parse(raw: &str) -> Result<Vec<Sel>, String> {
    if raw.is_empty() {
        return Err("the selection is empty".to_owned());
    }
    let mut parser = Parser::new().recursion_limit(MAX_DEPTH * 2);
    let text = format!("{{ {raw} }}");
    let document = match parser.parse_ast(text, "fields") {
        Ok(document) => document,
        Err(errors) => {
            let first = errors.errors.iter().next().map(|error| error.error.to_string());
            return Err(first.unwrap_or_else(|| "it is not a selection".to_owned()));
        }
    };
    only_operation(&document).and_then(|selection| convert(selection, MAX_DEPTH))
}

fn only_operation(document: &Document) -> Result<&[Selection], String> {
    match document.definitions.as_slice() {
        [Definition::OperationDefinition(operation)] => Ok(&operation.selection_set),
        _ => Err("it is not a selection".to_owned()),
    }
}

fn convert(selection: &[Selection], depth: usize) -> Result<Vec<Sel>, String> {
    if depth == 0 {
        return Err("the selection nests too deep".to_owned());
    }
    selection.iter().map(|one| convert_one(one, depth)).collect()
}

fn convert_one(selection: &Selection, depth: usize) -> Result<Sel, String> {
    match selection {
        Selection::Field(field) => Ok(Sel::Field {
            name: field.name.clone(),
            aliased: field.alias.is_some(),
            args: field.arguments.clone(),
            directives: !field.directives.is_empty(),
            sub: convert(&field.selection_set, depth - 1)?,
        }),
        Selection::InlineFragment(fragment) => Ok(Sel::On {
            condition: fragment.type_condition.clone(),
            directives: !fragment.directives.is_empty(),
            sub: convert(&fragment.selection_set, depth - 1)?,
        }),
        Selection::FragmentSpread(_) => Err("named fragments cannot be used here".to_owned()),
    }
}

/// Calls `visit` for every field that a selection on `ty` names in this subgraph; unknown ones are passed over.
/// Of an interface's field the implementations' are visited too, when `implementations`.
pub(crate) fn targets(
    model: &Model,
    ty: &TypeDef,
    selection: &[Sel],
    implementations: bool,
    visit: &mut dyn FnMut(&TypeDef, &Name),
) {
    for one in selection {
        match one {
            Sel::Field { name, sub, .. } => {
                let Some(field) = ty.fields.get(name) else {
                    continue;
                };
                visit(ty, name);
                if implementations && ty.kind == Kind::Interface {
                    for object in model.runtime_types(ty) {
                        visit(object, name);
                    }
                }
                if let Some(next) = model.types.get(field.ty.inner_named_type()) {
                    targets(model, next, sub, implementations, visit);
                }
            }
            Sel::On { condition, sub, .. } => {
                let next = condition.as_ref().map_or(Some(ty), |name| model.types.get(name));
                if let Some(next) = next {
                    targets(model, next, sub, implementations, visit);
                }
            }
        }
    }
}

/// Prints a selection.
pub(crate) fn print(selection: &[Sel]) -> String {
    let parts: Vec<String> = selection.iter().map(print_one).collect();
    parts.join(" ")
}

fn print_one(selection: &Sel) -> String {
    let (head, sub) = match selection {
        Sel::Field { name, args, sub, .. } if args.is_empty() => (name.to_string(), sub),
        Sel::Field { name, args, sub, .. } => {
            let args: Vec<String> = args
                .iter()
                .map(|arg| format!("{}: {}", arg.name, arg.value.serialize().no_indent()))
                .collect();
            (format!("{name}({})", args.join(", ")), sub)
        }
        Sel::On {
            condition: Some(name),
            sub,
            ..
        } => (format!("... on {name}"), sub),
        Sel::On {
            condition: None, sub, ..
        } => ("...".to_owned(), sub),
    };
    if sub.is_empty() {
        head
    } else {
        format!("{head} {{ {} }}", print(sub))
    }
}
