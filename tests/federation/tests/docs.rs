//! `docs/federation.md` names every case, and only cases that exist.
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Names that follow `start` in a text.
fn named<'t>(text: &'t str, start: &str) -> BTreeSet<&'t str> {
    let end = |c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_';
    let names = text
        .split(start)
        .skip(1)
        .map(|rest| rest.split(end).next().unwrap_or_default());
    names.filter(|name| !name.is_empty()).collect()
}

fn folders(path: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(path).expect("a folder").flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn the_table_of_federation_names_every_case_and_no_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("../../docs/federation.md")).expect("the page");
    let there = folders(&root.join("cases"));
    let named_here = named(&text, "](../tests/federation/cases/");
    let missing: Vec<_> = there
        .iter()
        .filter(|name| !named_here.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "docs/federation.md does not name {missing:?}");
    let composed = folders(&root.join("../../router/composition/tests/cases"));
    let unknown: Vec<_> = named_here
        .iter()
        .filter(|name| !there.contains(**name))
        .chain(
            named(&text, "](../router/composition/tests/cases/")
                .iter()
                .filter(|name| !composed.contains(**name)),
        )
        .copied()
        .collect();
    assert!(unknown.is_empty(), "docs/federation.md names {unknown:?}");
}
