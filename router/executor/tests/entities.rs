//! Entity fetches: representations, sharing, merging.
use crate::plans::Builder;
use crate::script::{run, run_all, run_failing};
use baedal_executor::Inputs;
use baedal_planner::plan::EntityGroup;
use serde_json::json;

#[test]
fn an_entity_is_read_into_its_object() {
    let plan = Builder::new()
        .root("a", &[], "shops{__typename id}")
        .entities("b", &[0], ("shops", "Shop", "id"), "name owner{id}")
        .answer("shops:[Shop!]{name:String owner:User{id:ID}}");
    let outcome = run(
        plan,
        &[
            r#"{"data":{"shops":[{"__typename":"Shop","id":"1"},{"__typename":"Shop","id":"2"}]}}"#,
            r#"{"data":{"_entities":[{"name":"A","owner":{"id":"x"}},{"name":"B","owner":null}]}}"#,
        ],
    );
    assert_eq!(
        outcome.sent(1),
        json!({"r":[{"__typename":"Shop","id":"1"},{"__typename":"Shop","id":"2"}]})
    );
    assert_eq!(
        outcome.text,
        r#"{"data":{"shops":[{"name":"A","owner":{"id":"x"}},{"name":"B","owner":null}]}}"#
    );
}

/// Products in two lists, of which some are the same.
fn two_lists(after: &str) -> (Builder, [&'static str; 1]) {
    let builder = Builder::new().root("a", &[], "top{upc} new{upc}").entities(
        "b",
        &[0],
        ("top new", "Product", "upc"),
        after,
    );
    (
        builder,
        [r#"{"data":{"top":[{"upc":"1"},{"upc":"2"},{"upc":"1"}],"new":[{"upc":"2"},{"upc":"3"}]}}"#],
    )
}

#[test]
fn equal_representations_are_sent_once_and_shared() {
    let (builder, [roots]) = two_lists("name tags{t}");
    let plan = builder
        .answer("top:[P]{upc:ID name:String tags:[T]{t:Int}} new:[P]{name:String upc:ID tags:[T]{t:Int}}");
    let entities = r#"{"data":{"_entities":[{"name":"A","tags":[{"t":1}]},{"name":"B","tags":[]},{"name":"C","tags":null}]}}"#;
    let outcome = run(plan, &[roots, entities]);
    let sent: Vec<_> = ["1", "2", "3"]
        .map(|upc| json!({"__typename":"Product","upc":upc}))
        .into();
    assert_eq!(outcome.sent(1)["r"], json!(sent));
    let a = json!({"upc":"1","name":"A","tags":[{"t":1}]});
    let b = json!({"upc":"2","name":"B","tags":[]});
    let c = json!({"upc":"3","name":"C","tags":null});
    assert_eq!(outcome.data(), &json!({"top":[a, b, a],"new":[b, c]}));
}

/// One product in forty places: what is below it is written once and copied, but never what is wrong in it.
#[test]
fn what_is_below_a_shared_entity_is_the_same_in_all_its_places_and_so_is_what_is_wrong_in_it() {
    let places = vec![r#"{"upc":"1"}"#; 40].join(",");
    let roots = format!(r#"{{"data":{{"top":[{places}]}}}}"#);
    let entity =
        r#"{"data":{"_entities":[{"tags":[{"t":1,"u":[{"v":7}]},{"t":null,"u":[]},{"t":3,"u":null}]}]}}"#;
    let run_with = |tag: &str| {
        let plan = Builder::new()
            .root("a", &[], "top{upc}")
            .entities("b", &[0], ("top", "Product", "upc"), "tags{t u{v}}")
            .answer(&format!(
                "top:[P]{{tags:[T]{{t:{tag} u:[U]{{v:Int}}}} more:[P]{{upc:ID}}}}"
            ));
        run(plan, &[&roots, entity])
    };
    let first = json!({"t": 1, "u": [{"v": 7}]});
    let last = json!({"t": 3, "u": null});
    let all = |tags: serde_json::Value| json!({"top": vec![json!({"tags": tags, "more": null}); 40]});
    let right = run_with("Int");
    assert_eq!(right.data(), &all(json!([first, {"t": null, "u": []}, last])));
    let wrong = run_with("Int!");
    assert_eq!(wrong.data(), &all(json!([first, null, last])));
    let wanted: Vec<String> = (0..40)
        .map(|place| format!(r#"NON_NULL_VIOLATION ["top",{place},"tags",1,"t"]"#))
        .collect();
    assert_eq!(wrong.codes(), wanted);
}

/// What is below a shared entity may later differ by place: then it must not be one object.
#[test]
fn places_of_a_shared_entity_stay_apart_where_other_fetches_write() {
    let plan = Builder::new()
        .root("a", &[], "x{upc} y{upc}")
        .entities("b", &[0], ("x y", "Product", "upc"), "maker{id more{k}} list{id}")
        .entities("c", &[1], ("x.maker x.list", "Maker", "id"), "v more{w}")
        .entities("d", &[1], ("y.maker y.list", "Maker", "id"), "v more{w}")
        .answer("x:P{maker:M{v:Int more:O{k:Int w:Int}} list:[M]{v:Int}} y:P{maker:M{v:Int more:O{w:Int k:Int}} list:[M]{v:Int}}");
    let outcome = run(
        plan,
        &[
            r#"{"data":{"x":{"upc":"1"},"y":{"upc":"1"}}}"#,
            r#"{"data":{"_entities":[{"maker":{"id":"m","more":{"k":7}},"list":[{"id":"m"}]}]}}"#,
            r#"{"data":{"_entities":[{"v":1,"more":{"w":11}}]}}"#,
            r#"{"data":{"_entities":[{"v":2,"more":{"w":22}}]}}"#,
        ],
    );
    assert_eq!(
        outcome.data(),
        &json!({"x":{"maker":{"v":1,"more":{"k":7,"w":11}},"list":[{"v":1}]},
                "y":{"maker":{"v":2,"more":{"k":7,"w":22}},"list":[{"v":2}]}})
    );
}

#[test]
fn places_of_a_shared_entity_stay_apart_also_deep_below() {
    let plan = Builder::new()
        .root("a", &[], "x{upc} y{upc}")
        .entities("b", &[0], ("x y", "Product", "upc"), "n{m{id}}")
        .entities("c", &[1], ("x.n.m", "M", "id"), "v")
        .entities("d", &[1], ("y.n.m", "M", "id"), "v")
        .answer("x:P{n:N{m:M{v:Int}}} y:P{n:N{m:M{v:Int}}}");
    let outcome = run(
        plan,
        &[
            r#"{"data":{"x":{"upc":"1"},"y":{"upc":"1"}}}"#,
            r#"{"data":{"_entities":[{"n":{"m":{"id":"m"}}}]}}"#,
            r#"{"data":{"_entities":[{"v":1}]}}"#,
            r#"{"data":{"_entities":[{"v":2}]}}"#,
        ],
    );
    assert_eq!(
        outcome.data(),
        &json!({"x":{"n":{"m":{"v":1}}},"y":{"n":{"m":{"v":2}}}})
    );
}

#[test]
fn a_slot_written_by_two_fetches_at_one_place_only_stays_apart_too() {
    let plan = Builder::new()
        .root("a", &[], "x{upc} y{upc n{q}}")
        .entities("b", &[0], ("x y", "Product", "upc"), "n{p}")
        .answer("x:P{n:N{p:Int q:Int}} y:P{n:N{p:Int q:Int}}");
    let outcome = run(
        plan,
        &[
            r#"{"data":{"x":{"upc":"1"},"y":{"upc":"1","n":{"q":1}}}}"#,
            r#"{"data":{"_entities":[{"n":{"p":2}}]}}"#,
        ],
    );
    assert_eq!(
        outcome.data(),
        &json!({"x":{"n":{"p":2,"q":null}},"y":{"n":{"p":2,"q":1}}})
    );
}

#[test]
fn an_entity_with_a_missing_or_null_key_is_left_out() {
    let plan = Builder::new()
        .root("a", &[], "l{id k}")
        .entities("b", &[0], ("l", "T", "id k?"), "v")
        .answer("l:[T]{v:Int}");
    let outcome = run(
        plan,
        &[
            r#"{"data":{"l":[{"id":null,"k":1},{"k":1},null,{"id":"1"},{"id":"2","k":null},{"id":"3","k":5}]}}"#,
            r#"{"data":{"_entities":[{"v":2},{"v":3}]}}"#,
        ],
    );
    let sent = json!([{"__typename":"T","id":"2","k":null},{"__typename":"T","id":"3","k":5}]);
    assert_eq!(outcome.sent(1)["r"], sent);
    let none = json!({"v":null});
    assert_eq!(
        outcome.data(),
        &json!({"l":[none,none,null,none,{"v":2},{"v":3}]})
    );
    assert_eq!(outcome.answer.errors, 0);
}

#[test]
fn a_fetch_with_nothing_to_send_is_skipped_and_what_follows_it_goes_on() {
    let plan = Builder::new()
        .root("a", &[], "me{id} you{id}")
        .entities("b", &[0], ("me", "User", "id"), "x")
        .entities("c", &[1], ("you", "User", "id"), "y")
        .answer("me:User{x:Int} you:User{y:Int}");
    let outcome = run(
        plan,
        &[
            r#"{"data":{"me":null,"you":{"id":"1"}}}"#,
            "never sent",
            r#"{"data":{"_entities":[{"y":1}]}}"#,
        ],
    );
    assert!(!outcome.was_sent(1));
    assert_eq!(outcome.text, r#"{"data":{"me":null,"you":{"y":1}}}"#);
}

#[test]
fn nothing_is_asked_below_an_entity_that_came_as_null() {
    let plan = Builder::new()
        .root("a", &[], "l{id}")
        .entities("b", &[0], ("l", "T", "id"), "k2 u{id}")
        .entities("c", &[1], ("l", "T", "k2"), "v")
        .entities("d", &[1], ("l.u", "U", "id"), "w")
        .answer("l:[T]{v:Int u:U{w:Int}}");
    let outcome = run(
        plan,
        &[
            r#"{"data":{"l":[{"id":1},{"id":2}]}}"#,
            r#"{"data":{"_entities":[null,{"k2":"b","u":{"id":"u"}}]}}"#,
            r#"{"data":{"_entities":[{"v":5}]}}"#,
            r#"{"data":{"_entities":[{"w":6}]}}"#,
        ],
    );
    assert_eq!(outcome.sent(2)["r"], json!([{"__typename":"T","k2":"b"}]));
    assert_eq!(
        outcome.data(),
        &json!({"l":[{"v":null,"u":null},{"v":5,"u":{"w":6}}]})
    );
    assert_eq!(outcome.answer.errors, 0);
}

#[test]
fn representations_follow_the_runtime_type() {
    let mut builder = Builder::new().root("a", &[], "n{__typename id sku=_sku o{__typename a b}}");
    let user = builder.representation(Some(&["User"]), "User", "id");
    let shop = builder.representation(Some(&["Shop"]), "Node", "sku=_sku o?{a=a|A b=b|B c=a|B}");
    let target = builder.target("n|User|Shop", vec![user, shop]);
    let shape = builder.shape("v");
    let group = EntityGroup {
        response_key: "_entities".into(),
        variable: "r".into(),
        targets: vec![target],
        shape,
        context: Vec::new(),
        known: Vec::new(),
    };
    let plan = builder
        .groups("b", &[0], vec![group])
        .know("Other")
        .answer("n:[N(User|Shop|Other)]{v:Int}");
    let outcome = run(
        plan,
        &[
            r#"{"data":{"n":[{"__typename":"User","id":"1"},{"__typename":"Other","id":"2"},
            {"__typename":"Shop","sku":"s","o":[{"__typename":"A","a":1,"b":2},null,{"__typename":"B","a":3,"b":4},{"__typename":"C","a":5}]},
            {"__typename":"Shop","sku":"t","o":null}]}}"#,
            r#"{"data":{"_entities":[{"v":1},{"v":3},{"v":4}]}}"#,
        ],
    );
    assert_eq!(
        outcome.sent(1)["r"],
        json!([{"__typename":"User","id":"1"},
               {"__typename":"Node","sku":"s","o":[{"a":1},null,{"b":4,"c":3},{}]},
               {"__typename":"Node","sku":"t","o":null}])
    );
    assert_eq!(outcome.data(), &json!({"n":[{"v":1},{"v":null},{"v":3},{"v":4}]}));
}

#[test]
fn the_first_field_of_one_name_that_applies_is_written() {
    let mut builder = Builder::new().root("a", &[], "n{__typename x y}");
    let one = builder.representation(None, "N", "k=x|A k=y|B k=x");
    let target = builder.target("n", vec![one]);
    let shape = builder.shape("v");
    let group = EntityGroup {
        response_key: "_entities".into(),
        variable: "r".into(),
        targets: vec![target],
        shape,
        context: Vec::new(),
        known: Vec::new(),
    };
    let plan = builder
        .groups("b", &[0], vec![group])
        .know("C")
        .answer("n:[N(A|B|C)]{v:Int}");
    let outcome = run(
        plan,
        &[
            r#"{"data":{"n":[{"__typename":"A","x":1,"y":2},{"__typename":"B","x":1,"y":2},{"__typename":"C","x":3,"y":4}]}}"#,
            r#"{"data":{"_entities":[{"v":1},{"v":2},{"v":3}]}}"#,
        ],
    );
    let sent = outcome.sent(1)["r"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["k"].clone())
        .collect::<Vec<_>>();
    assert_eq!(sent, [json!(1), json!(2), json!(3)]);
}

#[test]
fn a_path_enters_lists_of_lists_and_only_the_types_it_names() {
    let plan = Builder::new()
        .root("a", &[], "m{n{__typename id}}")
        .entities("b", &[0], ("m.n|User", "User", "id"), "v")
        .answer("m:[[M]]{n:[N(User|Shop)]{id:ID v?User:Int}}");
    let outcome = run(
        plan,
        &[
            r#"{"data":{"m":[[{"n":[{"__typename":"User","id":"1"},{"__typename":"Shop","id":"2"}]}],null,[null,{"n":null},{"n":[{"__typename":"User","id":"3"}]}]]}}"#,
            r#"{"data":{"_entities":[{"v":1},{"v":3}]}}"#,
        ],
    );
    assert_eq!(
        outcome.data(),
        &json!({"m":[[{"n":[{"id":"1","v":1},{"id":"2"}]}],null,[null,{"n":null},{"n":[{"id":"3","v":3}]}]]})
    );
}

#[test]
fn groups_of_one_fetch_are_kept_apart() {
    let mut builder = Builder::new().root("a", &[], "u{id} s{id}");
    let mut groups = Vec::new();
    for (key, variable, path, typename, shape) in [
        ("_e0", "r0", "u", "User", "name"),
        ("_e1", "r1", "s", "Shop", "name=title"),
    ] {
        let representation = builder.representation(None, typename, "id");
        let target = builder.target(path, vec![representation]);
        let shape = builder.shape(shape);
        groups.push(EntityGroup {
            response_key: key.into(),
            variable: variable.into(),
            targets: vec![target],
            shape,
            context: Vec::new(),
            known: Vec::new(),
        });
    }
    let plan = || builder_clone(&groups).answer("u:User{name:String} s:Shop{title:String}");
    let entities = r#"{"data":{"_e1":[{"name":"S"}],"_e0":[{"name":"U"}]}}"#;
    let outcome = run(plan(), &[r#"{"data":{"u":{"id":"1"},"s":{"id":"1"}}}"#, entities]);
    assert_eq!(
        outcome.sent(1),
        json!({"r0":[{"__typename":"User","id":"1"}],"r1":[{"__typename":"Shop","id":"1"}]})
    );
    assert_eq!(outcome.text, r#"{"data":{"u":{"name":"U"},"s":{"title":"S"}}}"#);
    let entities = r#"{"data":{"_e0":[],"_e1":[{"name":"S"}]}}"#;
    let outcome = run(plan(), &[r#"{"data":{"u":null,"s":{"id":"1"}}}"#, entities]);
    assert_eq!(
        outcome.sent(1),
        json!({"r0":[],"r1":[{"__typename":"Shop","id":"1"}]})
    );
    assert_eq!(outcome.text, r#"{"data":{"u":null,"s":{"title":"S"}}}"#);
}

fn builder_clone(groups: &[EntityGroup]) -> Builder {
    Builder::new()
        .root("a", &[], "u{id} s{id}")
        .with_slots("name title")
        .groups("b", &[0], groups.to_vec())
}

#[test]
fn variables_and_representations_travel_together() {
    let plan = Builder::new()
        .root("a", &[], "me{id}")
        .entities("b", &[0], ("me", "User", "id"), "v")
        .variables("first")
        .answer("me:User{v:Int}");
    let variables = json!({"first": 3});
    let inputs = Inputs::with_variables(variables.as_object().unwrap());
    let replies: Vec<Result<&[u8], _>> = vec![
        Ok(br#"{"data":{"me":{"id":"1"}}}"#),
        Ok(br#"{"data":{"_entities":[{"v":1}]}}"#),
    ];
    let outcome = run_all(plan, &inputs, replies);
    assert_eq!(
        outcome.sent(1),
        json!({"first":3,"r":[{"__typename":"User","id":"1"}]})
    );
}

#[test]
fn ten_thousand_entities_are_one_call_and_fall_in_their_places() {
    let plan = Builder::new()
        .root("a", &[], "l{id}")
        .entities("b", &[0], ("l", "T", "id"), "v")
        .answer("l:[T]{id:Int v:Int}");
    let ids: Vec<usize> = (0..10_000).map(|index| index % 7_000).collect();
    let items: Vec<String> = ids.iter().map(|id| format!("{{\"id\":{id}}}")).collect();
    let roots = format!("{{\"data\":{{\"l\":[{}]}}}}", items.join(","));
    let entities: Vec<String> = (0..7_000).map(|id| format!("{{\"v\":{}}}", id * 2)).collect();
    let entities = format!("{{\"data\":{{\"_entities\":[{}]}}}}", entities.join(","));
    let outcome = run(plan, &[&roots, &entities]);
    assert_eq!(outcome.answer.calls, 2);
    let list = outcome.data()["l"].as_array().unwrap();
    assert!(
        list.iter()
            .zip(&ids)
            .all(|(item, id)| item == &json!({"id": id, "v": id * 2}))
    );
    assert_eq!(list.len(), 10_000);
}

#[test]
fn the_type_that_an_entity_fetch_brings_counts() {
    let plan = Builder::new()
        .root("io", &[], "n{id}")
        .entities("real", &[0], ("n", "Node", "id"), "__typename")
        .entities("c", &[1], ("n|User", "User", "id"), "name")
        .answer("n:[Node(User|Shop)]{__typename name?User:String}");
    let outcome = run(
        plan,
        &[
            r#"{"data":{"n":[{"id":"1"},{"id":"2"}]}}"#,
            r#"{"data":{"_entities":[{"__typename":"Shop"},{"__typename":"User"}]}}"#,
            r#"{"data":{"_entities":[{"name":"N"}]}}"#,
        ],
    );
    assert_eq!(outcome.sent(2)["r"], json!([{"__typename":"User","id":"2"}]));
    assert_eq!(
        outcome.data(),
        &json!({"n":[{"__typename":"Shop"},{"__typename":"User","name":"N"}]})
    );
}

#[test]
fn a_failed_dependency_does_not_stop_a_fetch_that_has_entities() {
    let plan = Builder::new()
        .root("a", &[], "me{id}")
        .entities("b", &[0], ("me", "User", "id"), "x")
        .entities("c", &[0, 1], ("me", "User", "id"), "y")
        .answer("me:User{x:Int y:Int}");
    let outcome = run_failing(
        plan,
        &[
            r#"{"data":{"me":{"id":"1"}}}"#,
            "!",
            r#"{"data":{"_entities":[{"y":1}]}}"#,
        ],
    );
    assert_eq!(outcome.data(), &json!({"me":{"x":null,"y":1}}));
    assert_eq!(outcome.answer.calls, 3);
    assert_eq!(outcome.codes(), [r#"SUBREQUEST_HTTP_ERROR ["me"]"#]);
}

#[test]
fn an_entity_with_what_a_failed_fetch_should_have_brought_is_left_out() {
    let plan = Builder::new()
        .root("a", &[], "me{id}")
        .entities("b", &[0], ("me", "User", "id"), "w")
        .entities("c", &[1], ("me", "User", "id w?"), "y")
        .answer("me:User{y:Int}");
    let outcome = run_failing(plan, &[r#"{"data":{"me":{"id":"1"}}}"#, "!", "never sent"]);
    assert!(!outcome.was_sent(2));
    assert_eq!(outcome.data(), &json!({"me":{"y":null}}));
}
