//! Plans as data: each folder under `tests/cases` has a supergraph and operations; the plan of each
//! is a snapshot, and is checked to be one that the subgraphs accept.
use std::collections::BTreeSet;
use std::path::Path;

use apollo_compiler::ExecutableDocument;
use baedal_planner::plan::{Entry, Named, Plan, Projection, Source};

use crate::subgraph_view::subgraph_schema;
use crate::support::{case, cases, folders, operations, plan_of, plan_with};
use baedal_planner::Access;

#[test]
fn every_case_has_the_expected_plan() {
    let failed: Vec<String> = folders()
        .into_iter()
        .filter(|name| std::panic::catch_unwind(|| check_case(name, &cases().join(name))).is_err())
        .collect();
    assert!(failed.is_empty(), "failed cases: {failed:?}");
}

fn check_case(name: &str, folder: &Path) {
    let (sdl, sg) = case(name);
    let operations = operations(folder);
    assert!(!operations.is_empty(), "{name} has operations");
    for path in operations {
        let text = std::fs::read_to_string(&path).expect("readable");
        let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
        let what = format!("{name}/{stem}");
        let printed = match plan_with(&sg, &text, &Access::unrestricted()) {
            Ok(plan) => {
                check_sound(&what, &sdl, &sg, &plan);
                assert_eq!(plan, plan_of(&sg, &text), "{what} is planned the same again");
                format!("{text}\n{plan}")
            }
            Err(error) => format!("{text}\n{}: {error}", error.code()),
        };
        insta::with_settings!({ snapshot_path => format!("cases/{name}"), prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(stem.to_owned(), printed);
        });
    }
}

/// Every query is valid in its subgraph; every fetch comes after what its representations are made of.
pub fn check_sound(what: &str, sdl: &str, sg: &baedal_planner::Supergraph, plan: &Plan) {
    let mut written: BTreeSet<(usize, String)> = BTreeSet::new();
    for (id, fetch) in plan.fetches.iter().enumerate() {
        let schema = subgraph_schema(sdl, &fetch.subgraph);
        if let Err(e) = ExecutableDocument::parse_and_validate(&schema, fetch.query.to_string(), "fetch") {
            panic!(
                "{what}: fetch #{id} is not valid in {}: {}\n{}",
                fetch.subgraph, fetch.query, e.errors
            );
        }
        assert!(
            fetch.after.iter().all(|a| *a < id),
            "{what}: #{id} waits only for earlier fetches"
        );
        assert!(
            fetch.after.windows(2).all(|w| w[0] < w[1]),
            "{what}: `after` is ascending"
        );
        check_representations(what, plan, id, &written);
        note_written(plan, id, &mut written);
    }
    assert!(sg.subgraphs().len() > 1);
    // Where subgraphs differ in which types stand at a place, what the others have is asked of nobody.
    let partial = ["unions", "entity-union-narrowed", "keyless-wrapper"];
    if !partial.iter().any(|name| what.starts_with(name)) {
        let paths: BTreeSet<String> = written.into_iter().map(|(_, path)| path).collect();
        check_answered(what, plan, "", &plan.answer, &paths);
    }
}

/// Everything the answer is made of is brought by some fetch.
fn check_answered(what: &str, plan: &Plan, at: &str, projection: &Projection, paths: &BTreeSet<String>) {
    for field in &projection.fields {
        let Source::Field(slot, ty) = &field.source else {
            continue;
        };
        let path = format!("{at}.{}", slot.0);
        assert!(
            paths.contains(&path),
            "{what}: nothing brings {} of\n{plan}",
            field.response_key
        );
        if let Named::Object { projection, .. } = &ty.named {
            check_answered(what, plan, &path, projection, paths);
        }
    }
}

/// (fetch, path of slots) that a fetch writes.
fn note_written(plan: &Plan, id: usize, written: &mut BTreeSet<(usize, String)>) {
    let shape = |prefix: &str, shape: &baedal_planner::plan::Shape, out: &mut BTreeSet<(usize, String)>| {
        fn go(
            id: usize,
            prefix: &str,
            shape: &baedal_planner::plan::Shape,
            out: &mut BTreeSet<(usize, String)>,
        ) {
            for field in &shape.fields {
                match &field.keep {
                    baedal_planner::plan::Keep::Typename => {}
                    baedal_planner::plan::Keep::Leaf(slot) => {
                        _ = out.insert((id, format!("{prefix}.{}", slot.0)))
                    }
                    baedal_planner::plan::Keep::Object(slot, inner) => {
                        let path = format!("{prefix}.{}", slot.0);
                        out.insert((id, path.clone()));
                        go(id, &path, inner, out);
                    }
                }
            }
        }
        go(id, prefix, shape, out);
    };
    match &plan.fetches[id].entry {
        Entry::Root(root) => shape("", root, written),
        Entry::Entities(groups) => {
            for group in groups {
                for target in &group.targets {
                    shape(&path_of(target), &group.shape, written);
                }
            }
        }
        Entry::Queries(group) => {
            for target in &group.targets {
                shape(&path_of(target), &group.shape, written);
            }
        }
    }
}

fn path_of(target: &baedal_planner::plan::Target) -> String {
    target.path.iter().map(|s| format!(".{}", s.slot.0)).collect()
}

fn check_representations(what: &str, plan: &Plan, id: usize, written: &BTreeSet<(usize, String)>) {
    let fetch = &plan.fetches[id];
    let Entry::Entities(groups) = &fetch.entry else {
        return;
    };
    let mut before = BTreeSet::new();
    let mut pending = fetch.after.clone();
    while let Some(a) = pending.pop() {
        if before.insert(a) {
            pending.extend(&plan.fetches[a].after);
        }
    }
    let there = |path: &str| written.iter().any(|(by, p)| p == path && before.contains(by));
    for target in groups.iter().flat_map(|g| &g.targets) {
        let path = path_of(target);
        assert!(
            !target.representations.is_empty(),
            "{what}: #{id} sends something"
        );
        for field in target.representations.iter().flat_map(|r| &r.fields) {
            let at = format!("{path}.{}", field.slot.0);
            assert!(
                there(&at),
                "{what}: #{id} sends {} before any fetch it waits for brings it",
                field.name
            );
        }
    }
}
