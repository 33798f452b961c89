//! A large graph stays quick: 100 subgraphs, 2 000 types.

use super::support::subgraph;
use baedal_composition::{Subgraph, compose};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// Each subgraph owns 20 entities, and extends one of each of ten others.
fn large(subgraphs: usize, types: usize) -> Vec<Subgraph> {
    let mut all = Vec::new();
    for s in 0..subgraphs {
        let mut sdl = String::from(
            "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\", import: [\"@key\"])\n",
        );
        let _ = writeln!(sdl, "type Query {{ root{s}: T{s}x0 }}");
        for t in 0..types {
            let next = (t + 1) % types;
            let _ = writeln!(
                sdl,
                "type T{s}x{t} @key(fields: \"id\") {{ id: ID! name: String next: T{s}x{next} size(unit: Int = 1): Int }}"
            );
        }
        for step in 1..=10 {
            let other = (s + step) % subgraphs;
            let _ = writeln!(
                sdl,
                "type T{other}x{step} @key(fields: \"id\") {{ id: ID! from{s}: T{s}x{step} }}"
            );
        }
        all.push(subgraph(&format!("s{s}"), &sdl));
    }
    all
}

#[test]
fn a_hundred_subgraphs_with_two_thousand_types() {
    let given = large(100, 20);
    let start = Instant::now();
    let composed = compose(&given).unwrap();
    let took = start.elapsed();
    println!("composed {} bytes in {took:?}", composed.supergraph_sdl.len());
    assert_eq!(composed.supergraph_sdl.matches("\ntype T").count(), 2_000);
    // Unoptimised and on a shared machine; a release build needs a small part of it.
    assert!(took < Duration::from_secs(60), "{took:?}");
}
