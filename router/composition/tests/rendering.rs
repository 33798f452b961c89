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

/// Below each error stands what to do, unless its own message says that, and above that its line with a mark.
#[test]
fn every_error_of_every_case_names_the_fix() {
    const IN_THE_MESSAGE: &[&str] = &[
        "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE",
        "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS",
        "CONTEXT_INVALID_SELECTION",
        "CONTEXT_NAME_INVALID",
        "CONTEXT_NOT_SET",
        "CONTEXT_NO_RESOLVABLE_KEY",
        "DEFAULT_VALUE_USES_INACCESSIBLE",
        "DIRECTIVE_COMPOSITION_ERROR",
        "DISALLOWED_INACCESSIBLE",
        "EXTENSION_WITH_NO_BASE",
        "EXTERNAL_ARGUMENT_MISSING",
        "EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE",
        "IMPLEMENTED_BY_INACCESSIBLE",
        "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE",
        "INVALID_GRAPHQL",
        "INVALID_LINK_DIRECTIVE_USAGE",
        "LINK_IMPORT_NAME_MISMATCH",
        "LIST_SIZE_APPLIED_TO_NON_LIST",
        "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL",
        "NO_CONTEXT_IN_SELECTION",
        "ONLY_INACCESSIBLE_CHILDREN",
        "OVERRIDE_LABEL_INVALID",
        "QUERY_ROOT_TYPE_INACCESSIBLE",
        "REFERENCED_INACCESSIBLE",
        "REQUIRED_INACCESSIBLE",
        "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES",
        "TYPE_DEFINITION_INVALID",
        "UNKNOWN_LINK_VERSION",
    ];
    for folder in cases() {
        let given = subgraphs(&folder);
        for error in compose(&given).err().unwrap_or_default() {
            let shown = diagnostics::render(std::slice::from_ref(&error), &given);
            let told = shown.contains("= fix: ") != IN_THE_MESSAGE.contains(&error.code.as_str());
            assert!(told, "{}: {shown}", folder.display());
            assert_eq!(
                error.line.is_some(),
                shown.contains("| ") && shown.contains('^'),
                "{shown}"
            );
        }
    }
}
