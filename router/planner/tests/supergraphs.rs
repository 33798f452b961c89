//! Reading supergraphs, also foreign ones.
use baedal_planner::{Supergraph, SupergraphError};

use crate::cases::check_sound;
use crate::support::{bounded, case, plan_of, sdl, supergraph};

#[test]
fn machinery_and_inaccessible_elements_are_not_public() {
    let (_, sg) = case("requires-chain");
    insta::assert_snapshot!(sg.api_sdl(), @"
    type Product {
      id: ID!
      hasDiscount: Boolean!
      isExpensive: Boolean!
      plain: Int
    }

    type Query {
      products: [Product!]!
    }
    ");
}

#[test]
fn inaccessible_types_arguments_values_and_members_are_not_public() {
    let sg = supergraph(
        "enum join__Graph { A @join__graph(name: \"a\", url: \"\") }\n\
         type Query @join__type(graph: A) { f(x: Int = 1, y: Int @inaccessible): U e(e: E, i: I): E g: Hidden @inaccessible }\n\
         type Hidden implements N @join__type(graph: A) @inaccessible { id: ID! }\n\
         type Seen implements N & M @join__type(graph: A) { id: ID! m: Int @tag(name: \"x\") }\n\
         interface N @join__type(graph: A) { id: ID! }\n\
         interface M @join__type(graph: A) @inaccessible { m: Int }\n\
         union U @join__type(graph: A) = Hidden | Seen\n\
         enum E @join__type(graph: A) { ONE TWO @inaccessible }\n\
         input I @join__type(graph: A) { a: Int b: Int @inaccessible }",
    );
    let api = sg.api_sdl();
    for gone in [
        "Hidden",
        "y:",
        "TWO",
        "b:",
        "join",
        "tag",
        "interface M",
        "inaccessible",
    ] {
        assert!(!api.contains(gone), "{gone} is not public:\n{api}");
    }
    for kept in [
        "union U = Seen",
        "type Seen implements N",
        "ONE",
        "m: Int",
        "f(x: Int = 1): U",
    ] {
        assert!(api.contains(kept), "{kept} is public:\n{api}");
    }
}

#[test]
fn an_unknown_specification_for_security_is_refused() {
    let body = sdl(
        "enum join__Graph { A @join__graph(name: \"a\", url: \"\") }\ntype Query @join__type(graph: A) { x: Int }",
    );
    for purpose in ["SECURITY", "EXECUTION"] {
        let link = format!("schema\n  @link(url: \"https://example.com/vault/v1.2\", for: {purpose})");
        let error = Supergraph::parse(&body.replacen("schema", &link, 1)).expect_err("unknown");
        assert!(
            matches!(error, SupergraphError::UnknownSpecification { .. }),
            "{error}"
        );
        assert!(
            error.to_string().contains("https://example.com/vault/v1.2"),
            "{error}"
        );
    }
    for (url, purpose, part) in [
        // A namesake from elsewhere, and a version that may mean more than we know.
        (
            "https://example.com/inaccessible/v0.2",
            "SECURITY",
            "does not know; serving",
        ),
        (
            "https://specs.apollo.dev/inaccessible/v0.9",
            "SECURITY",
            "it knows v0.1, v0.2",
        ),
        (
            "https://specs.apollo.dev/connect/v0.1",
            "EXECUTION",
            "connect/v0.1 for EXECUTION",
        ),
    ] {
        let link = format!("schema\n  @link(url: \"{url}\", for: {purpose})");
        let error = Supergraph::parse(&body.replacen("schema", &link, 1)).expect_err("unknown");
        assert!(error.to_string().contains(part), "{error}");
    }
    let harmless = body.replacen(
        "schema",
        "schema\n  @link(url: \"https://example.com/vault/v1.2\")",
        1,
    );
    assert!(Supergraph::parse(&harmless).is_ok());
}

#[test]
fn an_unknown_join_specification_is_refused() {
    let body = sdl(
        "enum join__Graph { A @join__graph(name: \"a\", url: \"\") }\ntype Query @join__type(graph: A) { x: Int }",
    );
    for version in ["v0.6", "v1.0", "v1.3"] {
        let error = Supergraph::parse(&body.replace("join/v0.5", &format!("join/{version}")));
        let error = error.expect_err("unknown").to_string();
        assert!(
            error.contains(version) && error.contains("reads join v0.1 to v0.5"),
            "{error}"
        );
    }
    for version in ["v0.2", "v0.3", "v0.4"] {
        assert!(Supergraph::parse(&body.replace("v0.5", version)).is_ok());
    }
}

#[test]
fn contextual_arguments_that_mean_nothing_are_refused() {
    let body = |argument: &str| {
        supergraph_text(&format!(
            "type Query @join__type(graph: A) {{ f: Int @join__field(graph: A, contextArguments: [{argument}]) }}"
        ))
    };
    for (argument, part) in [
        (
            "{name: \"a\", type: \"Int\", context: \"a__c\", selection: \"{ f }\"}",
            "no type sets the context \"a__c\"",
        ),
        (
            "{name: \"a\", type: \"Int\", selection: \"{ f }\"}",
            "no \"context\"",
        ),
    ] {
        let error = Supergraph::parse(&body(argument))
            .expect_err("refused")
            .to_string();
        assert!(error.starts_with("Query.f: ") && error.contains(part), "{error}");
    }
}

fn supergraph_text(body: &str) -> String {
    sdl(&format!(
        "enum join__Graph {{ A @join__graph(name: \"a\", url: \"\") }}\n{body}"
    ))
}

#[test]
fn what_is_no_supergraph_is_refused_with_a_reason() {
    for (text, part) in [
        ("type Query {", "not valid GraphQL"),
        ("type Query { a: Int }", "links no join specification"),
        (
            "schema @link(url: \"https://specs.apollo.dev/join/v0.3\") { query: Query } type Query { a: Int }",
            "join__Graph",
        ),
    ] {
        let error = Supergraph::parse(text).expect_err("refused").to_string();
        assert!(error.contains(part), "{error}");
    }
    let unknown_graph = sdl(
        "enum join__Graph { A @join__graph(name: \"a\", url: \"\") }\ntype Query @join__type(graph: B) { x: Int }",
    );
    assert!(Supergraph::parse(&unknown_graph).is_err());
    let bad_key = sdl(
        "enum join__Graph { A @join__graph(name: \"a\", url: \"\") }\ntype Query @join__type(graph: A, key: \"{{\") { x: Int }",
    );
    let error = Supergraph::parse(&bad_key).expect_err("refused").to_string();
    assert!(error.starts_with("Query:"), "{error}");
}

/// <https://specs.apollo.dev/join/v0.1/>: an owner for each entity, core instead of link.
const JOIN_0_1: &str = r#"
schema @core(feature: "https://specs.apollo.dev/core/v0.1") @core(feature: "https://specs.apollo.dev/join/v0.1") { query: Query }
directive @core(feature: String!, as: String) repeatable on SCHEMA
directive @join__field(graph: join__Graph, provides: join__FieldSet, requires: join__FieldSet) on FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__owner(graph: join__Graph!) on INTERFACE | OBJECT
directive @join__type(graph: join__Graph!, key: join__FieldSet) repeatable on INTERFACE | OBJECT
scalar join__FieldSet
enum join__Graph { ACCOUNTS @join__graph(name: "accounts" url: "http://a") REVIEWS @join__graph(name: "reviews" url: "http://r") }
type Query { me: User @join__field(graph: ACCOUNTS) top: [Review] @join__field(graph: REVIEWS) }
type User @join__owner(graph: ACCOUNTS) @join__type(graph: ACCOUNTS, key: "id") @join__type(graph: REVIEWS, key: "id") {
  id: ID! @join__field(graph: ACCOUNTS)
  name: String @join__field(graph: ACCOUNTS)
  reviews: [Review] @join__field(graph: REVIEWS)
}
type Review @join__owner(graph: REVIEWS) @join__type(graph: REVIEWS, key: "id") {
  id: ID! @join__field(graph: REVIEWS)
  author: User @join__field(graph: REVIEWS)
  meta: Meta @join__field(graph: REVIEWS)
}
type Meta { words: Int }
"#;

#[test]
fn join_0_1_is_read() {
    let sg = Supergraph::parse(JOIN_0_1).expect("join v0.1 is readable");
    assert!(!sg.api_sdl().contains("core"));
    let plan = plan_of(&sg, "{ me { reviews { meta { words } author { name } } } }");
    insta::assert_snapshot!(plan.to_string(), @"
    #0 accounts
      {me{id}}
    #1 reviews after #0
      query($representations:[_Any!]!){_entities(representations:$representations){...on User{reviews{meta{words}author{id}}}}}
      $representations = .me: {User id}
    #2 accounts after #1
      query($representations:[_Any!]!){_entities(representations:$representations){...on User{name}}}
      $representations = .me.reviews.author: {User id}
    ");
}

#[test]
fn a_field_of_a_type_its_subgraph_does_not_know_is_refused() {
    let sg = supergraph(
        "enum join__Graph { A @join__graph(name: \"a\", url: \"\") B @join__graph(name: \"b\", url: \"\") }\n\
         type Query @join__type(graph: A) @join__type(graph: B) { t: T @join__field(graph: A) }\n\
         type T @join__type(graph: B) { f: Int }",
    );
    let error = crate::support::plan_with(&sg, "{ t { f } }", &baedal_planner::Access::unrestricted());
    assert_eq!(error.expect_err("no plan").code(), "QUERY_PLAN_UNREACHABLE");
}

#[test]
fn an_unreachable_field_says_which_where_and_why() {
    let sg = supergraph(
        "enum join__Graph { A @join__graph(name: \"a\", url: \"\") B @join__graph(name: \"b\", url: \"\") C @join__graph(name: \"c\", url: \"\") D @join__graph(name: \"d\", url: \"\") E @join__graph(name: \"e\", url: \"\") }\n\
         type Query @join__type(graph: A) { t: T }\n\
         type T @join__type(graph: A) @join__type(graph: B, key: \"k\") @join__type(graph: C) @join__type(graph: D) @join__type(graph: E, key: \"id\") {\n\
           id: ID! @join__field(graph: A) @join__field(graph: E) k: ID @join__field(graph: B) other: Int @join__field(graph: B)\n\
           f: Int @join__field(graph: B) @join__field(graph: C) @join__field(graph: D, external: true) @join__field(graph: E, requires: \"other\") }",
    );
    let error = crate::support::plan_with(&sg, "{ it: t { id f } }", &baedal_planner::Access::unrestricted());
    let error = error.expect_err("no plan");
    assert_eq!(error.code(), "QUERY_PLAN_UNREACHABLE");
    assert_eq!(
        error.to_string(),
        "no subgraph can answer T.f at it.f: \"b\" has it, but no @key of T that can be filled from here, \
         \"c\" has it, but no resolvable @key of T, \"d\" has it as @external only, \
         \"e\" has it, but what it requires cannot be had here"
    );
}

#[test]
fn an_active_label_moves_the_field() {
    let body = "enum join__Graph { A @join__graph(name: \"a\", url: \"\") B @join__graph(name: \"b\", url: \"\") }\n\
        type Query @join__type(graph: A) @join__type(graph: B) { t: T @join__field(graph: A) }\n\
        type T @join__type(graph: A, key: \"id\") @join__type(graph: B, key: \"id\") { id: ID!\n\
          f: Int @join__field(graph: A, overrideLabel: \"percent(5)\") @join__field(graph: B, override: \"a\", overrideLabel: \"percent(5)\") }";
    let sg = supergraph(body);
    let operation = baedal_planner::Operation::parse(&sg, "{ t { f } }", None).expect("valid");
    let mut settings = baedal_planner::Settings::default();
    let fetches = |settings: &baedal_planner::Settings| {
        let plan = baedal_planner::plan(
            &sg,
            &operation,
            &Default::default(),
            settings,
            &baedal_planner::Access::unrestricted(),
        );
        let plan = plan.expect("a plan");
        check_sound("override", &sdl(body), &sg, &plan);
        plan.fetches.len()
    };
    assert_eq!(fetches(&settings), 1);
    settings.active_labels.insert("percent(5)".into());
    assert_eq!(fetches(&settings), 2);
}

/// 100 subgraphs, 2 000 types, 100 interfaces.
fn large() -> String {
    use std::fmt::Write as _;
    let mut out = String::from("enum join__Graph {\n");
    for n in 0..100 {
        _ = writeln!(out, "  G{n} @join__graph(name: \"g{n}\", url: \"http://g{n}\")");
    }
    out.push_str("}\ntype Query ");
    (0..100).for_each(|n| _ = write!(out, "@join__type(graph: G{n}) "));
    out.push_str("{ first: T0 @join__field(graph: G0) }\n");
    for n in 0..100 {
        _ = write!(out, "interface I{n} ");
        (0..100).for_each(|g| _ = write!(out, "@join__type(graph: G{g}) "));
        out.push_str("{ id: ID! }\n");
    }
    for n in 0..2_000 {
        let (interface, next) = (n % 100, (n + 1) % 2_000);
        _ = write!(out, "type T{n} implements I{interface} ");
        for g in (0..5).map(|k| (n + 99 + k) % 100) {
            let key = format!("@join__type(graph: G{g}, key: \"id\")");
            _ = write!(
                out,
                "{key} @join__implements(graph: G{g}, interface: \"I{interface}\") "
            );
        }
        let (own, other) = (n % 100, (n + 3) % 100);
        _ = writeln!(
            out,
            "{{ id: ID! a: Int @join__field(graph: G{own}) b: Int @join__field(graph: G{other}) next: T{next} @join__field(graph: G{own}) }}"
        );
    }
    out
}

#[test]
fn a_large_supergraph_is_read_and_planned_for() {
    let sg = bounded("reading", 30, || supergraph(&large()));
    let text = "{ first { a b next { a b next { b } } } }";
    let plan = bounded("planning", 5, || plan_of(&sg, text));
    assert!(plan.fetches.len() >= 4);
}
