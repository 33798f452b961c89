//! The table of results, from what criterion measured.
use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use crate::machine::{machine, today};

const GROUPS: [(&str, &str); 5] = [
    ("read records", "Read 1 MB of records"),
    ("read texts", "Read 1 MB of texts"),
    ("write records", "Write 1 MB of records"),
    ("write texts", "Write 1 MB of texts"),
    ("merge 1000 entities", "Merge 1 000 entities"),
];
const NAMES: [&str; 3] = ["baedal", "sonic-rs", "serde_json"];

/// Writes the table of this run.
pub fn write(file: &Path) {
    let mut text = String::from(INTRODUCTION);
    writeln!(text, "{}, {}.\n", today(), machine()).unwrap();
    text += "| MB/s | baedal | sonic-rs | serde_json |\n|---|---|---|---|\n";
    for (group, title) in GROUPS {
        let speeds = NAMES.map(|name| format!("{:.0}", megabytes_per_second(group, name)));
        writeln!(text, "| {title} | {} |", speeds.join(" | ")).unwrap();
    }
    let [ours, sonic, serde] = NAMES.map(|name| nanoseconds("merge 1000 entities", name) / 1000.0);
    writeln!(
        text,
        "\nWriting 1 000 representations, reading the entities and attaching them takes {ours:.0} µs; \
         only reading the same entities takes sonic-rs {sonic:.0} µs and serde_json {serde:.0} µs."
    )
    .unwrap();
    std::fs::write(file, &text).unwrap();
    println!("{text}");
}

const INTRODUCTION: &str = "# The executor's stages\n\n\
`cargo xtask bench executor` wrote this page. Bytes in (or out) per second of processor time, freeing included; the libraries \
read the same bytes into their `Value`, or write them from it, in the same run.\n\n\
- *Records*: reviews of a few words, with author and product: keys and short values. *Texts*: reviews of some hundred \
letters, half of them Korean.\n\
- *Merge*: 1 000 representations are written, and the 1 000 entities that come back are read and attached to their \
places; bytes are those of both. The libraries only read the entities.\n\n";

fn folder() -> std::path::PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
        Into::into,
    );
    target.join("criterion")
}

fn measured(group: &str, name: &str, file: &str) -> Value {
    let path = folder().join(group).join(name).join("new").join(file);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap()
}

fn nanoseconds(group: &str, name: &str) -> f64 {
    measured(group, name, "estimates.json")["median"]["point_estimate"]
        .as_f64()
        .unwrap()
}

fn megabytes_per_second(group: &str, name: &str) -> f64 {
    let bytes = measured(group, name, "benchmark.json")["throughput"]["Bytes"]
        .as_f64()
        .unwrap();
    bytes * 1000.0 / nanoseconds(group, name)
}
