//! Subgraphs that answer with something else than what they should.
use crate::plans::Builder;
use crate::script::{run, run_all};
use baedal_executor::Inputs;
use baedal_planner::plan::Plan;
use serde_json::json;

const MALFORMED: &str = "SUBREQUEST_MALFORMED_RESPONSE";

#[test]
fn bodies_that_are_no_response_cost_only_their_own_data() {
    let deep = format!("{{\"data\":{{\"a\":{}1{}}}}}", "[".repeat(1000), "]".repeat(1000));
    let deep_errors = format!("{{\"errors\":{}{}}}", "[".repeat(1000), "]".repeat(1000));
    let bodies = [
        "",
        " ",
        "null",
        "1",
        "[]",
        "\"data\"",
        "{}",
        "{\"message\":\"x\"}",
        "<html>502</html>",
        "{\"data\"",
        "{\"data\":",
        "{\"data\":{",
        "{\"data\":{\"a\"",
        "{\"data\":{\"a\":",
        "{\"data\":{\"a\":1",
        "{\"data\":{\"a\":1}",
        "{\"data\":{\"a\":1}},",
        "{\"data\":{\"a\":1}}x",
        "{\"data\":{\"a\":1,}}",
        "{\"data\":{,}}",
        "{\"data\":{\"a\" 1}}",
        "{\"data\":{\"a\":01}}",
        "{\"data\":{\"a\":+1}}",
        "{\"data\":{\"a\":1.}}",
        "{\"data\":{\"a\":.5}}",
        "{\"data\":{\"a\":1e}}",
        "{\"data\":{\"a\":-}}",
        "{\"data\":{\"a\":nul}}",
        "{\"data\":{\"a\":True}}",
        "{\"data\":{\"a\":NaN}}",
        "{\"data\":{\"a\":'x'}}",
        "{\"data\":{a:1}}",
        "{\"data\":{\"a\":\"\u{1}\"}}",
        "{\"data\":{\"a\":\"\n\"}}",
        "{\"data\":{\"a\":\"\\x\"}}",
        "{\"data\":{\"a\":\"\\u12g4\"}}",
        "{\"data\":{\"a\":\"\\u12\"}}",
        "{\"data\":{\"a\":\"\\ud800\\uzzzz\"}}",
        "{\"data\":{\"a\":\"x}}",
        "{\"data\":{\"a\":[1,]}}",
        "{\"data\":{\"a\":[1 2]}}",
        "{\"data\":{\"a\":[1}}",
        "{\"data\":{\"a\":{\"k\":1]}}",
        "{\"data\":{\"a\":{\"k\"}}}",
        "{\"data\":{\"a\":{1:2}}}",
        "{\"data\":[]}",
        "{\"data\":\"x\"}",
        "{\"data\":7}",
        "{\"data\":true}",
        "{\"data\":null}",
        "{\"data\":null,\"errors\":null}",
        "{\"data\":{\"u\":[,]}}",
        "{\"data\":{\"u\":{\"x\":}}}",
        "\u{feff}{\"data\":{\"a\":1}}",
        "{\"data\":{\"a\":1}}{}",
        &deep,
        &deep_errors,
        "{\"data\":{\"o\":{\"v\":}}}",
        "{\"data\":{\"o\":[{},}}",
    ];
    for body in bodies {
        let plan = Builder::new()
            .root("bad", &[], "a o{v}")
            .root("good", &[], "b")
            .answer("a:Any b:Int o:O{v:Int}");
        let outcome = run(plan, &[body, r#"{"data":{"b":1}}"#]);
        assert_eq!(outcome.data(), &json!({"a":null,"b":1,"o":null}), "{body}");
        let expected = ["[\"a\"]", "[\"o\"]"].map(|path| format!("{MALFORMED} {path}"));
        assert_eq!(outcome.codes(), expected, "{body}");
        assert_eq!(outcome.errors()[0]["extensions"]["service"], "bad");
    }
}

#[test]
fn each_byte_at_each_place_of_a_string_is_judged_as_serde_json_does() {
    for offset in 0..17 {
        for byte in 0..=0x7f_u8 {
            let mut body = br#"{"data":{"a":"0123456789abcdefg"}}"#.to_vec();
            body[14 + offset] = byte;
            let plan = Builder::new().root("a", &[], "a").answer("a:String");
            let outcome = run_all(plan, &Inputs::default(), vec![Ok(&body)]);
            let valid = serde_json::from_slice::<serde_json::Value>(&body).is_ok();
            assert_eq!(outcome.answer.errors == 0, valid, "{byte} at {offset}");
        }
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_refused() {
    for bad in [&b"\xff"[..], b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"] {
        let plan = Builder::new().root("a", &[], "a").answer("a:String");
        let body = [b"{\"data\":{\"a\":\"", bad, b"\"}}"].concat();
        let outcome = run_all(plan, &Inputs::default(), vec![Ok(&body)]);
        assert_eq!(outcome.codes(), [format!("{MALFORMED} [\"a\"]")]);
    }
}

#[test]
fn a_body_over_the_limit_is_refused() {
    let plan = || Builder::new().root("a", &[], "a").answer("a:String");
    let body = format!("{{\"data\":{{\"a\":\"{}\"}}}}", "x".repeat(100));
    let limit = |max_body| Inputs {
        max_body,
        ..Inputs::default()
    };
    let outcome = run_all(plan(), &limit(body.len() - 1), vec![Ok(body.as_bytes())]);
    assert_eq!(outcome.codes(), ["SUBREQUEST_RESPONSE_TOO_LARGE [\"a\"]"]);
    let outcome = run_all(plan(), &limit(body.len()), vec![Ok(body.as_bytes())]);
    assert_eq!(outcome.text, body);
}

#[test]
fn nesting_up_to_the_bound_is_read() {
    for (levels, fits) in [(120, true), (200, false), (1_000_000, false)] {
        let plan = Builder::new().root("a", &[], "a").answer("a:Any");
        let nested = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let outcome = run(plan, &[&format!("{{\"data\":{{\"a\":{nested}}}}}")]);
        assert_eq!(outcome.answer.errors == 0, fits, "{levels}");
        let plan = Builder::new().root("a", &[], "a{v}").answer("a:[A]{v:Int}");
        let outcome = run(plan, &[&format!("{{\"data\":{{\"a\":{nested}}}}}")]);
        assert_eq!(outcome.codes()[0].starts_with(MALFORMED), !fits, "{levels}");
        let plan = Builder::new().root("a", &[], "a").answer("a:Int");
        let outcome = run(plan, &[&format!("{{\"data\":{{\"u\":{nested},\"a\":1}}}}")]);
        assert_eq!(outcome.answer.errors == 0, fits, "{levels}");
    }
}

fn entity_plan(shape: &str) -> Plan {
    Builder::new()
        .root("a", &[], "l{__typename id} k")
        .entities("b", &[0], ("l", "T", "id"), shape)
        .answer("l:[T]{id:ID v:Int} k:Int")
}

const LIST: &str = r#"{"data":{"l":[{"__typename":"T","id":"1"},{"__typename":"T","id":"2"},{"__typename":"T","id":"1"}],"k":1}}"#;

#[test]
fn a_list_of_entities_that_does_not_fit_is_refused_whole() {
    for entities in [
        "[]",
        "[{\"v\":1}]",
        "[{\"v\":1},{\"v\":2},{\"v\":3}]",
        "[null]",
        "{}",
        "\"x\"",
        "1",
        "{\"v\":1}",
        "null",
        "[[{\"v\":1}]]",
    ] {
        let outcome = run(
            entity_plan("v"),
            &[LIST, &format!("{{\"data\":{{\"_entities\":{entities}}}}}")],
        );
        let none = |id: &str| json!({"id":id,"v":null});
        assert_eq!(
            outcome.data(),
            &json!({"l":[none("1"),none("2"),none("1")],"k":1}),
            "{entities}"
        );
        let expected = [0, 1, 2].map(|index| format!("{MALFORMED} [\"l\",{index}]"));
        assert_eq!(outcome.codes(), expected, "{entities}");
    }
    let outcome = run(entity_plan("v"), &[LIST, "{\"data\":{\"other\":[]}}"]);
    assert_eq!(outcome.answer.errors, 3);
}

#[test]
fn items_that_are_no_entities_cost_only_themselves() {
    for item in [
        "[]",
        "[{\"v\":9}]",
        "7",
        "\"x\"",
        "true",
        "{\"__typename\":\"U\",\"v\":9}",
        "{\"__typename\":3,\"v\":9}",
    ] {
        let body = format!("{{\"data\":{{\"_entities\":[{item},{{\"v\":2}}]}}}}");
        let outcome = run(entity_plan("__typename v"), &[LIST, &body]);
        let expected = json!([{"id":"1","v":null},{"id":"2","v":2},{"id":"1","v":null}]);
        assert_eq!(outcome.data()["l"], expected, "{item}");
        assert_eq!(
            outcome.codes(),
            [0, 2].map(|index| format!("{MALFORMED} [\"l\",{index}]")),
            "{item}"
        );
    }
}

#[test]
fn a_wrong_type_is_found_by_the_type_that_was_sent() {
    let plan = Builder::new()
        .know("T U")
        .root("a", &[], "l{id}")
        .entities("b", &[0], ("l", "T", "id"), "__typename v")
        .answer("l:[N(T|U)]{id:ID v:Int}");
    let body = r#"{"data":{"_entities":[{"__typename":"U","v":1},{"__typename":"T","v":2}]}}"#;
    let outcome = run(plan, &[r#"{"data":{"l":[{"id":"1"},{"id":"2"}]}}"#, body]);
    assert_eq!(outcome.data()["l"], json!([{"id":"1","v":null},{"id":"2","v":2}]));
    assert_eq!(outcome.codes(), [format!("{MALFORMED} [\"l\",0]")]);
}

#[test]
fn a_wrong_type_is_found_by_the_type_that_is_known() {
    let plan = Builder::new()
        .root("a", &[], "l{__typename id}")
        .entities("b", &[0], ("l", "Node", "id"), "__typename v")
        .answer("l:[N(T|U)]{__typename v:Int}");
    let roots = r#"{"data":{"l":[{"__typename":"T","id":"1"},{"__typename":"U","id":"2"}]}}"#;
    let body = r#"{"data":{"_entities":[{"__typename":"U","v":1},{"__typename":"U","v":2}]}}"#;
    let outcome = run(plan, &[roots, body]);
    assert_eq!(
        outcome.data()["l"],
        json!([{"__typename":"T","v":null},{"__typename":"U","v":2}])
    );
    assert_eq!(outcome.codes(), [format!("{MALFORMED} [\"l\",0]")]);
}

#[test]
fn shuffled_entities_are_noticed_when_they_repeat_their_key() {
    let outcome = run(
        entity_plan("id v"),
        &[
            LIST,
            r#"{"data":{"_entities":[{"id":"2","v":2},{"id":"1","v":1}]}}"#,
        ],
    );
    assert_eq!(outcome.answer.errors, 3);
    assert_eq!(
        outcome.data()["l"],
        json!([{"id":"1","v":null},{"id":"2","v":null},{"id":"1","v":null}])
    );
    let same = r#"{"data":{"_entities":[{"id":"\u0031","v":1},{"id":2,"v":2}]}}"#;
    let outcome = run(entity_plan("id v"), &[LIST, same]);
    assert_eq!(
        outcome.text,
        r#"{"data":{"l":[{"id":"1","v":1},{"id":"2","v":2},{"id":"1","v":1}],"k":1}}"#
    );
}

#[test]
fn a_key_no_client_could_read_is_not_sent() {
    let outcome = run(
        entity_plan("v"),
        &[r#"{"data":{"l":[{"id":"\ud800"}],"k":1}}"#, "never sent"],
    );
    assert!(!outcome.was_sent(1));
    assert_eq!(outcome.data(), &json!({"l":[{"id":null,"v":null}],"k":1}));
}

#[test]
fn keys_of_wrong_kinds_are_not_sent() {
    let plan = Builder::new()
        .root("a", &[], "l{id o{k}}")
        .entities("b", &[0], ("l", "T", "id o{k}"), "v")
        .answer("l:[T]{v:Int}");
    let roots = r#"{"data":{"l":[{"id":"1","o":"x"},{"id":"2","o":{"k":null}},{"id":"3","o":{}},{"id":"4","o":[{"k":1},null]}]}}"#;
    let outcome = run(plan, &[roots, r#"{"data":{"_entities":[{"v":4}]}}"#]);
    assert_eq!(
        outcome.sent(1)["r"],
        json!([{"__typename":"T","id":"4","o":[{"k":1},null]}])
    );
    assert_eq!(
        outcome.data()["l"],
        json!([{"v":null},{"v":null},{"v":null},{"v":4}])
    );
}
