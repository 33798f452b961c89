//! The types, each with its `@join__…` directives.

use apollo_compiler::Name;
use std::fmt::Write as _;

use super::{description, marks, quoted};
use crate::merge::merged::{
    ContextArg, JoinDirective, JoinField, JoinType, MField, MInput, MType, MValue, Merged,
};
use crate::model::{Kind, is_builtin_scalar};

/// Writes all types in order of their names.
pub(super) fn write(out: &mut String, merged: &Merged) {
    for ty in merged.types.values().filter(|ty| !is_builtin_scalar(&ty.name)) {
        out.push('\n');
        write_type(out, merged, ty);
    }
}

fn write_type(out: &mut String, merged: &Merged, ty: &MType) {
    description(out, ty.description.as_ref().map(|text| text.as_str()), "");
    let (word, interfaces) = (keyword(ty.kind), implements(ty));
    let _ = writeln!(out, "{word} {}{interfaces}", ty.name);
    for directive in type_directives(merged, ty) {
        let _ = writeln!(out, "  {directive}");
    }
    match ty.kind {
        Kind::Scalar => {}
        Kind::Union => {
            let members: Vec<&str> = ty.members.iter().map(|member| member.as_str()).collect();
            let _ = writeln!(out, "  = {}", members.join(" | "));
        }
        Kind::Object | Kind::Interface => body(out, |out| {
            for (name, field) in &ty.fields {
                write_field(out, merged, name, field);
            }
        }),
        Kind::Input => body(out, |out| {
            for (name, input) in &ty.inputs {
                write_input_field(out, merged, name, input);
            }
        }),
        Kind::Enum => body(out, |out| {
            for (name, value) in &ty.values {
                write_value(out, merged, name, value);
            }
        }),
    }
}

fn body(out: &mut String, write: impl FnOnce(&mut String)) {
    out.push_str("{\n");
    write(out);
    out.push_str("}\n");
}

fn keyword(kind: Kind) -> &'static str {
    match kind {
        Kind::Scalar => "scalar",
        Kind::Object => "type",
        Kind::Interface => "interface",
        Kind::Union => "union",
        Kind::Enum => "enum",
        Kind::Input => "input",
    }
}

fn implements(ty: &MType) -> String {
    if ty.implements.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = ty.implements.iter().map(|name| name.as_str()).collect();
    format!(" implements {}", names.join(" & "))
}

fn type_directives(merged: &Merged, ty: &MType) -> Vec<String> {
    let id = |graph: usize| merged.graphs[graph].id.as_str();
    let mut all = Vec::new();
    for (graph, interface) in &ty.join_implements {
        all.push(format!(
            "@join__implements(graph: {}, interface: {})",
            id(*graph),
            quoted(interface)
        ));
    }
    all.extend(ty.joins.iter().map(|join| join_type(id(join.graph), join)));
    for (graph, member) in &ty.join_members {
        all.push(format!(
            "@join__unionMember(graph: {}, member: {})",
            id(*graph),
            quoted(member)
        ));
    }
    all.extend(
        ty.contexts
            .iter()
            .map(|context| format!("@context(name: {})", quoted(context))),
    );
    all.extend(ty.directives.iter().map(|own| join_directive(id(own.graph), own)));
    if ty.one_of {
        all.push("@oneOf".to_owned());
    }
    all.extend(marks(&ty.marks));
    all
}

fn join_directive(graph: &str, directive: &JoinDirective) -> String {
    let args: Vec<String> = directive
        .args
        .iter()
        .map(|(name, value)| format!("{name}: {}", quoted(value)))
        .collect();
    format!(
        "@join__directive(graphs: [{graph}], name: {}, args: {{{}}})",
        quoted(directive.name),
        args.join(", ")
    )
}

fn join_type(graph: &str, join: &JoinType) -> String {
    let mut text = format!("@join__type(graph: {graph}");
    if let Some(key) = &join.key {
        let _ = write!(text, ", key: {}", quoted(&key.raw));
    }
    if join.extension {
        text.push_str(", extension: true");
    }
    if join.resolvable == Some(false) {
        text.push_str(", resolvable: false");
    }
    if join.interface_object {
        text.push_str(", isInterfaceObject: true");
    }
    text.push(')');
    text
}

fn join_field(merged: &Merged, join: &JoinField) -> String {
    let ty = join.ty.as_ref().map(|ty| ty.to_string());
    let parts = [
        join.graph
            .map(|graph| format!("graph: {}", merged.graphs[graph].id)),
        join.requires
            .as_ref()
            .map(|set| format!("requires: {}", quoted(&set.raw))),
        join.provides
            .as_ref()
            .map(|set| format!("provides: {}", quoted(&set.raw))),
        ty.map(|ty| format!("type: {}", quoted(&ty))),
        join.external.then(|| "external: true".to_owned()),
        join.overrides
            .as_ref()
            .map(|from| format!("override: {}", quoted(from))),
        join.used_overridden.then(|| "usedOverridden: true".to_owned()),
        join.label
            .as_ref()
            .map(|label| format!("overrideLabel: {}", quoted(label))),
        (!join.context_args.is_empty()).then(|| context_arguments(&join.context_args)),
    ];
    let given: Vec<String> = parts.into_iter().flatten().collect();
    if given.is_empty() {
        "@join__field".to_owned()
    } else {
        format!("@join__field({})", given.join(", "))
    }
}

fn context_arguments(args: &[ContextArg]) -> String {
    let one = |arg: &ContextArg| {
        format!(
            "{{context: {}, name: {}, type: {}, selection: {}}}",
            quoted(&arg.context),
            quoted(&arg.name),
            quoted(&arg.ty),
            quoted(&arg.selection)
        )
    };
    let list: Vec<String> = args.iter().map(one).collect();
    format!("contextArguments: [{}]", list.join(", "))
}

fn write_field(out: &mut String, merged: &Merged, name: &Name, field: &MField) {
    description(out, field.description.as_ref().map(|text| text.as_str()), "  ");
    let _ = write!(out, "  {name}");
    write_arguments(out, field);
    let _ = write!(out, ": {}", field.ty);
    let joins = field.joins.iter().map(|join| join_field(merged, join));
    let own = field
        .directives
        .iter()
        .map(|own| join_directive(&merged.graphs[own.graph].id, own));
    write_directives(out, joins.chain(own).chain(marks(&field.marks)));
}

fn write_arguments(out: &mut String, field: &MField) {
    if field.args.is_empty() {
        return;
    }
    if field.args.values().any(|arg| arg.description.is_some()) {
        out.push_str("(\n");
        for (name, arg) in &field.args {
            description(out, arg.description.as_ref().map(|text| text.as_str()), "    ");
            let _ = writeln!(out, "    {}", input(name, arg));
        }
        out.push_str("  )");
        return;
    }
    let all: Vec<String> = field.args.iter().map(|(name, arg)| input(name, arg)).collect();
    let _ = write!(out, "({})", all.join(", "));
}

fn input(name: &Name, input: &MInput) -> String {
    let mut text = format!("{name}: {}", input.ty);
    if let Some(default) = &input.default {
        let _ = write!(text, " = {}", default.serialize().no_indent());
    }
    for directive in marks(&input.marks) {
        let _ = write!(text, " {directive}");
    }
    text
}

fn write_input_field(out: &mut String, merged: &Merged, name: &Name, field: &MInput) {
    description(out, field.description.as_ref().map(|text| text.as_str()), "  ");
    let _ = write!(out, "  {name}: {}", field.ty);
    if let Some(default) = &field.default {
        let _ = write!(out, " = {}", default.serialize().no_indent());
    }
    let joins = field.joins.iter().map(|join| join_field(merged, join));
    write_directives(out, joins.chain(marks(&field.marks)));
}

fn write_value(out: &mut String, merged: &Merged, name: &Name, value: &MValue) {
    description(out, value.description.as_ref().map(|text| text.as_str()), "  ");
    let _ = write!(out, "  {name}");
    let joins = value
        .graphs
        .iter()
        .map(|graph| format!("@join__enumValue(graph: {})", merged.graphs[*graph].id));
    write_directives(out, joins.chain(marks(&value.marks)));
}

fn write_directives(out: &mut String, directives: impl Iterator<Item = String>) {
    for directive in directives {
        let _ = write!(out, " {directive}");
    }
    out.push('\n');
}
