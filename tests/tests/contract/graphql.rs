//! The exported schemas are those of the code, and clients' operations still fit.
use std::fs;

use baedal_planner::Supergraph;
use baedal_tests::contract;

#[test]
fn exported_files_are_those_of_the_code() {
    let stale: Vec<String> = contract::files()
        .expect("the subgraphs compose")
        .into_iter()
        .filter(|file| {
            fs::read_to_string(contract::folder().join(&file.path))
                .ok()
                .as_ref()
                != Some(&file.text)
        })
        .map(|file| file.path.display().to_string())
        .collect();
    assert!(
        stale.is_empty(),
        "stale: {}; `cargo xtask schema` writes them anew",
        stale.join(", ")
    );
}

#[test]
fn the_supergraph_is_read_back_by_our_planner() {
    let supergraph = supergraph();
    let names: Vec<&str> = supergraph
        .subgraphs()
        .iter()
        .map(|subgraph| subgraph.name.as_ref())
        .collect();
    assert_eq!(names, ["marketing", "order", "payment", "store"]);
}

#[test]
fn operations_of_clients_still_fit() {
    let text =
        fs::read_to_string(contract::folder().join("supergraph.graphql")).expect("schema/supergraph.graphql");
    let broken = contract::broken_operations(&text).expect("the operations are read");
    assert!(
        broken.is_empty(),
        "clients' operations no longer fit the schema:\n{}",
        broken.join("\n")
    );
    let recorded = fs::read_dir(contract::folder().join("operations")).expect("schema/operations");
    assert!(recorded.count() >= 5, "the operations clients use are recorded");
}

fn supergraph() -> Supergraph {
    let text =
        fs::read_to_string(contract::folder().join("supergraph.graphql")).expect("schema/supergraph.graphql");
    Supergraph::parse(&text).expect("what we compose can be read")
}
