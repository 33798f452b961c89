//! Properties: bounded work on hostile operations, no panic on any input.
use std::fmt::Write as _;

use baedal_planner::{Access, Operation, PlanError, Settings, Supergraph, plan};
use proptest::prelude::*;
use serde_json::Map;

use crate::cases::check_sound;
use crate::support::{bounded, case, sdl, supergraph};

fn attempt(sg: &Supergraph, query: &str) -> Result<Result<baedal_planner::Plan, PlanError>, String> {
    let operation = Operation::parse(sg, query, None).map_err(|e| e.to_string())?;
    let variables = operation
        .coerce_variables(sg, &Map::new())
        .map_err(|e| format!("{e:?}"))?;
    Ok(plan(
        sg,
        &operation,
        &variables,
        &Settings::default(),
        &Access::unrestricted(),
    ))
}

/// Debug builds are many times slower than what is shipped; a runaway takes minutes.
fn quick(what: &str, work: impl FnOnce()) {
    bounded(what, 20, work);
}

#[test]
fn exponential_fragments_are_refused() {
    let (_, sg) = case("basics");
    let mut query = String::from("{ me { ...f0 } }");
    for n in 0..40 {
        let next = n + 1;
        _ = write!(
            query,
            " fragment f{n} on User {{ reviews {{ a{n}: author {{ ...f{next} }} b{n}: author {{ ...f{next} }} }} }}"
        );
    }
    query.push_str(" fragment f40 on User { name }");
    quick("an exponential query", || match attempt(&sg, &query) {
        Ok(Err(PlanError::BudgetExceeded(_))) => {}
        Ok(Ok(plan)) => panic!("expanded to {} slots", plan.slots.len()),
        other => panic!("refused otherwise: {:?}", other.map(|r| r.map(|_| ()))),
    });
}

#[test]
fn ten_thousand_fields_end() {
    let (_, sg) = case("basics");
    let fields: String = (0..10_000).fold(String::new(), |mut out, n| {
        _ = write!(out, "f{n}: name ");
        out
    });
    quick("10 000 fields", || {
        let plan = attempt(&sg, &format!("{{ me {{ {fields} }} }}")).expect("valid");
        assert_eq!(plan.expect("planned").fetches.len(), 1);
    });
    let hops: String = (0..2_000).fold(String::new(), |mut out, n| {
        _ = write!(out, "u{n}: user(id: {n}) {{ name reviews {{ body }} }} ");
        out
    });
    quick("2 000 hops", || {
        let plan = attempt(&sg, &format!("{{ {hops} }}"))
            .expect("valid")
            .expect("planned");
        assert_eq!(plan.fetches.len(), 2);
    });
}

#[test]
fn deep_nesting_ends() {
    let (_, sg) = case("basics");
    for depth in [20, 60, 190, 2_000] {
        let query = format!(
            "{{ me {{ {} name {} }} }}",
            "reviews { author {".repeat(depth),
            "}}".repeat(depth)
        );
        quick("a deep query", || _ = attempt(&sg, &query));
    }
}

#[test]
fn many_subgraphs_that_could_answer_each_field_end() {
    let graphs: String = (0..100).fold(String::new(), |mut out, n| {
        _ = writeln!(out, "  G{n} @join__graph(name: \"g{n}\", url: \"http://g{n}\")");
        out
    });
    let joins = |key: &str| -> String {
        (0..100)
            .map(|n| format!("@join__type(graph: G{n}{key}) "))
            .collect()
    };
    let fields: String = (0..50).map(|n| format!("  f{n}: Int\n  t{n}: T\n")).collect();
    let body = format!(
        "enum join__Graph {{\n{graphs}}}\ntype Query {} {{ t: T }}\ntype T {} {{\n  id: ID!\n{fields}}}\n",
        joins(""),
        joins(", key: \"id\"")
    );
    let sg = supergraph(&body);
    let inner: String = (0..50)
        .map(|n| format!("f{n} t{n} {{ f{n} id t0 {{ f1 }} }} "))
        .collect();
    quick("100 subgraphs", || {
        if let Ok(plan) = attempt(&sg, &format!("{{ t {{ {inner} }} }}")).expect("valid") {
            assert_eq!(plan.fetches.len(), 1);
            check_sound("100 subgraphs", &sdl(&body), &sg, &plan);
        }
    });
}

#[test]
fn seventy_implementations_stay_together() {
    let mut body = String::from(
        "enum join__Graph { A @join__graph(name: \"a\", url: \"http://a\") B @join__graph(name: \"b\", url: \"http://b\") }\n\
         type Query @join__type(graph: A) @join__type(graph: B) { nodes: [Node] @join__field(graph: A) }\n\
         interface Node @join__type(graph: A) @join__type(graph: B) { id: ID! name: String @join__field(graph: B) size: Int @join__field(graph: A) }\n",
    );
    for n in 0..70 {
        _ = writeln!(
            body,
            "type T{n} implements Node @join__implements(graph: A, interface: \"Node\") @join__implements(graph: B, interface: \"Node\") \
             @join__type(graph: A, key: \"id\") @join__type(graph: B, key: \"id\") {{ id: ID! size: Int @join__field(graph: A) name: String @join__field(graph: B) own{n}: Int @join__field(graph: A) }}"
        );
    }
    let sg = supergraph(&body);
    quick("70 implementations", || {
        let plan = attempt(&sg, "{ nodes { id size name } }")
            .expect("valid")
            .expect("planned");
        check_sound("70 implementations", &sdl(&body), &sg, &plan);
        assert_eq!(&*plan.fetches[0].query, "{nodes{__typename id size}}");
        assert!(
            plan.fetches[1].query.ends_with("{...on Node{name}}}"),
            "{}",
            plan.fetches[1].query
        );
        let many: String = (0..70)
            .map(|n| format!("... on T{n} {{ own{n} name }} "))
            .collect();
        let plan = attempt(&sg, &format!("{{ nodes {{ {many} }} }}"))
            .expect("valid")
            .expect("planned");
        check_sound("70 fragments", &sdl(&body), &sg, &plan);
        assert_eq!(plan.fetches.len(), 2);
    });
}

const SEED: &str = "query Q($n: Int = 3, $f: Boolean = true) { topProducts(first: $n) { upc name ...P @include(if: $f) reviews { author { name ... on User { id } } } } me { username } } fragment P on Product { shippingEstimate inStock }";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_mutated_query_panics(edits in proptest::collection::vec((0..SEED.len(), "[a-zA-Z{}()$:!@\\. \\[\\]\"0-9]{0,3}", 0..6usize), 1..6)) {
        let (_, sg) = case("basics");
        let mut text = SEED.to_owned();
        for (at, with, skip) in edits {
            let at = at.min(text.len());
            let end = (at + skip).min(text.len());
            text.replace_range(at..end, &with);
        }
        _ = attempt(&sg, &text);
    }

    #[test]
    fn no_mutated_supergraph_panics(at in 0usize..4_000, with in "[a-zA-Z{}()$:!@\\. \\[\\]\"0-9]{0,4}", skip in 0usize..40) {
        let (mut sdl, _) = case("basics");
        let start = sdl.len().saturating_sub(4_000) + at.min(3_900);
        let start = start.min(sdl.len());
        let end = (start + skip).min(sdl.len());
        sdl.replace_range(start..end, &with);
        if let Ok(sg) = Supergraph::parse(&sdl) {
            _ = attempt(&sg, SEED);
        }
    }
}
