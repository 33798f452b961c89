//! What hostile clients send, against the binary itself, which may take 512 MiB: each case gets its refusal (or its
//! answer) in bounded time, and somebody else's request is answered beside and after it.
//!
//! The limit is of resident memory: the kernel's own high-water mark (`VmHWM`) is compared at the end of every table, and
//! the process is killed as soon as it is seen above. (A limit of address space would count what the allocator only
//! reserves.) `HOSTILE_MS=100` asks for the figure of a release build: each answer within so many milliseconds.

mod bodies;
mod documents;
mod frames;
mod graph;
mod planning;
mod raw;
mod requests;
mod sockets;
mod tokens;
mod world;

use raw::{Heard, post};
use world::World;

/// What is sent, and what must come back.
struct Case {
    name: String,
    sent: Vec<u8>,
    /// Status and code; an empty code is an answer with data.
    expected: (u16, &'static str),
}

impl Case {
    /// A body.
    fn body(name: &str, body: impl Into<Vec<u8>>, expected: (u16, &'static str)) -> Case {
        Case::raw(name, post(&body.into()), expected)
    }

    /// A query text in a body.
    fn query(name: &str, query: &str, expected: (u16, &'static str)) -> Case {
        Case::body(name, serde_json::json!({"query": query}).to_string(), expected)
    }

    /// A query text and variables, as JSON text.
    fn variables(name: &str, query: &str, variables: &str, expected: (u16, &'static str)) -> Case {
        let query = serde_json::Value::from(query);
        let body = format!("{{\"query\":{query},\"variables\":{variables}}}");
        Case::body(name, body, expected)
    }

    /// Bytes of a connection.
    fn raw(name: &str, sent: impl Into<Vec<u8>>, expected: (u16, &'static str)) -> Case {
        Case {
            name: name.to_owned(),
            sent: sent.into(),
            expected,
        }
    }
}

/// An answer to hostile input is no larger than this.
const LARGEST: usize = 64 << 10;

async fn run(table: &str, cases: Vec<Case>) {
    assert!(cases.len() >= 10, "a table of {}", cases.len());
    let world = World::start().await;
    let mut wrong = Vec::new();
    let count = cases.len();
    for case in cases {
        let heard = world.send(&case.sent).await;
        let Heard {
            status, code, bytes, ..
        } = &heard;
        let (expected, expected_code) = case.expected;
        if (*status, code.as_str()) != (expected, expected_code) {
            let text: String = heard.text.chars().take(300).collect();
            wrong.push(format!("{}: {status} {code:?}: {text}", case.name));
        }
        if *bytes > LARGEST && !code.is_empty() {
            wrong.push(format!("{}: {bytes} bytes of an answer", case.name));
        }
        if heard.took > world::patience() {
            wrong.push(format!("{}: took {:?}", case.name, heard.took));
        }
        if let Err(why) = world.probe().await {
            wrong.push(format!("{}: afterwards {why}", case.name));
        }
    }
    wrong.extend(world.end(table, count).await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn bodies_that_are_no_request_or_too_much_of_one() {
    run("bodies", bodies::cases()).await;
}

#[tokio::test]
async fn documents_that_would_explode() {
    run("documents", documents::cases()).await;
}

#[tokio::test]
async fn operations_that_would_cost_too_much_to_plan_or_to_answer() {
    run("planning", planning::cases()).await;
}

#[tokio::test]
async fn requests_that_are_hardly_http() {
    run("requests", requests::cases()).await;
}

#[tokio::test]
async fn tokens_made_by_others() {
    tokens::run().await;
}

#[tokio::test]
async fn sockets_that_break_the_protocol() {
    sockets::run().await;
}
