//! Laws that hold for any bytes a subgraph may send.
use baedal_executor::{CallError, Inputs};
use baedal_planner::plan::Plan;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::oracle::{Tree, complete, fits, same};
use crate::plans::Builder;
use crate::script::{Outcome, run_all};

/// A small generator of numbers, so that a case is one seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }
    pub fn once_in(&mut self, times: u64) -> bool {
        self.roll(times) == 0
    }
    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len() as u64) as usize]
    }
}

fn space(dice: &mut Dice) -> &'static str {
    dice.pick::<&str>(&["", "", "", "", "", " ", "\n", "\t ", "\r\n  "])
}

/// A JSON string, its characters now and then escaped.
fn string(dice: &mut Dice, text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match (c, dice.roll(12)) {
            (_, 0) => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .for_each(|unit| out += &format!("\\u{unit:04x}")),
            (_, 1) => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .for_each(|unit| out += &format!("\\u{unit:04X}")),
            ('/', 2..5) => out += "\\/",
            ('"' | '\\', _) => out.extend(['\\', c]),
            ('\n', _) => out += "\\n",
            ('\u{0}'..='\u{1f}', _) => out += &format!("\\u{:04x}", c as u32),
            _ => out.push(c),
        }
    }
    out + "\""
}

fn scalar(dice: &mut Dice) -> String {
    let words = [
        "",
        "a",
        "A",
        "B",
        "한글",
        "quote\"",
        "back\\slash",
        "a/b",
        "line\nbreak",
        "😀",
        "a much longer text, over eight bytes",
    ];
    match dice.roll(12) {
        0 => "null".into(),
        1 => "true".into(),
        2 => "false".into(),
        3 => "1.5".into(),
        4 => "-2.5E-3".into(),
        5 => "4294967296".into(),
        6 => "{\"k\":[ {} , 1]}".into(),
        7 => "[ ]".into(),
        8 | 9 => dice.roll(1000).to_string(),
        _ => {
            let word = *dice.pick(&words);
            string(dice, word)
        }
    }
}

fn list(dice: &mut Dice, most: u64, mut item: impl FnMut(&mut Dice) -> String) -> String {
    let mut out = format!("[{}", space(dice));
    for index in 0..dice.roll(most + 1) {
        if index > 0 {
            out.push(',');
        }
        out = out + space(dice) + &item(dice) + space(dice);
    }
    out + "]"
}

/// What a field of the test's plans may hold, mostly of the right kind.
fn field(dice: &mut Dice, name: &str) -> String {
    let kind = if dice.once_in(8) { "any" } else { name };
    match kind {
        "i" | "j" => dice.roll(5000).to_string(),
        "s" => string(dice, "text"),
        "b" => "true".into(),
        "e" => (*dice.pick(&["\"A\"", "\"B\"", "\"\\u0041\"", "\"C\""])).into(),
        "__typename" => {
            (*dice.pick(&["\"P\"", "\"P\"", "\"Q\"", "\"\\u0051\"", "\"Hidden\"", "null"])).into()
        }
        "t" => list(
            dice,
            3,
            |dice| if dice.once_in(6) { scalar(dice) } else { "7".into() },
        ),
        "o" | "v" => object(dice, &["__typename", "i", "s", "e", "k"]),
        "l" => list(dice, 4, |dice| {
            if dice.once_in(8) {
                scalar(dice)
            } else {
                object(dice, &["i", "j", "k", "n"])
            }
        }),
        "n" => list(dice, 2, |dice| {
            list(dice, 3, |dice| object(dice, &["__typename", "j", "s"]))
        }),
        "k" => object(dice, &["i", "t"]),
        _ => scalar(dice),
    }
}

/// An object with most of these fields, others, some twice, in some order.
fn object(dice: &mut Dice, names: &[&str]) -> String {
    let mut members: Vec<&str> = names.iter().copied().filter(|_| !dice.once_in(9)).collect();
    if dice.once_in(6) && !members.is_empty() {
        let other = dice.roll(members.len() as u64) as usize;
        members.swap(0, other);
    }
    if dice.once_in(8) {
        members.push(*dice.pick(names));
    }
    if dice.once_in(6) {
        members.insert(0, "unknown");
    }
    let mut out = format!("{{{}", space(dice));
    for (index, name) in members.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        let key = if dice.once_in(4) {
            string(dice, name)
        } else {
            format!("\"{name}\"")
        };
        out = out + space(dice) + &key + space(dice) + ":" + space(dice) + &field(dice, name) + space(dice);
    }
    out + "}"
}

const ROOT: [&str; 8] = ["i", "s", "o", "l", "n", "e", "t", "x"];
const SHAPE: &str = "i s o{__typename i s e k{i t}} l{i j k{i t} n{__typename j s}} n{__typename j s} e t x";

/// The same data, with non-nulls strewn over the selection.
fn root_plan(dice: &mut Dice) -> Plan {
    let mut bang = |times| if dice.once_in(times) { "!" } else { "" };
    let projection = format!(
        "x:Any t:[Int{}] i:Int{} n:[[U(P|Q){{__typename s?P:String j:Int{}}}{}]]{} s:String \
         l:[L{{n:[[U(P|Q){{j?Q:Int}}]] k:K{{t:[Int{}]{} i:Int}}{} i:Int{} j:ID}}{}] \
         o:U(P|Q){{k?Q:K{{i:Int{}}} e?P|Q:enum(A|B){} __typename i:Float}} e:enum(A|B)",
        bang(3),
        bang(20),
        bang(3),
        bang(3),
        bang(9),
        bang(3),
        bang(3),
        bang(3),
        bang(3),
        bang(3),
        bang(3),
        bang(3),
    );
    Builder::new()
        .know("Hidden")
        .root("a", &[], SHAPE)
        .answer(&projection)
}

fn answer(plan: &Plan, bodies: &[&[u8]]) -> (Outcome, Tree) {
    let replies: Vec<Result<&[u8], CallError>> = bodies.iter().map(|body| Ok(*body)).collect();
    let outcome = run_all(plan.clone(), &Inputs::default(), replies);
    let tree: Tree = serde_json::from_str(&outcome.text).unwrap();
    (outcome, tree)
}

/// The answer is a GraphQL response that fits the operation, whatever came.
fn check_fits(plan: &Plan, outcome: &Outcome, tree: &Tree) {
    assert!(fits(plan, tree.get("data").unwrap()), "{}", outcome.text);
    assert_eq!(outcome.errors().is_empty(), outcome.answer.errors == 0);
    for error in outcome.errors() {
        assert!(error["message"].is_string(), "{error}");
        let path = error.get("path").map_or(&[][..], |path| path.as_array().unwrap());
        assert!(
            path.iter().all(|step| step.is_string() || step.is_u64()),
            "{error}"
        );
    }
}

/// Cuts, flips, repeats and inserts.
fn damage(dice: &mut Dice, body: &mut Vec<u8>) {
    for _ in 0..=dice.roll(3) {
        if body.is_empty() {
            return;
        }
        let at = dice.roll(body.len() as u64) as usize;
        match dice.roll(6) {
            0 => body.truncate(at),
            1 => body[at] = dice.roll(256) as u8,
            2 => body.insert(at, *dice.pick(b"{}[],:\"\\0 nu")),
            3 => drop(body.remove(at)),
            4 => {
                let end = (at + dice.roll(20) as usize).min(body.len());
                let copy = body[at..end].to_vec();
                let to = dice.roll(body.len() as u64) as usize;
                body.splice(to..to, copy);
            }
            _ => body[at] = *dice.pick(b"{}[],:\"\\0 nu"),
        }
    }
}

fn entity_plan() -> Plan {
    Builder::new()
        .know("Hidden")
        .root("a", &[], "a{id} b{id o{j}}")
        .entities("b", &[0], ("a b", "T", "id"), "i s o{i s k{i t}} l{i j}")
        .entities("c", &[1], ("a.o b.o a.l", "T", "i"), "e")
        .answer(
            "a:[T]{l:[L]{j:Int i:Int e:enum(A|B)} o:O{k:K{t:[Int] i:Int} s:String i:Int e:enum(A|B)} i:Int s:String} \
             b:[T]{i:Int o:O{i:Int j:Int k:K{t:[Int] i:Int} e:enum(A|B)} l:[L]{i:Int}}",
        )
}

const ENTITY_ROOTS: &str = r#"{"data":{"a":[{"id":"1"},{"id":"2"},{"id":"1"}],"b":[{"id":"2","o":{"j":5}},{"id":"3","o":null},null]}}"#;

/// What the tree of `entity_plan` holds when its second fetch answers with these items.
fn merged(items: &[Value]) -> Map<String, Value> {
    let place = |id: usize, own: Value| {
        let mut place = own.as_object().unwrap().clone();
        let Value::Object(entity) = &items[id - 1] else {
            return Value::Object(place);
        };
        for key in ["i", "s", "o", "l"] {
            let Some(value) = entity.get(key) else { continue };
            match (place.get_mut(key), value) {
                (Some(Value::Object(old)), Value::Object(new)) => {
                    let new = new
                        .iter()
                        .filter(|(key, _)| ["i", "s", "k"].contains(&key.as_str()));
                    old.extend(new.map(|(key, value)| (key.clone(), value.clone())));
                }
                (None | Some(Value::Null), value) => drop(place.insert(key.into(), value.clone())),
                _ => {}
            }
        }
        Value::Object(place)
    };
    let strip = |mut place: Value| {
        // The fetch asks for nothing else there; `j` is of the root fetch.
        if let Some(Value::Object(o)) = place.get_mut("o") {
            o.retain(|key, _| ["i", "s", "k", "j"].contains(&key.as_str()));
        }
        if let Some(Value::Array(items)) = place.get_mut("l") {
            items
                .iter_mut()
                .filter_map(Value::as_object_mut)
                .for_each(|item| drop(item.remove("e")));
        }
        place
    };
    let a: Vec<Value> = [1, 2, 1].map(|id| strip(place(id, json!({})))).into();
    let b = json!([
        strip(place(2, json!({"o": {"j": 5}}))),
        strip(place(3, json!({"o": null}))),
        null
    ]);
    Map::from_iter([("a".into(), Value::from(a)), ("b".into(), b)])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_is_what_serde_json_reads(seed: u64) {
        let dice = &mut Dice(seed);
        let plan = root_plan(dice);
        let body = format!("{{\"data\":{}}}", object(dice, &ROOT));
        let parsed: Value = serde_json::from_str(&body).unwrap();
        let (outcome, tree) = answer(&plan, &[body.as_bytes()]);
        let expected = complete(&plan, parsed["data"].as_object().unwrap());
        prop_assert!(same(&expected, tree.get("data").unwrap()), "{body}\n{}\n{}", expected.plain(), outcome.text);
        check_fits(&plan, &outcome, &tree);
    }

    #[test]
    fn entities_are_what_serde_json_reads(seed: u64) {
        let dice = &mut Dice(seed);
        let plan = entity_plan();
        let items: Vec<String> = (0..3)
            .map(|_| if dice.once_in(10) { "null".into() } else { object(dice, &["i", "s", "o", "l"]) })
            .collect();
        let body = format!("{{\"data\":{{\"_entities\":[{}]}}}}", items.join(","));
        let parsed: Vec<Value> = items.iter().map(|item| serde_json::from_str(item).unwrap()).collect();
        let (outcome, tree) = answer(&plan, &[ENTITY_ROOTS.as_bytes(), body.as_bytes(), b"{\"data\":null}"]);
        let expected = complete(&plan, &merged(&parsed));
        prop_assert!(same(&expected, tree.get("data").unwrap()), "{body}\n{}\n{}", expected.plain(), outcome.text);
    }

    #[test]
    fn damaged_bodies_give_answers_that_fit(seed: u64) {
        let dice = &mut Dice(seed);
        let plan = root_plan(dice);
        let mut body = format!("{{\"data\":{},\"errors\":[{{\"message\":\"m\",\"path\":[\"o\",\"k\"]}}]}}", object(dice, &ROOT)).into_bytes();
        damage(dice, &mut body);
        let (outcome, tree) = answer(&plan, &[&body]);
        check_fits(&plan, &outcome, &tree);
        if serde_json::from_slice::<Value>(&body).is_err() {
            prop_assert!(outcome.answer.errors > 0, "{}", outcome.text);
        }
    }

    #[test]
    fn damaged_entities_give_answers_that_fit(seed: u64) {
        let dice = &mut Dice(seed);
        let plan = entity_plan();
        let mut bodies: Vec<Vec<u8>> = vec![ENTITY_ROOTS.into()];
        for count in [3, 4] {
            let items: Vec<String> = (0..count).map(|_| object(dice, &["i", "s", "o", "l", "e"])).collect();
            bodies.push(format!("{{\"data\":{{\"_entities\":[{}]}}}}", items.join(",")).into());
        }
        let broken = dice.roll(3) as usize;
        damage(dice, &mut bodies[broken]);
        let (outcome, tree) = answer(&plan, &[&bodies[0], &bodies[1], &bodies[2]]);
        check_fits(&plan, &outcome, &tree);
    }

    #[test]
    fn any_bytes_give_answers_that_fit(one: Vec<u8>, other: Vec<u8>) {
        let plan = entity_plan();
        let (outcome, tree) = answer(&plan, &[&one, &other, &other]);
        check_fits(&plan, &outcome, &tree);
        let (outcome, tree) = answer(&plan, &[ENTITY_ROOTS.as_bytes(), &other, &one]);
        check_fits(&plan, &outcome, &tree);
    }
}
