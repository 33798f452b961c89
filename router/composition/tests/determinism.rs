//! The same subgraphs give the same bytes, in whatever order they come.

use super::support::{cases, subgraphs};
use baedal_composition::compose;

#[test]
fn order_of_subgraphs_does_not_matter() {
    for folder in cases() {
        let given = subgraphs(&folder);
        let expected = compose(&given);
        let mut reversed = given.clone();
        reversed.reverse();
        assert_eq!(compose(&reversed), expected, "{}", folder.display());
        let mut rotated = given.clone();
        rotated.rotate_left(given.len() / 2);
        assert_eq!(compose(&rotated), expected, "{}", folder.display());
    }
}

#[test]
fn url_is_printed_and_changes_nothing_else() {
    let folder = cases()
        .into_iter()
        .find(|folder| folder.ends_with("fed1_basic"))
        .unwrap();
    let mut given = subgraphs(&folder);
    let before = compose(&given).unwrap().supergraph_sdl;
    let old = given[0].url.clone();
    given[0].url = "http://elsewhere/\"quoted\"".to_owned();
    let after = compose(&given).unwrap().supergraph_sdl;
    assert_eq!(
        before.replace(&format!("\"{old}\""), "\"http://elsewhere/\\\"quoted\\\"\""),
        after
    );
}
