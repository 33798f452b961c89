//! What the answer looks like when nothing goes wrong.
use crate::plans::Builder;
use crate::script::{run, run_all};
use baedal_executor::{Inputs, Program, execute_event, subscription_request};
use baedal_planner::plan::OperationKind;
use bytes::Bytes;
use serde_json::json;
use std::sync::Arc;

#[test]
fn fields_come_in_the_clients_order_and_internal_ones_never_show() {
    let plan = Builder::new()
        .root("a", &[], "me{id __typename name} n")
        .answer("n:Int me:User{name:String}");
    let outcome = run(
        plan,
        &[r#"{"data":{"me":{"id":"1","__typename":"User","name":"김"},"n":3}}"#],
    );
    assert_eq!(outcome.text, r#"{"data":{"n":3,"me":{"name":"김"}}}"#);
    assert_eq!((outcome.answer.errors, outcome.answer.calls), (0, 1));
}

#[test]
fn whitespace_unknown_keys_and_order_of_members_do_not_matter() {
    let plan = || {
        Builder::new()
            .root("a", &[], "a{x y z}")
            .answer("a:A{z:Int y:[Int] x:String}")
    };
    let body = "\n{ \"extensions\" : {\"t\":[1,{}]} , \"errors\":null,\r\n\t\"data\": { \"u\":{\"a\":[{}]}, \"a\" :{\"z\":1 ,\"q\":null,\"y\":[ 1 , 2],\"x\":\"\" } } } ";
    assert_eq!(
        run(plan(), &[body]).text,
        r#"{"data":{"a":{"z":1,"y":[ 1 , 2],"x":""}}}"#
    );
    let body = r#"{"data":{"a":{"x":"s","y":null,"z":-7}}}"#;
    assert_eq!(
        run(plan(), &[body]).text,
        r#"{"data":{"a":{"z":-7,"y":null,"x":"s"}}}"#
    );
}

#[test]
fn keys_may_be_escaped_and_the_last_of_equal_keys_counts() {
    let plan = || {
        Builder::new()
            .root("a", &[], "a b{c d}")
            .answer("a:Int b:B{c:Int d:Int}")
    };
    let body = r#"{"d\u0061ta":{"\u0061":1,"a":2,"b":{"c":1,"d":1},"b":{"\u0063":3}}}"#;
    assert_eq!(
        run(plan(), &[body]).text,
        r#"{"data":{"a":2,"b":{"c":3,"d":null}}}"#
    );
}

#[test]
fn keys_of_any_length_and_almost_alike() {
    let names = [
        "a",
        "ab",
        "abcdefghijkl",
        "abcdefghijklm",
        "abcdefghijklmn",
        "abcdefghijklmno",
        "abcdefghijklmnopqrstuvwxyz",
    ];
    let projection: Vec<String> = names.iter().map(|name| format!("{name}:Int")).collect();
    let plan = Builder::new()
        .root("a", &[], &names.join(" "))
        .answer(&projection.join(" "));
    let members: Vec<String> = names
        .iter()
        .map(|name| format!("\"{name}\":{}", name.len()))
        .collect();
    let body = format!("{{\"data\":{{{}}}}}", members.join(","));
    assert_eq!(run(plan.clone(), &[&body]).text, body);
    let spaced = body.replace("\":", "\" : ");
    assert_eq!(run(plan.clone(), &[&spaced]).text, body);
    let alike = body.replace("\":", "_\":").replace("data_", "data");
    let none = run(plan, &[&alike]);
    assert!(
        none.data()
            .as_object()
            .unwrap()
            .values()
            .all(|value| value.is_null())
    );
}

#[test]
fn the_last_of_equal_keys_counts_in_wide_objects_too() {
    let names: Vec<String> = (0..80).map(|index| format!("f{index}")).collect();
    let shape = names.join(" ");
    let projection: Vec<String> = names.iter().rev().map(|name| format!("{name}:Int")).collect();
    let plan = Builder::new()
        .root("a", &[], &shape)
        .answer(&projection.join(" "));
    let members = names
        .iter()
        .enumerate()
        .rev()
        .map(|(index, name)| format!("\"{name}\":{index}"));
    let body = format!(
        "{{\"data\":{{{},\"f70\":1,\"f3\":2}}}}",
        members.collect::<Vec<_>>().join(",")
    );
    let outcome = run(plan, &[&body]);
    assert_eq!(outcome.data()["f70"], json!(1));
    assert_eq!(outcome.data()["f3"], json!(2));
    assert_eq!(outcome.data()["f64"], json!(64));
    assert!(outcome.text.starts_with(r#"{"data":{"f79":79,"f78":78,"#));
}

#[test]
fn leaves_are_the_bytes_that_came() {
    let plan = Builder::new()
        .root("a", &[], "a b c d e f")
        .answer("a:String b:Float c:Any d:ID e:[[Int!]] f:ID");
    let body = r#"{"data":{"a":"\u00e9\/\ud83d\ude00","b":1.50e+3,"c":{"k" : [1e-7,"x"]},"d":"1","e":[[1],null,[]],"f":12345678901234567890}}"#;
    assert_eq!(run(plan, &[body]).text, body);
}

#[test]
fn the_runtime_type_decides_what_is_written() {
    let plan = Builder::new().root("a", &[], "n{__typename id name price}").answer(
        "__typename=Query n:[Node(User|Shop)]{__typename id:ID! name?User:String price?Shop:Int t?Shop:Int}",
    );
    let body = r#"{"data":{"n":[{"__typename":"Shop","id":"1","price":3},{"__typename":"\u0055ser","id":"2","name":"n"},null]}}"#;
    let expected = r#"{"data":{"__typename":"Query","n":[{"__typename":"Shop","id":"1","price":3,"t":null},{"__typename":"User","id":"2","name":"n"},null]}}"#;
    assert_eq!(run(plan, &[body]).text, expected);
}

#[test]
fn an_object_that_no_fragment_matches_is_empty() {
    let plan = Builder::new()
        .root("a", &[], "n{__typename id}")
        .answer("n:[Node(User|Shop)!]!{id?Shop:ID!}");
    let body = r#"{"data":{"n":[{"__typename":"User"},{"__typename":"Shop","id":"1"}]}}"#;
    assert_eq!(run(plan, &[body]).text, r#"{"data":{"n":[{},{"id":"1"}]}}"#);
}

#[test]
fn more_than_64_types_are_told_apart() {
    let names: Vec<String> = (0..100).map(|index| format!("T{index}")).collect();
    let union = names.join("|");
    let plan = Builder::new()
        .root("a", &[], "n{__typename a b}")
        .answer(&format!("n:[U({union})]{{__typename a?T3|T99:Int b?T98:Int}}"));
    let body = r#"{"data":{"n":[{"__typename":"T99","a":1,"b":2},{"__typename":"T98","a":1,"b":2},{"__typename":"T3","a":1}]}}"#;
    let expected = json!([{"__typename":"T99","a":1},{"__typename":"T98","b":2},{"__typename":"T3","a":1}]);
    assert_eq!(run(plan, &[body]).data()["n"], expected);
}

#[test]
fn a_certain_type_needs_no_typename_and_an_unknown_one_matches_only_any() {
    let plan = Builder::new()
        .root("a", &[], "u{name} n{id}")
        .answer("u:User{__typename=User name?User:String} n:Node(User|Shop){id?User:ID x:Int}");
    let outcome = run(plan, &[r#"{"data":{"u":{"name":"a"},"n":{"id":"1"}}}"#]);
    assert_eq!(
        outcome.text,
        r#"{"data":{"u":{"__typename":"User","name":"a"},"n":{"x":null}}}"#
    );
}

#[test]
fn an_unknown_type_has_no_typename_to_show() {
    let plan = Builder::new()
        .root("a", &[], "n{id}")
        .answer("n:Node(User|Shop){__typename id:ID}");
    let outcome = run(plan, &[r#"{"data":{"n":{"id":"1"}}}"#]);
    assert_eq!(outcome.data(), &json!({"n": null}));
    assert_eq!(outcome.codes(), [r#"NON_NULL_VIOLATION ["n","__typename"]"#]);
}

#[test]
fn root_fields_of_several_subgraphs_merge_deeply() {
    let plan = Builder::new()
        .root("a", &[], "p{id x{a} l{a}} q")
        .root("b", &[], "p{id x{b} l{b m{n}}} r")
        .answer("r:Int q:Int p:P{l:[L]{a:Int b:Int m:M{n:Int}} x:X{b:Int a:Int} id:ID}");
    let one = r#"{"data":{"p":{"id":"1","x":{"a":1},"l":[{"a":1},null,{"a":3}]},"q":1}}"#;
    let two = r#"{"data":{"p":{"id":"1","x":{"b":2},"l":[{"b":1,"m":{"n":5}},{"b":2},{"b":3}]},"r":2}}"#;
    let expected = json!({"r":2,"q":1,"p":{"id":"1","x":{"a":1,"b":2},
        "l":[{"a":1,"b":1,"m":{"n":5}},{"a":null,"b":2,"m":null},{"a":3,"b":3,"m":null}]}});
    assert_eq!(run(plan, &[one, two]).data(), &expected);
}

#[test]
fn a_null_from_one_subgraph_does_not_hide_the_value_of_another() {
    let plan = || {
        Builder::new()
            .root("a", &[], "p{x}")
            .root("b", &[], "p{y}")
            .answer("p:P{x:Int y:Int}")
    };
    let null = r#"{"data":{"p":null}}"#;
    let expected = json!({"p":{"x":null,"y":2}});
    assert_eq!(
        run(plan(), &[null, r#"{"data":{"p":{"y":2}}}"#]).data(),
        &expected
    );
    let expected = json!({"p":{"x":1,"y":null}});
    assert_eq!(
        run(plan(), &[r#"{"data":{"p":{"x":1}}}"#, null]).data(),
        &expected
    );
}

#[test]
fn lists_of_different_lengths_are_not_mixed() {
    let plan = Builder::new()
        .root("a", &[], "p{x}")
        .root("b", &[], "p{y}")
        .answer("p:[P]{x:Int y:Int}");
    let outcome = run(
        plan,
        &[
            r#"{"data":{"p":[{"x":1},{"x":2}]}}"#,
            r#"{"data":{"p":[{"y":2}]}}"#,
        ],
    );
    assert_eq!(outcome.data(), &json!({"p":[{"x":1,"y":null},{"x":2,"y":null}]}));
    assert_eq!(outcome.codes(), [r#"SUBGRAPHS_DISAGREE ["p"]"#]);
}

#[test]
fn what_two_subgraphs_say_of_one_place_must_be_of_one_kind() {
    for (one, other) in [
        (r#"{"__typename":"A","x":1}"#, r#"{"__typename":"B","y":2}"#),
        (r#"{"x":1}"#, r#"[{"y":2}]"#),
        (r#"{"x":1}"#, "7"),
    ] {
        let plan = Builder::new()
            .root("a", &[], "p{__typename x}")
            .root("b", &[], "p{__typename y}")
            .answer("p:P(A|B){x:Int y:Int}");
        let outcome = run(
            plan,
            &[
                &format!("{{\"data\":{{\"p\":{one}}}}}"),
                &format!("{{\"data\":{{\"p\":{other}}}}}"),
            ],
        );
        assert_eq!(outcome.data(), &json!({"p":{"x":1,"y":null}}), "{other}");
        assert_eq!(outcome.codes(), [r#"SUBGRAPHS_DISAGREE ["p"]"#], "{other}");
    }
}

#[test]
fn where_entities_disagree_is_said_for_each_place() {
    let plan = Builder::new()
        .root("a", &[], "p{id o{l{x}}}")
        .entities("b", &[0], ("p", "P", "id"), "o{l{y}}")
        .answer("p:[P]{o:O{l:[L]{x:Int y:Int}}}");
    let outcome = run(
        plan,
        &[
            r#"{"data":{"p":[{"id":1,"o":{"l":[{"x":1}]}},{"id":2,"o":{"l":[{"x":2}]}},{"id":1,"o":{"l":[]}}]}}"#,
            r#"{"data":{"_entities":[{"o":{"l":[{"y":5}]}},{"o":{"l":[{"y":6},{"y":7}]}}]}}"#,
        ],
    );
    let at = |list| json!({"o":{"l":list}});
    assert_eq!(
        outcome.data(),
        &json!({"p":[at(json!([{"x":1,"y":5}])), at(json!([{"x":2,"y":null}])), at(json!([]))]})
    );
    assert_eq!(
        outcome.codes(),
        [
            r#"SUBGRAPHS_DISAGREE ["p",1,"o"]"#,
            r#"SUBGRAPHS_DISAGREE ["p",2,"o"]"#
        ]
    );
}

#[test]
fn given_fields_and_withheld_ones() {
    let mut builder = Builder::new().root("a", &[], "a");
    builder.errors.push(baedal_planner::plan::PlannedError {
        message: "No.".into(),
        code: "UNAUTHORIZED_FIELD_OR_TYPE".into(),
        path: vec!["s".into()],
    });
    let plan = builder.answer("__schema:given a:Int s:withheld");
    let mut inputs = Inputs::default();
    inputs.give("__schema", r#"{"types":[]}"#);
    let outcome = run_all(plan, &inputs, vec![Ok(br#"{"data":{"a":1}}"#)]);
    assert_eq!(
        outcome.text,
        r#"{"data":{"__schema":{"types":[]},"a":1,"s":null},"errors":[{"message":"No.","path":["s"],"extensions":{"code":"UNAUTHORIZED_FIELD_OR_TYPE"}}]}"#
    );
}

#[test]
fn only_variables_that_are_used_and_have_a_value_are_sent() {
    let plan = Builder::new()
        .root("a", &[], "a")
        .variables("x y z")
        .answer("a:Int");
    let variables = json!({"x": {"k": "é\"\n"}, "w": 1, "z": null});
    let inputs = Inputs::with_variables(variables.as_object().unwrap());
    let outcome = run_all(plan, &inputs, vec![Ok(br#"{"data":{"a":1}}"#)]);
    assert_eq!(outcome.sent(0), json!({"x": {"k": "é\"\n"}, "z": null}));
    assert!(
        outcome.calls[0]
            .1
            .starts_with(r#"{"query":"{\"q\"}","variables":{"x":"#)
    );
}

#[test]
fn the_operation_name_is_sent() {
    let mut plan = Builder::new().root("a", &[], "a").answer("a:Int");
    plan.fetches[0].operation_name = Some("Op".into());
    let outcome = run(plan, &[r#"{"data":{"a":1}}"#]);
    assert_eq!(outcome.calls[0].1, r#"{"query":"{\"q\"}","operationName":"Op"}"#);
}

#[test]
fn a_plan_without_fetches_answers() {
    let plan = Builder::new().answer("__typename=Query");
    assert_eq!(run(plan, &[]).text, r#"{"data":{"__typename":"Query"}}"#);
}

#[test]
fn an_event_drives_the_other_fetches() {
    let plan = Builder::new()
        .kind(OperationKind::Subscription)
        .root("a", &[], "feed{id}")
        .variables("after")
        .entities("b", &[0], ("feed", "Order", "id"), "total")
        .answer("feed:Order!{id:ID! total:Int}");
    let program = Program::compile(Arc::new(plan));
    let variables = json!({"after": "7"});
    let inputs = Inputs::with_variables(variables.as_object().unwrap());
    let call = subscription_request(&program, &inputs).unwrap();
    assert_eq!((call.subgraph, call.kind), ("a", OperationKind::Subscription));
    assert_eq!(
        &call.body[..],
        br#"{"query":"{\"q\"}","variables":{"after":"7"}}"#
    );
    for (id, total) in [("1", 10), ("2", 20)] {
        let event = Bytes::from(format!(r#"{{"data":{{"feed":{{"id":"{id}"}}}}}}"#));
        let reply = format!(r#"{{"data":{{"_entities":[{{"total":{total}}}]}}}}"#);
        let script = crate::script::script(vec![Ok(b"never asked"), Ok(reply.as_bytes())]);
        let answer = crate::script::block_on(execute_event(&program, &inputs, event, &script));
        let expected = format!(r#"{{"data":{{"feed":{{"id":"{id}","total":{total}}}}}}}"#);
        assert_eq!(answer.body, expected);
        assert_eq!(answer.calls, 1);
    }
}
