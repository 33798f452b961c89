//! However often an entity is found, a request takes no more than it may.
use baedal_executor::Inputs;
use serde_json::{Value, json};

use crate::plans::Builder;
use crate::script::{Outcome, run_all};

const PLACES: usize = 1000;

/// One entity at many places.
fn run(builder: Builder, projection: &str, max_answer: usize, replies: &[&str]) -> Outcome {
    let plan = builder.answer(projection);
    let inputs = Inputs {
        max_answer,
        ..Inputs::default()
    };
    // With a number that nobody asked for, so that no two have the same text.
    let items: Vec<String> = (0..PLACES).map(|n| format!(r#"{{"id":1,"n":{n}}}"#)).collect();
    let roots = format!("{{\"data\":{{\"l\":[{}]}}}}", items.join(","));
    let mut all = vec![Ok(roots.as_bytes())];
    all.extend(replies.iter().map(|reply| Ok(reply.as_bytes())));
    run_all(plan, &inputs, all)
}

#[test]
fn a_large_entity_at_many_places_is_not_written_again_and_again() {
    let builder = || {
        Builder::new()
            .root("a", &[], "l{id}")
            .entities("b", &[0], ("l", "T", "id"), "text")
    };
    let text = "x".repeat(10_000);
    let entity = format!(r#"{{"data":{{"_entities":[{{"text":"{text}"}}]}}}}"#);
    let outcome = run(builder(), "l:[T]{text:String}", 1_000_000, &[&entity]);
    assert_eq!(outcome.data(), &Value::Null);
    assert_eq!(outcome.codes(), [r#"ANSWER_TOO_LARGE ["l",100]"#]);
    assert!(outcome.text.len() < 1000);
    let outcome = run(builder(), "l:[T]{text:String}", 20_000_000, &[&entity]);
    assert_eq!(outcome.answer.errors, 0);
    assert_eq!(outcome.data()["l"][PLACES - 1]["text"], text);
}

#[test]
fn an_entity_that_must_be_copied_is_copied_only_so_often() {
    // The objects in it get fields of their own at each place, so they can't be shared.
    let builder = Builder::new()
        .root("a", &[], "l{id}")
        .entities("b", &[0], ("l", "T", "id"), "o{k}")
        .entities("c", &[1], ("l.o", "O", "k"), "v");
    let entity = r#"{"data":{"_entities":[{"o":[{"k":1},{"k":2},{"k":3},{"k":4}]}]}}"#;
    let values = r#"{"data":{"_entities":[{"v":1},{"v":2},{"v":3},{"v":4}]}}"#;
    let outcome = run(builder, "l:[T]{o:[O]{v:Int}}", 20_000, &[entity, values]);
    let whole = json!({"o":[{"v":1},{"v":2},{"v":3},{"v":4}]});
    let items = outcome.data()["l"].as_array().expect("a list");
    let read = items.iter().filter(|item| **item == whole).count();
    assert!((100..PLACES).contains(&read), "{read}");
    let left_out = items.iter().filter(|item| **item == json!({"o":null})).count();
    assert_eq!(read + left_out, PLACES);
    assert_eq!(outcome.answer.errors, left_out);
    assert!(
        outcome.codes()[0].starts_with("ANSWER_TOO_LARGE [\"l\","),
        "{:?}",
        outcome.codes()
    );
}
