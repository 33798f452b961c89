//! The law of the cache: whatever is asked by whomever, changed, dropped, waited for and reloaded, each answer is one
//! that the subgraphs would have given to this caller at some moment within the allowed time.
//!
//! Subgraphs are a model ([`model`]): each value says which version it is and to whom it was told, so that an answer
//! shows by itself how old it is and whose.

mod model;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use baedal_executor::{Answer, CallError, Inputs, SubgraphCall, Subgraphs, execute};
use baedal_planner::Access;
use baedal_planner::plan::OperationKind;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use self::model::{Model, sdl};
use super::super::lens::{Lens, Mode, Origin, Reply};
use super::super::tags::Tag;
use super::super::{Fields, Responses};
use crate::config::{AfterMutation, AuthConfig, Config, ScopeConfig, StoreKind, SubgraphResponsesConfig};
use crate::engine::Engine;
use crate::forward::Forwarded;
use crate::observe::Observer;
use crate::request::Request;
use crate::traffic::Traffic;
use crate::valkey::Valkey;

/// The longest that each field is allowed to be old, in seconds.
const LIFETIMES: [(&str, u64); 6] = [
    ("name", 20),
    ("secret", 20),
    ("user", 15),
    ("menu", 30),
    ("rating", 30),
    ("mine", 10),
];

const CALLERS: [Option<&str>; 3] = [None, Some("ada"), Some("bob")];
const QUERIES: [&str; 7] = [
    "{ stores { id name } }",
    "{ stores { id name menu } }",
    "query($id: ID!) { store(id: $id) { id name menu rating } }",
    "{ me { id user } stores { id mine } }",
    "query($id: ID!, $x: Boolean!) { store(id: $id) { id secret @include(if: $x) menu } }",
    "{ a: store(id: \"1\") { key: id n: name menu } b: store(id: \"2\") { id rating } }",
    "{ stores { id name menu mine rating } }",
];

/// A step of a history.
#[derive(Debug, Clone)]
enum Step {
    Ask {
        caller: usize,
        query: usize,
        id: u8,
        x: bool,
    },
    /// A query during whose calls something else happens.
    AskSlowly {
        caller: usize,
        query: usize,
        id: u8,
        meanwhile: Box<Step>,
    },
    /// Several of the same at once.
    AskTogether {
        callers: Vec<usize>,
        query: usize,
        id: u8,
    },
    /// A value changes, and nobody is told.
    Change {
        field: usize,
        id: u8,
    },
    /// By way of the gateway.
    Mutate {
        caller: usize,
        id: u8,
    },
    /// A value changes, and its tag is dropped.
    Purge {
        field: usize,
        id: u8,
        how: u8,
    },
    Wait {
        seconds: u64,
    },
    Reload,
    /// A subgraph answers with errors, or does so no more.
    Break {
        subgraph: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ask = (0..CALLERS.len(), 0..QUERIES.len(), 1..3_u8, any::<bool>())
        .prop_map(|(caller, query, id, x)| Step::Ask { caller, query, id, x });
    let write = prop_oneof![
        3 => (0..LIFETIMES.len(), 1..3_u8).prop_map(|(field, id)| Step::Change { field, id }),
        2 => (0..CALLERS.len(), 1..3_u8).prop_map(|(caller, id)| Step::Mutate { caller, id }),
        3 => (0..LIFETIMES.len(), 1..3_u8, 0..5_u8).prop_map(|(field, id, how)| Step::Purge { field, id, how }),
        2 => (1..12_u64).prop_map(|seconds| Step::Wait { seconds }),
        1 => Just(Step::Reload),
    ];
    let write = write.boxed();
    let slow = (0..CALLERS.len(), 0..QUERIES.len(), 1..3_u8, write.clone()).prop_map(
        |(caller, query, id, meanwhile)| Step::AskSlowly {
            caller,
            query,
            id,
            meanwhile: Box::new(meanwhile),
        },
    );
    let together = (
        prop::collection::vec(0..CALLERS.len(), 2..5),
        0..QUERIES.len(),
        1..3_u8,
    )
        .prop_map(|(callers, query, id)| Step::AskTogether { callers, query, id });
    let step = prop_oneof![
        8 => ask,
        5 => write,
        3 => slow,
        2 => together,
        1 => (0..2_usize).prop_map(|subgraph| Step::Break { subgraph }),
    ];
    prop::collection::vec(step, 1..40)
}

/// A graph, its subgraphs, and a gateway as far as it matters.
struct World {
    model: Arc<Mutex<Model>>,
    responses: Responses,
    clock: Arc<AtomicU64>,
    gate: Arc<Semaphore>,
    after_mutation: AfterMutation,
    /// Whether looking takes its time.
    is_shared: bool,
}

/// The port of the executor: through the cache, or not.
struct Port<'a> {
    world: &'a World,
    caller: Option<&'static str>,
    lens: Option<Lens<'a>>,
}

impl Subgraphs for Port<'_> {
    async fn call(&self, call: SubgraphCall<'_>) -> Result<Bytes, CallError> {
        match &self.lens {
            Some(lens) => lens.call(call, self).await,
            None => self
                .ask(call.subgraph, call.kind, &call.body)
                .await
                .map(|reply| reply.body),
        }
    }
}

impl Origin for Port<'_> {
    /// What the model says is said at once; that it is heard may take until the gate opens.
    async fn ask(&self, subgraph: &str, kind: OperationKind, body: &Bytes) -> Result<Reply, CallError> {
        let (body, control) = {
            let mut model = self.world.model.lock().expect("no test has panicked with it");
            model.answer(subgraph, kind, body, self.caller.unwrap_or("-"), self.world.now())
        };
        if self.lens.is_some() {
            drop(self.world.gate.acquire().await.expect("it is never closed"));
        }
        let mut fields = None;
        if let Some(control) = control {
            Fields::note(&mut fields, "cache-control", control.as_bytes());
        }
        Ok(Reply {
            body: body.into(),
            fields,
            is_success: true,
        })
    }
}

fn config(after_mutation: AfterMutation) -> Config {
    let mut config = Config::default();
    config.cache.responses.enabled = true;
    config.cache.responses.after_mutation = after_mutation;
    // What `@cacheControl` says of stores is not known to be theirs: several subgraphs have them.
    let public = SubgraphResponsesConfig {
        scope: Some(ScopeConfig::Public),
        ..SubgraphResponsesConfig::default()
    };
    config
        .cache
        .responses
        .subgraphs
        .insert("stores".to_owned(), public);
    config.auth = Some(AuthConfig::default());
    config
}

/// One for each schema. Nothing that is kept is in them.
static ENGINES: LazyLock<[Engine; 2]> = LazyLock::new(|| {
    let config = config(AfterMutation::Caller);
    let observer = Arc::new(Observer::new(&config));
    [0, 1].map(|schema| {
        let traffic = Traffic::new(&config);
        Engine::new(&sdl(schema), &config, &traffic, &observer, &Default::default()).expect("a supergraph")
    })
});

impl World {
    fn new(after_mutation: AfterMutation) -> World {
        World::kept_in(after_mutation, None)
    }

    fn kept_in(after_mutation: AfterMutation, valkey: Option<&Arc<Valkey>>) -> World {
        let mut config = config(after_mutation);
        if valkey.is_some() {
            config.cache.responses.store = StoreKind::Redis;
        }
        let observer = Observer::new(&config);
        let clock: Arc<AtomicU64> = Arc::default();
        let (start, told) = (Instant::now(), Arc::clone(&clock));
        let now = move || start + Duration::from_millis(told.load(Ordering::SeqCst));
        World {
            responses: Responses::new(&config, valkey, &observer.registry, now).expect("it is enabled"),
            model: Arc::default(),
            clock,
            gate: Arc::new(Semaphore::new(1_000)),
            after_mutation,
            is_shared: valkey.is_some(),
        }
    }

    fn model<T>(&self, look: impl FnOnce(&mut Model) -> T) -> T {
        look(&mut self.model.lock().expect("no test has panicked with it"))
    }

    /// Milliseconds since the beginning.
    fn now(&self) -> u64 {
        self.clock.load(Ordering::SeqCst)
    }

    /// Every step has a moment of its own.
    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst) + 1
    }

    async fn execute(&self, caller: usize, query: &str, variables: &Value, cached: bool) -> Answer {
        let engine = &ENGINES[usize::from(self.model(|model| model.schema))];
        let variables: Map<String, Value> = variables.as_object().cloned().unwrap_or_default();
        let request = Request {
            query: query.to_owned(),
            operation_name: None,
            variables: variables.clone(),
        };
        let document = engine.document(&request).await.expect("a valid query");
        let coerced = document
            .operation
            .coerce_variables(engine.supergraph(), &variables);
        let coerced = Arc::new(coerced.expect("valid variables"));
        let name = CALLERS[caller];
        let access = name.map_or_else(Access::default, |_| {
            Access::new(true, Default::default(), Default::default())
        });
        let program = engine
            .program(&document, &coerced, &access, false, || 0.0)
            .await
            .expect("a plan");
        let token = name.map(|name| HeaderValue::from_str(&format!("Bearer {name}")).expect("a value"));
        let forwarded = Forwarded::of_caller(&HeaderMap::new(), &Default::default(), token.as_ref());
        let parts = self.responses.parts();
        let mode = match document.operation.kind() {
            OperationKind::Mutation => Mode::Writes,
            _ => Mode::Reads,
        };
        let lens = Lens {
            responses: &self.responses,
            graph: engine.kept().expect("the cache is on"),
            caller: self.responses.caller(&forwarded),
            parts: &parts,
            mode,
            until: tokio::time::Instant::now() + Duration::from_secs(60),
        };
        let port = Port {
            world: self,
            caller: name,
            lens: cached.then_some(lens),
        };
        execute(&program, &Inputs::with_variables(&coerced), &port).await
    }

    /// Asks by way of the cache, and compares with what the subgraphs say at this moment.
    async fn ask(&self, caller: usize, query: usize, variables: &Value) -> Result<(), TestCaseError> {
        let began = self.tick();
        let answer = self.execute(caller, QUERIES[query], variables, true).await;
        self.compare(began, caller, query, variables, &answer).await
    }

    async fn compare(
        &self,
        began: u64,
        caller: usize,
        query: usize,
        variables: &Value,
        answer: &Answer,
    ) -> Result<(), TestCaseError> {
        let answer: Value = serde_json::from_slice(&answer.body).expect("JSON");
        if self.model(|model| model.is_disturbed()) {
            // What is kept may be better than what the subgraphs would say now: its values must still be lawful.
            return self.check_values(began, CALLERS[caller], &answer);
        }
        let plain = self.execute(caller, QUERIES[query], variables, false).await;
        let plain: Value = serde_json::from_slice(&plain.body).expect("JSON");
        prop_assert_eq!(
            model::timeless(&answer),
            model::timeless(&plain),
            "{}",
            QUERIES[query]
        );
        self.check_values(began, CALLERS[caller], &answer)
    }

    fn check_values(&self, began: u64, caller: Option<&str>, answer: &Value) -> Result<(), TestCaseError> {
        for told in model::told(answer) {
            let (_, seconds) = LIFETIMES
                .iter()
                .find(|(name, _)| *name == told.field)
                .expect("a field");
            prop_assert!(
                told.who == "-" || Some(&*told.who) == caller,
                "{told:?} was told to {caller:?}"
            );
            let oldest = began.saturating_sub(seconds * 1_000);
            let wrong = self.model(|model| model.why_not(&told, oldest, caller.unwrap_or("-"), began));
            prop_assert!(
                wrong.is_none(),
                "{told:?}: {} (asked at {began})",
                wrong.unwrap_or_default()
            );
        }
        Ok(())
    }

    async fn mutate(&self, caller: usize, id: u8) {
        let variables = json!({"id": id.to_string()});
        self.tick();
        self.execute(caller, "mutation($id: ID!) { bump(id: $id) }", &variables, true)
            .await;
        let now = self.tick();
        let by = CALLERS[caller].unwrap_or("-");
        self.model(|model| match self.after_mutation {
            AfterMutation::Caller => model.changed_by(by, "menus", now),
            AfterMutation::Subgraph => model.purged_subgraph("menus", now),
            AfterMutation::Keep => {}
        });
    }

    /// Drops a value by one of the ways there are.
    async fn purge(&self, field: usize, id: u8, how: u8) {
        let (field, _) = LIFETIMES[field];
        let entity = model::entity(field, id);
        self.tick();
        self.model(|model| model.change(field, &entity, self.now()));
        self.tick();
        let (ty, of) = model::place(field);
        let tag = match how {
            0 => Tag::Subgraph(of.into()),
            1 => Tag::Type(ty.into()),
            2 => Tag::entity(ty, [("id", &json!(id))]).expect("a key"),
            3 if ty == "Store" => Tag::Named(format!("{of}-{id}").into()),
            _ => {
                self.responses.drop_all("http").await.expect("Redis is there");
                return self.model(|model| model.purged_all(self.now()));
            }
        };
        self.responses
            .drop_tags("http", &[tag])
            .await
            .expect("Redis is there");
        let now = self.now();
        self.model(|model| match how {
            0 => model.purged_subgraph(of, now),
            _ => model.purged(field, &entity, now),
        });
    }

    /// What needs no answer.
    async fn write(&self, step: &Step) {
        match step {
            Step::Change { field, id } => {
                let (field, _) = LIFETIMES[*field];
                let now = self.tick();
                self.model(|model| model.change(field, &model::entity(field, *id), now));
            }
            Step::Mutate { caller, id } => self.mutate(*caller, *id).await,
            Step::Purge { field, id, how } => self.purge(*field, *id, *how).await,
            Step::Wait { seconds } => drop(self.clock.fetch_add(seconds * 1_000, Ordering::SeqCst)),
            Step::Reload => {
                self.tick();
                self.model(|model| model.schema = 1 - model.schema);
            }
            Step::Break { subgraph } => self.model(|model| model.broken[*subgraph] ^= true),
            Step::Ask { .. } | Step::AskSlowly { .. } | Step::AskTogether { .. } => {}
        }
    }

    async fn take(&self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Ask { caller, query, id, x } => {
                let variables = json!({"id": id.to_string(), "x": x});
                self.ask(*caller, *query, &variables).await
            }
            Step::AskTogether { callers, query, id } => {
                let variables = json!({"id": id.to_string(), "x": true});
                let all = callers.iter().map(|caller| self.ask(*caller, *query, &variables));
                futures_util::future::join_all(all).await.into_iter().collect()
            }
            Step::AskSlowly {
                caller,
                query,
                id,
                meanwhile,
            } => self.ask_slowly(*caller, *query, *id, meanwhile).await,
            other => {
                self.write(other).await;
                Ok(())
            }
        }
    }

    /// The answer is one of some moment since the query began: what happened meanwhile may be in it or not. What it
    /// leaves behind is seen by the queries after it.
    async fn ask_slowly(
        &self,
        caller: usize,
        query: usize,
        id: u8,
        meanwhile: &Step,
    ) -> Result<(), TestCaseError> {
        if matches!(meanwhile, Step::Mutate { .. }) {
            // It would wait at the gate, too.
            return Ok(());
        }
        let variables = json!({"id": id.to_string(), "x": true});
        let began = self.tick();
        let held = self.gate.acquire_many(1_000).await.expect("it is never closed");
        let asking = self.execute(caller, QUERIES[query], &variables, true);
        let happening = async {
            // The query goes as far as it can.
            for _ in 0..20 {
                match self.is_shared {
                    true => tokio::time::sleep(Duration::from_millis(1)).await,
                    false => tokio::task::yield_now().await,
                }
            }
            if !matches!(meanwhile, Step::Reload | Step::Wait { .. }) {
                self.write(meanwhile).await;
            }
            drop(held);
        };
        let (answer, ()) = tokio::join!(asking, happening);
        let answer: Value = serde_json::from_slice(&answer.body).expect("JSON");
        self.check_values(began, CALLERS[caller], &answer)
    }
}

fn run(steps: &[Step], after_mutation: AfterMutation) -> Result<(), TestCaseError> {
    on_a_runtime(async {
        let world = World::new(after_mutation);
        for step in steps {
            world.take(step).await?;
        }
        Ok(())
    })
}

fn on_a_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

/// Without hits the law would hold of itself.
async fn hits(world: World) {
    let none = json!({});
    let calls = async |caller, query: usize| {
        let before = world.model(|model| model.calls);
        world.execute(caller, QUERIES[query], &none, true).await;
        world.model(|model| model.calls) - before
    };
    assert_eq!(calls(1, 1).await, 2, "nothing is kept yet");
    assert_eq!(calls(1, 1).await, 0);
    assert_eq!(calls(2, 1).await, 0, "it is for everyone");
    assert_eq!(
        calls(1, 6).await,
        1,
        "the stores are known, what is asked of their menus is another thing"
    );
    assert_eq!(calls(1, 6).await, 0);
    assert_eq!(calls(2, 6).await, 1, "`mine` is ada's");
    assert_eq!(calls(0, 6).await, 1, "nobody has anything of their own");
    assert_eq!(calls(0, 6).await, 1, "nor is it kept");
    world.clock.fetch_add(15_000, Ordering::SeqCst);
    assert_eq!(calls(1, 6).await, 1, "`mine` is past its time");
    world.clock.fetch_add(10_000, Ordering::SeqCst);
    assert_eq!(calls(1, 1).await, 1, "the stores are, the menus are not");
    world.mutate(1, 1).await;
    assert_eq!(calls(1, 1).await, 1, "ada asks for what she may have changed");
    assert_eq!(calls(2, 1).await, 0);
    let dropped = world
        .responses
        .drop_tags("http", &[Tag::Named("menus-1".into())])
        .await;
    assert!(dropped.is_ok());
    assert_eq!(calls(2, 1).await, 1);
    let text = world.model(|model| model.last.clone());
    assert!(
        text.contains("\"id\":\"1\"") && !text.contains("\"id\":\"2\""),
        "only store 1: {text}"
    );
}

#[test]
fn what_is_kept_is_not_asked_for_again() {
    on_a_runtime(hits(World::new(AfterMutation::Caller)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_is_one_of_some_moment_within_the_allowed_time(steps in steps()) {
        run(&steps, AfterMutation::Caller)?;
    }

    #[test]
    fn a_mutation_may_drop_all_of_its_subgraph(steps in steps()) {
        run(&steps, AfterMutation::Subgraph)?;
    }
}

/// The same in a Redis that several share.
mod shared {
    use proptest::test_runner::{Config as Settings, TestRunner};
    use url::Url;

    use super::*;
    use crate::config::RedisConfig;

    /// A connection with keys of its own, if there is a server.
    async fn valkey() -> Option<Arc<Valkey>> {
        let Ok(url) = std::env::var("REDIS_URL") else {
            eprintln!("REDIS_URL is not set: `cargo xtask test` runs this on a real server");
            return None;
        };
        let mut redis = RedisConfig::at(url.parse::<Url>().expect("REDIS_URL is a URL"));
        redis.prefix = format!("law-{}:", uuid::Uuid::new_v4().simple());
        redis.timeout = Duration::from_secs(5);
        let valkey = Arc::new(Valkey::new(&redis, &Observer::new(&Config::default()).registry));
        valkey.connect().await;
        Some(valkey)
    }

    #[test]
    fn what_is_kept_is_not_asked_for_again() {
        on_a_runtime(async {
            if let Some(valkey) = valkey().await {
                hits(World::kept_in(AfterMutation::Caller, Some(&valkey))).await;
            }
        });
    }

    #[test]
    fn an_answer_is_one_of_some_moment_within_the_allowed_time() {
        for after_mutation in [AfterMutation::Caller, AfterMutation::Subgraph] {
            let mut runner = TestRunner::new(Settings {
                cases: 25,
                failure_persistence: None,
                ..Settings::default()
            });
            let outcome = runner.run(&steps(), |steps| {
                on_a_runtime(async {
                    let Some(valkey) = valkey().await else {
                        return Ok(());
                    };
                    let world = World::kept_in(after_mutation, Some(&valkey));
                    for step in &steps {
                        world.take(step).await?;
                    }
                    Ok(())
                })
            });
            assert!(outcome.is_ok(), "{outcome:?}");
        }
    }
}
