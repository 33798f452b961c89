//! Errors of subgraphs and of calls: their paths, codes, number, and what clients see of them.
use crate::plans::Builder;
use crate::script::{run, run_all, run_failing};
use baedal_executor::{ErrorPolicy, Inputs};
use baedal_planner::plan::{EntityGroup, Plan};
use serde_json::json;

#[test]
fn a_root_error_keeps_its_path_and_partial_data() {
    let plan = Builder::new()
        .root("a", &[], "me{name age=_age tags} n")
        .answer("n:Int me:[User]{name:String tags:[Int]}");
    let body = r#"{"errors":[{"message":"boom","path":["me",1,"name"],"locations":[{"line":1,"column":2}],
        "extensions":{"code":"BOOM","stacktrace":["x"],"retryAfterMs":20,"service":"other","at":{"shop":["x"]}}},
        {"message":"internal","path":["me",0,"age"]},{"message":"item","path":["me",0,"tags",2]},
        {"message":"deeper than the shape","path":["me",0,"name","x",3]},{"message":"nowhere"}],
        "data":{"me":[{"name":"a","tags":[1,2,null]},{"name":null}],"n":1}}"#;
    let outcome = run(plan, &[body]);
    assert_eq!(
        outcome.data(),
        &json!({"n":1,"me":[{"name":"a","tags":[1,2,null]},{"name":null,"tags":null}]})
    );
    let expected = [
        r#"BOOM ["me",1,"name"]"#,
        r#"- ["me",0]"#,
        r#"- ["me",0,"tags",2]"#,
        r#"- ["me",0,"name"]"#,
        "- -",
    ];
    assert_eq!(outcome.codes(), expected);
    let extensions = json!({"code":"BOOM","service":"a","retryAfterMs":20,"at":{"shop":["x"]}});
    assert_eq!(
        outcome.errors()[0],
        json!({"message":"boom","path":["me",1,"name"],"extensions":extensions})
    );
    assert!(!outcome.text.contains("stack"));
}

/// Products at several places, below lists, with a nested list of their own.
fn places() -> Plan {
    Builder::new()
        .root("a", &[], "top{upc} new{best=_best{upc}}")
        .entities("b", &[0], ("top new._best", "Product", "upc"), "a{b=x}")
        .answer("top:[P]{upc:ID a:[A]{x:Int}} new:[N]{k:Int}")
}

const PLACES: &str = r#"{"data":{"top":[{"upc":"1"},{"upc":"2"},{"upc":"1"}],"new":[{"best":{"upc":"2"}}]}}"#;

#[test]
fn an_entity_error_appears_at_every_place_in_the_clients_terms() {
    let body = r#"{"data":{"_entities":[{"a":[{"b":1},{"b":null}]},{"a":null}]},"errors":[
        {"message":"one","path":["_entities",0,"a",1,"b"]},{"message":"two","path":["_entities",1,"a"]}]}"#;
    let outcome = run(places(), &[PLACES, body]);
    let expected = [
        r#"- ["top",0,"a",1,"x"]"#,
        r#"- ["top",2,"a",1,"x"]"#,
        r#"- ["top",1,"a"]"#,
        r#"- ["new",0]"#,
    ];
    assert_eq!(outcome.codes(), expected);
    let a = json!([{"x":1},{"x":null}]);
    assert_eq!(
        outcome.data()["top"],
        json!([{"upc":"1","a":a},{"upc":"2","a":null},{"upc":"1","a":a}])
    );
}

#[test]
fn a_call_that_fails_is_an_error_at_each_place_it_would_have_filled() {
    let outcome = run_failing(places(), &[PLACES, "!"]);
    let expected = [r#"["top",0]"#, r#"["top",1]"#, r#"["top",2]"#, r#"["new",0]"#];
    assert_eq!(
        outcome.codes(),
        expected.map(|path| format!("SUBREQUEST_HTTP_ERROR {path}"))
    );
    assert_eq!(outcome.errors()[0]["extensions"]["service"], "b");
    assert_eq!(outcome.data()["top"][1], json!({"upc":"2","a":null}));
    let outcome = run_failing(places(), &["!", "never sent"]);
    let expected = [
        r#"SUBREQUEST_HTTP_ERROR ["top"]"#,
        r#"SUBREQUEST_HTTP_ERROR ["new"]"#,
    ];
    assert_eq!(outcome.codes(), expected);
    assert_eq!(outcome.data(), &json!({"top":null,"new":null}));
}

#[test]
fn places_the_client_does_not_see_are_one_error() {
    let plan = Builder::new()
        .root("a", &[], "me{list=_list{id}}")
        .entities("b", &[0], ("me._list", "T", "id"), "v")
        .answer("me:Me{x:Int}");
    let outcome = run_failing(
        plan,
        &[r#"{"data":{"me":{"list":[{"id":1},{"id":2},{"id":3}]}}}"#, "!"],
    );
    assert_eq!(outcome.codes(), [r#"SUBREQUEST_HTTP_ERROR ["me"]"#]);
}

#[test]
fn one_subgraph_down_leaves_the_data_of_others() {
    let plan = Builder::new()
        .root("a", &[], "a")
        .root("b", &[], "b")
        .answer("a:Int b:Int");
    let outcome = run_failing(plan, &["!", r#"{"data":{"b":1}}"#]);
    assert_eq!(outcome.data(), &json!({"a":null,"b":1}));
    assert_eq!(outcome.codes(), [r#"SUBREQUEST_HTTP_ERROR ["a"]"#]);
}

#[test]
fn a_null_that_an_error_explains_brings_no_second_one() {
    let plan = || {
        Builder::new()
            .root("a", &[], "me{name}")
            .answer("me:User{name:String!}!")
    };
    let body = r#"{"data":null,"errors":[{"message":"boom","path":["me","name"]}]}"#;
    let outcome = run(plan(), &[body]);
    assert_eq!(outcome.data(), &json!(null));
    assert_eq!(outcome.codes(), [r#"- ["me","name"]"#]);
    let outcome = run_failing(plan(), &["!"]);
    assert_eq!(outcome.data(), &json!(null));
    assert_eq!(outcome.codes(), [r#"SUBREQUEST_HTTP_ERROR ["me"]"#]);
    let unrelated = r#"{"data":{"me":{"name":null}},"errors":[{"message":"boom"}]}"#;
    assert_eq!(
        run(plan(), &[unrelated]).codes(),
        ["- -", r#"NON_NULL_VIOLATION ["me","name"]"#]
    );
}

#[test]
fn an_error_without_path_and_data_belongs_to_all_the_fetch_would_have_filled() {
    let body = r#"{"errors":[{"message":"no","extensions":{"code":"UNAUTHENTICATED"}}]}"#;
    let plan = Builder::new()
        .root("a", &[], "a b=_b c{d}")
        .answer("a:Int c:C{d:Int}");
    let outcome = run(plan, &[body]);
    assert_eq!(
        outcome.codes(),
        [r#"UNAUTHENTICATED ["a"]"#, r#"UNAUTHENTICATED ["c"]"#]
    );
    let outcome = run(places(), &[PLACES, body]);
    assert_eq!(outcome.answer.errors, 4);
    assert_eq!(outcome.codes()[3], r#"UNAUTHENTICATED ["new",0]"#);
}

#[test]
fn paths_of_several_groups_and_of_nonsense() {
    let mut builder = Builder::new().root("a", &[], "u{id} s{id}");
    let mut groups = Vec::new();
    for (key, path) in [("_e0", "u"), ("_e1", "s")] {
        let representation = builder.representation(None, "T", "id");
        let target = builder.target(path, vec![representation]);
        let shape = builder.shape("v");
        groups.push(EntityGroup {
            response_key: key.into(),
            variable: key.into(),
            targets: vec![target],
            shape,
            context: Vec::new(),
            known: Vec::new(),
        });
    }
    let plan = builder
        .groups("b", &[0], groups)
        .answer("u:[T]{v:Int} s:[T]{v:Int}");
    let body = r#"{"data":{"_e0":[{"v":1}],"_e1":[{"v":null}]},"errors":[
        {"message":"a","path":["_e1",0,"v"]},{"message":"b","path":["_e1"]},{"message":"c","path":["_e0",7,"v"]},
        {"message":"d","path":["_nope",0]},{"message":"e","path":[0]},{"message":"f","path":"x"},{"message":"g","path":["_e0",-1]},
        {"message":"h","path":["_e0",0,{"x":1}]},{"message":"i","path":["_e0","0"]}]}"#;
    let outcome = run(plan, &[r#"{"data":{"u":[{"id":"1"}],"s":[{"id":"1"}]}}"#, body]);
    let paths: Vec<String> = outcome.codes();
    let expected = [
        r#"- ["s",0,"v"]"#,
        r#"- ["s",0]"#,
        "- -",
        "- -",
        "- -",
        "- -",
        r#"- ["u",0]"#,
        r#"- ["u",0]"#,
        r#"- ["u",0]"#,
    ];
    assert_eq!(paths, expected);
}

#[test]
fn type_conditions_decide_which_field_of_the_client_a_path_means() {
    let plan = Builder::new()
        .root("a", &[], "n{__typename o{x y}}")
        .answer("n:[N(A|B)]{o?A:O{x:Int} o?B:O{y:Int}}");
    let body = r#"{"data":{"n":[{"__typename":"A","o":{"x":null}},{"__typename":"B","o":{"y":null}}]},"errors":[
        {"message":"a","path":["n",0,"o","x"]},{"message":"b","path":["n",1,"o","y"]},{"message":"c","path":["n",1,"o","x"]}]}"#;
    let outcome = run(plan, &[body]);
    assert_eq!(
        outcome.codes(),
        [r#"- ["n",0,"o","x"]"#, r#"- ["n",1,"o","y"]"#, r#"- ["n",1,"o"]"#]
    );
}

#[test]
fn masked_errors_tell_nothing_but_their_path() {
    let plan = Builder::new().root("a", &[], "a").answer("a:Int");
    let inputs = Inputs {
        error_policy: ErrorPolicy::Mask,
        ..Inputs::default()
    };
    let body =
        br#"{"data":{"a":null},"errors":[{"message":"secret","path":["a"],"extensions":{"code":"SECRET"}}]}"#;
    let outcome = run_all(plan, &inputs, vec![Ok(body)]);
    assert_eq!(outcome.codes(), [r#"SUBGRAPH_ERROR ["a"]"#]);
    assert!(!outcome.text.to_lowercase().contains("secret"));
}

#[test]
fn which_extensions_pass_is_a_setting() {
    let body = br#"{"data":{"a":null},"errors":[{"message":"m","path":["a"],
        "extensions":{"code":"C","orderId":"7","secret":1,"exception":{"x":2}}}]}"#;
    let extensions = |error_policy: ErrorPolicy, name_subgraphs| {
        let inputs = Inputs {
            error_policy,
            name_subgraphs,
            ..Inputs::default()
        };
        let plan = Builder::new().root("a", &[], "a").answer("a:Int");
        run_all(plan, &inputs, vec![Ok(body)]).errors()[0]["extensions"].clone()
    };
    let only = |names: &[&str]| ErrorPolicy::PassOnly(names.iter().map(ToString::to_string).collect());
    assert_eq!(
        extensions(ErrorPolicy::Pass, true),
        json!({"code":"C","service":"a","orderId":"7","secret":1})
    );
    assert_eq!(
        extensions(only(&["orderId", "exception"]), false),
        json!({"code":"C","orderId":"7","exception":{"x":2}})
    );
    assert_eq!(extensions(only(&[]), true), json!({"code":"C","service":"a"}));
    assert_eq!(
        extensions(ErrorPolicy::Mask, true),
        json!({"code":"SUBGRAPH_ERROR"})
    );
}

#[test]
fn extensions_are_bounded() {
    let long = "x".repeat(9000);
    let body = format!(r#"{{"errors":[{{"message":"m","extensions":{{"code":"C","long":"{long}"}}}}]}}"#);
    let plan = Builder::new().root("a", &[], "a").answer("a:Int");
    let outcome = run(plan, &[&body]);
    assert_eq!(
        outcome.errors()[0]["extensions"],
        json!({"code":"C","service":"a"})
    );
}

#[test]
fn errors_are_bounded() {
    let plan = || Builder::new().root("a", &[], "l{v}").answer("l:[L]{v:Int!}");
    let items = vec!["{}"; 1000].join(",");
    let outcome = run(plan(), &[&format!("{{\"data\":{{\"l\":[{items}]}}}}")]);
    assert_eq!(outcome.errors().len(), 101);
    assert_eq!(outcome.errors()[100]["message"], "900 more errors are not shown.");
    assert_eq!(outcome.answer.errors, 1000);
    let errors = vec![r#"{"message":"x"}"#; 1000].join(",");
    let inputs = Inputs {
        max_errors: 3,
        ..Inputs::default()
    };
    let body = format!("{{\"data\":{{\"l\":null}},\"errors\":[{errors}]}}");
    let outcome = run_all(plan(), &inputs, vec![Ok(body.as_bytes())]);
    assert_eq!(outcome.errors().len(), 4);
    assert_eq!(outcome.answer.errors, 1000);
}

#[test]
fn an_entity_at_many_places_can_not_multiply_errors_without_bound() {
    let plan = Builder::new()
        .root("a", &[], "l{id}")
        .entities("b", &[0], ("l", "T", "id"), "v")
        .answer("l:[T]{v:Int}");
    let items = vec![r#"{"id":1}"#; 5000].join(",");
    let errors = vec![r#"{"message":"x","path":["_entities",0,"v"]}"#; 50].join(",");
    let roots = format!("{{\"data\":{{\"l\":[{items}]}}}}");
    let body = format!("{{\"data\":{{\"_entities\":[{{\"v\":null}}]}},\"errors\":[{errors}]}}");
    let outcome = run(plan, &[&roots, &body]);
    assert_eq!(outcome.errors().len(), 101);
}

#[test]
fn long_messages_are_cut() {
    let plan = Builder::new().root("a", &[], "a").answer("a:Int");
    let message = "가".repeat(10_000);
    let body =
        format!("{{\"data\":{{\"a\":null}},\"errors\":[{{\"message\":\"{message}\",\"path\":[\"a\"]}}]}}");
    let outcome = run(plan, &[&body]);
    let shown = outcome.errors()[0]["message"].as_str().unwrap().len();
    assert!((8000..=8192).contains(&shown), "{shown}");
}

#[test]
fn errors_that_are_no_errors_are_reported_all_the_same() {
    for errors in [
        "{}",
        "\"x\"",
        "1",
        "[1]",
        "[null]",
        r#"[{"message":5}]"#,
        r#"[{"message":"\ud800"}]"#,
    ] {
        let plan = Builder::new().root("a", &[], "a").answer("a:Int");
        let outcome = run(plan, &[&format!("{{\"data\":{{\"a\":1}},\"errors\":{errors}}}")]);
        assert_eq!(outcome.data(), &json!({"a":1}), "{errors}");
        assert_eq!(outcome.answer.errors, 1, "{errors}");
    }
    for errors in ["[]", "null"] {
        let plan = Builder::new().root("a", &[], "a").answer("a:Int");
        let outcome = run(plan, &[&format!("{{\"data\":{{\"a\":1}},\"errors\":{errors}}}")]);
        assert_eq!(outcome.text, r#"{"data":{"a":1}}"#, "{errors}");
    }
}
