//! Faults in subgraph calls: what the null rules make of them.
use baedal_federation_tests::Case;
use baedal_federation_tests::differential::{Pair, graph_seed};
use baedal_federation_tests::generate::generate;
use baedal_federation_tests::injection::{Injected, Injections, inject, judge};
use baedal_federation_tests::world::{Disturbance, Outcome, World};

use crate::cases::cases;
use crate::differential::number;

/// What was injected in all, and each wrong effect with what led to it.
#[derive(Default)]
struct Total {
    injected: usize,
    effective: usize,
    wrong: Vec<String>,
}

impl Total {
    fn add(&mut self, what: &str, injections: Injections) {
        self.injected += injections.injected;
        self.effective += injections.effective;
        self.wrong.extend(
            injections
                .misjudged
                .into_iter()
                .map(|one| format!("{what}\nfetch {}, {:?}\n{}", one.fetch, one.injected, one.what)),
        );
    }

    fn check(&self, of: &str) {
        let Total {
            injected,
            effective,
            wrong,
        } = self;
        println!(
            "{of}: {injected} faults, {effective} changed the answer, {} wrong",
            wrong.len()
        );
        assert!(
            *injected > 100 && effective * 3 > *injected,
            "faults change answers"
        );
        let shown: Vec<String> = wrong.iter().take(8).cloned().collect();
        assert!(
            wrong.is_empty(),
            "{} faults had a wrong effect\n{}",
            wrong.len(),
            shown.join("\n\n")
        );
    }
}

#[test]
fn faults_of_generated_cases_cost_what_the_null_rules_say() {
    let seed = number("INJECTION_SEED", 1);
    let graphs = number("INJECTION_GRAPHS", 10);
    let first = number("INJECTION_FIRST", 0);
    let mut total = Total::default();
    for graph in first..first + graphs {
        let graph_seed = graph_seed(seed, graph);
        let pair = Pair::new(&generate(graph_seed)).expect("the graph composes");
        for operation in 0..5 {
            let Some(request) = pair.request(graph_seed, operation) else {
                continue;
            };
            let (plan, inputs) = pair
                .world
                .plan(&request.query, &request.variables)
                .expect("a plan");
            let what = format!("graph {graph}, operation {operation}: {}\n{plan}", request.query);
            total.add(&what, inject(&pair.world, &plan, &inputs, 4));
        }
    }
    total.check(&format!("seed {seed}, {graphs} graphs"));
}

#[test]
fn faults_of_the_cases_cost_what_the_null_rules_say() {
    let mut total = Total::default();
    for folder in cases() {
        let case = Case::load(&folder).expect("a case");
        let Ok(world) = World::new(&case.subgraphs, &case.data, case.labels.clone()) else {
            continue;
        };
        for operation in case
            .operations
            .iter()
            .filter(|operation| operation.errors.is_empty())
        {
            let variables = operation.variables.as_object().cloned().unwrap_or_default();
            let Ok((plan, inputs)) = world.plan(&operation.query, &variables) else {
                continue;
            };
            let what = format!("{}: {}\n{plan}", folder.display(), operation.query);
            total.add(&what, inject(&world, &plan, &inputs, 1));
        }
    }
    total.check("cases");
}

/// Answers that are not what a failed call leaves: all of it, nothing of it, no error.
#[test]
fn a_wrong_effect_is_seen() {
    let seed = graph_seed(1, 0);
    let pair = Pair::new(&generate(seed)).expect("the graph composes");
    let requests = (0..5).filter_map(|operation| pair.request(seed, operation));
    let mut seen = 0;
    for request in requests {
        let (plan, inputs) = pair
            .world
            .plan(&request.query, &request.variables)
            .expect("a plan");
        let whole = pair.world.run(&plan, &inputs, |_| Disturbance::None);
        let injected = Injected::Unreachable;
        let right = pair.world.run(&plan, &inputs, |call| match call.fetch {
            0 => injected.disturb(call),
            _ => Disturbance::None,
        });
        let judged = |outcome: &Outcome| judge(&plan, &whole, outcome);
        assert_eq!(judged(&right), Ok(()));
        if right.data == whole.data || right.data == "null" {
            continue;
        }
        let data = [whole.data.clone(), "null".to_owned()];
        let wrong = data.map(|data| Outcome {
            data,
            ..right.clone()
        });
        let silent = Outcome {
            errors: Vec::new(),
            ..right.clone()
        };
        let elsewhere = Outcome {
            errors: vec![serde_json::json!({ "message": "m", "path": ["nowhere"] })],
            ..right.clone()
        };
        for outcome in wrong.iter().chain([&silent, &elsewhere]) {
            assert!(judged(outcome).is_err(), "{outcome:?}");
            seen += 1;
        }
    }
    assert!(seen > 0, "some call changes an answer");
}
