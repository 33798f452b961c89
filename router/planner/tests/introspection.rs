//! How much introspection answers is known before it is done.
use std::fmt::Write;

use baedal_planner::{Operation, Supergraph};
use serde_json::{Map, Value};

fn platform() -> Supergraph {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/supergraph.graphql");
    let text = std::fs::read_to_string(file).expect("the supergraph");
    Supergraph::parse(&text).unwrap_or_else(|error| panic!("{error}"))
}

fn parse(sg: &Supergraph, query: &str) -> Operation {
    Operation::parse(sg, query, None).unwrap_or_else(|error| panic!("{query}: {error}"))
}

/// Objects and leaves.
fn values(json: &Value) -> u64 {
    match json {
        Value::Array(items) => items.iter().map(values).sum(),
        Value::Object(fields) => 1 + fields.values().map(values).sum::<u64>(),
        _ => 1,
    }
}

const USUAL: &str = "query { __schema { queryType { name } types { ...T } directives { name args { ...I } } } }
    fragment T on __Type { kind name description fields(includeDeprecated: true) { name args(includeDeprecated: true) { ...I }
      type { ...R } isDeprecated deprecationReason } inputFields(includeDeprecated: true) { ...I } interfaces { ...R }
      enumValues(includeDeprecated: true) { name isDeprecated } possibleTypes { ...R } }
    fragment I on __InputValue { name type { ...R } defaultValue }
    fragment R on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }";

#[test]
fn the_count_is_that_of_the_answer() {
    let sg = platform();
    for query in [
        USUAL,
        "{ __schema { types { name } } }",
        "{ __schema { types { interfaces { possibleTypes { name kind } } } } }",
        "{ __schema { types { ... on __Type { fields(includeDeprecated: true) { type { ofType { fields(includeDeprecated: true) { name } } } } } } } }",
    ] {
        let operation = parse(&sg, query);
        let counted = operation.introspected_values(&sg, u64::MAX);
        let answered: u64 = operation
            .introspect(&sg, &Map::new())
            .iter()
            .map(|(_, text)| values(&serde_json::from_str(text).expect("JSON")))
            .sum();
        assert!(answered > 20, "{query}");
        let near = answered..=answered + answered / 10 + 10;
        assert!(near.contains(&counted), "{counted} for {answered}: {query}");
    }
}

#[test]
fn a_query_that_introspects_nothing_counts_nothing() {
    let sg = platform();
    assert_eq!(parse(&sg, "{ __typename }").introspected_values(&sg, 0), 0);
}

#[test]
fn an_answer_that_would_fill_the_memory_is_counted_soon() {
    let mut sdl = r#"schema @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }
        enum join__Graph { A @join__graph(name: "a", url: "") }
        type Query { node: Node } interface Node { id: ID }"#
        .to_owned();
    for number in 0..3_000 {
        let _ = write!(sdl, " type T{number} implements Node {{ id: ID }}");
    }
    let sg = Supergraph::parse(&sdl).unwrap_or_else(|error| panic!("{error}"));
    let operation = parse(
        &sg,
        "{ __schema { types { interfaces { possibleTypes { name kind } } } } }",
    );
    assert!(operation.introspected_values(&sg, u64::MAX) > 3_000 * 3_000 * 3);
    assert!(operation.introspected_values(&sg, 1_000) > 1_000);
}
