//! Laws that hold for any input of their kind.

use super::support::subgraph;
use apollo_compiler::Schema;
use baedal_composition::compose;

/// Descriptions come out as they went in, whatever is in them.
#[test]
fn descriptions_survive() {
    let texts = [
        "plain",
        "two\nlines",
        "  indented first line",
        "a\n  b\n    c",
        "trailing blank\n",
        "\nleading blank",
        "quotes \" and \"\"\" three",
        "ends with quote\"",
        "back\\slash",
        "tab\tand\rreturn",
        "한글 설명 🍗",
        "blank\n\ninside",
        "spaces\n   \ninside",
        "",
        " ",
    ];
    for text in texts {
        let quoted = serde_json::to_string(text).unwrap();
        let sdl = format!(
            "{quoted} type Query {{ {quoted} field({quoted} arg: Int): E }} {quoted} enum E {{ {quoted} V }}"
        );
        let composed = compose(&[subgraph("a", &sdl)]).unwrap();
        let schema = Schema::parse_and_validate(&composed.supergraph_sdl, "supergraph.graphql").unwrap();
        let query = schema.get_object("Query").unwrap();
        let field = &query.fields["field"];
        let value = &schema.get_enum("E").unwrap().values["V"];
        let found = [
            &query.description,
            &field.description,
            &field.arguments[0].description,
            &value.description,
        ];
        for description in found {
            assert_eq!(
                description.as_ref().map(|d| d.as_str()),
                Some(text),
                "{}",
                composed.supergraph_sdl
            );
        }
    }
}

/// A single subgraph without federation directives is the public schema itself: same types, same fields.
#[test]
fn one_subgraph_composes_to_itself() {
    let sdl = "
        type Query { a(x: In = {y: [1, 2], s: \"q\\\"uote\"}, e: E = V): [U!]! i: I }
        union U = T | S
        interface I { id: ID! }
        type T implements I { id: ID! t: Float @deprecated(reason: \"because\") }
        type S { s: Date }
        enum E { V W @deprecated }
        input In { y: [Int!] = [3] s: String = \"x\" }
        scalar Date @specifiedBy(url: \"https://example.com\")
    ";
    let composed = compose(&[subgraph("a", sdl)]).unwrap();
    let before = Schema::parse_and_validate(sdl, "a.graphql").unwrap();
    let after = Schema::parse_and_validate(&composed.supergraph_sdl, "supergraph.graphql").unwrap();
    for (name, ty) in before.types.iter().filter(|(_, ty)| !ty.is_built_in()) {
        assert_eq!(
            words(&without_joins(&after.types[name].to_string())),
            words(&ty.to_string())
        );
    }
}

/// A type's text without `@join__…(…)`.
fn without_joins(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(start) = rest.find("@join__") {
        out.push_str(&rest[..start]);
        let end = rest[start..].find(')').map_or(rest.len(), |end| start + end + 1);
        rest = &rest[end..];
    }
    out + rest
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// Names in any script give valid, distinct graph ids.
#[test]
fn graph_ids_are_valid_for_any_name() {
    let names = ["주문", "결제", "a-b", "a_b", "a.b", "__x", "-", "9", "a_1", "a"];
    // `__x` and the like are refused as names; the rest must give a schema that parses.
    let given: Vec<_> = names
        .iter()
        .filter(|name| !name.starts_with("__"))
        .enumerate()
        .map(|(index, name)| subgraph(name, &format!("type Query {{ f{index}: Int }}")))
        .collect();
    let composed = compose(&given).unwrap();
    let schema = Schema::parse_and_validate(&composed.supergraph_sdl, "supergraph.graphql").unwrap();
    assert_eq!(schema.get_enum("join__Graph").unwrap().values.len(), given.len());
}
