//! What each service's plumbing is doing.
use anyhow::Result;
use serde_json::{Value, json};

use super::client::{Answer, Gateway};
use super::{Found, table};
use crate::settings::Part;

/// Events that have waited longer than this are stuck: the relay looks several times a second.
const OUTBOX_SECONDS: i64 = 30;

/// One line per service.
pub(super) async fn status(gateway: &Gateway, json: bool) -> Result<Found> {
    let heads = [
        "SERVICE",
        "OUTBOX",
        "OLDEST",
        "HANDLED",
        "RETRIED",
        "DEAD LETTERS",
    ];
    let fields = [
        "outboxWaiting",
        "outboxOldestSeconds",
        "eventsHandled",
        "batchesRetried",
        "deadLetters",
    ];
    show(gateway, &heads, &fields, json).await
}

/// The outboxes alone.
pub(super) async fn outbox(gateway: &Gateway, json: bool) -> Result<Found> {
    show(
        gateway,
        &["SERVICE", "OUTBOX", "OLDEST"],
        &["outboxWaiting", "outboxOldestSeconds"],
        json,
    )
    .await
}

async fn show(gateway: &Gateway, heads: &[&str], fields: &[&str], json: bool) -> Result<Found> {
    let mut found = Found::Well;
    let (mut rows, mut shown) = (Vec::new(), serde_json::Map::new());
    for part in Part::SUBGRAPHS {
        let root = format!("{part}Operations");
        let query = format!("{{ {root} {{ {} }} }}", fields.join(" "));
        let Answer { data, errors } = gateway.ask(&query, json!({})).await?;
        let view = &data[&root];
        found = found.and(Found::attention(is_bad(view)));
        rows.push(row(part, view, fields, &errors));
        shown.insert(part.name().to_owned(), with_errors(view, &errors));
    }
    match json {
        true => println!("{:#}", Value::Object(shown)),
        false => table::print(heads, &rows),
    }
    Ok(found)
}

/// A service that does not answer is bad, too.
fn is_bad(view: &Value) -> bool {
    view.is_null()
        || view["deadLetters"].as_i64().is_some_and(|count| count > 0)
        || view["outboxOldestSeconds"]
            .as_i64()
            .is_some_and(|age| age > OUTBOX_SECONDS)
}

fn row(part: Part, view: &Value, fields: &[&str], errors: &[String]) -> Vec<String> {
    let mut row = vec![part.name().to_owned()];
    if view.is_null() {
        row.push(table::short(&errors.join("; "), 100));
        return row;
    }
    row.extend(fields.iter().map(|field| match (&view[*field], *field) {
        (Value::Null, _) => "–".to_owned(),
        (age, "outboxOldestSeconds") => format!("{age} s"),
        (value, _) => value.to_string(),
    }));
    row
}

/// The view, or what went wrong.
pub(super) fn with_errors(view: &Value, errors: &[String]) -> Value {
    match view.is_null() {
        true => json!({ "errors": errors }),
        false => view.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_letters_old_events_and_silence_are_bad() {
        for (view, bad) in [
            (json!({ "deadLetters": 0, "outboxOldestSeconds": null }), false),
            (json!({ "deadLetters": 0, "outboxOldestSeconds": 30 }), false),
            (json!({ "deadLetters": 1, "outboxOldestSeconds": null }), true),
            (json!({ "deadLetters": 0, "outboxOldestSeconds": 31 }), true),
            (Value::Null, true),
        ] {
            assert_eq!(is_bad(&view), bad, "{view}");
        }
    }
}
