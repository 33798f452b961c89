//! Generated graphs and operations: federated = monolith.
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use baedal_federation_tests::differential::{Pair, Place, graph_seed, run};
use baedal_federation_tests::generate::{generate, sdl};
use baedal_federation_tests::save::{self, save};
use baedal_federation_tests::shrink::{Failed, differs, shrink};
use baedal_federation_tests::world::{Call, Disturbance};
use serde_json::Value;

pub fn number(variable: &str, default: u64) -> u64 {
    let set = std::env::var(variable).ok();
    set.map_or(default, |text| text.parse().expect("a number"))
}

/// The case as it was found, in one line, and the smallest like it, as a case folder.
fn show(place: &Place, failed: &Failed) -> String {
    let small = shrink(failed.clone(), &differs);
    if let Ok(folder) = std::env::var("DIFFERENTIAL_SAVE") {
        let Place {
            seed,
            graph,
            operation,
        } = place;
        let folder = Path::new(&folder).join(format!("{seed}-{graph}-{operation}"));
        save(&folder, &small).expect("the case is written");
    }
    let files = save::files(&small).into_iter();
    let files: String = files
        .map(|(name, text)| format!("--- {name}\n{text}\n"))
        .collect();
    format!("{place:?}\n{files}\n{}\n", small.failure)
}

#[test]
fn federated_equals_monolith() {
    let cases = number("DIFFERENTIAL_CASES", 300);
    let seed = number("DIFFERENTIAL_SEED", 1);
    let failures = number("DIFFERENTIAL_FAILURES", 1) as usize;
    let report = run(seed, number("DIFFERENTIAL_FIRST", 0), cases, failures);
    println!(
        "seed {seed}: {} graphs, {} cases, {} without a valid operation, {} differences",
        report.graphs,
        report.cases,
        report.skipped,
        report.found.len(),
    );
    for (place, failed) in &report.found {
        println!("{}", show(place, failed));
    }
    assert!(report.found.is_empty(), "{} differences", report.found.len());
    assert_eq!(report.cases, cases, "all cases were compared");
}

/// The first leaf of an answer, changed.
fn spoilt(body: &str) -> Option<String> {
    fn spoil(value: &mut Value) -> bool {
        match value {
            Value::Object(fields) => fields
                .iter_mut()
                .any(|(name, value)| name != "__typename" && spoil(value)),
            Value::Array(items) => items.iter_mut().any(spoil),
            Value::Bool(value) => {
                *value = !*value;
                true
            }
            Value::Number(_) => {
                *value = 1_000_001.into();
                true
            }
            _ => false,
        }
    }
    let mut body: Value = serde_json::from_str(body).expect("an answer is JSON");
    spoil(&mut body).then(|| body.to_string())
}

/// Asks operations while something happens to their first calls, and counts how many differ.
fn disturbed(disturb: impl Fn(&Call) -> Disturbance + Send + Sync) -> (usize, usize) {
    let (mut hit, mut seen) = (0, 0);
    for number in 0..20 {
        let seed = graph_seed(1, number);
        let pair = Pair::new(&generate(seed)).expect("the graph composes");
        for request in (0..4).filter_map(|operation| pair.request(seed, operation)) {
            let touched = AtomicBool::new(false);
            let failure = pair.differs_when(&request, |call| match disturb(call) {
                Disturbance::None => Disturbance::None,
                disturbance if call.fetch == 0 => {
                    touched.store(true, Ordering::SeqCst);
                    disturbance
                }
                _ => Disturbance::None,
            });
            hit += usize::from(touched.into_inner());
            seen += usize::from(failure.is_some());
        }
    }
    (hit, seen)
}

#[test]
fn a_wrong_value_is_a_difference() {
    let (hit, seen) = disturbed(|call| {
        let spoilt = spoilt(call.response.as_deref().unwrap_or_default());
        spoilt.map_or(Disturbance::None, Disturbance::Answer)
    });
    assert!(hit > 10 && seen == hit, "{seen} of {hit} wrong values were seen");
}

#[test]
fn a_dropped_fetch_is_a_difference() {
    let (hit, seen) = disturbed(|_| Disturbance::Answer("{\"data\":{}}".to_owned()));
    assert!(
        hit > 40 && seen * 10 > hit * 9,
        "{seen} of {hit} dropped fetches were seen"
    );
}

/// What is generated has all that it is for: a generator that lost a part would find nothing there.
#[test]
fn generated_graphs_have_every_part_of_federation() {
    let graphs = (0..150).map(|number| generate(graph_seed(1, number)));
    let sdls = graphs.flat_map(|graph| {
        let all = graph.seated().into_iter();
        all.map(|at| sdl::subgraph(&graph, at)).collect::<Vec<_>>()
    });
    let sdls: Vec<String> = sdls.collect();
    let parts = [
        ("several keys", r#"@key(fields: "id") @key"#),
        ("a compound key", r#"@key(fields: "half parity")"#),
        ("a nested key", r#"@key(fields: "ref { x }")"#),
        ("a key with an entity", r#"@key(fields: "owner { id } slot")"#),
        ("a key to go out by", "resolvable: false"),
        ("an extension", "extend type"),
        ("an interface", "interface I0"),
        ("an interface object", "@interfaceObject {"),
        ("a union", "union U0"),
        ("a requirement", "@requires(fields: "),
        ("a provided field", "@provides(fields: "),
        ("a moved field", "@override(from: "),
        ("a field on the move", "label: \"percent(0)\""),
        ("a shared field", "@shareable"),
        ("an object in parts", "type W0"),
        ("lists of lists", "[["),
        ("an input object", "input X0"),
        ("a mutation", "type Mutation"),
    ];
    for (what, text) in parts {
        let count = sdls.iter().filter(|sdl| sdl.contains(text)).count();
        assert!(count > 2, "{what} is in {count} subgraphs");
    }
    let field_sets = |directive: &str, inner: &str| {
        let lines = sdls.iter().flat_map(|sdl| sdl.lines());
        let sets =
            lines.filter_map(|line| Some(line.split_once(directive)?.1.split_once("\")")?.0.to_owned()));
        sets.filter(|set| set.contains(inner)).count()
    };
    for (directive, inner) in [
        ("@requires(", "{"),
        ("@requires(", "... on "),
        ("@requires(", "(n: "),
        ("@provides(", "{"),
        ("@provides(", "... on "),
    ] {
        let count = field_sets(directive, inner);
        assert!(count > 1, "{directive} has {inner} {count} times");
    }
}
