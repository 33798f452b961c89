//! How cost grows with work: bytes received, entities of one call, fields, fetches, subgraphs. What grows with its work
//! alone takes twice as long for twice as much; a pass over all of it for each part would take four times as long.
//!
//! `cargo bench -p baedal-executor-benches --bench growth` measures; with `BAEDAL_RESULTS=FILE` it also writes the tables
//! there.
// A bench may fail like a test.
#![allow(clippy::unwrap_used, missing_docs)]

mod machine;

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use baedal_executor::{Answer, Inputs, Program, Run};
use baedal_executor_benches::data::{Kind, items, reviews};
use baedal_executor_benches::graph::{MERGE, READ, program};
use baedal_executor_benches::wide::{Wide, planned};
use bytes::Bytes;
use machine::{machine, now, today};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A measurement lasts at least so long, and the shortest of some counts.
const SHORTEST: Duration = Duration::from_millis(40);
const ROUNDS: usize = 3;
/// What is smaller is mostly what each request costs, and not counted in the exponent.
const FITTED: usize = 5;

/// What was measured of one kind of work.
struct Series {
    title: &'static str,
    unit: &'static str,
    /// How much work, and how long it took.
    points: Vec<(usize, Duration)>,
}

fn main() {
    let mut text = String::from(INTRODUCTION);
    writeln!(text, "{}, {}.", today(), machine()).unwrap();
    for series in [
        received(),
        entities(),
        calls(),
        fields_planned(),
        hops_planned(),
        subgraphs_planned(),
    ] {
        series.write(&mut text);
    }
    println!("{text}");
    if let Some(file) = std::env::var_os("BAEDAL_RESULTS") {
        std::fs::write(file, &text).unwrap();
    }
}

const INTRODUCTION: &str = "# Cost as work grows\n\n\
`cargo xtask bench growth` wrote this page. Processor time of one thread in the executor (or the planner) alone, the shortest of \
some measurements. *Twice as much* is the time next to that of half the work: 2.0 where cost is linear. A bar shows the time for each \
unit: where cost is linear, bars stay as long. The exponent is that of the larger half.\n\n";

/// Sizes that double, up to `last`.
fn sizes(first: usize, last: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(first), move |size| (size * 2 <= last).then_some(size * 2))
}

/// Runs a program over recorded answers.
fn executed(program: &Program, inputs: &Inputs, answers: &[Bytes]) -> Answer {
    let mut run = Run::new(program, inputs);
    for (fetch, answer) in answers.iter().enumerate() {
        if let Some(request) = run.request(fetch) {
            run.receive(fetch, &request, Ok(answer.clone()));
        }
    }
    run.answer()
}

fn time_of(program: &Program, answers: &[Bytes]) -> Duration {
    let inputs = Inputs::default();
    assert_eq!(executed(program, &inputs, answers).errors, 0);
    shortest(|| drop(black_box(executed(program, &inputs, answers))))
}

/// One fetch whose answer grows.
fn received() -> Series {
    let program = program(READ);
    let point = |bytes| {
        let body = reviews(Kind::Records, bytes);
        (body.len(), time_of(&program, &[body]))
    };
    Series {
        title: "Executor: bytes received",
        unit: "byte",
        points: sizes(10_000, 10_240_000).map(point).collect(),
    }
}

/// A list, and a fetch that asks for all of its entities in one call.
fn entities() -> Series {
    let program = program(MERGE);
    let point = |count| {
        let (products, entities) = items(count);
        (count, time_of(&program, &[products, entities]))
    };
    Series {
        title: "Executor: entities of one call",
        unit: "entity",
        points: sizes(10, 5_120).chain([10_000]).map(point).collect(),
    }
}

/// A list of ten entities, and ever more subgraphs that are asked for them.
fn calls() -> Series {
    let point = |count| {
        let wide = Wide::new(count);
        let program = Program::compile(wide.plan().into());
        let answers: Vec<Bytes> = program
            .plan()
            .fetches
            .iter()
            .map(|fetch| wide.answer(fetch))
            .collect();
        (count, time_of(&program, &answers))
    };
    Series {
        title: "Executor: calls of one request",
        unit: "call",
        points: sizes(2, 128).map(point).collect(),
    }
}

/// An operation with ever more fields of one entity.
fn fields_planned() -> Series {
    let wide = Wide::new(2);
    let point = |count| {
        let fields: String = (0..count).map(|n| format!(" a{n}: f1")).collect();
        (count, time_to_plan(&wide, &format!("{{ items {{{fields} }} }}")))
    };
    Series {
        title: "Planner: fields",
        unit: "field",
        points: sizes(10, 5_120).map(point).collect(),
    }
}

/// An operation with ever more places, each with entities of another subgraph.
fn hops_planned() -> Series {
    let wide = Wide::new(2);
    let point = |count| {
        let fields: String = (0..count).map(|n| format!(" p{n}: items {{ f1 }}")).collect();
        (count, time_to_plan(&wide, &format!("{{{fields} }}")))
    };
    Series {
        title: "Planner: places with entities of another subgraph",
        unit: "place",
        points: sizes(5, 640).map(point).collect(),
    }
}

/// One field of each of ever more subgraphs.
fn subgraphs_planned() -> Series {
    let point = |count| {
        let wide = Wide::new(count);
        (count, time_to_plan(&wide, &wide.query))
    };
    Series {
        title: "Planner: subgraphs that each have a field",
        unit: "subgraph",
        points: sizes(2, 128).map(point).collect(),
    }
}

fn time_to_plan(wide: &Wide, query: &str) -> Duration {
    shortest(|| drop(black_box(planned(&wide.supergraph, query))))
}

/// The shortest time of one run of `work`.
fn shortest(work: impl Fn()) -> Duration {
    let mut least = Duration::MAX;
    for _ in 0..ROUNDS {
        let (before, mut times) = (now(), 0);
        let mut spent = Duration::ZERO;
        while spent < SHORTEST {
            work();
            times += 1;
            spent = now() - before;
        }
        least = least.min(spent / times);
    }
    least
}

impl Series {
    fn write(&self, text: &mut String) {
        let each = |(work, time): &(usize, Duration)| time.as_secs_f64() * 1e9 / *work as f64;
        let most = self.points.iter().map(each).fold(0.0, f64::max);
        let mut add = |line: String| writeln!(text, "{line}").unwrap();
        add(format!(
            "\n## {}\n\nExponent {:.2}.\n",
            self.title,
            self.exponent()
        ));
        add(format!(
            "| {} | µs | twice as much | ns for each | |\n|---|---|---|---|---|",
            self.unit
        ));
        let mut before = None;
        for point in &self.points {
            let (work, time) = point;
            let bar = "█".repeat((each(point) / most * 30.0).ceil() as usize);
            let micros = time.as_secs_f64() * 1e6;
            add(format!(
                "| {work} | {micros:.1} | {} | {:.1} | {bar} |",
                twice(before, *point),
                each(point)
            ));
            before = Some(*point);
        }
    }

    /// The slope of the line through the logarithms of the larger points, by least squares.
    fn exponent(&self) -> f64 {
        let larger = &self.points[self.points.len().saturating_sub(FITTED)..];
        let log = |(work, time): &(usize, Duration)| ((*work as f64).ln(), time.as_secs_f64().ln());
        let logs: Vec<(f64, f64)> = larger.iter().map(log).collect();
        let count = logs.len() as f64;
        let (x, y) = logs
            .iter()
            .fold((0.0, 0.0), |(x, y), log| (x + log.0 / count, y + log.1 / count));
        let along: f64 = logs.iter().map(|log| (log.0 - x) * (log.1 - y)).sum();
        let square: f64 = logs.iter().map(|log| (log.0 - x).powi(2)).sum();
        along / square
    }
}

/// How the time grows with each doubling of work between two points.
fn twice(before: Option<(usize, Duration)>, (work, time): (usize, Duration)) -> String {
    let Some((less, shorter)) = before else {
        return "–".to_owned();
    };
    let doublings = (work as f64 / less as f64).log2();
    let ratio = (time.as_secs_f64() / shorter.as_secs_f64()).powf(1.0 / doublings);
    format!("{ratio:.2}")
}
