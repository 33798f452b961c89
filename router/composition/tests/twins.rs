//! A Federation 1 schema and its Federation 2 twin compose to the same supergraph.

use super::support::subgraph;
use baedal_composition::compose;

const OWNER_1: &str = "
    type Query { user: User }
    type User @key(fields: \"id\") { id: ID! name: String price: Int page: Page }
    type Page { total: Int }
";
const OTHER_1: &str = "
    extend type Query { other: Page }
    extend type User @key(fields: \"id\") {
        id: ID! @external
        price: Int @external
        tax: Int @requires(fields: \"price\")
    }
    type Page { total: Int }
";
const LINK: &str = "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.0\",
    import: [\"@key\", \"@external\", \"@requires\", \"@shareable\"])";

fn twin(one: &str) -> String {
    format!("{LINK}\n{}", one.replace("type Page {", "type Page @shareable {"))
}

fn composed(owner: &str, other: &str) -> String {
    compose(&[subgraph("owner", owner), subgraph("other", other)])
        .expect("it composes")
        .supergraph_sdl
}

#[test]
fn both_versions_and_their_mixtures_agree() {
    let ones = composed(OWNER_1, OTHER_1);
    assert_eq!(ones, composed(&twin(OWNER_1), &twin(OTHER_1)));
    assert_eq!(ones, composed(&twin(OWNER_1), OTHER_1));
    assert_eq!(ones, composed(OWNER_1, &twin(OTHER_1)));
}

#[test]
fn only_federation_1_forgives_an_unused_external() {
    let other = OTHER_1.replace("tax: Int @requires(fields: \"price\")", "tax: Int");
    assert_eq!(
        composed(OWNER_1, &other),
        composed(OWNER_1, &other.replace("price: Int @external", ""))
    );
    let errors = compose(&[
        subgraph("owner", &twin(OWNER_1)),
        subgraph("other", &twin(&other)),
    ])
    .unwrap_err();
    let codes: Vec<&str> = errors.iter().map(|error| error.code.as_str()).collect();
    assert_eq!(codes, ["EXTERNAL_UNUSED"]);
}
