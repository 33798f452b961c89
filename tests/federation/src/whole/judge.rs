//! Asks a case's graph operations that nobody wrote: the answer must be that of the whole.
use anyhow::{Result, anyhow};
use serde_json::{Value, json};

use crate::case::{Case, Operation};
use crate::differential::{Failure, compare};
use crate::generate::{Numbers, Request, operation};
use crate::server::{Counters, Subgraph};
use crate::world::{Disturbance, NoPlan, World, parts};

/// What comparing came to.
#[derive(Debug, Default)]
pub struct Judged {
    /// Operations compared.
    pub compared: usize,
    /// The operations that differ, and how.
    pub wrong: Vec<String>,
}

/// Compares the answers to so many generated operations, and to those of the case, with the whole's.
///
/// # Errors
/// A case without a whole, or subgraphs that do not compose.
pub fn judge(case: &Case, seed: u64, count: u64) -> Result<Judged> {
    let pair = Both::new(case)?;
    let mut judged = Judged::default();
    let introspects = |one: &&Operation| one.query.contains("__type(") || one.query.contains("__schema");
    let written = case
        .operations
        .iter()
        .filter(|one| one.errors.is_empty() && !introspects(one));
    let written = written.map(|one| Request {
        query: one.query.clone(),
        variables: one.variables.as_object().cloned().unwrap_or_default(),
    });
    let mutates = pair.monolith.schema().get_object("Mutation").is_some();
    let generated = (0..count).map(|number| {
        let mutation = mutates && number % 5 == 4;
        operation(pair.monolith.schema(), mutation, Numbers::part(seed, number))
    });
    for request in written.chain(generated) {
        if pair.monolith.accepts(&request.query) {
            judged.compared += 1;
            let differs = pair.differs(&request);
            judged
                .wrong
                .extend(differs.map(|why| format!("{}\n{}\n{why}", request.query, json!(request.variables))));
        }
    }
    Ok(judged)
}

/// The data that one server with all of a case answers.
///
/// # Errors
/// A case without a whole, or a whole that answers with errors.
pub(crate) fn expected(case: &Case, queries: &[(String, Value)]) -> Result<Vec<String>> {
    let both = Both::new(case)?;
    let mut answers = Vec::new();
    for (query, variables) in queries {
        let (data, errors) = both.expected(query, variables);
        if !errors.is_empty() {
            return Err(anyhow!("the whole answers {query} with {errors:?}"));
        }
        answers.push(data);
    }
    Ok(answers)
}

/// A case both ways: split and in one server.
struct Both {
    world: World,
    monolith: Subgraph,
    counters: Counters,
}

impl Both {
    fn new(case: &Case) -> Result<Both> {
        let whole = case
            .whole
            .as_ref()
            .ok_or_else(|| anyhow!("the case has no whole"))?;
        let world = World::new(&case.subgraphs, &case.data, case.labels.clone())?;
        let counters = Counters::default();
        let sdl = world.supergraph.api_sdl();
        let monolith = Subgraph::whole("whole", sdl, whole.data.clone(), counters.clone())?;
        Ok(Both {
            world,
            monolith,
            counters,
        })
    }

    fn expected(&self, query: &str, variables: &Value) -> (String, Vec<Value>) {
        let counters = self.counters.lock();
        counters.expect("a counter is a plain assignment").clear();
        parts(
            &self
                .monolith
                .answer(&json!({ "query": query, "variables": variables })),
        )
    }

    fn differs(&self, request: &Request) -> Option<Failure> {
        let (data, errors) = self.expected(&request.query, &json!(request.variables));
        if !errors.is_empty() {
            return Some(Failure::Generator(format!("{errors:?}")));
        }
        match self.world.plan(&request.query, &request.variables) {
            Ok((plan, inputs)) => compare(&data, &self.world.run(&plan, &inputs, |_| Disturbance::None)),
            Err(NoPlan::Invalid(why)) => Some(Failure::Schema(why)),
            Err(NoPlan::Planner(why)) => Some(Failure::Plan(why.to_string())),
        }
    }
}
