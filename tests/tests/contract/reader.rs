//! An independent reader of the join specification (npm package `@graphql-tools/federation`, MIT)
//! understands the supergraph that we compose as we do.
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use apollo_compiler::schema::ExtendedType;
use baedal_planner::Supergraph;
use baedal_tests::contract;
use serde_json::Value;

#[test]
fn another_reader_understands_the_supergraph_as_we_do() {
    let path = contract::folder().join("supergraph.graphql");
    let theirs = read(&path);
    let ours =
        Supergraph::parse(&fs::read_to_string(&path).expect("the supergraph")).expect("we read it ourselves");
    let graphs: BTreeSet<String> = ours
        .subgraphs()
        .iter()
        .map(|subgraph| subgraph.name.to_uppercase())
        .collect();
    assert_eq!(texts(&theirs["subgraphs"]), graphs);
    assert_eq!(texts(&theirs["fields"]), fields(&ours));
}

/// `Type.field: Type` of every object type of the public schema.
fn fields(supergraph: &Supergraph) -> BTreeSet<String> {
    let types = supergraph
        .api_schema()
        .types
        .iter()
        .filter(|(name, _)| !name.starts_with("__"));
    let objects = types.filter_map(|(name, definition)| match definition {
        ExtendedType::Object(object) => Some((name, object)),
        _ => None,
    });
    objects
        .flat_map(|(name, object)| {
            object
                .fields
                .values()
                .map(move |field| format!("{name}.{}: {}", field.name, field.ty))
        })
        .collect()
}

fn texts(list: &Value) -> BTreeSet<String> {
    list.as_array()
        .expect("a list")
        .iter()
        .map(|text| text.as_str().expect("text").to_owned())
        .collect()
}

fn read(supergraph: &Path) -> Value {
    let output = Command::new("node")
        .current_dir(reader())
        .arg("read.mjs")
        .arg(supergraph)
        .output();
    let output = output.expect("this test needs Node 18 or later");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("the reader prints JSON")
}

/// The reader with its packages installed, below the build folder.
fn reader() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("readers");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("supergraph-reader");
    fs::create_dir_all(&folder).expect("a folder for the reader");
    for name in ["package.json", "package-lock.json", ".npmrc", "read.mjs"] {
        fs::copy(source.join(name), folder.join(name)).expect("a file of the reader");
    }
    let output = Command::new("npm")
        .current_dir(&folder)
        .args(["ci", "--silent"])
        .output();
    let output = output.expect("this test needs npm");
    assert!(
        output.status.success(),
        "npm ci: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    folder
}
