//! Generated graphs and operations: federated = monolith.
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use baedal_federation_tests::differential::{Pair, Place, graph_seed, run};
use baedal_federation_tests::generate::generate;
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
