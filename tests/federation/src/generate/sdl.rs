//! Prints a graph: the schema of the whole, and of each subgraph.
use std::fmt::Write as _;

use super::graph::{Argument, At, Field, Graph, Kind, Role, Type, name, print};

const LINK: &str = "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.8\", import: [\"@key\", \"@external\", \"@requires\", \"@provides\", \"@shareable\", \"@override\", \"@interfaceObject\", \"@inaccessible\", \"@context\", \"@fromContext\"])\n";

/// What clients may write on fields. It means nothing.
const DIRECTIVE: &str = "directive @mark(n: Int, s: String = \"x\") repeatable on FIELD\n";

/// The schema of the whole graph, as if it were one server's.
pub fn monolith(graph: &Graph) -> String {
    let mut out = String::new();
    if graph.directive {
        out.push_str(DIRECTIVE);
    }
    for ty in &graph.types {
        let interfaces: Vec<String> = ty.implements().to_vec();
        let fields = ty
            .fields
            .iter()
            .filter(|field| !field.hidden)
            .map(|field| format!("  {}{}: {}\n", field.name, arguments(&field.arguments), field.ty));
        definition(ty, &interfaces, "", &fields.collect::<String>(), false, &mut out);
    }
    out
}

/// The SDL of a subgraph.
pub fn subgraph(graph: &Graph, at: At) -> String {
    let mut out = LINK.to_owned();
    if graph.directive {
        out.push_str(DIRECTIVE);
    }
    for ty in &graph.types {
        let Some(seat) = ty.seats.get(&at) else { continue };
        let known = |name: &&String| {
            let interface = graph.ty(name).seats.get(&at);
            interface.is_some_and(|interface| !interface.interface_object) && !seat.hides.contains(*name)
        };
        let interfaces: Vec<String> = ty.implements().iter().filter(known).cloned().collect();
        let fields: String = ty
            .fields
            .iter()
            .filter_map(|field| declared(ty, field, at))
            .collect();
        let mut directives = String::new();
        for key in &seat.keys {
            let resolvable = if key.resolvable { "" } else { ", resolvable: false" };
            _ = write!(directives, " @key(fields: \"{}\"{resolvable})", print(&key.picks));
        }
        if seat.interface_object {
            directives.push_str(" @interfaceObject");
        }
        if seat.context {
            directives.push_str(" @context(name: \"around\")");
        }
        let mut here = ty.clone();
        if let Kind::Union(members) = &mut here.kind {
            *members = graph.parts(&ty.name, at);
        }
        if seat.extends {
            out.push_str("extend ");
        }
        definition(
            &here,
            &interfaces,
            &directives,
            &fields,
            seat.interface_object,
            &mut out,
        );
    }
    out
}

fn declared(ty: &Type, field: &Field, at: At) -> Option<String> {
    let home = field.homes.get(&at)?;
    let arguments = match &home.context {
        Some((field, ty)) => format!("(around: {ty} @fromContext(field: \"$around {{ {field} }}\"))"),
        None => arguments(&field.arguments),
    };
    let mut text = format!("  {}{arguments}: {}", field.name, home.ty);
    if field.hidden && !home.role.is_external() {
        text.push_str(" @inaccessible");
    }
    match &home.role {
        Role::External | Role::Provided => text.push_str(" @external"),
        Role::Override { from, label } => {
            _ = write!(text, " @override(from: \"{}\"", name(*from));
            if let Some((label, _)) = label {
                _ = write!(text, ", label: \"{label}\"");
            }
            text.push(')');
        }
        Role::Owner | Role::Lost => {}
    }
    let seat = &ty.seats[&at];
    if seat.extends && ty.in_key(&field.name, at) {
        text.push_str(" @external\n");
        return Some(text);
    }
    let object = matches!(ty.kind, Kind::Object { .. }) || seat.interface_object;
    if object && !home.role.is_external() && field.owners() > 1 {
        text.push_str(" @shareable");
    }
    if !home.requires.is_empty() {
        _ = write!(text, " @requires(fields: {:?})", print(&home.requires));
    }
    if !home.provides.is_empty() {
        _ = write!(text, " @provides(fields: {:?})", print(&home.provides));
    }
    text.push('\n');
    Some(text)
}

fn arguments(arguments: &[Argument]) -> String {
    if arguments.is_empty() {
        return String::new();
    }
    let one = |argument: &Argument| match &argument.default {
        Some(default) => format!("{}: {} = {default}", argument.name, argument.ty),
        None => format!("{}: {}", argument.name, argument.ty),
    };
    let all: Vec<String> = arguments.iter().map(one).collect();
    format!("({})", all.join(", "))
}

fn definition(
    ty: &Type,
    interfaces: &[String],
    directives: &str,
    fields: &str,
    interface_object: bool,
    out: &mut String,
) {
    let name = &ty.name;
    let implements = match interfaces {
        [] => String::new(),
        some => format!(" implements {}", some.join(" & ")),
    };
    _ = match &ty.kind {
        // A root type without fields is left out.
        Kind::Object { .. } | Kind::Interface { .. } if fields.is_empty() => Ok(()),
        Kind::Interface { .. } if !interface_object => {
            writeln!(out, "interface {name}{directives} {{\n{fields}}}")
        }
        Kind::Object { .. } | Kind::Interface { .. } => {
            writeln!(out, "type {name}{implements}{directives} {{\n{fields}}}")
        }
        Kind::Union(members) => writeln!(out, "union {name} = {}", members.join(" | ")),
        Kind::Enum(values) => writeln!(out, "enum {name} {{ {} }}", values.join(" ")),
        Kind::Input(members) => {
            let text = arguments(members);
            writeln!(out, "input {name} {{ {} }}", text.trim_matches(['(', ')']))
        }
    };
}
