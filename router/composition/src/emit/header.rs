//! The schema definition, its links, and the definitions of all specifications used.

use std::fmt::Write as _;

use super::{description, quoted};
use crate::merge::merged::{Import, Merged};
use crate::model::{Feature, Marks};

/// A specification that a supergraph may use.
struct Spec {
    link: &'static str,
    directives: &'static [&'static str],
    scalars: &'static [&'static str],
}

const INACCESSIBLE: Spec = Spec {
    link: r#"@link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY)"#,
    directives: &[
        "directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION",
    ],
    scalars: &[],
};
const TAG: Spec = Spec {
    link: r#"@link(url: "https://specs.apollo.dev/tag/v0.3")"#,
    directives: &[
        "directive @tag(name: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCHEMA",
    ],
    scalars: &[],
};
const AUTHENTICATED: Spec = Spec {
    link: r#"@link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)"#,
    directives: &["directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM"],
    scalars: &[],
};
const REQUIRES_SCOPES: Spec = Spec {
    link: r#"@link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY)"#,
    directives: &[
        "directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM",
    ],
    scalars: &["requiresScopes__Scope"],
};
const POLICY: Spec = Spec {
    link: r#"@link(url: "https://specs.apollo.dev/policy/v0.1", for: SECURITY)"#,
    directives: &[
        "directive @policy(policies: [[policy__Policy!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM",
    ],
    scalars: &["policy__Policy"],
};
const COST: Spec = Spec {
    link: r#"@link(url: "https://specs.apollo.dev/cost/v0.1", import: ["@cost", "@listSize"])"#,
    directives: &[
        "directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR",
        "directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION",
    ],
    scalars: &[],
};
const CONTEXT: Spec = Spec {
    link: r#"@link(url: "https://specs.apollo.dev/context/v0.1", for: SECURITY)"#,
    directives: &[
        "directive @context(name: String!) repeatable on INTERFACE | OBJECT | UNION",
        "directive @context__fromContext(field: context__ContextFieldValue) on ARGUMENT_DEFINITION",
    ],
    scalars: &["context__ContextFieldValue"],
};

/// Writes everything before the types of the subgraphs.
pub(super) fn write(out: &mut String, merged: &Merged) {
    let specs = used_specs(merged);
    schema(out, merged, &specs);
    directives(out, merged, &specs);
    machinery(out, merged, &specs);
}

/// The version of the join specification that says all there is to say.
fn join_version(merged: &Merged) -> u32 {
    let labels_or_carried = merged.has_labels || !merged.carried.is_empty();
    match (merged.has_context, labels_or_carried) {
        (true, _) => 5,
        (false, true) => 4,
        (false, false) => 3,
    }
}

fn used_specs(merged: &Merged) -> Vec<Spec> {
    let any = |test: fn(&Marks) -> bool| all_marks(merged).any(test);
    let candidates = [
        (any(|marks| marks.inaccessible), INACCESSIBLE),
        (
            any(|marks| !marks.tags.is_empty()) || !merged.schema_tags.is_empty(),
            TAG,
        ),
        (any(|marks| marks.authenticated), AUTHENTICATED),
        (any(|marks| marks.scopes.is_some()), REQUIRES_SCOPES),
        (any(|marks| marks.policies.is_some()), POLICY),
        (
            any(|marks| marks.cost.is_some() || marks.list_size.is_some()),
            COST,
        ),
        (merged.has_context, CONTEXT),
    ];
    candidates
        .into_iter()
        .filter_map(|(used, spec)| used.then_some(spec))
        .collect()
}

fn all_marks(merged: &Merged) -> impl Iterator<Item = &Marks> {
    merged.types.values().flat_map(|ty| {
        let fields = ty
            .fields
            .values()
            .flat_map(|field| std::iter::once(&field.marks).chain(field.args.values().map(|arg| &arg.marks)));
        let inputs = ty.inputs.values().map(|input| &input.marks);
        let values = ty.values.values().map(|value| &value.marks);
        std::iter::once(&ty.marks)
            .chain(fields)
            .chain(inputs)
            .chain(values)
    })
}

fn schema(out: &mut String, merged: &Merged, specs: &[Spec]) {
    description(out, merged.description.as_ref().map(|text| text.as_str()), "");
    out.push_str("schema\n");
    out.push_str("  @link(url: \"https://specs.apollo.dev/link/v1.0\")\n");
    let version = join_version(merged);
    let _ = writeln!(
        out,
        "  @link(url: \"https://specs.apollo.dev/join/v0.{version}\", for: EXECUTION)"
    );
    for spec in specs {
        let _ = writeln!(out, "  {}", spec.link);
    }
    for (feature, imports) in &merged.composed {
        let _ = writeln!(out, "  {}", composed_link(feature, imports));
    }
    for tag in &merged.schema_tags {
        let _ = writeln!(out, "  @tag(name: {})", quoted(tag));
    }
    if !merged.carried.is_empty() {
        let _ = writeln!(out, "  {}", carried_link(merged));
    }
    for directive in &merged.schema_custom {
        let _ = writeln!(out, "  {}", directive.serialize().no_indent());
    }
    out.push_str("{\n");
    for (operation, root) in [
        ("query", "Query"),
        ("mutation", "Mutation"),
        ("subscription", "Subscription"),
    ] {
        if merged.types.contains_key(root) {
            let _ = writeln!(out, "  {operation}: {root}");
        }
    }
    out.push_str("}\n\n");
}

/// What the names of directives that are carried unmerged stand for.
fn carried_link(merged: &Merged) -> String {
    let graphs: Vec<&str> = merged
        .carried
        .iter()
        .map(|graph| merged.graphs[*graph].id.as_str())
        .collect();
    format!(
        "@join__directive(graphs: [{}], name: \"link\", args: {{url: \"https://specs.apollo.dev/federation/v2.12\"}})",
        graphs.join(", ")
    )
}

fn composed_link(feature: &Feature, imports: &[Import]) -> String {
    let one = |import: &Import| {
        if import.name == import.local {
            quoted(&format!("@{}", import.name))
        } else {
            format!("{{name: \"@{}\", as: \"@{}\"}}", import.name, import.local)
        }
    };
    let list: Vec<String> = imports.iter().map(one).collect();
    format!(
        "@link(url: {}, import: [{}])",
        quoted(&feature.url),
        list.join(", ")
    )
}

fn directives(out: &mut String, merged: &Merged, specs: &[Spec]) {
    let version = join_version(merged);
    let mut all: Vec<String> = specs
        .iter()
        .flat_map(|spec| spec.directives)
        .map(|text| (*text).to_owned())
        .collect();
    all.extend(join_directives(version));
    if merged.types.values().any(|ty| ty.one_of) {
        all.push("directive @oneOf on INPUT_OBJECT".to_owned());
    }
    all.push("directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA".to_owned());
    all.extend(
        merged
            .directives
            .values()
            .map(|directive| directive.serialize().to_string()),
    );
    all.sort_by(|a, b| directive_name(a).cmp(directive_name(b)));
    for directive in all {
        out.push_str(directive.trim_end());
        out.push_str("\n\n");
    }
}

/// Definitions sort by name, whatever description stands before.
fn directive_name(definition: &str) -> &str {
    definition.split("directive @").nth(1).unwrap_or(definition)
}

fn join_directives(version: u32) -> Vec<String> {
    let mut field = "graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean".to_owned();
    let mut all = Vec::new();
    if version >= 4 {
        field.push_str(", overrideLabel: String");
        all.push("directive @join__directive(graphs: [join__Graph!], name: String!, args: join__DirectiveArguments) repeatable on SCHEMA | OBJECT | INTERFACE | FIELD_DEFINITION".to_owned());
    }
    if version >= 5 {
        field.push_str(", contextArguments: [join__ContextArgument!]");
    }
    all.extend([
        "directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE".to_owned(),
        format!("directive @join__field({field}) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION"),
        "directive @join__graph(name: String!, url: String!) on ENUM_VALUE".to_owned(),
        "directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE".to_owned(),
        "directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR".to_owned(),
        "directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION".to_owned(),
    ]);
    all
}

fn machinery(out: &mut String, merged: &Merged, specs: &[Spec]) {
    let version = join_version(merged);
    if version >= 5 {
        out.push_str("input join__ContextArgument {\n  name: String!\n  type: String!\n  context: String!\n  selection: join__FieldValue!\n}\n\n");
    }
    if version >= 4 {
        out.push_str("scalar join__DirectiveArguments\n\n");
    }
    out.push_str("scalar join__FieldSet\n\n");
    if version >= 5 {
        out.push_str("scalar join__FieldValue\n\n");
    }
    out.push_str("enum join__Graph {\n");
    for graph in &merged.graphs {
        let _ = writeln!(
            out,
            "  {} @join__graph(name: {}, url: {})",
            graph.id,
            quoted(&graph.name),
            quoted(&graph.url)
        );
    }
    out.push_str("}\n\nscalar link__Import\n\nenum link__Purpose {\n");
    out.push_str("  \"\"\"\n  `SECURITY` features provide metadata necessary to securely resolve fields.\n  \"\"\"\n  SECURITY\n\n");
    out.push_str("  \"\"\"\n  `EXECUTION` features provide metadata necessary for operation execution.\n  \"\"\"\n  EXECUTION\n}\n");
    for scalar in specs.iter().flat_map(|spec| spec.scalars) {
        let _ = writeln!(out, "\nscalar {scalar}");
    }
}
