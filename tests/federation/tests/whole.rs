//! Cases whose data is written once, for the whole graph: generated operations answer what the whole does.
use baedal_federation_tests::Case;
use baedal_federation_tests::whole::judge;

use crate::cases::cases;
use crate::differential::number;

#[test]
fn generated_operations_answer_what_the_whole_does() {
    let (seed, count) = (number("WHOLE_SEED", 1), number("WHOLE_OPERATIONS", 10));
    let (mut compared, mut failed) = (0, Vec::new());
    for folder in cases() {
        if !folder.join("whole.yaml").exists() {
            continue;
        }
        let judged = Case::load(&folder).and_then(|case| judge(&case, seed, count));
        match judged {
            Ok(judged) => {
                compared += judged.compared;
                let more = judged.wrong.len().saturating_sub(2);
                let shown = judged.wrong.into_iter().take(2).collect::<Vec<_>>().join("\n");
                if !shown.is_empty() {
                    failed.push(format!("== {}\n{shown}\n({more} more)", folder.display()));
                }
            }
            Err(error) => failed.push(format!("== {}\n{error:#}", folder.display())),
        }
    }
    println!("seed {seed}: {compared} operations compared");
    assert!(
        failed.is_empty(),
        "{} cases failed\n{}",
        failed.len(),
        failed.join("\n\n")
    );
    assert!(
        std::env::var("CASE").is_ok() || compared > 100,
        "{compared} operations compared"
    );
}

/// The judge itself: a field of the whole that a subgraph has otherwise is seen.
#[test]
fn a_value_that_is_not_the_wholes_is_seen() {
    let folder = cases()
        .into_iter()
        .find(|folder| folder.join("whole.yaml").exists());
    let mut case = Case::load(&folder.expect("a case with a whole")).expect("a case");
    assert!(judge(&case, 1, 20).expect("it is judged").wrong.is_empty());
    for data in case.data.values_mut() {
        if let Some(query) = data["Query"].as_object_mut() {
            query
                .values_mut()
                .for_each(|value| *value = serde_json::Value::Null);
        }
    }
    assert!(!judge(&case, 1, 20).expect("it is judged").wrong.is_empty());
}
