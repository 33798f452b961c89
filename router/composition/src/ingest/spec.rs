//! The directives that federation defines, and since which version.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/versions>

/// One directive of federation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spec {
    /// Its name in the specification.
    pub name: &'static str,
    /// The minor version of Federation 2 that brought it.
    pub since: u32,
    /// Known in Federation 1 too.
    pub in_one: bool,
    /// Arguments, with `Any` where the specification has its own scalars.
    pub args: &'static str,
    pub repeatable: bool,
    pub locations: &'static str,
}

/// The scalar that stands for federation's own in the validity check.
pub(super) const ANY: &str = "federation__Anything";

/// The newest Federation 2 that is understood.
pub(super) const NEWEST_MINOR: u32 = 12;

const EVERYWHERE: &str = "FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION";
const ACCESS: &str = "FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM";

const fn spec(
    name: &'static str,
    since: u32,
    in_one: bool,
    args: &'static str,
    locations: &'static str,
) -> Spec {
    Spec {
        name,
        since,
        in_one,
        args,
        repeatable: false,
        locations,
    }
}

const fn repeatable(spec: Spec) -> Spec {
    Spec {
        repeatable: true,
        ..spec
    }
}

/// All directives, in the specification's order.
pub(super) const SPECS: &[Spec] = &[
    repeatable(spec(
        "key",
        0,
        true,
        "(fields: Any!, resolvable: Boolean = true)",
        "OBJECT | INTERFACE",
    )),
    spec("requires", 0, true, "(fields: Any!)", "FIELD_DEFINITION"),
    spec("provides", 0, true, "(fields: Any!)", "FIELD_DEFINITION"),
    spec(
        "external",
        0,
        true,
        "(reason: String)",
        "OBJECT | FIELD_DEFINITION",
    ),
    spec("extends", 0, true, "", "OBJECT | INTERFACE"),
    repeatable(spec("shareable", 0, false, "", "OBJECT | FIELD_DEFINITION")),
    spec(
        "override",
        0,
        false,
        "(from: String!, label: String)",
        "FIELD_DEFINITION",
    ),
    spec("inaccessible", 0, true, "", EVERYWHERE),
    repeatable(spec(
        "tag",
        0,
        true,
        "(name: String!)",
        "FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCHEMA",
    )),
    repeatable(spec("composeDirective", 1, false, "(name: String)", "SCHEMA")),
    spec("interfaceObject", 3, false, "", "OBJECT"),
    spec("authenticated", 5, false, "", ACCESS),
    spec("requiresScopes", 5, false, "(scopes: [[Any!]!]!)", ACCESS),
    spec("policy", 6, false, "(policies: [[Any!]!]!)", ACCESS),
    repeatable(spec(
        "context",
        8,
        false,
        "(name: String!)",
        "INTERFACE | OBJECT | UNION",
    )),
    spec("fromContext", 8, false, "(field: Any)", "ARGUMENT_DEFINITION"),
    spec(
        "cost",
        9,
        false,
        "(weight: Int!)",
        "ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR",
    ),
    spec(
        "listSize",
        9,
        false,
        "(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true)",
        "FIELD_DEFINITION",
    ),
    repeatable(spec(
        "cacheTag",
        12,
        false,
        "(format: String!)",
        "OBJECT | FIELD_DEFINITION",
    )),
];

/// Types that the federation specification lets schemas import.
pub(super) const IMPORTABLE_TYPES: [&str; 5] = ["FieldSet", "Scope", "Policy", "ContextFieldValue", "Any"];

/// Features of their own that carry federation directives: identity and the directives' names.
pub(super) const CORE_FEATURES: &[(&str, &[&str])] = &[
    ("https://specs.apollo.dev/tag", &["tag"]),
    ("https://specs.apollo.dev/inaccessible", &["inaccessible"]),
    ("https://specs.apollo.dev/authenticated", &["authenticated"]),
    ("https://specs.apollo.dev/requiresScopes", &["requiresScopes"]),
    ("https://specs.apollo.dev/policy", &["policy"]),
    ("https://specs.apollo.dev/context", &["context", "fromContext"]),
    ("https://specs.apollo.dev/cost", &["cost", "listSize"]),
];

/// A directive of the specification by its name.
pub(super) fn find(name: &str) -> Option<&'static Spec> {
    SPECS.iter().find(|spec| spec.name == name)
}

impl Spec {
    /// The definition under a local name.
    pub fn definition(&self, local: &str) -> String {
        let repeatable = if self.repeatable { " repeatable" } else { "" };
        let args = self.args.replace("Any", ANY);
        format!("directive @{local}{args}{repeatable} on {}\n", self.locations)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const PAGE: &str = include_str!("../../../../docs/gateway/directives.md");

    /// Directives of the first column of the first table, with their arguments.
    fn rows() -> BTreeSet<(String, BTreeSet<String>)> {
        let table = PAGE
            .split("## Of federation")
            .nth(1)
            .and_then(|rest| rest.split("## Of GraphQL").next());
        let rows = table
            .expect("there is a table")
            .lines()
            .filter_map(|line| line.strip_prefix("| `@"));
        let row = |row: &str| {
            let cell = row.split('`').next().unwrap_or_default();
            let (name, args) = cell.split_once('(').unwrap_or((cell, ")"));
            let args = args
                .trim_end_matches(')')
                .split(", ")
                .filter(|arg| !arg.is_empty());
            let args = args.map(|arg| arg.trim_end_matches(':').to_owned());
            (name.to_owned(), args.collect())
        };
        rows.map(row).collect()
    }

    #[test]
    fn the_page_of_directives_names_all_of_them_with_their_arguments() {
        let args = |args: &str| {
            let names = args
                .trim_matches(['(', ')'])
                .split(", ")
                .filter(|arg| !arg.is_empty());
            names
                .filter_map(|arg| Some(arg.split_once(':')?.0.to_owned()))
                .collect()
        };
        let known = SPECS.iter().map(|spec| (spec.name.to_owned(), args(spec.args)));
        let link = ["url", "as", "import"].map(str::to_owned).into();
        let known: BTreeSet<(String, BTreeSet<String>)> = known.chain([("link".to_owned(), link)]).collect();
        assert_eq!(rows(), known);
    }

    #[test]
    fn the_page_says_since_when_each_is_there() {
        for spec in SPECS {
            let row = PAGE.lines().find(|line| {
                let rest = line.strip_prefix(&format!("| `@{}", spec.name));
                rest.is_some_and(|rest| rest.starts_with(['`', '(']))
            });
            let since = row
                .and_then(|row| row.split('|').nth(2))
                .map(str::trim)
                .unwrap_or_default();
            let wanted = match spec.in_one && spec.since == 0 && !["inaccessible", "tag"].contains(&spec.name)
            {
                true => "1".to_owned(),
                false => format!("2.{}", spec.since),
            };
            assert!(
                since.starts_with(&wanted),
                "@{}: {since}, and it is {wanted}",
                spec.name
            );
        }
    }
}
