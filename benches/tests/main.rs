//! The graph that is measured is right: plans over it give what one server with all the data gives.

use baedal_benches::domain::{self, Scope};
use baedal_benches::queries::Size;
use baedal_benches::recording::{compose, record};

fn urls() -> Vec<(Scope, String)> {
    let url = |scope: Scope| (scope, format!("http://{}.example/graphql", scope.name()));
    Scope::SUBGRAPHS.into_iter().map(url).collect()
}

#[test]
fn each_size_is_answered_as_by_one_server_and_is_about_as_large_as_it_says() {
    let supergraph = compose(&urls()).expect("the subgraphs compose");
    for (size, bytes, calls) in [
        (Size::Small, 60..80, 1..=1),
        (Size::Medium, 4_300..5_300, 4..=4),
        (Size::Big, 80_000..95_000, 4..=9),
    ] {
        let recording = record(&supergraph, &urls(), size.query()).expect("it is planned and runs");
        let whole = domain::answer(Scope::Whole, &size.body());
        assert_eq!(recording.answer, String::from_utf8_lossy(&whole), "{size:?}");
        let told = recording.answer.len();
        assert!(bytes.contains(&told), "{size:?} has {told} bytes");
        assert!(
            calls.contains(&recording.calls()),
            "{size:?} has {} calls",
            recording.calls()
        );
    }
}

#[test]
fn a_subgraph_refuses_what_it_does_not_have() {
    let answer = domain::answer(Scope::Reviews, br#"{"query":"{ topProducts { upc } }"}"#);
    let told = String::from_utf8_lossy(&answer);
    assert!(
        told.contains("reviews has no field topProducts on Query"),
        "{told}"
    );
}

#[test]
fn what_is_required_comes_from_the_representation() {
    let body = br#"{"query":"query($r: [_Any!]!) { _entities(representations: $r) { ... on Product { shippingEstimate } } }",
      "variables":{"r":[{"__typename":"Product","upc":"upc-0001","price":10,"weight":500}]}}"#;
    let answer = domain::answer(Scope::Inventory, body);
    let wanted = r#"{"data":{"_entities":[{"shippingEstimate":250}]}}"#;
    assert_eq!(String::from_utf8_lossy(&answer), wanted);
}
