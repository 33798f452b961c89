//! Plans of operations with `@defer` and `@stream`: which fetches each part needs.
use baedal_composition::{Subgraph, compose};
use baedal_planner::plan::{InitialCount, Plan};
use baedal_planner::{Access, Operation, Settings, Supergraph, plan};
use serde_json::{Map, Value, json};

const GOODS: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@shareable"])
    type Query { goods: [Good!]! box: Box }
    type Mutation { add: Good }
    type Good @key(fields: "id") { id: ID! name: String price: Int size: Size inner: Good }
    type Size { width: Int height: Int }
    type Box { weight: Int color: String }"#;

const STOCK: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@requires", "@external"])
    type Good @key(fields: "id") { id: ID! price: Int @external cost: Int @requires(fields: "price") left: Int }"#;

fn supergraph() -> Supergraph {
    let subgraph = |name: &str, sdl: &str| Subgraph {
        name: name.into(),
        url: format!("http://{name}/"),
        sdl: sdl.into(),
    };
    let composed = compose(&[subgraph("goods", GOODS), subgraph("stock", STOCK)]).expect("composes");
    let supergraph = Supergraph::parse(&composed.supergraph_sdl).expect("a supergraph");
    supergraph.with_incremental().expect("the directives fit")
}

fn planned(query: &str, variables: Value, incremental: bool) -> Plan {
    let supergraph = supergraph();
    let operation = Operation::parse(&supergraph, query, None).expect("a valid operation");
    let variables: Map<String, Value> = variables.as_object().cloned().unwrap_or_default();
    let settings = Settings {
        incremental,
        ..Settings::default()
    };
    plan(
        &supergraph,
        &operation,
        &variables,
        &settings,
        &Access::unrestricted(),
    )
    .expect("a plan")
}

/// The plan, and for each part what of it is fetched for no earlier one, in few words: the subgraph and the query.
fn parts(query: &str) -> Vec<Vec<String>> {
    let plan = planned(query, json!({}), true);
    let incremental = plan.incremental.as_ref().expect("parts");
    let mut seen: Vec<usize> = Vec::new();
    let mut parts = Vec::new();
    for part in &incremental.parts {
        let fresh: Vec<usize> = part
            .fetches
            .iter()
            .copied()
            .filter(|id| !seen.contains(id))
            .collect();
        seen.extend(&fresh);
        let told = |id: &usize| format!("{} {}", plan.fetches[*id].subgraph, plan.fetches[*id].query);
        parts.push(fresh.iter().map(told).collect());
    }
    assert_eq!(
        seen.len(),
        plan.fetches.len(),
        "each fetch is for some part\n{plan}"
    );
    parts
}

#[test]
fn what_is_deferred_is_fetched_apart() {
    let parts = parts("{ goods { name ... @defer { price left } } }");
    assert_eq!(parts.len(), 2);
    assert_eq!(parts[0].len(), 1, "{parts:?}");
    assert!(
        parts[0][0].starts_with("goods ") && !parts[0][0].contains("price"),
        "{parts:?}"
    );
    assert_eq!(parts[1].len(), 2, "{parts:?}");
    assert!(
        parts[1].iter().all(|fetch| fetch.contains("_entities")),
        "{parts:?}"
    );
}

#[test]
fn without_a_key_it_is_fetched_with_what_is_around_it() {
    let parts =
        parts("{ box { weight ... @defer { color } } goods { size { width ... @defer { height } } } }");
    assert_eq!(parts[0].len(), 1, "{parts:?}");
    assert!(
        parts[0][0].contains("color") && parts[0][0].contains("height"),
        "{parts:?}"
    );
    assert!(parts[1..].iter().all(Vec::is_empty), "{parts:?}");
}

#[test]
fn a_deferred_root_field_waits_for_nothing() {
    let plan = planned(
        "{ box { weight } ... @defer { goods { name } } }",
        json!({}),
        true,
    );
    assert_eq!(plan.fetches.len(), 2, "{plan}");
    assert!(plan.fetches.iter().all(|fetch| fetch.after.is_empty()), "{plan}");
}

#[test]
fn an_input_of_requires_is_fetched_once() {
    let parts = parts("{ goods { cost ... @defer { price } } }");
    let all: Vec<&String> = parts.iter().flatten().collect();
    assert_eq!(
        all.iter()
            .filter(|fetch| fetch.contains("price") && fetch.starts_with("goods"))
            .count(),
        1,
        "{parts:?}"
    );
    assert!(parts[1].is_empty(), "the first answer has it already: {parts:?}");
}

#[test]
fn what_only_a_deferred_field_requires_is_not_for_the_first_part() {
    let parts = parts("{ goods { name inner { id ... @defer { cost } } } }");
    assert_eq!(parts[0].len(), 1, "{parts:?}");
    assert!(
        parts[1].iter().any(|fetch| fetch.starts_with("stock")),
        "{parts:?}"
    );
}

#[test]
fn fragments_in_fragments_are_parts_of_their_own() {
    let plan = planned(
        r#"{ goods { name ... @defer(label: "a") { price ... @defer(label: "b") { left } } ... @defer(label: "c") { price } } }"#,
        json!({}),
        true,
    );
    let incremental = plan.incremental.expect("parts");
    let labels: Vec<_> = incremental
        .fragments
        .iter()
        .map(|one| one.label.as_deref())
        .collect();
    assert_eq!(labels, [Some("a"), Some("b"), Some("c")]);
    assert_eq!(incremental.fragments[1].parent.map(|parent| parent.0), Some(0));
    let of: Vec<Vec<u32>> = incremental
        .parts
        .iter()
        .map(|part| part.fragments.iter().map(|one| one.0).collect())
        .collect();
    assert_eq!(
        of,
        [vec![], vec![0, 2], vec![1]],
        "price is one part of two fragments"
    );
}

#[test]
fn conditions_are_part_of_the_plan() {
    let query = "query($d: Boolean!) { goods { name ... @defer(if: $d) { price } } }";
    assert!(planned(query, json!({"d": true}), true).incremental.is_some());
    for plan in [
        planned(query, json!({"d": false}), true),
        planned(query, json!({"d": true}), false),
    ] {
        assert!(plan.incremental.is_none());
        assert_eq!(plan.fetches.len(), 1, "{plan}");
    }
    let supergraph = supergraph();
    let operation = Operation::parse(&supergraph, query, None).expect("valid");
    assert!(operation.is_incremental());
    assert_eq!(operation.conditional_variables(), ["d"]);
    assert!(
        !Operation::parse(&supergraph, "{ goods { name } }", None)
            .expect("valid")
            .is_incremental()
    );
}

#[test]
fn a_streamed_list_has_a_part_of_its_later_items() {
    let query = "query($n: Int) { goods @stream(initialCount: $n, label: \"g\") { name } }";
    let plan = planned(query, json!({"n": 1}), true);
    let incremental = plan.incremental.as_ref().expect("parts");
    assert_eq!(incremental.parts[1].fetches, incremental.parts[0].fetches);
    let stream = plan.answer.fields[0]
        .deferral
        .as_ref()
        .and_then(|deferral| deferral.stream.as_ref());
    let stream = stream.expect("a streamed list");
    assert_eq!(
        (stream.part.0, &stream.first),
        (1, &InitialCount::Variable("n".into()))
    );
    let twice = "{ goods @stream { name } ... @defer { goods @stream { price } } }";
    let fields = planned(twice, json!({}), true).answer.fields;
    assert!(
        fields[0]
            .deferral
            .as_ref()
            .is_some_and(|deferral| deferral.stream.is_none()),
        "it comes whole"
    );
}

/// Each fragment is spread twice in the one before it: as many deferred fragments as two to the power of their number.
#[test]
fn fragments_that_multiply_are_deferred_up_to_a_number() {
    let mut query = "{ goods { ...F0 @defer } }".to_owned();
    for number in 0..30 {
        let next = number + 1;
        query += &format!(
            " fragment F{number} on Good {{ a{number}: name ...F{next} @defer inner {{ ...F{next} @defer }} }}"
        );
    }
    query += " fragment F30 on Good { price }";
    let supergraph = supergraph();
    let operation = Operation::parse(&supergraph, &query, None).expect("a valid operation");
    let settings = Settings {
        incremental: true,
        ..Settings::default()
    };
    let begun = std::time::Instant::now();
    let planned = plan(
        &supergraph,
        &operation,
        &Map::new(),
        &settings,
        &Access::unrestricted(),
    );
    let fragments = planned.map_or(0, |plan| {
        plan.incremental.map_or(0, |parts| parts.fragments.len())
    });
    assert!(fragments <= 64, "{fragments}");
    // A bound on work, not on speed: without one this would not end.
    assert!(begun.elapsed() < std::time::Duration::from_secs(60));
}
