//! Compact GraphQL text.
use std::collections::BTreeSet;
use std::fmt::Write as _;

use apollo_compiler::ast::{Directive, OperationType, Value, VariableDefinition};
use apollo_compiler::executable;
use apollo_compiler::{Name, Node};

use crate::operation::conditions::passed_on;
use crate::plan::OperationKind;
use crate::supergraph::field_set::Args;

/// An operation: variables of the gateway's own (`$name:Type`) are declared first, then the client's in use. Named
/// fragments follow it.
pub(super) fn operation(
    kind: OperationKind,
    own: &[String],
    used: &mut BTreeSet<String>,
    operation: &executable::Operation,
    body: &str,
) -> String {
    // What is put on a mutation is nothing for the queries that follow it.
    let mut directed = String::new();
    if kind_of(operation) == kind {
        directives(passed_on(&operation.directives), used, &mut directed);
    }
    let client = operation
        .variables
        .iter()
        .filter(|v| used.contains(v.name.as_str()));
    let declared: Vec<String> = own
        .iter()
        .cloned()
        .chain(client.map(|v| declaration(v)))
        .collect();
    let word = match kind {
        OperationKind::Query => "query",
        OperationKind::Mutation => "mutation",
        OperationKind::Subscription => "subscription",
    };
    match (declared.is_empty(), kind) {
        (true, OperationKind::Query) if directed.is_empty() => format!("{{{body}}}"),
        (true, _) => format!("{word}{directed}{{{body}}}"),
        (false, _) => format!("{word}({}){directed}{{{body}}}", declared.join(",")),
    }
}

fn kind_of(operation: &executable::Operation) -> OperationKind {
    match operation.operation_type {
        OperationType::Query => OperationKind::Query,
        OperationType::Mutation => OperationKind::Mutation,
        OperationType::Subscription => OperationKind::Subscription,
    }
}

/// `@a(b:1)@c`, or nothing.
pub(super) fn directives<'d>(
    all: impl Iterator<Item = &'d Node<Directive>>,
    used: &mut BTreeSet<String>,
    out: &mut String,
) {
    for directive in all {
        _ = write!(out, "@{}", directive.name);
        let given = directive.arguments.iter();
        listed(given.map(|a| (&a.name, &*a.value)), &[], used, out);
    }
}

/// The default is kept: with it a nullable variable may stand where null may not.
fn declaration(variable: &VariableDefinition) -> String {
    let mut out = format!("${}:{}", variable.name, variable.ty);
    if let Some(default) = &variable.default_value {
        out.push('=');
        literal(default, &mut BTreeSet::new(), &mut out);
    }
    directives(passed_on(&variable.directives), &mut BTreeSet::new(), &mut out);
    out
}

/// A variable name that the client does not use.
pub(super) fn free_variable(wanted: &str, operation: &executable::Operation) -> String {
    let taken = |name: &str| {
        operation
            .variables
            .iter()
            .any(|v| v.name.as_str().starts_with(name))
    };
    let mut name = wanted.to_owned();
    while taken(&name) {
        name.push('_');
    }
    name
}

/// `(a:1,b:$b)`, then directives, or nothing. Names of the client's variables are added to `used`; `filled` are arguments
/// with variables of the gateway's own.
pub(super) fn arguments(
    args: &Args,
    filled: &[(&str, String)],
    used: &mut BTreeSet<String>,
    out: &mut String,
) {
    listed(
        args.0.iter().map(|(name, value)| (name, value)),
        filled,
        used,
        out,
    );
    directives(args.1.iter().flat_map(|all| &all.field), used, out);
}

fn listed<'v>(
    args: impl Iterator<Item = (&'v Name, &'v Value)>,
    filled: &[(&str, String)],
    used: &mut BTreeSet<String>,
    out: &mut String,
) {
    let mut separator = '(';
    for (name, value) in args {
        out.push(std::mem::replace(&mut separator, ','));
        _ = write!(out, "{name}:");
        literal(value, used, out);
    }
    for (name, variable) in filled {
        out.push(std::mem::replace(&mut separator, ','));
        _ = write!(out, "{name}:${variable}");
    }
    if separator == ',' {
        out.push(')');
    }
}

fn literal(value: &Value, used: &mut BTreeSet<String>, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Enum(name) => out.push_str(name),
        Value::Variable(name) => {
            used.insert(name.to_string());
            _ = write!(out, "${name}");
        }
        Value::String(text) => out.push_str(&serde_json::Value::String(text.clone()).to_string()),
        Value::Float(number) => out.push_str(number.as_str()),
        Value::Int(number) => out.push_str(number.as_str()),
        Value::Boolean(value) => _ = write!(out, "{value}"),
        Value::List(items) => {
            out.push('[');
            for (ix, item) in items.iter().enumerate() {
                if ix > 0 {
                    out.push(',');
                }
                literal(item, used, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (ix, (name, value)) in fields.iter().enumerate() {
                if ix > 0 {
                    out.push(',');
                }
                _ = write!(out, "{name}:");
                literal(value, used, out);
            }
            out.push('}');
        }
    }
}
