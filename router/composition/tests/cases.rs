//! Every folder under `tests/cases` is a case: its subgraphs in, a snapshot of the supergraph or of the errors out.

use super::support::{cases, subgraphs, view};
use apollo_compiler::Schema;
use baedal_composition::compose;

#[test]
fn each_case_composes_to_its_snapshot() {
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("snapshots");
    let folders = cases();
    assert!(folders.len() >= 50);
    settings.bind(|| {
        for folder in folders {
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            insta::assert_snapshot!(name, view(&subgraphs(&folder)));
        }
    });
}

#[test]
fn the_whole_text_of_a_supergraph() {
    let folder = cases()
        .into_iter()
        .find(|folder| folder.ends_with("fed1_basic"))
        .unwrap();
    let composed = compose(&subgraphs(&folder)).unwrap();
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("whole_text", composed.supergraph_sdl);
    });
}

/// An independent reader accepts what we print: every supergraph is a valid GraphQL schema on its own.
#[test]
fn every_supergraph_is_valid_graphql() {
    let mut read = 0;
    for folder in cases() {
        let Ok(composed) = compose(&subgraphs(&folder)) else {
            continue;
        };
        if let Err(failed) = Schema::parse_and_validate(&composed.supergraph_sdl, "supergraph.graphql") {
            panic!(
                "{}:\n{}\n{}",
                folder.display(),
                failed.errors,
                composed.supergraph_sdl
            );
        }
        read += 1;
    }
    assert!(read >= 20);
}

/// Every code that a composition can report, as the Federation documentation lists them, is shown by some case.
#[test]
fn every_documented_code_has_a_case() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let snapshots: String = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    let shown: std::collections::BTreeSet<&str> = snapshots
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(code, _)| code)
        .collect();
    let codes: Vec<&str> = include_str!("codes.txt").split_whitespace().collect();
    assert!(codes.len() > 100);
    let missing: Vec<&&str> = codes.iter().filter(|code| !shown.contains(**code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
