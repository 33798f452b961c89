//! Valid operations: prices, introspection, and what is hard to plan.

use super::Case;
use super::graph::{subgraphs, types};

const DEAR: (u16, &str) = (400, "COST_LIMIT_EXCEEDED");
const NESTED: (u16, &str) = (400, "INTROSPECTION_TOO_DEEP");
const FINE: (u16, &str) = (200, "");

pub fn cases() -> Vec<Case> {
    [prices(), introspection(), plans()]
        .into_iter()
        .flatten()
        .collect()
}

fn numbered(count: usize, each: impl Fn(usize) -> String) -> String {
    (0..count).map(each).collect()
}

fn prices() -> Vec<Case> {
    let page = "query($n: Int) { nodes(first: $n) { id } }";
    vec![
        Case::query("a page of 99 999 999", "{ nodes(first: 99999999) { id } }", DEAR),
        Case::variables(
            "a page of 99 999 999 by a variable",
            page,
            "{\"n\":99999999}",
            DEAR,
        ),
        Case::variables(
            "a page of 99999999999",
            page,
            "{\"n\":99999999999}",
            (400, "BAD_USER_INPUT"),
        ),
        Case::variables("a page of minus one", page, "{\"n\":-1}", FINE),
        Case::query(
            "lists in lists, seven times",
            &format!("{{users{}{{id}}{}}}", "{friends".repeat(7), "}".repeat(7)),
            DEAR,
        ),
        Case::query(
            "lists in lists through fragments",
            "{users{...A}} fragment A on User{friends{...B}} fragment B on User{friends{...C}} fragment C on User{friends{friends{friends{friends{id}}}}}",
            DEAR,
        ),
        Case::query(
            "many lists in lists",
            &format!(
                "{{users{{{}}}}}",
                (0..9).fold(
                    "friends{friends{friends{friends{id}}}} ".to_owned(),
                    |all, i| format!("{all} a{i}:friends{{friends{{friends{{friends{{id}}}}}}}}")
                )
            ),
            DEAR,
        ),
    ]
}

const TYPE: &str = "kind name description fields(includeDeprecated:true){name description args{name type{name} defaultValue} type{name} isDeprecated} \
    inputFields{name type{name} defaultValue} enumValues(includeDeprecated:true){name} possibleTypes{name} interfaces{name}";

fn introspection() -> Vec<Case> {
    let all = format!("__schema{{types{{{TYPE}}} directives{{name args{{name}}}}}}");
    vec![
        Case::query("introspection", &format!("{{{all}}}"), FINE),
        Case::query(
            "introspection 19 times",
            &format!("{{{}}}", numbered(19, |i| format!("a{i}:{all} "))),
            FINE,
        ),
        Case::query(
            "a type 20 times",
            &format!(
                "{{{}}}",
                numbered(20, |i| format!("a{i}:__type(name:\"Node\"){{{TYPE}}} "))
            ),
            FINE,
        ),
        Case::query(
            "types of types of types",
            &format!(
                "{{__schema{{types{{{}name{}}}}}}}",
                "fields{type{".repeat(5),
                "}}".repeat(5)
            ),
            NESTED,
        ),
        Case::query(
            "types in circles",
            "{__schema{types{possibleTypes{interfaces{possibleTypes{name}}}}}}",
            NESTED,
        ),
        Case::query(
            "types in circles through fragments",
            "{__schema{types{...A}}} fragment A on __Type{possibleTypes{...B}} fragment B on __Type{interfaces{...C}} fragment C on __Type{possibleTypes{name}}",
            NESTED,
        ),
        Case::query(
            "types of what implements what",
            "{__schema{types{interfaces{possibleTypes{name description kind}}}}}",
            FINE,
        ),
        Case::query(
            "what types are made of, 25 deep",
            &format!(
                "{{__type(name:\"User\"){{fields{{type{}{{name}}{}}}}}}}",
                "{ofType".repeat(25),
                "}".repeat(25)
            ),
            NESTED,
        ),
    ]
}

/// Fields of all subgraphs, of every type of the interface.
fn of_all_types(inner: &str) -> String {
    numbered(types(), |ty| {
        let fields = numbered(subgraphs() - 1, |sub| format!("g{} ", sub + 1));
        format!("...on T{ty}{{{fields} {inner}}} ")
    })
}

fn plans() -> Vec<Case> {
    let fields = numbered(subgraphs() - 1, |sub| format!("a{} ", sub + 1));
    let links = |inner: &str| numbered(subgraphs() - 1, |sub| format!("link{}{{{inner}}} ", sub + 1));
    vec![
        Case::query(
            "an interface of all types",
            &format!("{{node{{{}}}}}", of_all_types("")),
            FINE,
        ),
        Case::query(
            "an interface of all types, twice",
            &format!("{{node{{child{{{}}}}}}}", of_all_types("child{id}")),
            FINE,
        ),
        Case::query(
            "an interface in an interface, 13 times",
            &format!("{{node{}{{id size}}{}}}", "{child".repeat(12), "}".repeat(12)),
            FINE,
        ),
        Case::query(
            "all types of an interface in all types of an interface",
            &format!(
                "{{node{{{}}}}}",
                numbered(types(), |ty| format!(
                    "...on T{ty}{{next1{{...on T0{{g2}} ...on T1{{g3}} ...on T2{{next3{{id}}}}}}}} "
                ))
            ),
            FINE,
        ),
        Case::query(
            "one after another through all subgraphs",
            &format!(
                "{{user{}{{{fields}}}{}}}",
                numbered(7, |sub| format!("{{link{}", sub + 1)),
                "}".repeat(7)
            ),
            FINE,
        ),
        Case::query(
            "through all subgraphs, in all orders",
            &format!("{{user{{{}}}}}", links(&links(&links("id")))),
            FINE,
        ),
        Case::query(
            "through all subgraphs, with fields of all",
            &format!("{{user{{{}}}}}", links(&links(&fields))),
            FINE,
        ),
        Case::query(
            "all types of an interface, again and again",
            &{
                let inner = numbered(types(), |ty| {
                    format!(
                        "...on T{ty}{{next{}{{...on T0{{g1 next2{{...on T3{{g4}}}}}}}}}} ",
                        ty % (subgraphs() - 1) + 1
                    )
                });
                format!("{{node{{{inner} child{{{inner} child{{{inner} child{{{inner}}}}}}}}}}}")
            },
            FINE,
        ),
    ]
}
