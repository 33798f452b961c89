//! Subgraphs that answer by script, one reply for each fetch of the plan.
use std::sync::{Arc, Mutex};

use baedal_executor::{Answer, CallError, Inputs, Program, SubgraphCall, Subgraphs, execute};
use baedal_planner::plan::Plan;
use bytes::Bytes;
use serde_json::Value;

pub struct Script<'s> {
    replies: Vec<Result<&'s [u8], CallError>>,
    calls: Mutex<Vec<(usize, String)>>,
}

impl Subgraphs for Script<'_> {
    async fn call(&self, call: SubgraphCall<'_>) -> Result<Bytes, CallError> {
        let body = String::from_utf8(call.body.to_vec()).unwrap();
        self.calls.lock().unwrap().push((call.fetch, body));
        self.replies[call.fetch].clone().map(Bytes::copy_from_slice)
    }
}

/// What came of a run.
pub struct Outcome {
    pub text: String,
    pub json: Value,
    pub answer: Answer,
    pub calls: Vec<(usize, String)>,
}

impl Outcome {
    pub fn data(&self) -> &Value {
        &self.json["data"]
    }

    pub fn errors(&self) -> Vec<Value> {
        self.json
            .get("errors")
            .map_or(Vec::new(), |errors| errors.as_array().unwrap().clone())
    }

    /// Code and path of each error.
    pub fn codes(&self) -> Vec<String> {
        let path = |error: &Value| error.get("path").map_or("-".into(), Value::to_string);
        let code = |error: &Value| error["extensions"]["code"].as_str().unwrap_or("-").to_string();
        self.errors()
            .iter()
            .map(|error| format!("{} {}", code(error), path(error)))
            .collect()
    }

    /// The variables sent by a fetch.
    pub fn sent(&self, fetch: usize) -> Value {
        let (_, body) = self
            .calls
            .iter()
            .find(|(id, _)| *id == fetch)
            .expect("the fetch was sent");
        serde_json::from_str::<Value>(body).unwrap()["variables"].clone()
    }

    pub fn was_sent(&self, fetch: usize) -> bool {
        self.calls.iter().any(|(id, _)| *id == fetch)
    }
}

pub fn run_all(plan: Plan, inputs: &Inputs, replies: Vec<Result<&[u8], CallError>>) -> Outcome {
    let program = Program::compile(Arc::new(plan));
    let script = Script {
        replies,
        calls: Mutex::default(),
    };
    let answer = block_on(execute(&program, inputs, &script));
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    Outcome {
        text,
        json,
        answer,
        calls: script.calls.into_inner().unwrap(),
    }
}

pub fn run(plan: Plan, replies: &[&str]) -> Outcome {
    run_all(
        plan,
        &Inputs::default(),
        replies.iter().map(|reply| Ok(reply.as_bytes())).collect(),
    )
}

/// `"!"` instead of a body: the call fails.
pub fn run_failing<'s>(plan: Plan, replies: &[&'s str]) -> Outcome {
    let down = || CallError::new("SUBREQUEST_HTTP_ERROR", "The subgraph can't be reached.");
    let reply = |reply: &&'s str| {
        if *reply == "!" {
            Err(down())
        } else {
            Ok(reply.as_bytes())
        }
    };
    run_all(plan, &Inputs::default(), replies.iter().map(reply).collect())
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

pub fn script<'s>(replies: Vec<Result<&'s [u8], CallError>>) -> Script<'s> {
    Script {
        replies,
        calls: Mutex::default(),
    }
}
