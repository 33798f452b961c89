//! Events of old stay readable.
use std::collections::BTreeMap;
use std::fs;

use baedal_events::Entry;
use baedal_tests::contract::{self, breaks};
use serde_json::Value;

/// Recorded events by type, of the version the code has now.
fn recorded() -> Vec<(Entry, Value)> {
    let entries: BTreeMap<String, Entry> = baedal_events::all()
        .into_iter()
        .map(|entry| (format!("{}.v{}.json", entry.r#type, entry.version), entry))
        .collect();
    let folder = contract::folder().join("events/recorded");
    let files: Vec<_> = fs::read_dir(folder)
        .expect("schema/events/recorded")
        .flatten()
        .collect();
    let pairs = files.into_iter().filter_map(|file| {
        let entry = entries.get(&file.file_name().to_string_lossy().into_owned())?;
        let text = fs::read_to_string(file.path()).expect("a recorded event is UTF-8");
        Some((
            entry.clone(),
            serde_json::from_str(&text).expect("a recorded event is JSON"),
        ))
    });
    pairs.collect()
}

#[test]
fn every_event_is_recorded() {
    assert_eq!(
        recorded().len(),
        baedal_events::all().len(),
        "`cargo xtask schema` records new events"
    );
}

#[test]
fn recorded_events_are_still_understood_and_lose_no_field() {
    let broken: Vec<String> = recorded()
        .iter()
        .filter_map(|(entry, old)| breaks(entry, old))
        .collect();
    assert!(
        broken.is_empty(),
        "{}\nraise the event's VERSION instead",
        broken.join("\n")
    );
}

#[test]
fn a_breaking_change_would_be_seen() {
    let (entry, old) = recorded()
        .into_iter()
        .find(|(entry, _)| entry.r#type == "OrderPlaced")
        .expect("OrderPlaced");
    let mut renamed = entry.clone();
    let total = renamed
        .example
        .as_object_mut()
        .and_then(|fields| fields.remove("total"));
    assert!(total.is_some());
    assert!(
        breaks(&renamed, &old).is_some_and(|why| why.contains("total")),
        "a lost field breaks readers of then"
    );
    let mut stricter = entry;
    stricter.schema["required"]
        .as_array_mut()
        .expect("required fields")
        .push("somethingNew".into());
    assert!(
        breaks(&stricter, &old).is_some_and(|why| why.contains("not read")),
        "a new required field breaks old events"
    );
}

#[test]
fn examples_fit_their_schemas() {
    for entry in baedal_events::all() {
        let schema = jsonschema::validator_for(&entry.schema).expect("a JSON Schema");
        assert!(schema.is_valid(&entry.example), "{}", entry.r#type);
    }
}
