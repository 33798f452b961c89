//! Costs: each rule of the cost specification, in each form in which supergraphs write it.
use baedal_planner::{CostError, CostSettings, Operation, Supergraph};
use serde_json::{Value, json};

const COST: &str = r#"@link(url: "https://specs.apollo.dev/cost/v0.1", import: ["@cost", "@listSize"])"#;

const TYPES: &str = r#"
  type Query {
    user: User
    users: [User!]!
    sized(first: Int, last: Int): [User] @listSize(slicingArguments: ["first", "last"])
    loose(first: Int = 3, last: Int): [User] @listSize(assumedSize: 40, slicingArguments: ["first", "last"], requireOneSlicingArgument: false)
    nested(page: Page): [User] @listSize(slicingArguments: ["page.size"], requireOneSlicingArgument: false)
    page(first: Int!): UserPage @listSize(assumedSize: 7, slicingArguments: ["first"], sizedFields: ["nodes"])
    connection(first: Int, after: String): UserConnection
    newest(limit: Int = 5): [User]
    grid: [[User]]
    dear: User @cost(weight: 9)
    pair: Pair
    any: Any
    named: [Named]
    search(by: Search, x: Int @cost(weight: 4), tag: Tag): Int
    ids: [Int]
  }
  type Mutation { put(by: Search): User }
  interface Named { name: String friend: User }
  type User implements Named { id: ID name: String friend: User friends: [User] secret: Secret level: Level }
  type Robot implements Named @cost(weight: 5) { name: String friend: User @cost(weight: 6) parts: [Part] }
  type Part { id: ID }
  union Any = User | Robot
  type Pair { a: User b: User }
  type UserPage { nodes: [User] others: [User] total: Int }
  type UserConnection { nodes: [User] edges: [Edge] }
  type Edge { node: User }
  scalar Secret @cost(weight: 2)
  enum Level @cost(weight: 3) { LOW HIGH }
  enum Tag @cost(weight: 8) { A B }
  input Page { size: Int }
  input Search { text: String deep: Search many: [Search!] price: Int @cost(weight: 20) }
"#;

fn supergraph(links: &str, types: &str) -> Supergraph {
    let mut sdl = format!(
        r#"schema @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) {links} {{ query: Query mutation: Mutation }}
          enum join__Graph {{ A @join__graph(name: "a", url: "") }}"#
    );
    sdl.push_str(types);
    Supergraph::parse(&sdl).unwrap_or_else(|error| panic!("{error}"))
}

fn settings() -> CostSettings {
    CostSettings {
        list_size: 10,
        slicing_arguments: ["first", "last", "limit"].map(str::to_owned).to_vec(),
    }
}

fn cost_with(sg: &Supergraph, query: &str, variables: Value) -> Result<f64, CostError> {
    let operation = Operation::parse(sg, query, None).unwrap_or_else(|error| panic!("{query}: {error}"));
    let variables = variables.as_object().cloned().expect("an object");
    let coerced = operation
        .coerce_variables(sg, &variables)
        .unwrap_or_else(|errors| panic!("{query}: {errors:?}"));
    operation.estimate(sg, &settings()).cost(sg, &coerced)
}

fn cost(sg: &Supergraph, query: &str) -> f64 {
    cost_with(sg, query, json!({})).unwrap_or_else(|error| panic!("{query}: {error}"))
}

#[test]
fn each_rule_of_the_specification() {
    let sg = supergraph(COST, TYPES);
    for (query, expected) in [
        ("{ __typename }", 0.0),
        ("{ __schema { types { fields { name } } } }", 0.0),
        ("{ user { id name } }", 1.0),
        ("{ user { friend { id } } }", 2.0),
        ("{ users { id } }", 10.0),
        ("{ users { friends { id } } }", 110.0),
        ("{ grid { id } }", 100.0),
        ("{ ids }", 0.0),
        // Arguments.
        ("{ sized(first: 3) { id } }", 3.0),
        ("{ sized(last: 4) { friend { id } } }", 8.0),
        ("{ loose { id } }", 3.0),
        ("{ loose(first: 4, last: 6) { id } }", 6.0),
        ("{ loose(first: null) { id } }", 40.0),
        ("{ loose(first: -1) { id } }", 40.0),
        ("{ nested(page: { size: 6 }) { id } }", 7.0),
        ("{ nested { id } }", 10.0),
        // Pages.
        ("{ page(first: 2) { total nodes { id } } }", 3.0),
        ("{ page(first: 2) { others { id } } }", 11.0),
        (
            "{ page(first: 2) { ...F } } fragment F on UserPage { nodes { id } }",
            3.0,
        ),
        (
            "{ a: page(first: 2) { ...F } b: page(first: 3) { ...F } } fragment F on UserPage { nodes { id } }",
            7.0,
        ),
        // Names of arguments that say the same.
        ("{ connection(first: 5) { nodes { id } } }", 6.0),
        ("{ connection(first: 5) { edges { node { id } } } }", 11.0),
        ("{ connection { nodes { id } } }", 11.0),
        ("{ newest { id } }", 5.0),
        ("{ newest(limit: 99999999) { id } }", 99_999_999.0),
        // Weights.
        ("{ dear { id } }", 9.0),
        ("{ user { secret level } }", 6.0),
        ("{ search(x: 1) }", 4.0),
        ("{ search(tag: A) }", 8.0),
        ("{ search(by: { text: \"a\" }) }", 1.0),
        ("{ search(by: { deep: { many: [{}, {}] } price: 3 }) }", 24.0),
        ("mutation { put { id } }", 11.0),
        ("mutation { put(by: {}) { id } }", 12.0),
        // Of types that exclude each other, the dearest.
        (
            "{ any { ... on User { friends { id } } ... on Robot { parts { id } name } } }",
            15.0,
        ),
        (
            "{ any { __typename ... on User { friend { id } } ... on User { friend { name } } } }",
            7.0,
        ),
        ("{ named { name } }", 50.0),
        ("{ named { friend { id } } }", 110.0),
        // Conditions.
        ("{ users @skip(if: true) { id } user { id } }", 1.0),
        (
            "query($a: Boolean = true) { users @include(if: $a) { id } }",
            10.0,
        ),
        (
            "query($a: Boolean = false) { users @include(if: $a) { id } }",
            0.0,
        ),
        (
            "query($a: Boolean = true) { ... @skip(if: $a) { users { id } } user { id } }",
            1.0,
        ),
    ] {
        assert_eq!(cost(&sg, query), expected, "{query}");
    }
}

#[test]
fn values_of_variables_count() {
    let sg = supergraph(COST, TYPES);
    let first = "query($n: Int) { sized(first: $n) { friends { id } } }";
    assert_eq!(cost_with(&sg, first, json!({"n": 2})), Ok(22.0));
    assert_eq!(cost_with(&sg, first, json!({"n": 2_000_000_000})), Ok(22e9));
    let inner = "query($p: Page) { nested(page: $p) { id } }";
    assert_eq!(cost_with(&sg, inner, json!({"p": {"size": 8}})), Ok(9.0));
    assert_eq!(cost_with(&sg, inner, json!({"p": {}})), Ok(11.0));
    let field = "query($n: Int) { nested(page: {size: $n}) { id } }";
    assert_eq!(cost_with(&sg, field, json!({"n": 4})), Ok(5.0));
    let input = "query($by: Search) { search(by: $by) }";
    assert_eq!(cost_with(&sg, input, json!({})), Ok(0.0));
    let sent = json!({"by": {"many": [{"price": 1}, {"deep": {}}]}});
    assert_eq!(cost_with(&sg, input, sent), Ok(24.0));
    let default = "query($n: Int = 6) { newest(limit: $n) { id } }";
    assert_eq!(cost_with(&sg, default, json!({})), Ok(6.0));
    let absent = "query($n: Int) { newest(limit: $n) { id } }";
    assert_eq!(cost_with(&sg, absent, json!({})), Ok(5.0));
    assert_eq!(cost_with(&sg, absent, json!({"n": null})), Ok(10.0));
}

#[test]
fn a_list_whose_length_must_be_told_is_refused_without_it() {
    let sg = supergraph(COST, TYPES);
    let refused = |query: &str| cost_with(&sg, query, json!({}));
    for query in [
        "{ sized { id } }",
        "{ sized(first: null) { id } }",
        "{ sized(first: 1, last: 2) { id } }",
        "query($n: Int) { sized(first: $n) { id } }",
    ] {
        let error = refused(query).expect_err(query).to_string();
        assert!(
            error.contains("first, last") && error.contains("\"Query.sized\""),
            "{error}"
        );
    }
    assert_eq!(
        refused("query($no: Boolean = false) { sized @include(if: $no) { id } }"),
        Ok(0.0)
    );
}

#[test]
fn only_what_depends_on_variables_is_left_for_later() {
    let sg = supergraph(COST, TYPES);
    let is_fixed = |query: &str| {
        let operation = Operation::parse(&sg, query, None).unwrap_or_else(|error| panic!("{error}"));
        operation.estimate(&sg, &settings()).is_fixed()
    };
    assert!(is_fixed(
        "query($t: String) { users { ...F } search(by: {text: $t}) } fragment F on User { friends { id } }"
    ));
    assert!(!is_fixed("query($n: Int) { newest(limit: $n) { id } }"));
}

#[test]
fn every_form_of_the_directives_is_read() {
    let types = |cost: &str, list: &str| {
        let definitions = "directive @cost(weight: String!) on FIELD_DEFINITION directive @listSize(assumedSize: Int) on FIELD_DEFINITION";
        format!(
            "{definitions} type Query {{ a: T {cost} b: [T] {list} }} type Mutation {{ a: T }} type T {{ id: ID }}"
        )
    };
    let link = |more: &str| format!(r#"@link(url: "https://specs.apollo.dev/cost/v0.1"{more})"#);
    for (links, cost_form, list_form) in [
        (
            link(r#", import: ["@cost", "@listSize"]"#),
            "@cost(weight: 5)",
            "@listSize(assumedSize: 3)",
        ),
        (link(""), "@cost(weight: 5)", "@cost__listSize(assumedSize: 3)"),
        (
            link(r#", as: "price""#),
            "@price(weight: 5)",
            "@price__listSize(assumedSize: 3)",
        ),
        (
            link(r#", import: [{name: "@cost", as: "@w"}, {name: "@listSize", as: "@s"}]"#),
            "@w(weight: 5)",
            "@s(assumedSize: 3)",
        ),
        (
            String::new(),
            "@cost(weight: \"5.0\")",
            "@listSize(assumedSize: 3)",
        ),
        (
            String::new(),
            r#"@join__directive(graphs: [A], name: "cost", args: {weight: 5})"#,
            r#"@join__directive(graphs: [A], name: "federation__listSize", args: {assumedSize: 3})"#,
        ),
    ] {
        let sg = supergraph(&links, &types(cost_form, list_form));
        assert_eq!(
            cost(&sg, "{ a { id } b { id } }"),
            8.0,
            "{links} {cost_form} {list_form}"
        );
    }
    // A namesake that is linked from elsewhere means something else.
    let other = r#"@link(url: "https://example.com/cost/v1.0", import: ["@cost", "@listSize"])"#;
    let sg = supergraph(other, &types("@cost(weight: 5)", "@listSize(assumedSize: 3)"));
    assert_eq!(cost(&sg, "{ a { id } b { id } }"), 11.0);
}

#[test]
fn what_is_composed_is_obeyed() {
    let subgraph = baedal_composition::Subgraph {
        name: "a".into(),
        url: "http://a.example/graphql".into(),
        sdl: r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@cost", "@listSize"])
            type Query { a(n: Int): [T] @listSize(slicingArguments: ["n"]) b: T @cost(weight: 7) }
            type T { id: ID }"#
            .into(),
    };
    let composed = baedal_composition::compose(&[subgraph]).unwrap_or_else(|errors| panic!("{errors:?}"));
    let sg = Supergraph::parse(&composed.supergraph_sdl).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(cost(&sg, "{ a(n: 3) { id } b { id } }"), 10.0);
    assert!(!sg.api_sdl().contains("@cost"), "{}", sg.api_sdl());
}

#[test]
fn estimates_are_numbers_however_large_they_get() {
    let sg = supergraph(COST, TYPES);
    let deep = format!(
        "query($n: Int) {{ newest(limit: $n) {}{{ id }}{} }}",
        "{ friends ".repeat(60),
        "}".repeat(60)
    );
    let most = cost_with(&sg, &deep, json!({"n": 2_000_000_000})).expect("a number");
    assert_eq!(most, baedal_planner::cost::MOST);
    assert_eq!(cost_with(&sg, &deep, json!({"n": 0})), Ok(0.0));
}

#[test]
fn a_shared_fragment_counts_wherever_it_is_spread() {
    let sg = supergraph(COST, TYPES);
    let mut query = "query($n: Int) { user { ...F0 } newest(limit: $n) { id } }".to_owned();
    for i in 0..10 {
        let next = i + 1;
        query.push_str(&format!(
            " fragment F{i} on User {{ friend {{ ...F{next} }} x: friend {{ ...F{next} }} }}"
        ));
    }
    query.push_str(" fragment F10 on User { id }");
    assert_eq!(cost_with(&sg, &query, json!({"n": 1})), Ok(2.0 + 2046.0));
}

/// The default budget of the gateway is a million.
#[test]
fn operations_of_the_delivery_platform_are_far_below_the_default_budget() {
    let schema = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema");
    let text = std::fs::read_to_string(schema.join("supergraph.graphql")).expect("the supergraph");
    let sg = Supergraph::parse(&text).unwrap_or_else(|error| panic!("{error}"));
    let mut dearest = (0.0, String::new());
    for entry in std::fs::read_dir(schema.join("operations")).expect("operations") {
        let file = entry.expect("an entry").path();
        let query = std::fs::read_to_string(&file).expect("an operation");
        let operation = Operation::parse(&sg, &query, None).unwrap_or_else(|error| panic!("{error}"));
        let asked = operation
            .estimate(&sg, &settings())
            .cost(&sg, &serde_json::Map::new());
        let asked = asked.unwrap_or_else(|error| panic!("{error}"));
        if asked > dearest.0 {
            dearest = (asked, file.display().to_string());
        }
    }
    assert!((1.0..1_000.0).contains(&dearest.0), "{dearest:?}");
}
