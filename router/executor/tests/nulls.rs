//! Null rules, and leaves that are not of their type.
use crate::plans::Builder;
use crate::script::{Outcome, run};
use baedal_planner::plan::PlannedError;
use serde_json::json;

fn one(shape: &str, projection: &str, data: &str) -> Outcome {
    let plan = Builder::new().root("a", &[], shape).answer(projection);
    run(plan, &[&format!("{{\"data\":{data}}}")])
}

#[test]
fn a_field_that_never_came_is_null() {
    let outcome = one("a b", "a:Int b:Int", r#"{"b":1}"#);
    assert_eq!(outcome.text, r#"{"data":{"a":null,"b":1}}"#);
}

#[test]
fn null_bubbles_to_the_nearest_nullable_parent_with_one_error() {
    let outcome = one(
        "x{y{z q} k}",
        "x:X{k:Int y:Y!{q:Int z:Int!}} ",
        r#"{"x":{"y":{"z":null,"q":1},"k":1}}"#,
    );
    assert_eq!(outcome.data(), &json!({"x": null}));
    assert_eq!(outcome.codes(), [r#"NON_NULL_VIOLATION ["x","y","z"]"#]);
    assert_eq!(
        outcome.errors()[0]["message"],
        "Cannot return null for non-nullable field x.y.z."
    );
}

#[test]
fn null_bubbles_to_data() {
    let outcome = one("a b", "a:Int b:Int!", r#"{"a":1}"#);
    assert_eq!(
        outcome.text,
        r#"{"data":null,"errors":[{"message":"Cannot return null for non-nullable field b.","path":["b"],"extensions":{"code":"NON_NULL_VIOLATION"}}]}"#
    );
}

#[test]
fn lists_of_objects_bubble_item_by_item() {
    let data = r#"{"l":[{"v":1},{"v":null},null,{"v":4}]}"#;
    let outcome = one("l{v}", "l:[L]{v:Int!}", data);
    assert_eq!(outcome.data(), &json!({"l":[{"v":1},null,null,{"v":4}]}));
    assert_eq!(outcome.codes(), [r#"NON_NULL_VIOLATION ["l",1,"v"]"#]);
    let outcome = one("l{v}", "l:[L!]{v:Int!}", data);
    assert_eq!(outcome.data(), &json!({"l":null}));
    assert_eq!(outcome.codes(), [r#"NON_NULL_VIOLATION ["l",1,"v"]"#]);
    let outcome = one(
        "l{v}",
        "l:[[L!]]!{v:Int}",
        r#"{"l":[[{"v":1}],[{"v":2},null],null,[]]}"#,
    );
    assert_eq!(outcome.data(), &json!({"l":[[{"v":1}],null,null,[]]}));
    assert_eq!(outcome.codes(), [r#"NON_NULL_VIOLATION ["l",1,1]"#]);
}

#[test]
fn lists_of_leaves_bubble_item_by_item() {
    let outcome = one("l", "l:[[Int!]]", r#"{"l":[[1,2],[3,null],null,[],["x"],7]}"#);
    assert_eq!(outcome.data(), &json!({"l":[[1,2],null,null,[],null,null]}));
    let expected = [
        r#"NON_NULL_VIOLATION ["l",1,1]"#,
        r#"INVALID_VALUE ["l",4,0]"#,
        r#"INVALID_VALUE ["l",5]"#,
    ];
    assert_eq!(outcome.codes(), expected);
    let outcome = one("l", "l:[Int]", r#"{"l":[1,"2",null,4.5]}"#);
    assert_eq!(outcome.data(), &json!({"l":[1,null,null,null]}));
    assert_eq!(
        outcome.codes(),
        [r#"INVALID_VALUE ["l",1]"#, r#"INVALID_VALUE ["l",3]"#]
    );
    let outcome = one("l", "l:[Int!]!", r#"{"l":[1,null,"x"]}"#);
    assert_eq!(outcome.data(), &json!(null));
    assert_eq!(outcome.codes(), [r#"NON_NULL_VIOLATION ["l",1]"#]);
}

#[test]
fn a_leaf_that_is_not_of_its_type_is_null_with_an_error() {
    let good: [(&str, &[&str]); 7] = [
        ("Int", &["0", "-1", "2147483647", "-2147483648"]),
        ("Float", &["0", "-1.5e3", "123456789012"]),
        ("String", &["\"\"", "\"a\\n\""]),
        ("Boolean", &["true", "false"]),
        ("ID", &["\"x\"", "7", "-123456789012345678901234"]),
        ("enum(A|B)", &["\"A\"", "\"\\u0042\""]),
        ("Any", &["1", "\"x\"", "[{}]", "{\"a\":null}"]),
    ];
    let bad: [(&str, &[&str]); 6] = [
        (
            "Int",
            &[
                "1.0",
                "1e2",
                "2147483648",
                "-2147483649",
                "99999999999",
                "\"1\"",
                "true",
                "{}",
                "[1]",
            ],
        ),
        ("Float", &["\"1\"", "true", "[]", "{}", "1e999"]),
        ("String", &["1", "true", "[]", "{}"]),
        ("Boolean", &["0", "\"true\"", "[]"]),
        ("ID", &["1.5", "1e3", "true", "[\"1\"]", "{}"]),
        ("enum(A|B)", &["\"C\"", "1", "\"a\"", "[\"A\"]", "\"\\u0043\""]),
    ];
    for (kind, values) in good {
        for value in values.iter() {
            let outcome = one("v", &format!("v:{kind}"), &format!("{{\"v\":{value}}}"));
            assert_eq!(outcome.text, format!("{{\"data\":{{\"v\":{value}}}}}"), "{kind}");
        }
    }
    for (kind, values) in bad {
        for value in values {
            let outcome = one("v", &format!("v:{kind}"), &format!("{{\"v\":{value}}}"));
            assert_eq!(outcome.data(), &json!({"v":null}), "{kind} {value}");
            assert_eq!(outcome.codes(), [r#"INVALID_VALUE ["v"]"#], "{kind} {value}");
            let outcome = one("v", &format!("v:{kind}!"), &format!("{{\"v\":{value}}}"));
            assert_eq!(outcome.data(), &json!(null), "{kind} {value}");
            assert_eq!(outcome.answer.errors, 1, "{kind} {value}");
        }
    }
}

#[test]
fn an_enum_value_the_public_schema_hides_is_null_as_if_the_subgraph_had_said_so() {
    let outcome = one("v", "v:[enum(A-H)]", r#"{"v":["A","H","\u0048","X"]}"#);
    assert_eq!(outcome.data(), &json!({"v":["A",null,null,null]}));
    assert_eq!(outcome.codes(), [r#"INVALID_VALUE ["v",3]"#]);
    let outcome = one("v", "v:enum(A-H)", r#"{"v":"H"}"#);
    assert_eq!((outcome.data(), outcome.answer.errors), (&json!({"v":null}), 0));
    let outcome = one("v", "v:enum(A-H)!", r#"{"v":"H"}"#);
    assert_eq!(outcome.data(), &json!(null));
    assert_eq!(outcome.codes(), [r#"NON_NULL_VIOLATION ["v"]"#]);
}

#[test]
fn values_no_client_could_read_are_null() {
    for value in [
        r#""\ud83d""#,
        r#""a\udc00b""#,
        r#""\ud83d\u0041""#,
        "1e999",
        "-1e999",
        r#"{"k\ud800":1}"#,
    ] {
        let outcome = one("v w", "v:Any w:Int", &format!("{{\"v\":{value},\"w\":1}}"));
        assert_eq!(outcome.data(), &json!({"v":null,"w":1}), "{value}");
        assert_eq!(outcome.codes(), [r#"INVALID_VALUE ["v"]"#], "{value}");
    }
}

#[test]
fn objects_and_lists_in_each_others_place_are_null_with_an_error() {
    for (kind, value) in [
        ("O", "[]"),
        ("O", "[{\"v\":1}]"),
        ("O", "1"),
        ("O", "\"x\""),
        ("O", "true"),
        ("[O]", "{}"),
        ("[O]", "1"),
        ("[O]", "\"x\""),
    ] {
        let outcome = one(
            "o{v}",
            &format!("o:{kind}{{v:Int}}"),
            &format!("{{\"o\":{value}}}"),
        );
        assert_eq!(outcome.data(), &json!({"o":null}), "{kind} {value}");
        assert_eq!(outcome.codes(), [r#"INVALID_VALUE ["o"]"#], "{kind} {value}");
    }
    let outcome = one("o{v}", "o:[O]{v:Int}", r#"{"o":[{"v":1},[],3,{"v":2}]}"#);
    assert_eq!(outcome.data(), &json!({"o":[{"v":1},null,null,{"v":2}]}));
    assert_eq!(
        outcome.codes(),
        [r#"INVALID_VALUE ["o",1]"#, r#"INVALID_VALUE ["o",2]"#]
    );
}

#[test]
fn an_object_of_a_type_the_public_schema_hides_is_null() {
    let make = |projection: &str, typename: &str| {
        let plan = Builder::new()
            .know("Hidden")
            .root("a", &[], "n{__typename id}")
            .answer(projection);
        run(
            plan,
            &[&format!(
                r#"{{"data":{{"n":{{"__typename":"{typename}","id":"1"}}}}}}"#
            )],
        )
    };
    let outcome = make("n:N(User|Shop){id:ID}", "Hidden");
    assert_eq!(outcome.text, r#"{"data":{"n":null}}"#);
    let outcome = make("n:N(User|Shop){id:ID}!", "Hidden");
    assert_eq!(outcome.data(), &json!(null));
    assert_eq!(outcome.codes(), [r#"NON_NULL_VIOLATION ["n"]"#]);
    let outcome = make("n:N(User|Shop){id:ID}", "Nonsense");
    assert_eq!(outcome.data(), &json!({"n":null}));
    assert_eq!(outcome.codes(), [r#"INVALID_VALUE ["n"]"#]);
    let outcome = make("n:User{id:ID} k:Shop{id:ID}", "Shop");
    assert_eq!(outcome.data(), &json!({"n":null,"k":null}));
    assert_eq!(outcome.codes(), [r#"INVALID_VALUE ["n"]"#]);
}

#[test]
fn a_withheld_field_in_a_non_null_place_bubbles_without_another_error() {
    let mut builder = Builder::new().root("a", &[], "me{id}");
    builder.errors.push(PlannedError {
        message: "No.".into(),
        code: "U".into(),
        path: vec!["me".into(), "s".into()],
    });
    let plan = builder.answer("me:[User]{id:ID s:withheld!}");
    let outcome = run(plan, &[r#"{"data":{"me":[{"id":"1"},null]}}"#]);
    assert_eq!(outcome.data(), &json!({"me":[null,null]}));
    assert_eq!(outcome.codes(), [r#"U ["me","s"]"#]);
}

#[test]
fn truncation_leaves_what_was_before_untouched() {
    let outcome = one(
        "a b{c d{e}} f",
        "a:Int b:B{c:[Int] d:[D!]!{e:Int!}} f:Int",
        r#"{"a":1,"b":{"c":[1,2],"d":[{"e":1},{"e":2},{}]},"f":2}"#,
    );
    assert_eq!(outcome.data(), &json!({"a":1,"b":null,"f":2}));
    assert!(
        outcome
            .text
            .starts_with(r#"{"data":{"a":1,"b":null,"f":2},"errors":["#)
    );
}
