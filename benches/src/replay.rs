//! The executor alone: an operation is run again and again over recorded answers, with nothing else around it.
//!
//! What a profile of the gateway shows as one line among sockets is all there is here, and the number of instructions
//! is the same on a busy machine: `valgrind --tool=callgrind baedal-bench replay --size big --times 100`.

use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Result, ensure};
use baedal_executor::{Answer, CallError, Inputs, Program, SubgraphCall, Subgraphs, execute};
use bytes::Bytes;
use futures_util::FutureExt;

use crate::domain::{self, Scope};
use crate::process::thread_time;
use crate::queries::{Size, Varied};
use crate::recording;

/// What to run.
#[derive(Debug, clap::Args)]
pub struct ReplayArgs {
    /// The size of the query; without it, the query for a thousand entities
    #[arg(long)]
    size: Option<Size>,
    /// How often
    #[arg(long, default_value_t = 1000)]
    times: usize,
}

/// A program, and what each of its fetches is answered with.
pub struct Replay {
    program: Program,
    inputs: Inputs,
    answers: Vec<Bytes>,
}

/// Subgraphs that answer with what is known, without looking.
struct Known<'a>(&'a [Bytes]);

/// Subgraphs that answer by the data, and what they answered.
struct Recorder<F> {
    answer: F,
    answers: Mutex<Vec<Bytes>>,
}

/// Runs as asked, and prints what one execution takes.
pub fn run(arguments: &ReplayArgs) -> Result<()> {
    let body = match arguments.size {
        Some(size) => size.body(),
        None => Varied::Thousand.bodies().swap_remove(0),
    };
    let urls = Scope::SUBGRAPHS.map(|scope| (scope, format!("http://{}.invalid/graphql", scope.name())));
    let supergraph = recording::compose(&urls)?;
    let asked: serde_json::Value = serde_json::from_slice(&body)?;
    let program = recording::program(&supergraph, asked["query"].as_str().unwrap_or_default())?;
    let scope = |name: &str| Scope::SUBGRAPHS.into_iter().find(|scope| scope.name() == name);
    let replay = Replay::record(program, |call| {
        let scope = scope(call.subgraph).expect("a subgraph of the graph");
        domain::answer(scope, &call.body).into()
    });
    let whole = domain::answer(Scope::Whole, &body);
    ensure!(replay.once().body == whole, "a wrong answer");
    let taken = replay.time(arguments.times)?;
    println!(
        "{:.1} µs, {} bytes received, {} bytes of answer",
        taken.as_secs_f64() * 1e6 / arguments.times as f64,
        replay.received(),
        whole.len()
    );
    Ok(())
}

impl Replay {
    /// Runs a program once, and keeps what `answer` gives to each fetch.
    pub fn record(program: Program, answer: impl Fn(&SubgraphCall<'_>) -> Bytes + Send + Sync) -> Replay {
        let recorder = Recorder {
            answer,
            answers: Mutex::new(vec![Bytes::new(); program.plan().fetches.len()]),
        };
        let inputs = Inputs::default();
        execute(&program, &inputs, &recorder)
            .now_or_never()
            .expect("answers are there at once");
        let answers = recorder.answers.into_inner().expect("no holder panics");
        Replay {
            program,
            inputs,
            answers,
        }
    }

    /// One execution.
    pub fn once(&self) -> Answer {
        execute(&self.program, &self.inputs, &Known(&self.answers))
            .now_or_never()
            .expect("answers are there at once")
    }

    /// Processor time of this thread for so many executions.
    pub fn time(&self, times: usize) -> Result<Duration> {
        let before = thread_time()?;
        for _ in 0..times {
            drop(std::hint::black_box(self.once()));
        }
        Ok(thread_time()?.saturating_sub(before))
    }

    /// Bytes of all answers of subgraphs.
    pub fn received(&self) -> usize {
        self.answers.iter().map(Bytes::len).sum()
    }
}

impl Subgraphs for Known<'_> {
    async fn call(&self, call: SubgraphCall<'_>) -> Result<Bytes, CallError> {
        Ok(self.0[call.fetch].clone())
    }
}

impl<F: Fn(&SubgraphCall<'_>) -> Bytes + Send + Sync> Subgraphs for Recorder<F> {
    async fn call(&self, call: SubgraphCall<'_>) -> Result<Bytes, CallError> {
        let answer = (self.answer)(&call);
        self.answers.lock().expect("no holder panics")[call.fetch] = answer.clone();
        Ok(answer)
    }
}
