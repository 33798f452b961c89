//! Answers in parts are the answer: of generated operations over generated graphs, with fragments deferred at random.
use baedal_executor::Format;
use baedal_federation_tests::differential::{Pair, graph_seed};
use baedal_federation_tests::generate::{Numbers, Request, generate};
use baedal_federation_tests::incremental::{covers, deferred, merged, streamed};
use baedal_federation_tests::world::{Call, Disturbance, NoPlan};
use serde_json::Value;

use crate::differential::number;

/// How many of each there were.
#[derive(Debug, Default)]
struct Seen {
    operations: usize,
    invalid: usize,
    /// Answers that came in one part.
    whole: usize,
    fragments: usize,
    failed: usize,
    /// Fetches that were for no first answer.
    later: usize,
}

/// Runs `check` on generated operations with their seeds, and on the same with deferred fragments.
fn each(seed: u64, cases: usize, mut check: impl FnMut(&Pair, &Request, &Request, u64, &mut Seen)) -> Seen {
    let mut seen = Seen::default();
    for graph in 0.. {
        let of_graph = graph_seed(seed, graph);
        let mut pair = Pair::new(&generate(of_graph)).expect("the graph composes");
        pair.world = pair.world.incremental().expect("the directives fit");
        for request in (0..5).filter_map(|operation| pair.request(of_graph, operation)) {
            let mut numbers = Numbers::part(of_graph, 77 + seen.operations as u64);
            let schema = pair.world.supergraph.api_schema();
            let query = deferred(&request.query, &mut numbers);
            let query = query.and_then(|query| streamed(schema, &query, &mut numbers));
            let Some(query) = query else {
                continue;
            };
            let apart = Request {
                query,
                variables: request.variables.clone(),
            };
            check(&pair, &request, &apart, of_graph, &mut seen);
            seen.operations += 1;
            if seen.operations >= cases {
                return seen;
            }
        }
    }
    seen
}

/// A number that depends on what a call asks.
fn lot(call: &Call, seed: u64) -> usize {
    let text = call.request.to_string();
    let mixed = text.bytes().fold(seed, |mixed, byte| {
        mixed.wrapping_mul(0x100_0000_01b3) ^ u64::from(byte)
    });
    Numbers::seeded(mixed).below(12)
}

#[test]
fn parts_make_the_answer() {
    let cases = number("INCREMENTAL_CASES", 200) as usize;
    let seen = each(
        number("INCREMENTAL_SEED", 1),
        cases,
        |pair, plain, apart, seed, seen| {
            let planned = match pair.world.plan(&apart.query, &apart.variables) {
                Err(NoPlan::Invalid(why)) => {
                    // A fragment of a mutation's root type that is spread elsewhere.
                    assert!(why.contains("root"), "{why}\n{}", apart.query);
                    seen.invalid += 1;
                    return;
                }
                planned => planned,
            };
            let (plan, inputs) = planned.unwrap_or_else(|why| panic!("{why}\n{}", apart.query));
            let Some(incremental) = &plan.incremental else {
                seen.whole += 1;
                return;
            };
            seen.later += plan.fetches.len() - incremental.parts[0].fetches.len();
            let (expected, _) = pair.expected(plain);
            let expected: Value = serde_json::from_str(&expected).expect("JSON");
            for format in [Format::Pending, Format::Whole] {
                let slowly = |call: &Call| (lot(call, seed), Disturbance::None);
                let (pieces, calls) = pair.world.run_in_parts(&plan, &inputs, format, slowly);
                let all = || {
                    let pieces: Vec<String> = pieces.iter().map(ToString::to_string).collect();
                    format!("{}\n{}\n{plan}\n{incremental:#?}", apart.query, pieces.join("\n"))
                };
                let client = merged(&pieces, format, true).unwrap_or_else(|why| panic!("{why}\n{}", all()));
                assert!(client.errors.is_empty(), "{:?}\n{}", client.errors, all());
                assert_eq!(client.data, expected, "{}", all());
                for (at, call) in calls.iter().enumerate() {
                    let same = |other: &Call| (other.fetch, &other.request) == (call.fetch, &call.request);
                    assert!(!calls[..at].iter().any(same), "a call is made twice\n{}", all());
                }
                seen.fragments += client.fragments;
            }
        },
    );
    println!("{seen:?}");
    assert!(seen.fragments > cases && seen.later > cases / 4, "{seen:?}");
}

/// Calls fail at random: all parts still come, by the rules, with an error where something is missing.
#[test]
fn parts_of_failing_subgraphs_keep_the_rules() {
    let cases = number("INCREMENTAL_CASES", 150) as usize;
    let seen = each(
        number("INCREMENTAL_SEED", 2),
        cases,
        |pair, plain, apart, seed, seen| {
            let Ok((plan, inputs)) = pair.world.plan(&apart.query, &apart.variables) else {
                return;
            };
            if plan.incremental.is_none() {
                return;
            }
            let expected: Value = serde_json::from_str(&pair.expected(plain).0).expect("JSON");
            let disturb = |call: &Call| match lot(call, seed) {
                lot @ 0..3 => (lot, Disturbance::Fail),
                lot => (lot, Disturbance::None),
            };
            let whole = pair.world.run(&plan, &inputs, |call| disturb(call).1);
            let whole_data: Value = serde_json::from_str(&whole.data).expect("JSON");
            for format in [Format::Pending, Format::Whole] {
                let (pieces, _) = pair.world.run_in_parts(&plan, &inputs, format, disturb);
                let all = || {
                    let pieces: Vec<String> = pieces.iter().map(ToString::to_string).collect();
                    format!("{}\n{whole_data}\n{}\n{plan}", apart.query, pieces.join("\n"))
                };
                let client = merged(&pieces, format, false).unwrap_or_else(|why| panic!("{why}\n{}", all()));
                assert!(covers(&whole_data, &client.data), "{}", all());
                assert!(
                    !client.errors.is_empty() || client.data == expected,
                    "something is missing, and no error says why\n{}",
                    all()
                );
                seen.failed += client.failed;
                seen.fragments += client.fragments;
            }
        },
    );
    println!("{seen:?}");
    assert!(seen.failed > 10 && seen.fragments > cases, "{seen:?}");
}
