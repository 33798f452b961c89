//! Federated graphs, from subgraph SDL to the client's answer: each folder below `cases/` is composed,
//! served by a gateway over HTTP in front of strict mock subgraphs, and asked.
use std::fs;
use std::path::{Path, PathBuf};

use baedal_federation_tests::{Case, check, probe};

pub fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut cases: Vec<_> = fs::read_dir(folder)
        .expect("the cases")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    // One case alone: CASE=keys-compound cargo test -p baedal-federation-tests
    if let Ok(name) = std::env::var("CASE") {
        cases.retain(|folder| {
            folder.ends_with(&name) || folder.to_string_lossy().contains(&format!("/{name}-"))
        });
    }
    cases.sort();
    cases
}

async fn all(change: impl Fn(Case) -> Case) {
    let mut failed = Vec::new();
    let cases = cases();
    assert!(!cases.is_empty(), "the cases are found");
    for folder in cases {
        let name = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let outcome = match Case::load(&folder) {
            Ok(case) => check(&change(case)).await,
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            failed.push(format!("== {name}\n{error:#}"));
        }
    }
    assert!(
        failed.is_empty(),
        "{} cases failed\n{}",
        failed.len(),
        failed.join("\n\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_is_answered_as_expected() {
    all(|case| case).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_is_answered_alike_when_its_subgraphs_sort_the_other_way() {
    all(|case| case.renamed()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_operation_makes_a_call_that_a_subgraph_must_refuse() {
    let number =
        |name: &str, other| std::env::var(name).map_or(other, |text| text.parse().expect("a number"));
    let (seed, count) = (number("SEED", 1), number("COUNT", 4));
    let mut failed = Vec::new();
    for folder in cases() {
        let case = Case::load(&folder).expect("a case");
        if let Err(error) = probe(&case, seed, count).await {
            failed.push(format!("== {}\n{error:#}", folder.display()));
        }
    }
    assert!(failed.is_empty(), "SEED={seed}\n{}", failed.join("\n\n"));
}

#[test]
fn plans_are_as_expected() {
    for folder in cases() {
        let plans = Case::load(&folder).and_then(|case| case.plans());
        let plans = plans.unwrap_or_else(|error| format!("{error:#}"));
        if plans.is_empty() {
            continue;
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&folder);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!("plan", plans));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_answer_is_seen() {
    let folder = cases()
        .into_iter()
        .find(|folder| folder.ends_with("keys-compound"))
        .expect("the case");
    let mut case = Case::load(&folder).expect("a case");
    case.operations[0].data = serde_norway::from_str("something: else").expect("YAML");
    let error = check(&case).await.expect_err("another answer was expected");
    assert!(error.to_string().contains("data differs"), "{error}");
}
