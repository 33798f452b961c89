//! When fetches start.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::plans::Builder;
use crate::script::block_on;
use baedal_executor::{CallError, Inputs, Program, SubgraphCall, Subgraphs, execute};
use baedal_planner::plan::OperationKind;
use bytes::Bytes;
use tokio::sync::{Barrier, Notify};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

/// All its calls must be under way at once before any is answered.
struct Together(Barrier);

impl Subgraphs for Together {
    async fn call(&self, call: SubgraphCall<'_>) -> Result<Bytes, CallError> {
        self.0.wait().await;
        Ok(format!("{{\"data\":{{\"f{}\":1}}}}", call.fetch).into())
    }
}

#[test]
fn independent_fetches_run_at_the_same_time() {
    let plan = Builder::new()
        .root("a", &[], "f0")
        .root("b", &[], "f1")
        .root("c", &[], "f2")
        .answer("f0:Int f1:Int f2:Int");
    let program = Program::compile(Arc::new(plan));
    let inputs = Inputs::default();
    let subgraphs = Together(Barrier::new(3));
    let answer = block_on(async { timeout(PATIENCE, execute(&program, &inputs, &subgraphs)).await });
    assert_eq!(
        answer.expect("they wait for each other").body,
        r#"{"data":{"f0":1,"f1":1,"f2":1}}"#
    );
}

/// The first root fetch is answered only when the dependent of the other has been sent.
struct Chain(Notify);

impl Subgraphs for Chain {
    async fn call(&self, call: SubgraphCall<'_>) -> Result<Bytes, CallError> {
        let body = match call.fetch {
            0 => {
                self.0.notified().await;
                r#"{"data":{"slow":1}}"#
            }
            1 => r#"{"data":{"me":{"id":"1"}}}"#,
            2 => r#"{"data":{"_entities":[{"k":"2"}]}}"#,
            _ => {
                self.0.notify_one();
                r#"{"data":{"_entities":[{"v":3}]}}"#
            }
        };
        Ok(Bytes::from_static(body.as_bytes()))
    }
}

#[test]
fn a_dependent_starts_as_soon_as_its_own_inputs_are_there() {
    let plan = Builder::new()
        .root("a", &[], "slow")
        .root("b", &[], "me{id}")
        .entities("c", &[1], ("me", "U", "id"), "k")
        .entities("d", &[2], ("me", "U", "k"), "v")
        .answer("slow:Int me:U{v:Int}");
    let program = Program::compile(Arc::new(plan));
    let inputs = Inputs::default();
    let subgraphs = Chain(Notify::new());
    let answer = block_on(async { timeout(PATIENCE, execute(&program, &inputs, &subgraphs)).await });
    assert_eq!(
        answer.expect("no barrier between steps").body,
        r#"{"data":{"slow":1,"me":{"v":3}}}"#
    );
}

/// Notes when calls begin and end.
#[derive(Default)]
struct Diary(Mutex<Vec<String>>);

impl Subgraphs for Diary {
    async fn call(&self, call: SubgraphCall<'_>) -> Result<Bytes, CallError> {
        assert_eq!(call.kind, OperationKind::Mutation);
        self.0.lock().unwrap().push(format!("begin {}", call.subgraph));
        tokio::task::yield_now().await;
        self.0.lock().unwrap().push(format!("end {}", call.subgraph));
        if call.fetch == 1 {
            return Err(CallError::new("X", "down"));
        }
        Ok(format!("{{\"data\":{{\"f{}\":{}}}}}", call.fetch, call.fetch).into())
    }
}

#[test]
fn mutations_run_one_after_another_also_past_a_failure() {
    let plan = Builder::new()
        .kind(OperationKind::Mutation)
        .root("a", &[], "f0")
        .root("b", &[0], "f1")
        .root("c", &[1], "f2")
        .answer("f0:Int f1:Int f2:Int");
    let program = Program::compile(Arc::new(plan));
    let diary = Diary::default();
    let answer = block_on(execute(&program, &Inputs::default(), &diary));
    assert_eq!(
        *diary.0.lock().unwrap(),
        ["begin a", "end a", "begin b", "end b", "begin c", "end c"]
    );
    assert!(
        answer
            .body
            .starts_with(br#"{"data":{"f0":0,"f1":null,"f2":2},"errors":["#)
    );
}

/// Never answers, and notes when its call is dropped.
struct Silent(Arc<AtomicBool>);

struct OnDrop(Arc<AtomicBool>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Subgraphs for Silent {
    async fn call(&self, _: SubgraphCall<'_>) -> Result<Bytes, CallError> {
        let _guard = OnDrop(self.0.clone());
        std::future::pending().await
    }
}

#[test]
fn dropping_the_execution_cancels_its_calls() {
    let plan = Builder::new().root("a", &[], "a").answer("a:Int");
    let program = Program::compile(Arc::new(plan));
    let dropped = Arc::new(AtomicBool::new(false));
    let subgraphs = Silent(dropped.clone());
    let inputs = Inputs::default();
    block_on(async {
        let result = timeout(Duration::from_millis(20), execute(&program, &inputs, &subgraphs)).await;
        assert!(result.is_err());
    });
    assert!(dropped.load(Ordering::SeqCst));
}

#[test]
fn an_execution_can_be_sent_to_another_thread() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let plan = Builder::new().root("a", &[], "f0").answer("f0:Int");
    let program = Program::compile(Arc::new(plan));
    let subgraphs = Together(Barrier::new(1));
    let answer = block_on(is_send(execute(&program, &Inputs::default(), &subgraphs)));
    assert_eq!(answer.body, r#"{"data":{"f0":1}}"#);
}

#[test]
fn one_program_serves_many_requests_at_once() {
    let plan = Builder::new().root("a", &[], "f0").answer("f0:Int");
    let program = Program::compile(Arc::new(plan));
    let subgraphs = Together(Barrier::new(2));
    let inputs = Inputs::default();
    let (one, two) = block_on(async {
        tokio::join!(
            execute(&program, &inputs, &subgraphs),
            execute(&program, &inputs, &subgraphs)
        )
    });
    assert_eq!(one.body, two.body);
}
