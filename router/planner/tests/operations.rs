//! Operations: errors, variables, introspection, conditions, rights.
use std::collections::BTreeSet;

use baedal_planner::plan::{Source, Wrapping};
use baedal_planner::{Access, Operation, OperationKind};
use serde_json::{Map, Value, json};

use crate::support::{case, plan_of, plan_with, supergraph};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

#[test]
fn a_syntax_error_has_code_and_place() {
    let (_, sg) = case("basics");
    let error = Operation::parse(&sg, "{ me { name }", None).expect_err("not closed");
    assert_eq!(error.errors[0].extensions.code, "GRAPHQL_PARSE_FAILED");
    assert_eq!(error.errors[0].locations[0].line, 1);
}

#[test]
fn an_unknown_field_is_a_validation_error() {
    let (_, sg) = case("basics");
    let error = Operation::parse(&sg, "{\n  me { nothing }\n}", None).expect_err("no such field");
    assert_eq!(error.errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
    let unknown = error
        .errors
        .iter()
        .find(|e| e.message.contains("nothing"))
        .expect("the field is named");
    assert_eq!((unknown.locations[0].line, unknown.locations[0].column), (2, 8));
    let json = serde_json::to_value(unknown).expect("JSON");
    assert_eq!(json["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
}

#[test]
fn the_operation_is_chosen_by_name() {
    let (_, sg) = case("basics");
    let two = "query A { me { name } } mutation B { rename(name: \"x\") { id } }";
    assert_eq!(
        Operation::parse(&sg, two, Some("B")).expect("B").kind(),
        OperationKind::Mutation
    );
    for name in [None, Some("C")] {
        let error = Operation::parse(&sg, two, name).expect_err("none chosen");
        assert_eq!(error.errors[0].extensions.code, "OPERATION_RESOLUTION_FAILURE");
    }
}

#[test]
fn conditional_variables_are_found_in_fragments_and_sorted() {
    let (_, sg) = case("basics");
    let text = "query($b: Boolean!, $a: Boolean!, $n: Int) { me @skip(if: $b) { ...F } topProducts(first: $n) { upc } } fragment F on User { id @include(if: $a) name }";
    let operation = Operation::parse(&sg, text, None).expect("valid");
    assert_eq!(operation.conditional_variables(), ["a", "b"]);
}

#[test]
fn variables_are_coerced_with_defaults() {
    let (_, sg) = case("basics");
    let text = "query($n: Int = 7, $f: UserFilter, $none: Int) { users(first: $n, filter: $f) { id } topProducts(first: $none) { upc } }";
    let operation = Operation::parse(&sg, text, None).expect("valid");
    let coerced = operation.coerce_variables(&sg, &object(json!({"f": {"role": "ADMIN"}, "unknown": 1})));
    assert_eq!(
        Value::Object(coerced.expect("fits")),
        json!({"n": 7, "f": {"role": "ADMIN"}})
    );
}

#[test]
fn every_wrong_variable_is_named_with_its_place() {
    let (_, sg) = case("basics");
    let text =
        "query($n: Int, $f: UserFilter, $u: ID!) { users(first: $n, filter: $f) { id } user(id: $u) { id } }";
    let operation = Operation::parse(&sg, text, None).expect("valid");
    let wrong = object(json!({"n": 2147483648u64, "f": {"role": "OWNER", "age": 1}}));
    let errors = operation.coerce_variables(&sg, &wrong).expect_err("wrong");
    let printed: Vec<String> = errors.iter().map(|e| e.to_string()).collect();
    insta::assert_snapshot!(printed.join("\n"), @r#"
    Variable "$n" got an invalid value: 2147483648 is not a value of type "Int"
    Variable "$f" got an invalid value: field "age" is not defined by type "UserFilter"
    Variable "$f" got an invalid value at ".role": "OWNER" is not a value of the enum "Role"
    Variable "$u" got an invalid value: a value of type "ID!" is required
    "#);
}

#[test]
fn a_single_value_becomes_a_list_of_one() {
    let sg = supergraph(
        "enum join__Graph { A @join__graph(name: \"a\", url: \"\") }\n\
         type Query @join__type(graph: A) { sum(of: [[Int!]!]): Int }",
    );
    let operation = Operation::parse(&sg, "query($l: [[Int!]!]) { sum(of: $l) }", None).expect("valid");
    let coerced = operation
        .coerce_variables(&sg, &object(json!({"l": 3})))
        .expect("fits");
    assert_eq!(Value::Object(coerced), json!({"l": [[3]]}));
}

#[test]
fn introspection_is_answered_without_a_fetch() {
    let (_, sg) = case("basics");
    let text = "query($t: String = \"User\") { s: __schema { queryType { name } } u: __type(name: $t) { fields { name } } j: __type(name: \"join__Graph\") { name } }";
    let operation = Operation::parse(&sg, text, None).expect("valid");
    let coerced = operation.coerce_variables(&sg, &Map::new()).expect("fits");
    let given = operation.introspect(&sg, &coerced);
    assert_eq!(
        given[0],
        ("s".to_owned(), "{\"queryType\":{\"name\":\"Query\"}}".to_owned())
    );
    assert!(given[1].1.contains("{\"name\":\"reviews\"}"), "{}", given[1].1);
    assert_eq!(given[2], ("j".to_owned(), "null".to_owned()));
    let plan = plan_of(&sg, text);
    assert!(plan.fetches.is_empty());
    assert!(plan.answer.fields.iter().all(|f| f.source == Source::Given));
}

const GUARDED: &str = "enum join__Graph { A @join__graph(name: \"a\", url: \"\") B @join__graph(name: \"b\", url: \"\") }\n\
    type Query @join__type(graph: A) @join__type(graph: B) { me: User @join__field(graph: A) }\n\
    type User @join__type(graph: A, key: \"id\") @join__type(graph: B, key: \"id\") {\n\
      id: ID! email: String! @join__field(graph: A) @authenticated\n\
      orders: [Int!] @join__field(graph: B) @requiresScopes(scopes: [[\"order\", \"read\"], [\"operator\"]]) }";

fn access(authenticated: bool, scopes: &[&str]) -> Access {
    Access::new(
        authenticated,
        scopes.iter().map(|s| s.to_string()).collect(),
        BTreeSet::new(),
    )
}

#[test]
fn what_the_caller_may_not_see_is_never_fetched() {
    let sg = supergraph(GUARDED);
    let text = "{ me { id mail: email orders } }";
    let plan = plan_with(&sg, text, &access(false, &[])).expect("a plan");
    assert_eq!(plan.fetches.len(), 1);
    assert_eq!(&*plan.fetches[0].query, "{me{id}}");
    let paths: Vec<String> = plan
        .errors
        .iter()
        .map(|e| format!("{} {}", e.path.join("."), e.code))
        .collect();
    assert_eq!(
        paths,
        [
            "me.mail UNAUTHORIZED_FIELD_OR_TYPE",
            "me.orders UNAUTHORIZED_FIELD_OR_TYPE"
        ]
    );
    let Source::Field(_, me) = &plan.answer.fields[0].source else {
        panic!("me is a field")
    };
    let baedal_planner::plan::Named::Object { projection, .. } = &me.named else {
        panic!("me is an object")
    };
    assert_eq!(
        projection.fields[1].source,
        Source::Withheld(Wrapping {
            nullable: false,
            item: None
        })
    );
}

#[test]
fn any_one_set_of_scopes_suffices() {
    let sg = supergraph(GUARDED);
    for (scopes, fetches) in [(&["operator"][..], 2), (&["order"], 1), (&["order", "read"], 2)] {
        let plan = plan_with(&sg, "{ me { orders } }", &access(true, scopes)).expect("a plan");
        assert_eq!(plan.fetches.len(), fetches, "{scopes:?}");
        assert_eq!(plan.errors.len(), 2 - fetches);
    }
}

#[test]
fn answers_are_in_the_order_of_the_selection() {
    let (_, sg) = case("interfaces");
    let plan = plan_of(&sg, "{ nodes { ... on User { name id } id __typename name } }");
    let Source::Field(_, nodes) = &plan.answer.fields[0].source else {
        panic!("a field")
    };
    let baedal_planner::plan::Named::Object { projection, .. } = &nodes.named else {
        panic!("objects")
    };
    let order = |name: &str| -> Vec<&str> {
        let t = plan
            .types
            .iter()
            .position(|t| &**t == name)
            .expect("a known type") as u32;
        let applies = |f: &&baedal_planner::plan::ProjectedField| {
            f.on.as_ref().is_none_or(|on| on.iter().any(|i| i.0 == t))
        };
        projection
            .fields
            .iter()
            .filter(applies)
            .map(|f| &*f.response_key)
            .collect()
    };
    assert_eq!(order("User"), ["name", "id", "__typename"]);
    assert_eq!(order("Product"), ["id", "__typename", "name"]);
}

#[test]
fn a_one_of_literal_gives_exactly_one_field() {
    let sg = supergraph(
        "directive @oneOf on INPUT_OBJECT\n\
         enum join__Graph { A @join__graph(name: \"a\", url: \"\") }\n\
         input By @join__type(graph: A) @oneOf { id: ID name: String inner: By }\n\
         type Query @join__type(graph: A) { find(by: By, all: [By]): Int }",
    );
    for valid in [
        "{ find(by: {id: 1}) }",
        "{ find(all: [{id: 1}, {name: \"x\"}]) }",
        "query($id: ID!, $by: By) { a: find(by: {id: $id}) b: find(by: $by) }",
    ] {
        assert!(Operation::parse(&sg, valid, None).is_ok(), "{valid}");
    }
    for invalid in [
        "{ find(by: {}) }",
        "{ find(by: {id: 1, name: \"x\"}) }",
        "{ find(by: {id: null}) }",
        "{ find(by: {inner: {}}) }",
        "{ find(all: [{id: 1}, {}]) }",
        "{ ...F } fragment F on Query { find(by: {}) }",
        "query($id: ID) { find(by: {id: $id}) }",
        "query($by: By = {}) { find(by: $by) }",
    ] {
        let error = Operation::parse(&sg, invalid, None).expect_err(invalid);
        assert_eq!(
            error.errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED",
            "{invalid}"
        );
        assert!(
            error.errors[0].message.contains("exactly one field of \"By\""),
            "{error}"
        );
        assert_eq!(error.errors[0].locations.len(), 1);
    }
}
