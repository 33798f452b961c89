//! A gateway composes again and again while it runs: memory must not grow with that.

use super::support::{cases, subgraphs};
use baedal_composition::{Subgraph, compose};
use std::process::Command;

/// The measuring runs in a process of its own: other tests would allocate beside it.
const ALONE: &str = "BAEDAL_MEASURE_MEMORY";

#[test]
fn a_thousand_compositions_do_not_grow_memory() {
    if std::env::var_os(ALONE).is_some() {
        return measure();
    }
    let test = "memory::a_thousand_compositions_do_not_grow_memory";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}{failed}");
    assert!(told.contains("compositions grew memory by"), "{told}");
}

/// Composes a thousand graphs, sound and unsound ones, and compares the resident memory before and after.
fn measure() {
    let given: Vec<Vec<Subgraph>> = cases()
        .iter()
        .map(|folder| subgraphs(folder))
        .filter(|given| given.iter().map(|subgraph| subgraph.sdl.len()).sum::<usize>() < 2_000)
        .collect();
    let run = |times: usize| {
        for round in 0..times {
            std::hint::black_box(compose(&given[round % given.len()]).is_ok());
        }
    };
    // The allocator keeps what the first rounds needed.
    run(2 * given.len());
    let before = resident();
    run(1_000);
    let grown = resident().saturating_sub(before);
    println!("1000 compositions grew memory by {} KiB", grown / 1024);
    assert!(grown < 2 << 20, "{grown} bytes");
}

/// Resident memory in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("the system's accounting");
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok());
    pages.expect("a number of pages") * 4096
}
