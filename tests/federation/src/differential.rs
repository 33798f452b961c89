//! Federated = monolith: a generated graph, split over subgraphs, must answer as one server with all of it does.
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};

use crate::generate::graph::{Graph, name};
use crate::generate::{Numbers, Request, generate, operation, sdl, view};
use crate::server::{Counters, Subgraph};
use crate::shrink::Failed;
use crate::world::{Call, Disturbance, NoPlan, Outcome, World, parts};

/// Operations asked of one graph.
const OPERATIONS: u64 = 5;

/// How a federated answer is wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// Composition refuses what must compose, or its result can't be read.
    Composition(String),
    /// The public schema is not that of the one server.
    Schema(String),
    /// The planner refuses a valid operation.
    Plan(String),
    /// The answer holds errors, or a subgraph was asked what it can't answer.
    Errors(String),
    /// The data differs.
    Data(String),
    /// A panic.
    Panic(String),
    /// The whole does not answer without errors: the generator is wrong.
    Generator(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, text) = match self {
            Failure::Composition(text) => ("composition", text),
            Failure::Schema(text) => ("public schema", text),
            Failure::Plan(text) => ("planner", text),
            Failure::Errors(text) => ("errors", text),
            Failure::Data(text) => ("data", text),
            Failure::Panic(text) => ("panic", text),
            Failure::Generator(text) => ("generator", text),
        };
        write!(f, "{kind}: {text}")
    }
}

impl Failure {
    /// Whether it is of the same kind; of composition, with the same code.
    pub fn alike(&self, other: &Failure) -> bool {
        let code = |text: &str| text.split(": ").nth(1).map(str::to_owned);
        match (self, other) {
            (Failure::Composition(one), Failure::Composition(other)) => code(one) == code(other),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

/// A graph both ways: split and in one server.
pub struct Pair {
    /// The split graph.
    pub world: World,
    monolith: Subgraph,
    counters: Counters,
}

impl Pair {
    /// Builds both.
    ///
    /// # Errors
    /// A graph that does not compose.
    pub fn new(graph: &Graph) -> Result<Pair, Failure> {
        let all = graph.seated().into_iter();
        let sdls: BTreeMap<String, String> = all.map(|at| (name(at), sdl::subgraph(graph, at))).collect();
        let all = graph.seated().into_iter();
        let data: BTreeMap<String, Value> = all.map(|at| (name(at), view::subgraph(graph, at))).collect();
        let counters = Counters::default();
        let monolith = Subgraph::whole(
            "monolith",
            &sdl::monolith(graph),
            view::monolith(graph),
            counters.clone(),
        )
        .map_err(|error| Failure::Generator(format!("the whole is no schema: {error}")))?;
        let world = World::new(&sdls, &data, graph.active_labels())
            .map_err(|why| Failure::Composition(why.to_string()))?;
        let pair = Pair {
            world,
            monolith,
            counters,
        };
        Ok(pair)
    }

    /// Whether an operation is valid in the whole.
    pub fn is_valid(&self, request: &Request) -> bool {
        self.monolith.accepts(&request.query)
    }

    /// A generated operation that is valid, after a few attempts.
    pub fn request(&self, seed: u64, number: u64) -> Option<Request> {
        let mutation = number == OPERATIONS - 1 && self.monolith.schema().get_object("Mutation").is_some();
        (0..20).find_map(|attempt| {
            let numbers = Numbers::part(seed, number * 100 + attempt);
            let request = operation(self.monolith.schema(), mutation, numbers);
            self.monolith.accepts(&request.query).then_some(request)
        })
    }

    /// What the one server answers.
    pub fn expected(&self, request: &Request) -> (String, Vec<Value>) {
        self.counters
            .lock()
            .expect("a counter is a plain assignment")
            .clear();
        let body = json!({ "query": request.query, "variables": request.variables });
        parts(&self.monolith.answer(&body))
    }

    /// What the gateway answers.
    ///
    /// # Errors
    /// There is no plan.
    pub fn actual(
        &self,
        request: &Request,
        disturb: impl Fn(&Call) -> Disturbance + Send + Sync,
    ) -> Result<Outcome, Failure> {
        let planned = self.world.plan(&request.query, &request.variables);
        let (plan, inputs) = planned.map_err(|why| match why {
            NoPlan::Invalid(why) => Failure::Schema(why),
            NoPlan::Planner(why) => Failure::Plan(why.to_string()),
        })?;
        Ok(self.world.run(&plan, &inputs, disturb))
    }

    /// How the gateway's answer differs; none: not at all.
    pub fn differs(&self, request: &Request) -> Option<Failure> {
        self.differs_when(request, |_| Disturbance::None)
    }

    /// How the gateway's answer differs when something happens to its calls.
    pub fn differs_when(
        &self,
        request: &Request,
        disturb: impl Fn(&Call) -> Disturbance + Send + Sync,
    ) -> Option<Failure> {
        let compared = catch_unwind(AssertUnwindSafe(|| {
            let (data, errors) = self.expected(request);
            if !errors.is_empty() {
                return Some(Failure::Generator(format!("{errors:?}")));
            }
            let outcome = match self.actual(request, disturb) {
                Ok(outcome) => outcome,
                Err(failure) => return Some(failure),
            };
            compare(&data, &outcome)
        }));
        compared.unwrap_or_else(|panic| Some(Failure::Panic(panic_text(panic.as_ref()))))
    }
}

/// How an answer differs from the data that it must hold.
pub fn compare(data: &str, outcome: &Outcome) -> Option<Failure> {
    if !outcome.errors.is_empty() {
        let errors = serde_json::to_string(&outcome.errors).expect("errors are JSON");
        return Some(Failure::Errors(format!("{errors}\n{}", calls(outcome))));
    }
    for call in &outcome.calls {
        let (_, errors) = parts(call.response.as_deref().unwrap_or_default());
        if !errors.is_empty() {
            let text = format!("{} answered {errors:?}\n{}", call.subgraph, calls(outcome));
            return Some(Failure::Errors(text));
        }
    }
    (data != outcome.data).then(|| {
        Failure::Data(format!(
            "\nexpected {data}\ngot      {}\n{}",
            outcome.data,
            calls(outcome)
        ))
    })
}

fn calls(outcome: &Outcome) -> String {
    let one = |call: &Call| {
        format!(
            "{}: {} {}\n   → {}\n",
            call.subgraph,
            call.request["query"].as_str().unwrap_or_default(),
            call.request["variables"],
            call.response.as_deref().unwrap_or("no answer")
        )
    };
    outcome.calls.iter().map(one).collect()
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic")
        .to_owned()
}

/// Where a case is: a seed and its number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Seed of the whole run.
    pub seed: u64,
    /// Number of the graph.
    pub graph: u64,
    /// Number of its operation.
    pub operation: u64,
}

/// What a run saw.
#[derive(Debug, Default)]
pub struct Report {
    /// Graphs.
    pub graphs: u64,
    /// Operations compared.
    pub cases: u64,
    /// Operations for which no valid one was generated.
    pub skipped: u64,
    /// Failures, and where they are.
    pub found: Vec<(Place, Failed)>,
}

/// Compares `cases` operations, from graph number `first` on, until so many failures are found.
pub fn run(seed: u64, first: u64, cases: u64, failures: usize) -> Report {
    let mut report = Report::default();
    let mut number = first;
    while report.cases < cases && report.found.len() < failures && report.graphs < cases {
        one_graph(seed, number, cases, &mut report);
        number += 1;
        report.graphs += 1;
    }
    report
}

/// The seed of a run's graph.
pub fn graph_seed(seed: u64, number: u64) -> u64 {
    seed.wrapping_mul(1_000_003).wrapping_add(number)
}

fn one_graph(seed: u64, number: u64, cases: u64, report: &mut Report) {
    let graph_seed = graph_seed(seed, number);
    let graph = generate(graph_seed);
    let found = |operation, request, failure| {
        let place = Place {
            seed,
            graph: number,
            operation,
        };
        let graph = graph.clone();
        (
            place,
            Failed {
                graph,
                request,
                failure,
            },
        )
    };
    let pair = match catch_unwind(|| Pair::new(&graph)) {
        Ok(Ok(pair)) => pair,
        Ok(Err(failure)) => return report.found.push(found(0, None, failure)),
        Err(panic) => {
            let failure = Failure::Panic(panic_text(panic.as_ref()));
            return report.found.push(found(0, None, failure));
        }
    };
    for operation in 0..OPERATIONS.min(cases - report.cases) {
        let Some(request) = pair.request(graph_seed, operation) else {
            report.skipped += 1;
            continue;
        };
        report.cases += 1;
        if let Some(failure) = pair.differs(&request) {
            report.found.push(found(operation, Some(request), failure));
        }
    }
}
