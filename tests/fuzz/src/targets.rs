//! What is done with an input. A panic is a finding; so is an answer that breaks a promise.
use std::sync::{Arc, LazyLock};

use baedal_composition::{Subgraph, compose};
use baedal_executor::{Inputs, Program, Run};
use baedal_planner::{Access, Operation, Settings, Supergraph, plan};
use bytes::Bytes;
use serde_json::{Map, Value};

#[cfg(feature = "router")]
pub use crate::gateway::{config, form, head, message, request, stream};

/// Stands between the parts of an input.
const BETWEEN: &str = "\n---\n";

fn parts(text: &str) -> Vec<&str> {
    text.split(BETWEEN).collect()
}

fn subgraphs(sdls: &[&str]) -> Vec<Subgraph> {
    let subgraph = |(number, sdl): (usize, &&str)| Subgraph {
        name: format!("s{number}"),
        url: format!("http://s{number}.invalid/graphql"),
        sdl: (*sdl).to_owned(),
    };
    sdls.iter().enumerate().map(subgraph).collect()
}

/// SDLs of subgraphs: they are refused, or what they compose to can be read and planned with.
pub fn composition(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Ok(composed) = compose(&subgraphs(&parts(&text))) {
        let read = Supergraph::parse(&composed.supergraph_sdl);
        let read = read.unwrap_or_else(|error| panic!("{error}\n{}", composed.supergraph_sdl));
        planned(&read, "{ __typename }");
    }
}

/// A supergraph of anybody: refused, or good to plan with.
pub fn supergraph(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut parts = parts(&text).into_iter();
    let sdl = parts.next().unwrap_or_default();
    if let Ok(read) = Supergraph::parse(sdl) {
        planned(&read, "{ __typename }");
        parts.for_each(|operation| planned(&read, operation));
    }
}

static GRAPH: LazyLock<Supergraph> = LazyLock::new(|| {
    let sdls = [
        include_str!("../graph/accounts.graphql"),
        include_str!("../graph/media.graphql"),
        include_str!("../graph/reviews.graphql"),
    ];
    let composed = compose(&subgraphs(&sdls)).unwrap_or_else(|errors| panic!("{errors:#?}"));
    Supergraph::parse(&composed.supergraph_sdl).expect("what composes can be read")
});

/// An operation, and if a second part is a JSON object, its variables.
pub fn operation(input: &[u8]) {
    planned(&GRAPH, &String::from_utf8_lossy(input));
}

/// Plans and compiles an operation that is valid.
fn planned(supergraph: &Supergraph, text: &str) {
    let (query, variables) = text.split_once("\n#variables ").unwrap_or((text, "{}"));
    let variables: Map<String, Value> = serde_json::from_str(variables).unwrap_or_default();
    let Ok(operation) = Operation::parse(supergraph, query, None) else {
        return;
    };
    let Ok(coerced) = operation.coerce_variables(supergraph, &variables) else {
        return;
    };
    for access in [Access::unrestricted(), Access::default()] {
        if let Ok(plan) = plan(supergraph, &operation, &coerced, &Settings::default(), &access) {
            let inputs = Inputs::with_variables(&coerced);
            let program = Program::compile(Arc::new(plan));
            drop(answered(&program, &inputs, &[]));
        }
    }
}

const ASKED: &str = "query($flag: Boolean = true) { me { id name role score friends { name contact reviews { stars body } } address { city { zip } } } \
    library { __typename title reviews { id stars author { name email } } ... on Book { pages } ... on Film { cast { id name } } } \
    search(text: \"x\") { ... on Shop { title owner { name } distance @include(if: $flag) } ... on Book { writer { shelf { title } } } } any { __typename } }";

static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
    let operation = Operation::parse(&GRAPH, ASKED, None).unwrap_or_else(|error| panic!("{error}"));
    let variables = operation
        .coerce_variables(&GRAPH, &Map::new())
        .expect("the variable has a default");
    let plan = plan(
        &GRAPH,
        &operation,
        &variables,
        &Settings::default(),
        &Access::unrestricted(),
    );
    Program::compile(Arc::new(plan.expect("the operation can be planned")))
});

/// What subgraphs answer, each part to a fetch: whatever it is, the client gets a GraphQL response.
pub fn answer(input: &[u8]) {
    let mut bodies = Vec::new();
    let mut rest = input;
    while let Some(at) = rest
        .windows(BETWEEN.len())
        .position(|window| window == BETWEEN.as_bytes())
    {
        bodies.push(&rest[..at]);
        rest = &rest[at + BETWEEN.len()..];
    }
    bodies.push(rest);
    let answer = answered(&PROGRAM, &Inputs::default(), &bodies);
    let shown = || String::from_utf8_lossy(&answer);
    let json: Value = serde_json::from_slice(&answer).unwrap_or_else(|error| panic!("{error}: {}", shown()));
    assert!(
        json["data"].is_object() || json["errors"].is_array(),
        "{}",
        shown()
    );
}

/// The answer when the fetches of a program are done one after another, with these bodies in turn.
fn answered(program: &Program, inputs: &Inputs, bodies: &[&[u8]]) -> Bytes {
    let mut run = Run::new(program, inputs);
    let mut bodies = bodies.iter().cycle();
    for fetch in 0..program.plan().fetches.len() {
        if let Some(request) = run.request(fetch) {
            let sent: Result<Value, _> = serde_json::from_slice(&request.body);
            assert!(sent.is_ok(), "{}", String::from_utf8_lossy(&request.body));
            let body = bodies.next().copied().unwrap_or_default();
            run.receive(fetch, &request, Ok(Bytes::copy_from_slice(body)));
        }
    }
    run.answer().body
}
