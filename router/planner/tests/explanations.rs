//! Why each fetch is there.
use std::collections::BTreeSet;

use baedal_planner::explain::{Role, Use};
use baedal_planner::{Access, explain};

use crate::support::{case, cases, folders, operations, plan_of, plan_with};

#[test]
fn every_fetch_is_used_and_all_that_it_needs_was_brought_before() {
    let mut explained = 0;
    for name in folders() {
        let (_, sg) = case(&name);
        for path in operations(&cases().join(&name)) {
            let text = std::fs::read_to_string(&path).expect("readable");
            let Ok(plan) = plan_with(&sg, &text, &Access::unrestricted()) else {
                continue;
            };
            let explanation = explain(&sg, &plan);
            assert_eq!(explanation.fetches.len(), plan.fetches.len());
            let mut before: Vec<BTreeSet<usize>> = Vec::new();
            for fetch in &explanation.fetches {
                let what = format!("{}: #{}\n{explanation}", path.display(), fetch.id);
                let mut all: BTreeSet<usize> = fetch.after.iter().copied().collect();
                all.extend(fetch.after.iter().flat_map(|id| before[*id].clone()));
                assert!(fetch.yields.iter().any(|one| !one.uses.is_empty()), "{what}");
                for need in &fetch.needs {
                    assert!(!need.from.is_empty(), "{what}: {}", need.path);
                    assert!(
                        need.from.iter().any(|id| all.contains(id)),
                        "{what}: {}",
                        need.path
                    );
                }
                before.push(all);
                explained += 1;
            }
        }
    }
    assert!(explained > 100, "{explained} fetches");
}

#[test]
fn keys_requirements_and_the_client_are_told_apart() {
    let (_, sg) = case("requires-chain");
    let plan = plan_of(&sg, "{ products { isExpensive } }");
    let explanation = explain(&sg, &plan);
    let roles: Vec<&Role> = explanation
        .fetches
        .iter()
        .flat_map(|f| &f.needs)
        .map(|n| &n.role)
        .collect();
    assert!(roles.contains(&&Role::Key("Product".into())), "{explanation}");
    assert!(
        roles
            .iter()
            .any(|role| matches!(role, Role::Requires(of) if of.contains(&"Product.isExpensive".into()))),
        "{explanation}"
    );
    let last = explanation.fetches.last().expect("a fetch");
    assert!(
        last.yields.iter().any(|one| one.uses == [Use::Answer]),
        "{explanation}"
    );
}
