//! A graph under other names is the same graph.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use baedal_composition::anonymize::Anonymizer;
use baedal_composition::{Subgraph, compose};

use super::support::{cases, subgraph, subgraphs};

fn shown(sdl: &str) -> String {
    Anonymizer::new([sdl], ["shop", "users"], []).schema(sdl)
}

fn assert_shown(name: &str, text: &str) {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn names_go_everywhere_and_what_people_wrote_is_gone() {
    let sdl = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", {name: "@requires", as: "@needs"}])

"""Who pays."""
type Customer @key(fields: "id address { zip }") {
  "secret" id: ID! # more secrets
  address: Address! @deprecated(reason: "moved")
  greeting(style: Style = FORMAL, name: String = "dear"): String @needs(fields: "address { street(short: true) }")
  old: Int @federation__override(from: "users", label: "percent(5)")
}
type Query { customer(id: ID!): Customer }"#;
    assert_shown("anonymous_subgraph", &shown(sdl));
}

#[test]
fn strings_of_supergraphs_are_names_where_they_mean_names() {
    let sdl = r#"enum join__Graph { SHOP @join__graph(name: "shop", url: "http://shop.internal:80/") }
input join__ContextArgument { name: String! type: String! }
directive @join__type(graph: join__Graph!, key: join__FieldSet) repeatable on OBJECT | INTERFACE
type Customer implements Node @join__implements(graph: SHOP, interface: "Node") @join__type(graph: SHOP, key: "id")
  @join__directive(graphs: [SHOP], name: "cacheTag", args: {format: "customer-{$key.id}"}) {
  id: ID! @join__field(graph: SHOP, override: "users", type: "ID!", contextArguments: [{context: "shop__here", name: "currency", type: "Money", selection: "{ price }"}])
}"#;
    assert_shown("anonymous_supergraph", &shown(sdl));
}

#[test]
fn features_of_others_keep_their_version_and_nothing_else() {
    let sdl = r#"extend schema @link(url: "https://corp.example/secret/v1.2", import: ["@audit"])
  @composeDirective(name: "@audit")
directive @audit(why: String) on FIELD_DEFINITION
type Query { a: Int @audit(why: "law") b: Int @secret__other }"#;
    assert_shown("anonymous_feature", &shown(sdl));
}

#[test]
fn operations_are_named_as_their_schema() {
    let sdl = "type Query { customer(id: ID!): Customer } type Customer { name: String }";
    let operation =
        "query Mine($id: ID!, $with: Boolean!) { me: customer(id: $id) { ...Named @include(if: $with) } }
fragment Named on Customer { __typename name }";
    let anonymizer = Anonymizer::new([sdl], [], [operation]);
    let both = format!("{}\n{}", anonymizer.schema(sdl), anonymizer.operations(operation));
    assert_shown("anonymous_operation", &both);
}

/// Subgraphs of the cases that plan and execute.
fn federation_cases() -> Vec<(PathBuf, Vec<Subgraph>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/federation/cases");
    let folders = std::fs::read_dir(root).expect("the cases");
    let mut folders: Vec<PathBuf> = folders.map(|entry| entry.expect("readable").path()).collect();
    folders.sort();
    let read = |folder: PathBuf| {
        let files = std::fs::read_dir(&folder)
            .expect("a case")
            .map(|entry| entry.expect("readable").path());
        let is_schema = |file: &PathBuf| {
            file.extension().is_some_and(|end| end == "graphql") && !file.ends_with("supergraph.graphql")
        };
        let mut files: Vec<PathBuf> = files.filter(is_schema).collect();
        files.sort();
        let schema = |file: &PathBuf| {
            let name = file.file_stem().expect("a name").to_string_lossy();
            subgraph(&name, &std::fs::read_to_string(file).expect("SDL"))
        };
        (folder.clone(), files.iter().map(schema).collect())
    };
    folders.into_iter().map(read).collect()
}

fn anonymous(subgraphs: &[Subgraph]) -> Vec<Subgraph> {
    let schemas = subgraphs.iter().map(|subgraph| subgraph.sdl.as_str());
    let names = subgraphs.iter().map(|subgraph| subgraph.name.as_str());
    let anonymizer = Anonymizer::new(schemas, names, []);
    let other = |one: &Subgraph| Subgraph {
        name: anonymizer.subgraph(&one.name),
        url: "http://subgraph.example".to_owned(),
        sdl: anonymizer.schema(&one.sdl),
    };
    subgraphs.iter().map(other).collect()
}

/// How often each code is reported; nothing where all is well.
fn codes(subgraphs: &[Subgraph]) -> BTreeMap<String, usize> {
    let mut codes = BTreeMap::new();
    for error in compose(subgraphs).err().unwrap_or_default() {
        *codes.entry(error.code).or_default() += 1;
    }
    codes
}

#[test]
fn a_graph_under_other_names_composes_or_fails_with_the_same_codes() {
    let of_composition = cases()
        .into_iter()
        .map(|folder| (folder.clone(), subgraphs(&folder)));
    let (mut good, mut bad, mut wrong) = (0, 0, Vec::new());
    for (folder, subgraphs) in of_composition.chain(federation_cases()) {
        let other = anonymous(&subgraphs);
        let (codes, others) = (codes(&subgraphs), codes(&other));
        match codes.is_empty() {
            true => good += 1,
            false => bad += 1,
        }
        if codes != others {
            wrong.push(format!("{}: {codes:?} became {others:?}", folder.display()));
        }
    }
    assert!(good > 120 && bad > 60, "{good} compose, {bad} do not");
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        good + bad,
        wrong.join("\n")
    );
}

/// The supergraph of other names is the supergraph under other names, but for where it was written.
#[test]
fn nothing_of_the_names_is_left() {
    let mut seen = 0;
    for (folder, subgraphs) in federation_cases() {
        let (before, after) = (compose(&subgraphs), compose(&anonymous(&subgraphs)));
        let (Ok(before), Ok(after)) = (before, after) else {
            continue;
        };
        let parts = |text: &str| text.matches("@join__").count();
        let (parts_before, parts_after) = (parts(&before.supergraph_sdl), parts(&after.supergraph_sdl));
        assert_eq!(parts_before, parts_after, "{}", folder.display());
        let schemas = subgraphs.iter().map(|subgraph| subgraph.sdl.as_str());
        let anonymizer = Anonymizer::new(schemas, [], []);
        for (old, _) in anonymizer.pairs().into_iter().filter(|(old, _)| old.len() > 3) {
            // Words that the specifications' own part of a supergraph has.
            let known = [
                "name",
                "args",
                "graph",
                "type",
                "context",
                "interface",
                "selection",
                "member",
                "label",
            ];
            if known.contains(&old) {
                continue;
            }
            let is_word = |text: &str| {
                text.split(|one: char| !one.is_ascii_alphanumeric() && one != '_')
                    .any(|word| word == old)
            };
            assert!(
                !is_word(&after.supergraph_sdl),
                "{}: {old}\n{}",
                folder.display(),
                after.supergraph_sdl
            );
            seen += 1;
        }
    }
    assert!(seen > 500, "{seen}");
}
