//! What others see of a later release of this service, for experiments with both at once: `BAEDAL_RELEASE=next`. Not in a
//! release build.
//!
//! Its events have a field that nobody knows yet, beside them are events of a type that nobody knows yet, and its schema
//! has one more field. All of that is allowed; with the net `version` off it breaks the rule instead: the same events
//! under a new major version, before their readers know it.

use async_graphql::{Response, Value};

use crate::{failpoint, log::Record};

/// The new field of events.
const NEW: &str = "ofTheNextRelease";

/// The records as the next release would publish them.
pub(crate) fn events(records: Vec<Record>) -> Vec<Record> {
    match failpoint::next_release() {
        true => records.into_iter().flat_map(later).collect(),
        false => records,
    }
}

/// The answer as the next release of this service would give it.
pub(crate) fn answer(service: &str, answer: &mut Response) {
    if !failpoint::next_release() {
        return;
    }
    let Value::Object(data) = &mut answer.data else {
        return;
    };
    let Some(Value::Object(told)) = data.get_mut("_service") else {
        return;
    };
    if let Some(Value::String(sdl)) = told.get_mut("sdl") {
        *sdl += &format!("\nextend type Query {{\n  {service}OfTheNextRelease: String\n}}\n");
    }
}

/// An event with a new field, and a new event after it.
fn later(record: Record) -> Vec<Record> {
    let Ok(mut event) = serde_json::from_slice::<serde_json::Value>(&record.payload) else {
        return vec![record];
    };
    event["data"][NEW] = "unknown".into();
    if failpoint::sabotaged("version") {
        event["version"] = 99.into();
    }
    let mut new = event.clone();
    new["type"] = "OfTheNextRelease".into();
    new["id"] = uuid::Uuid::now_v7().to_string().into();
    let with = |event: serde_json::Value| Record {
        key: record.key.clone(),
        payload: event.to_string().into_bytes(),
    };
    vec![with(event), with(new)]
}
