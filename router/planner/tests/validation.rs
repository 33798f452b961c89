//! One failing document, at least, for each rule of the specification's section 5, and for what may look like one a
//! document that is valid. <https://spec.graphql.org/September2025/#sec-Validation>
use baedal_planner::{Operation, Supergraph};

use crate::support::supergraph;

fn schema() -> Supergraph {
    let body = "directive @oneOf on INPUT_OBJECT\n\
        directive @trace(as: String, n: Int! = 1) on QUERY | FIELD\n\
        directive @many(n: Int) repeatable on FIELD\n\
        directive @named(as: String!) on FIELD | INLINE_FRAGMENT | FRAGMENT_SPREAD | FRAGMENT_DEFINITION | VARIABLE_DEFINITION\n\
        enum join__Graph { A @join__graph(name: \"a\", url: \"\") }\n\
        scalar Json @join__type(graph: A)\n\
        enum Color @join__type(graph: A) { RED @join__enumValue(graph: A) BLUE @join__enumValue(graph: A) }\n\
        input By @join__type(graph: A) @oneOf { id: ID name: String inner: By }\n\
        input In @join__type(graph: A) { n: Int! = 1 must: Int! list: [Int!] color: Color inner: In many: [In!] json: Json }\n\
        interface Node @join__type(graph: A) { id: ID! near: Node }\n\
        type User implements Node @join__type(graph: A) @join__implements(graph: A, interface: \"Node\") { id: ID! near: Node name: String names(of: [Int!]): [String!] age: Int f(x: Int, ids: [Int!], in: Json): Int }\n\
        type Shop implements Node @join__type(graph: A) @join__implements(graph: A, interface: \"Node\") { id: ID! near: Node name: String! open: Boolean f(x: Int, ids: [Int!], in: Json): Int }\n\
        type Lone @join__type(graph: A) { x: Int }\n\
        union Any @join__type(graph: A) @join__unionMember(graph: A, member: \"User\") @join__unionMember(graph: A, member: \"Shop\") = User | Shop\n\
        type Query @join__type(graph: A) { me: User lone: Lone node: Node any: Any users: [User!] f(x: Int, ids: [Int!], in: Json): Int\n\
          int(x: Int): Int must(x: Int!): Int free(x: Int! = 1): Int float(x: Float): Int id(x: ID): Int text(x: String): Int flag(x: Boolean): Int\n\
          color(x: Color): Int list(x: [Int!]): Int deep(x: [[Int!]!]): Int in(x: In): Int ins(x: [In!]): Int by(x: By): Int json(x: Json): Int }\n\
        type Mutation @join__type(graph: A) { add(n: Int): User }\n\
        type Subscription @join__type(graph: A) { added(n: Int): User other: User }";
    let read = supergraph(body).with_incremental();
    read.expect("a schema with @defer and @stream")
}

/// By the rule's section: documents that are not valid.
const INVALID: &[(&str, &[&str])] = &[
    (
        "5.1.1 executable definitions",
        &[
            "{ me { id } } type T { a: Int }",
            "{ me { id } } extend type User { b: Int }",
            "{ me { id } } schema { query: Query }",
        ],
    ),
    ("5.2.1.1 operation type existence", &["query { nothing }"]),
    (
        "5.2.2.1 operation name uniqueness",
        &[
            "query A { me { id } } query A { me { name } }",
            "query A { me { id } } mutation A { add { id } }",
        ],
    ),
    (
        "5.2.3.1 lone anonymous operation",
        &[
            "{ me { id } } query A { me { id } }",
            "query A { me { id } } { me { id } }",
            "{ me { id } } { me { id } }",
        ],
    ),
    (
        "5.2.4.1 single root field",
        &[
            "subscription { added { id } other { id } }",
            "subscription { a: added { id } b: added { id } }",
            "subscription { ...F } fragment F on Subscription { added { id } other { id } }",
            "subscription { __typename }",
            "subscription { added { id } __typename }",
            "subscription ($b: Boolean!) { added @include(if: $b) { id } }",
            "subscription ($b: Boolean!) { added @skip(if: $b) { id } other @include(if: $b) { id } }",
            "subscription { added @skip(if: true) { id } }",
            "subscription ($b: Boolean!) { ... @include(if: $b) { added { id } } }",
            "subscription ($b: Boolean!) { ...F @skip(if: $b) } fragment F on Subscription { added { id } }",
        ],
    ),
    (
        "5.3.1 field selections",
        &[
            "{ me { nothing } }",
            "{ any { name } }",
            "{ node { name } }",
            "{ me { __schema { types { name } } } }",
            "mutation { me { id } }",
            "{ ...F } fragment F on Query { nothing }",
        ],
    ),
    (
        "5.3.2 field selection merging",
        &[
            "{ me { name: age name } }",
            "{ me { f(x: 1) f(x: 2) } }",
            "{ me { f(x: 1) f } }",
            "query ($a: Int, $b: Int) { f(x: $a) f(x: $b) }",
            "{ f(ids: [1]) f(ids: [1, 2]) }",
            "{ f(ids: []) f(ids: [1]) }",
            "{ f(in: {a: [1, 2]}) f(in: {a: [1]}) }",
            "{ f(in: {a: 1}) f(in: {b: 1}) }",
            "{ me { f(ids: [1]) } ...F } fragment F on Query { me { ...G } } fragment G on User { f(ids: [1, 2]) }",
            "{ any { ... on User { f(ids: [1, 2]) } ... on Node { near { id } } } any { ... on User { f(ids: [1]) } } }",
            "{ node { near { ... on User { f(ids: [1, 2]) } } } node { near { ... on User { f(ids: [1]) } } } }",
            "{ any { ... on User { x: name } ... on Shop { x: name } } }",
            "{ any { ... on User { x: age } ... on Shop { x: open } } }",
            "{ any { ... on User { near { x: id } } ... on Shop { near { ... on Shop { x: open } } } } }",
            "{ users @stream(initialCount: 1) { id } users { name } }",
            "{ users @stream(initialCount: 1) { id } users @stream(initialCount: 2) { name } }",
        ],
    ),
    (
        "5.3.3 leaf field selections",
        &[
            "{ me }",
            "{ me { near } }",
            "{ any }",
            "{ me { id { x } } }",
            "{ int { x } }",
        ],
    ),
    (
        "5.4.1 argument names",
        &[
            "{ int(y: 1) }",
            "{ me @trace(of: 1) { id } }",
            "{ me @include(unless: true, if: true) { id } }",
        ],
    ),
    (
        "5.4.2 argument uniqueness",
        &[
            "{ int(x: 1, x: 1) }",
            "{ me @trace(as: \"a\", as: \"b\") { id } }",
        ],
    ),
    (
        "5.4.3 required arguments",
        &[
            "{ must }",
            "{ must(x: null) }",
            "{ free(x: null) }",
            "{ me { id @named } }",
            "{ me @include { id } }",
            "{ me @include(if: null) { id } }",
        ],
    ),
    (
        "5.5.1.1 fragment name uniqueness",
        &["{ me { ...F } } fragment F on User { id } fragment F on User { name }"],
    ),
    (
        "5.5.1.2 fragment spread type existence",
        &[
            "{ me { ...F } } fragment F on Nothing { id }",
            "{ me { ... on Nothing { id } } }",
        ],
    ),
    (
        "5.5.1.3 fragments on object, interface or union types",
        &[
            "{ me { ...F } } fragment F on Int { id }",
            "{ me { ... on Color { id } } }",
            "{ me { ... on In { must } } }",
        ],
    ),
    (
        "5.5.1.4 fragments must be used",
        &[
            "{ me { id } } fragment F on User { id }",
            "{ me { id } } fragment F on User { ...G } fragment G on User { id }",
        ],
    ),
    (
        "5.5.2.1 fragment spread target defined",
        &["{ me { ...Nothing } }"],
    ),
    (
        "5.5.2.2 fragment spreads must not form cycles",
        &[
            "{ me { ...F } } fragment F on User { ...F }",
            "{ me { ...F } } fragment F on User { near { ...G } } fragment G on Node { near { ... on User { ...F } } }",
            "{ me { ...F } } fragment F on User { ...G } fragment G on User { ...H } fragment H on User { ...G }",
        ],
    ),
    (
        "5.5.2.3 fragment spread is possible",
        &[
            "{ me { ... on Shop { id } } }",
            "{ lone { ... on Node { id } } }",
            "{ any { ... on Lone { x } } }",
            "{ node { ...F } } fragment F on Lone { x }",
        ],
    ),
    (
        "5.6.1 values of correct type",
        &[
            "{ int(x: \"1\") }",
            "{ int(x: 1.0) }",
            "{ int(x: true) }",
            "{ int(x: RED) }",
            "{ int(x: 2147483648) }",
            "{ int(x: -2147483649) }",
            "{ int(x: [1]) }",
            "{ int(x: {a: 1}) }",
            "{ float(x: \"1\") }",
            "{ float(x: 1e999) }",
            "{ id(x: 1.5) }",
            "{ id(x: true) }",
            "{ text(x: 1) }",
            "{ text(x: RED) }",
            "{ flag(x: 1) }",
            "{ flag(x: \"true\") }",
            "{ color(x: GREEN) }",
            "{ color(x: \"RED\") }",
            "{ color(x: 1) }",
            "{ color(x: true) }",
            "{ list(x: [1, null]) }",
            "{ list(x: [1, \"2\"]) }",
            "{ list(x: [2147483648]) }",
            "{ deep(x: [[1, null]]) }",
            "{ deep(x: [[1], \"a\"]) }",
            "{ in(x: 1) }",
            "{ in(x: \"{}\") }",
            "{ in(x: {must: 1, list: [null]}) }",
            "{ in(x: {must: 1, color: GREEN}) }",
            "{ in(x: {must: 1, n: null}) }",
            "{ in(x: {must: 2147483648}) }",
            "{ me @trace(n: \"1\") { id } }",
            "query ($x: Int = \"1\") { int(x: $x) }",
            "query ($x: Int! = null) { int(x: $x) }",
            "query ($x: In = {must: \"1\"}) { in(x: $x) }",
        ],
    ),
    (
        "5.6.2 input object field names",
        &[
            "{ in(x: {must: 1, nothing: 1}) }",
            "{ ins(x: [{must: 1}, {must: 1, nothing: 1}]) }",
            "{ in(x: {must: 1, inner: {must: 1, nothing: 1}}) }",
            "query ($x: In = {must: 1, nothing: 1}) { in(x: $x) }",
        ],
    ),
    (
        "5.6.3 input object field uniqueness",
        &[
            "{ in(x: {must: 1, must: 1}) }",
            "{ in(x: {must: 1, inner: {must: 1, n: 1, must: 1}}) }",
            "{ ins(x: [{must: 1, list: [], list: []}]) }",
            "{ json(x: {a: 1, a: 2}) }",
            "{ json(x: [{b: {a: 1, a: 1}}]) }",
            "{ me { ...F } } fragment F on User { f(in: {a: 1, a: 1}) }",
            "query ($x: In = {must: 1, must: 2}) { in(x: $x) }",
        ],
    ),
    (
        "5.6.4 input object required fields",
        &[
            "{ in(x: {}) }",
            "{ in(x: {n: 1}) }",
            "{ in(x: {must: null}) }",
            "{ ins(x: [{n: 1}]) }",
            "{ in(x: {must: 1, many: [{}]}) }",
        ],
    ),
    (
        "5.6.5 all of @oneOf: exactly one field",
        &[
            "{ by(x: {}) }",
            "{ by(x: {id: 1, name: \"n\"}) }",
            "{ by(x: {id: null}) }",
            "{ by(x: {inner: {id: null}}) }",
            "query ($id: ID) { by(x: {id: $id}) }",
            "query ($id: ID = 1) { by(x: {id: $id}) }",
        ],
    ),
    (
        "5.7.1 directives are defined",
        &[
            "{ me @nothing { id } }",
            "query @nothing { me { id } }",
            "{ me { ...F @nothing } } fragment F on User { id }",
            "{ me { ...F } } fragment F on User @nothing { id }",
            "query ($x: Int @nothing) { int(x: $x) }",
        ],
    ),
    (
        "5.7.2 directives are in valid locations",
        &[
            "query @include(if: true) { me { id } }",
            "query @many { me { id } }",
            "{ me { ...F @trace } } fragment F on User { id }",
            "{ me { ...F } } fragment F on User @skip(if: true) { id }",
            "{ me { ... @trace { id } } }",
            "query ($x: Int @trace) { int(x: $x) }",
            "{ me @oneOf { id } }",
            "{ me @deprecated { id } }",
            "query @defer { me { id } }",
            "{ me @defer { id } }",
            "{ users { ... @stream { id } } }",
        ],
    ),
    (
        "5.7.3 directives are unique per location",
        &[
            "{ me @trace @trace { id } }",
            "{ me @skip(if: false) @skip(if: false) { id } }",
            "{ me { ... @include(if: true) @include(if: true) { id } } }",
        ],
    ),
    (
        "5.7.4 defer and stream on the root",
        &[
            "mutation { ... @defer { add { id } } }",
            "subscription { ... @defer { added { id } } }",
        ],
    ),
    (
        "5.7.5 defer and stream in subscriptions",
        &[
            "subscription { added { ... @defer { id } } }",
            "subscription { added { names @stream } }",
        ],
    ),
    (
        "5.7.6 labels of defer and stream",
        &[
            "{ me { ... @defer(label: \"a\") { id } ... @defer(label: \"a\") { name } } }",
            "{ me { ... @defer(label: \"a\") { id } } users @stream(label: \"a\") { id } }",
            "query ($l: String) { me { ... @defer(label: $l) { id } } }",
        ],
    ),
    (
        "5.7.7 stream on lists",
        &[
            "{ me @stream { id } }",
            "{ me { ...F } } fragment F on User { name @stream }",
        ],
    ),
    (
        "5.8.1 variable uniqueness",
        &["query ($x: Int, $x: Int) { int(x: $x) }"],
    ),
    (
        "5.8.2 variables are input types",
        &[
            "query ($x: User) { int(x: $x) }",
            "query ($x: [Any!]) { int(x: $x) }",
            "query ($x: Nothing) { int(x: $x) }",
        ],
    ),
    (
        "5.8.3 all variable uses defined",
        &[
            "{ int(x: $x) }",
            "query A($x: Int) { int(x: $x) } query B { ...F } fragment F on Query { int(x: $x) }",
            "query B { ...F } fragment F on Query { ...G } fragment G on Query { int(x: $x) }",
            "{ list(x: [$x]) }",
            "{ in(x: {must: $x}) }",
            "{ json(x: {a: [{b: $x}]}) }",
            "{ me @include(if: $x) { id } }",
            "query @trace(as: $x) { me { id } }",
        ],
    ),
    (
        "5.8.4 all variables used",
        &[
            "query ($x: Int) { me { id } }",
            "query A($x: Int) { int(x: $x) } query B($x: Int) { me { id } }",
            "query ($x: Int) { ...F } fragment F on Query { int(x: 1) }",
        ],
    ),
    (
        "5.8.5 all variable usages are allowed",
        &[
            "query ($x: String) { int(x: $x) }",
            "query ($x: Int) { must(x: $x) }",
            "query ($x: Int = null) { must(x: $x) }",
            "query ($x: [Int]) { list(x: $x) }",
            "query ($x: Int) { list(x: $x) }",
            "query ($x: [Int!]) { int(x: $x) }",
            "query ($x: Int) { list(x: [$x]) }",
            "query ($x: [Int!]) { list(x: [$x]) }",
            "query ($x: Int) { in(x: {must: $x}) }",
            "query ($x: Int = null) { in(x: {must: $x}) }",
            "query ($x: [Int]) { in(x: {must: 1, list: $x}) }",
            "query ($x: [Int!]) { deep(x: [1, $x]) }",
            "query ($x: In) { ins(x: [$x]) }",
            "query ($x: String) { in(x: {must: 1, color: $x}) }",
            "query ($b: Boolean) { me @include(if: $b) { id } }",
            "query ($b: Boolean = null) { me @skip(if: $b) { id } }",
            "query A($x: Int!) { ...F } query B($x: Int) { ...F } fragment F on Query { list(x: [$x]) }",
        ],
    ),
    (
        "2 syntax",
        &[
            "",
            "{ }",
            "{ me { } }",
            "query () { me { id } }",
            "{ int() }",
            "{ me { id }",
            "{ me { ...on } } fragment on on User { id }",
            "{ text(x: \"a\nb\") }",
            "{ text(x: \"\\x\") }",
            "{ int(x: 01) }",
            "{ int(x: 1x) }",
            "{ int(x: $) }",
            "query ($a: Int, $x: Int = $a) { int(x: $x) }",
        ],
    ),
];

/// What is valid, though it looks like what is not.
const VALID: &[&str] = &[
    "query A { me { id } } query B { me { id } }",
    "subscription { ...F } fragment F on Subscription { added { name } }",
    "subscription ($b: Boolean!) { added { id @include(if: $b) } }",
    "{ f(ids: [1, 2]) f(ids: [1, 2]) }",
    "{ f(in: {a: 1, b: [1]}) f(in: {b: [1], a: 1}) }",
    "{ a: list(x: [1]) b: list(x: [1, 2]) }",
    "{ me { f(ids: [1]) } users { f(ids: [1, 2]) } }",
    "{ any { ... on User { f(ids: [1]) } ... on Shop { f(ids: [1, 2]) } } }",
    "{ users @stream(initialCount: 1) { id } users @stream(initialCount: 1) { name } }",
    "{ any { ... on User { a: age } ... on Shop { a: f } } }",
    "{ me { ... on User { id } ... on Node { id } ... { id } } }",
    "{ me { ...F ...F } } fragment F on User { id }",
    "{ id(x: 1) a: id(x: \"a\") float(x: 1) b: list(x: 1) c: deep(x: 1) d: deep(x: [[1]]) }",
    "{ json(x: {a: {a: RED}, b: [1, \"x\", {a: null}]}) }",
    "{ in(x: {must: 1, many: {must: 1}, json: {must: [1]}}) }",
    "{ in(x: {must: -2147483648}) }",
    "query ($x: Int = 1) { must(x: $x) }",
    "query ($x: Int) { free(x: $x) }",
    "query ($x: Int) { in(x: {must: 1, n: $x}) }",
    "query ($x: Int!) { list(x: [1, $x]) in(x: {must: $x, list: [$x]}) }",
    "query ($x: [Int!]!) { deep(x: [$x]) }",
    "query ($x: Int) { json(x: {a: $x}) }",
    "query ($id: ID!) { by(x: {id: $id}) }",
    "query A($id: ID!) { ...F } query B($id: ID) { id(x: $id) } fragment F on Query { by(x: {id: $id}) }",
    "query ($b: By) { by(x: $b) }",
    "query ($b: Boolean = false) { me @include(if: $b) { id @many(n: 1) @many(n: 1) } }",
    "query ($x: String @named(as: \"x\")) @trace(as: $x) { me { ...F @named(as: \"s\") } } fragment F on User @named(as: \"f\") { id }",
    "subscription ($b: Boolean!) { added { ... @defer(if: $b) { id } } }",
    "mutation { add { ... @defer { id } } }",
    "{ text(x: \"\"\"a\nb\"\"\") }",
    "{ me { __typename } __typename __type(name: \"User\") { name } }",
];

#[test]
fn what_breaks_a_rule_is_refused_with_code_and_place() {
    let sg = schema();
    let mut passed = Vec::new();
    for (rule, documents) in INVALID {
        for document in *documents {
            let name = document.contains("query A").then_some("A");
            let Err(error) = Operation::parse(&sg, document, name) else {
                passed.push(format!("{rule}: {document}"));
                continue;
            };
            let code = if rule.starts_with('2') {
                "GRAPHQL_PARSE_FAILED"
            } else {
                "GRAPHQL_VALIDATION_FAILED"
            };
            for error in &error.errors {
                assert_eq!(
                    error.extensions.code, code,
                    "{rule}: {document}: {}",
                    error.message
                );
            }
            let placed = error.errors.iter().any(|error| !error.locations.is_empty());
            assert!(placed || document.is_empty(), "{rule}: {document}: {error}");
        }
    }
    assert!(passed.is_empty(), "these passed:\n{}", passed.join("\n"));
}

#[test]
fn what_breaks_no_rule_is_taken() {
    let sg = schema();
    for document in VALID {
        let name = document.contains("query A").then_some("A");
        if let Err(error) = Operation::parse(&sg, document, name) {
            panic!("{document}: {error}");
        }
    }
}

#[test]
fn a_mistake_made_thousands_of_times_is_told_once() {
    let sg = schema();
    let text = format!("{{ in(x: {{ {} }}) }}", "must: 1 ".repeat(4_000));
    let error = Operation::parse(&sg, &text, None).expect_err("given 4 000 times");
    assert_eq!(error.errors.len(), 1, "{error}");
    assert_eq!(
        error.errors[0].message,
        "the input field \"must\" is given more than once"
    );
    assert_eq!(
        (
            error.errors[0].locations[0].line,
            error.errors[0].locations[0].column
        ),
        (1, 19)
    );
}

#[test]
fn conflicts_are_found_in_large_documents_and_only_where_fields_meet() {
    let sg = schema();
    // 3^7 sets, which meet in 2^7 ways on each of 2^7 paths.
    let mut set = "id".to_owned();
    for _ in 0..7 {
        set =
            format!("... on User {{ near {{ {set} }} }} ... on Shop {{ near {{ {set} }} }} near {{ {set} }}");
    }
    let many = "f(ids: [1]) ".repeat(5_000);
    let apart = format!("{{ node {{ {set} }} a: me {{ {many} }} b: me {{ f(ids: [1, 1]) }} }}");
    assert!(Operation::parse(&sg, &apart, None).is_ok());
    let meeting =
        format!("{{ node {{ {set} }} a: me {{ {many} }} a: me {{ f(ids: [1, 1]) f(ids: [1, 1]) }} }}");
    let error = Operation::parse(&sg, &meeting, None).expect_err("they differ");
    assert!(
        error.errors.iter().all(|error| error.message.contains("\"f\"")),
        "{error}"
    );
}
