//! Objects that come with the same text are one object, but only where the same becomes of each.
use baedal_executor::Inputs;
use baedal_planner::plan::{ContextSource, ContextVariable, Entry, Plan};
use serde_json::{Value, json};

use crate::plans::Builder;
use crate::script::{run, run_all};

fn data(plan: Plan, replies: &[&str]) -> Value {
    let outcome = run(plan, replies);
    assert_eq!(outcome.answer.errors, 0, "{}", outcome.text);
    outcome.data().clone()
}

#[test]
fn what_others_bring_stands_at_all_places_of_an_object() {
    let plan = Builder::new()
        .root("a", &[], "l{id p{upc q{k}}}")
        .entities("b", &[0], ("l.p", "P", "upc"), "name")
        .entities("c", &[1], ("l.p.q", "Q", "k"), "v")
        .answer("l:[L]{id:ID p:P{upc:ID name:String q:[Q]{k:Int v:Int}}}");
    let roots = r#"{"data":{"l":[
        {"id":1,"p":{"upc":"x","q":[{"k":1},{"k":2}]}},
        {"id":2,"p":{"upc":"x","q":[{"k":1},{"k":2}]}},
        {"id":3,"p":{"upc":"y","q":[{"k":2},{"k":2},{"k":3}]}},
        {"id":4,"p":{"upc":"x","q":[{"k":1}, {"k":2}]}}]}}"#;
    let names = r#"{"data":{"_entities":[{"name":"X"},{"name":"Y"}]}}"#;
    let values = r#"{"data":{"_entities":[{"v":10},{"v":20},{"v":30}]}}"#;
    let outcome = run(plan, &[roots, names, values]);
    let q = |k: u32| json!({"k":k,"v":10 * k});
    let x = json!({"upc":"x","name":"X","q":[q(1), q(2)]});
    let y = json!({"upc":"y","name":"Y","q":[q(2), q(2), q(3)]});
    let of = |(id, p): (u32, &Value)| json!({"id":id,"p":p});
    let all: Vec<Value> = [(1, &x), (2, &x), (3, &y), (4, &x)].map(of).into();
    assert_eq!(outcome.data(), &json!({"l":all}));
    assert_eq!(outcome.sent(2)["r"].as_array().unwrap().len(), 3);
}

#[test]
fn an_error_stands_at_all_places_of_an_object() {
    let plan = Builder::new()
        .root("a", &[], "l{p{upc}}")
        .entities("b", &[0], ("l.p", "P", "upc"), "name")
        .answer("l:[L]{p:P{name:String}}");
    let roots = r#"{"data":{"l":[{"p":{"upc":"x"}},{"p":{"upc":"y"}},{"p":{"upc":"x"}}]}}"#;
    let names = r#"{"data":{"_entities":[null,{"name":"Y"}]},
        "errors":[{"message":"m","path":["_entities",0],"extensions":{"code":"C"}}]}"#;
    let outcome = run(plan, &[roots, names]);
    assert_eq!(outcome.codes(), [r#"C ["l",0,"p"]"#, r#"C ["l",2,"p"]"#]);
}

#[test]
fn items_that_two_fetches_bring_stay_apart() {
    let plan = Builder::new()
        .root("a", &[], "l{k}")
        .root("b", &[], "l{v}")
        .answer("l:[L]{k:Int v:Int}");
    let told = data(
        plan,
        &[
            r#"{"data":{"l":[{"k":1},{"k":1}]}}"#,
            r#"{"data":{"l":[{"v":1},{"v":2}]}}"#,
        ],
    );
    assert_eq!(told, json!({"l":[{"k":1,"v":1},{"k":1,"v":2}]}));
}

#[test]
fn what_comes_with_the_object_above_stays_apart() {
    let plan = Builder::new()
        .root("a", &[], "l{id d{w}}")
        .entities("b", &[0], ("l", "L", "id"), "d{h}")
        .answer("l:[L]{d:D{w:Int h:Int}}");
    let told = data(
        plan,
        &[
            r#"{"data":{"l":[{"id":1,"d":{"w":7}},{"id":2,"d":{"w":7}}]}}"#,
            r#"{"data":{"_entities":[{"d":{"h":1}},{"d":{"h":2}}]}}"#,
        ],
    );
    assert_eq!(told, json!({"l":[{"d":{"w":7,"h":1}},{"d":{"w":7,"h":2}}]}));
}

#[test]
fn places_below_objects_of_other_types_stay_apart() {
    let plan = Builder::new()
        .root("a", &[], "l{__typename p{id}}")
        .entities("b", &[0], ("l|Book.p", "P", "id"), "v")
        .entities("c", &[0], ("l|Pen.p", "P", "id"), "v")
        .answer("l:[L(Book|Pen)]{p:P{v:Int}}");
    let roots = r#"{"data":{"l":[{"__typename":"Book","p":{"id":1}},{"__typename":"Pen","p":{"id":1}}]}}"#;
    let told = data(
        plan,
        &[
            roots,
            r#"{"data":{"_entities":[{"v":1}]}}"#,
            r#"{"data":{"_entities":[{"v":2}]}}"#,
        ],
    );
    assert_eq!(told, json!({"l":[{"p":{"v":1}},{"p":{"v":2}}]}));
}

#[test]
fn places_that_one_fetch_fills_and_others_complete_stay_apart() {
    let plan = Builder::new()
        .root("a", &[], "x{upc} y{upc}")
        .entities("b", &[0], ("x y", "P", "upc"), "m{id}")
        .entities("c", &[1], ("x.m", "M", "id"), "v")
        .entities("d", &[1], ("y.m", "M", "id"), "v")
        .answer("x:P{m:M{v:Int}} y:P{m:M{v:Int}}");
    let told = data(
        plan,
        &[
            r#"{"data":{"x":{"upc":"1"},"y":{"upc":"2"}}}"#,
            r#"{"data":{"_entities":[{"m":{"id":"m"}},{"m":{"id":"m"}}]}}"#,
            r#"{"data":{"_entities":[{"v":1}]}}"#,
            r#"{"data":{"_entities":[{"v":2}]}}"#,
        ],
    );
    assert_eq!(told, json!({"x":{"m":{"v":1}},"y":{"m":{"v":2}}}));
}

#[test]
fn places_below_other_contexts_stay_apart() {
    let mut builder = Builder::new().root("a", &[], "l{unit p{id}}").with_slots("unit");
    let fields = builder.fields("unit");
    let mut plan = builder
        .entities("b", &[0], ("l.p", "P", "id"), "v")
        .answer("l:[L]{p:P{v:Int}}");
    let Entry::Entities(groups) = &mut plan.fetches[1].entry else {
        unreachable!("an entity fetch")
    };
    groups[0].context.push(ContextVariable {
        name: "unit".into(),
        nullable: false,
        sources: vec![vec![ContextSource {
            depth: 1,
            on: None,
            fields,
        }]],
    });
    let roots = r#"{"data":{"l":[{"unit":1,"p":{"id":1}},{"unit":2,"p":{"id":1}}]}}"#;
    let outcome = run(plan, &[roots, r#"{"data":{"_entities":[{"v":1}]}}"#]);
    assert_eq!(outcome.calls.len(), 3, "one for each unit");
}

/// What came once need not be copied, so the limit of copies is not met.
#[test]
fn an_entity_is_not_copied_to_the_places_of_one_object() {
    let plan = Builder::new()
        .root("a", &[], "l{p{id}}")
        .entities("b", &[0], ("l.p", "P", "id"), "o{k}")
        .entities("c", &[1], ("l.p.o", "O", "k"), "v")
        .answer("l:[L]{p:P{o:[O]{v:Int}}}");
    let items = vec![r#"{"p":{"id":1}}"#; 1000].join(",");
    let roots = format!("{{\"data\":{{\"l\":[{items}]}}}}");
    let entity = r#"{"data":{"_entities":[{"o":[{"k":1},{"k":2},{"k":3},{"k":4}]}]}}"#;
    let values = r#"{"data":{"_entities":[{"v":1},{"v":2},{"v":3},{"v":4}]}}"#;
    let inputs = Inputs {
        max_answer: 60_000,
        ..Inputs::default()
    };
    let replies = [&roots, entity, values].map(|reply| Ok(reply.as_bytes()));
    let outcome = run_all(plan, &inputs, replies.into());
    let whole = json!({"p":{"o":[{"v":1},{"v":2},{"v":3},{"v":4}]}});
    assert_eq!(outcome.answer.errors, 0, "{:?}", outcome.codes());
    assert_eq!(outcome.data()["l"], json!(vec![whole; 1000]));
}
