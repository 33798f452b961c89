//! No input panics: SDL that was cut, spliced or had tokens exchanged composes or is refused.

use super::support::{cases, subgraphs};
use apollo_compiler::Schema;
use baedal_composition::compose;
use proptest::prelude::*;

/// What mutations put in place of a token.
const TOKENS: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "!",
    "[",
    "]",
    "@",
    "@key(fields: \"id\")",
    "@key(fields: \"{}\")",
    "extend",
    "type",
    "interface",
    "union",
    "enum",
    "input",
    "scalar",
    "Query",
    "\"\"\"",
    "\"",
    "@external",
    "@shareable",
    "@requires(fields: \"x { y }\")",
    "@link(url: \"https://specs.apollo.dev/federation/v2.9\")",
    "@interfaceObject",
    "@override(from: \"a\")",
    "schema",
    "implements",
    "&",
    "|",
    "=",
    ":",
    "null",
    "\u{0}",
    "한글",
    "_entities",
    "_Any",
    "@provides(fields: \"\")",
    "1e999",
];

fn mutate(sdl: &str, edits: &[(usize, usize, u8)]) -> String {
    let mut parts: Vec<String> = sdl.split_inclusive([' ', '\n']).map(str::to_owned).collect();
    for (at, token, kind) in edits {
        let at = at % parts.len();
        match kind % 4 {
            0 => parts[at] = format!("{} ", TOKENS[token % TOKENS.len()]),
            1 => parts.insert(at, format!("{} ", TOKENS[token % TOKENS.len()])),
            2 if parts.len() > 1 => {
                parts.remove(at);
            }
            _ => {
                let other = token % parts.len();
                parts.swap(at, other);
            }
        }
    }
    parts.concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_sdl_never_panics(
        case in 0usize..1000,
        edits in proptest::collection::vec((0usize..10_000, 0usize..10_000, 0u8..4), 1..6),
        which in 0usize..8,
    ) {
        let folders = cases();
        let mut given = subgraphs(&folders[case % folders.len()]);
        let index = which % given.len();
        given[index].sdl = mutate(&given[index].sdl, &edits);
        match compose(&given) {
            Ok(composed) => {
                let read = Schema::parse_and_validate(&composed.supergraph_sdl, "supergraph.graphql");
                prop_assert!(read.is_ok(), "{}\n{}\n{}", given[index].sdl, composed.supergraph_sdl, read.unwrap_err().errors);
            }
            Err(errors) => prop_assert!(!errors.is_empty()),
        }
    }
}

#[test]
fn deep_nesting_is_refused_not_overflowed() {
    let deep = format!(
        "type Query {{ a: {}Int{} }}",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    let errors = compose(&[super::support::subgraph("a", &deep)]).unwrap_err();
    assert_eq!(errors[0].code, "INVALID_GRAPHQL");
    let key = format!(
        "type Query {{ p: P }} type P @key(fields: \"{}id{}\") {{ id: ID }}",
        "a { ".repeat(3_000),
        " }".repeat(3_000)
    );
    let errors = compose(&[super::support::subgraph("a", &key)]).unwrap_err();
    assert_eq!(errors[0].code, "KEY_INVALID_FIELDS");
}
