//! Diagnostics as people and tools see them.

use super::support::{cases, subgraph, subgraphs};
use baedal_composition::{compose, diagnostics};

#[test]
fn the_source_line_has_a_caret_and_a_fix() {
    let folder = cases()
        .into_iter()
        .find(|folder| folder.ends_with("sharing_refused"))
        .unwrap();
    let given = subgraphs(&folder);
    let text = diagnostics::render(&compose(&given).unwrap_err(), &given);
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("rendered_error", text);
    });
}

#[test]
fn json_has_exactly_five_keys() {
    let errors = compose(&[subgraph("a", "type Query { a: Missing }")]).unwrap_err();
    let json = serde_json::to_value(&errors[0]).unwrap();
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["code", "column", "line", "message", "subgraph"]);
    assert_eq!(json["code"], "INVALID_GRAPHQL");
    assert_eq!((&json["line"], &json["column"]), (&1.into(), &17.into()));
}

#[test]
fn names_and_emptiness_are_checked() {
    let codes = |given: &[baedal_composition::Subgraph]| -> Vec<String> {
        compose(given)
            .unwrap_err()
            .into_iter()
            .map(|error| error.code)
            .collect()
    };
    assert_eq!(codes(&[]), ["NO_QUERIES"]);
    assert_eq!(
        codes(&[subgraph("", "type Query { a: Int }")]),
        ["INVALID_SUBGRAPH_NAME"]
    );
    let twice = subgraph("a", "type Query { a: Int }");
    assert_eq!(codes(&[twice.clone(), twice]), ["INVALID_SUBGRAPH_NAME"]);
}
