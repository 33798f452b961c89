//! Reading, merging and writing, in MB/s, next to JSON libraries that read the same bytes into a tree of values.
//!
//! `cargo bench -p baedal-executor-benches` measures; with `BAEDAL_RESULTS=FILE` it also writes the table there.
// A bench may fail like a test.
#![allow(clippy::unwrap_used, missing_docs)]

mod cpu;
mod machine;
mod table;

use std::hint::black_box;

use baedal_executor::{Inputs, Program, Run};
use baedal_executor_benches::data::{Kind, items, reviews};
use baedal_executor_benches::graph::{MERGE, READ, program};
use bytes::Bytes;
use cpu::ThreadTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MEGABYTE: usize = 1_000_000;

type Bench = Criterion<ThreadTime>;
type Group<'c> = BenchmarkGroup<'c, ThreadTime>;

fn main() {
    let mut criterion = Criterion::default()
        .with_measurement(ThreadTime)
        .configure_from_args();
    for (kind, name) in [(Kind::Records, "records"), (Kind::Texts, "texts")] {
        let body = reviews(kind, MEGABYTE);
        read(&mut criterion, &format!("read {name}"), &body);
        write(&mut criterion, &format!("write {name}"), &body);
    }
    merge(&mut criterion, "merge 1000 entities");
    criterion.final_summary();
    if let Some(file) = std::env::var_os("BAEDAL_RESULTS") {
        table::write(file.as_ref());
    }
}

fn group<'c>(criterion: &'c mut Bench, name: &str, bytes: usize) -> Group<'c> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(bytes as u64));
    group
}

/// A request with the root fetch's answer received.
fn received<'a>(program: &'a Program, inputs: &'a Inputs, body: &Bytes) -> Run<'a> {
    let mut run = Run::new(program, inputs);
    let request = run.request(0).expect("a root fetch asks always");
    run.receive(0, &request, Ok(body.clone()));
    run
}

/// A subgraph's answer into the arena.
fn read(criterion: &mut Bench, name: &str, body: &Bytes) {
    let (program, inputs) = (program(READ), Inputs::default());
    let mut group = group(criterion, name, body.len());
    group.bench_function("baedal", |bench| {
        bench.iter(|| received(&program, &inputs, black_box(body)))
    });
    group.bench_function("sonic-rs", |bench| {
        bench.iter(|| sonic_rs::from_slice::<sonic_rs::Value>(black_box(body)).unwrap())
    });
    group.bench_function("serde_json", |bench| {
        bench.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(body)).unwrap())
    });
    group.finish();
}

/// The client's answer from the arena.
fn write(criterion: &mut Bench, name: &str, body: &Bytes) {
    let (program, inputs) = (program(READ), Inputs::default());
    let mut run = received(&program, &inputs, body);
    let answer = run.answer().body;
    assert_eq!(answer, body, "the client asked for what the subgraph answers");
    let mut group = group(criterion, name, answer.len());
    group.bench_function("baedal", |bench| bench.iter(|| black_box(&mut run).answer()));
    let tree: sonic_rs::Value = sonic_rs::from_slice(body).unwrap();
    group.bench_function("sonic-rs", |bench| {
        bench.iter(|| sonic_rs::to_vec(black_box(&tree)).unwrap())
    });
    let tree: serde_json::Value = serde_json::from_slice(body).unwrap();
    group.bench_function("serde_json", |bench| {
        bench.iter(|| serde_json::to_vec(black_box(&tree)).unwrap())
    });
    group.finish();
}

/// Representations out, entities in and at their places. The libraries only read what comes in.
fn merge(criterion: &mut Bench, name: &str) {
    let (program, inputs) = (program(MERGE), Inputs::default());
    let (products, entities) = items(1000);
    let start = || received(&program, &inputs, &products);
    let round = |run: &mut Run<'_>| {
        let request = run.request(1).expect("there are entities to ask for");
        run.receive(1, &request, Ok(entities.clone()));
        request.body.len()
    };
    let sent = round(&mut start());
    let mut group = group(criterion, name, sent + entities.len());
    group.bench_function("baedal", |bench| {
        bench.iter_batched_ref(start, round, BatchSize::LargeInput)
    });
    group.throughput(Throughput::Bytes(entities.len() as u64));
    group.bench_function("sonic-rs", |bench| {
        bench.iter(|| sonic_rs::from_slice::<sonic_rs::Value>(black_box(&entities)).unwrap())
    });
    group.bench_function("serde_json", |bench| {
        bench.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(&entities)).unwrap())
    });
    group.finish();
}
