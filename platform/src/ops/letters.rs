//! Dead letters: listed, applied after all, given up.
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::args::{Chosen, Listed};
use super::client::Gateway;
use super::{Found, table};
use crate::settings::Part;

/// Ids of one request; the services take no more.
const MOST: usize = 100;

/// A dead letter as the list names it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    service: Part,
    id: String,
}

impl Name {
    fn parse(text: &str) -> Result<Name> {
        let named = text.split_once(':').and_then(|(service, id)| {
            let service = Part::SUBGRAPHS.into_iter().find(|part| part.name() == service)?;
            Some(Name {
                service,
                id: id.to_owned(),
            })
        });
        named.with_context(|| {
            format!("{text:?} is no dead letter: write SERVICE:TOPIC/PARTITION/OFFSET, as `baedal ops dead-letters` shows it")
        })
    }
}

/// What a redrive or discard has come to.
#[derive(Default)]
struct Tally {
    applied: Vec<String>,
    refused: Vec<(String, String)>,
}

/// All of them, or those of one service.
pub(super) async fn list(gateway: &Gateway, listed: &Listed, json: bool) -> Result<Found> {
    let mut letters = Vec::new();
    for service in services(listed.service)? {
        letters.extend(of(gateway, service).await?);
    }
    if json {
        println!("{:#}", Value::Array(letters.clone()));
    } else if letters.is_empty() {
        println!("No dead letters.");
    } else {
        table::print(&["ID", "SINCE", "TRIED", "KEY", "REASON"], &rows(&letters));
    }
    Ok(Found::attention(!letters.is_empty()))
}

fn rows(letters: &[Value]) -> Vec<Vec<String>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let row = |letter: &Value| {
        vec![
            text(&letter["id"]),
            text(&letter["buriedAt"]),
            letter["attempts"].to_string(),
            text(&letter["key"]),
            table::short(&text(&letter["reason"]), 80),
        ]
    };
    letters.iter().map(row).collect()
}

/// The letters of one service, ids with its name.
async fn of(gateway: &Gateway, service: Part) -> Result<Vec<Value>> {
    let root = format!("{service}DeadLetters");
    let query = format!(
        "query ($after: String) {{ {root}(first: 100, after: $after) {{ \
         nodes {{ id reason topic key payload buriedAt attempts }} pageInfo {{ hasNextPage endCursor }} }} }}"
    );
    let (mut letters, mut after) = (Vec::new(), Value::Null);
    loop {
        let data = gateway.data(&query, json!({ "after": after })).await?;
        let page = &data[&root];
        for letter in page["nodes"].as_array().into_iter().flatten() {
            let mut letter = letter.clone();
            letter["id"] = json!(format!("{service}:{}", letter["id"].as_str().unwrap_or_default()));
            letters.push(letter);
        }
        if page["pageInfo"]["hasNextPage"] != true {
            return Ok(letters);
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// Has them applied after all.
pub(super) async fn redrive(gateway: &Gateway, chosen: &Chosen, json: bool) -> Result<Found> {
    let names = match chosen.all {
        true => all(gateway, chosen.service).await?,
        false => chosen
            .ids
            .iter()
            .map(|id| Name::parse(id))
            .collect::<Result<_>>()?,
    };
    let mut tally = Tally::default();
    for (service, ids) in batches(&names) {
        let root = format!("redrive{}DeadLetters", title(service));
        let query =
            format!("mutation ($ids: [ID!]!) {{ {root}(ids: $ids) {{ applied refused {{ id reason }} }} }}");
        let outcome = gateway.data(&query, json!({ "ids": ids })).await;
        let outcome = outcome.with_context(|| said(&tally, service))?;
        tally.add(service, &outcome[&root]);
    }
    tally.print(json);
    Ok(Found::attention(!tally.refused.is_empty()))
}

/// What was done before the request that failed.
fn said(tally: &Tally, service: Part) -> String {
    let done = tally.applied.len();
    format!("{service} did not finish; {done} dead letters were applied before, run it again for the rest")
}

async fn all(gateway: &Gateway, service: Option<Part>) -> Result<Vec<Name>> {
    let mut names = Vec::new();
    for service in services(service)? {
        for letter in of(gateway, service).await? {
            names.push(Name::parse(letter["id"].as_str().unwrap_or_default())?);
        }
    }
    Ok(names)
}

/// Gives them up.
pub(super) async fn discard(gateway: &Gateway, ids: &[String], json: bool) -> Result<Found> {
    let names = ids.iter().map(|id| Name::parse(id)).collect::<Result<Vec<_>>>()?;
    let mut discarded = 0;
    for (service, ids) in batches(&names) {
        let root = format!("discard{}DeadLetters", title(service));
        let query = format!("mutation ($ids: [ID!]!) {{ {root}(ids: $ids) }}");
        let data = gateway.data(&query, json!({ "ids": ids })).await?;
        discarded += data[&root].as_u64().unwrap_or(0);
    }
    match json {
        true => println!("{:#}", json!({ "discarded": discarded })),
        false => println!("{discarded} discarded."),
    }
    Ok(Found::attention(discarded < names.len() as u64))
}

impl Tally {
    fn add(&mut self, service: Part, outcome: &Value) {
        let name = |id: &Value| format!("{service}:{}", id.as_str().unwrap_or_default());
        let list = |field: &str| outcome[field].as_array().cloned().unwrap_or_default();
        self.applied.extend(list("applied").iter().map(name));
        self.refused.extend(list("refused").iter().map(|refused| {
            let reason = refused["reason"].as_str().unwrap_or_default();
            (name(&refused["id"]), reason.to_owned())
        }));
    }

    fn print(&self, json: bool) {
        if json {
            let refused: Vec<Value> = self
                .refused
                .iter()
                .map(|(id, reason)| json!({ "id": id, "reason": reason }))
                .collect();
            println!("{:#}", json!({ "applied": self.applied, "refused": refused }));
            return;
        }
        println!(
            "{} applied, {} still refused.",
            self.applied.len(),
            self.refused.len()
        );
        for (id, reason) in &self.refused {
            println!("  {id}: {}", table::short(reason, 100));
        }
    }
}

/// The service, if it is one with dead letters; all of them, if none is named.
fn services(service: Option<Part>) -> Result<Vec<Part>> {
    let Some(service) = service else {
        return Ok(Part::SUBGRAPHS.to_vec());
    };
    ensure!(
        Part::SUBGRAPHS.contains(&service),
        "{service} reads no events: name order, payment, store or marketing"
    );
    Ok(vec![service])
}

/// Ids by service, few at a time, their order kept.
fn batches(names: &[Name]) -> Vec<(Part, Vec<&str>)> {
    let mut batches = Vec::new();
    for service in Part::SUBGRAPHS {
        let ids: Vec<&str> = names
            .iter()
            .filter(|name| name.service == service)
            .map(|name| name.id.as_str())
            .collect();
        batches.extend(ids.chunks(MOST).map(|chunk| (service, chunk.to_vec())));
    }
    batches
}

fn title(service: Part) -> String {
    let name = service.name();
    format!("{}{}", name[..1].to_uppercase(), &name[1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_service_and_a_place() {
        let name = Name::parse("store:baedal.order/3/17").unwrap();
        assert_eq!(
            (name.service, name.id.as_str()),
            (Part::Store, "baedal.order/3/17")
        );
        for wrong in ["baedal.order/3/17", "gateway:x", "", "nobody:x"] {
            let error = Name::parse(wrong).unwrap_err().to_string();
            assert!(error.contains("SERVICE:TOPIC/PARTITION/OFFSET"), "{error}");
        }
    }

    #[test]
    fn batches_are_of_one_service_and_few() {
        let name = |service, id: usize| Name {
            service,
            id: id.to_string(),
        };
        let mut names: Vec<Name> = (0..150).map(|id| name(Part::Store, id)).collect();
        names.insert(3, name(Part::Order, 0));
        let sizes: Vec<(Part, usize)> = batches(&names)
            .iter()
            .map(|(part, ids)| (*part, ids.len()))
            .collect();
        assert_eq!(sizes, [(Part::Order, 1), (Part::Store, 100), (Part::Store, 50)]);
    }
}
