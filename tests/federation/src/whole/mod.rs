//! The data of a case written once, for the whole graph (`whole.yaml`): what each subgraph has of it follows from its
//! SDL, and what an operation must answer is what one server with all of it answers.
//!
//! ```yaml
//! Query: { user: { $entity: User, id: "1" } }
//! entities: { User: [ { id: "1", name: Ada } ] }
//! ```
//!
//! A subgraph resolves what its SDL declares there and does not mark as external or lose by `@override`. A field with
//! `@requires` fails there unless the representation holds exactly what the whole says, and what a field
//! `@provides` comes along at that place only.
mod declared;
mod judge;
mod picked;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, anyhow};
use serde_json::{Map, Value};

use declared::Declared;
pub(crate) use judge::expected;
pub use judge::{Judged, judge};

/// Name of the member that numbers an entity, in the whole and in every subgraph.
const NUMBER: &str = "#";

/// The data of a whole graph, its entities numbered and its references resolved.
#[derive(Clone, Debug)]
pub struct Whole {
    /// Root types by name, and `entities`.
    pub data: Value,
}

impl Whole {
    /// Numbers the entities and resolves the references of a `whole.yaml`.
    ///
    /// # Errors
    /// A reference to nothing.
    pub fn new(mut data: Value) -> Result<Whole> {
        let entities = data["entities"].as_object_mut();
        for (name, records) in entities.into_iter().flatten() {
            let records = records.as_array_mut().context("entities are lists by type")?;
            for (index, record) in records.iter_mut().enumerate() {
                record[NUMBER] = format!("{name}{index}").into();
            }
        }
        let known = data.clone();
        resolve(&mut data, &known)?;
        Ok(Whole { data })
    }

    /// What each subgraph (name → SDL) has of it.
    ///
    /// # Errors
    /// SDL that can't be read.
    pub fn split(
        &self,
        subgraphs: &BTreeMap<String, String>,
        labels: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Value>> {
        let declared = Declared::all(subgraphs, labels)?;
        let view = |name: &String| (name.clone(), view::of(self, &declared, name));
        Ok(subgraphs.keys().map(view).collect())
    }

    /// The record of a numbered entity.
    fn record(&self, reference: &Value) -> Option<&Value> {
        let records = self.data["entities"][reference["$entity"].as_str()?].as_array()?;
        records.iter().find(|record| record[NUMBER] == reference[NUMBER])
    }
}

/// Puts the numbers of entities in the place of their keys.
fn resolve(value: &mut Value, known: &Value) -> Result<()> {
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(|item| resolve(item, known)),
        Value::Object(fields) if fields.contains_key("$entity") => {
            let meant = meant(fields, known).ok_or_else(|| anyhow!("{fields:?} is no entity"))?;
            *fields = meant;
            Ok(())
        }
        Value::Object(fields) => fields.values_mut().try_for_each(|field| resolve(field, known)),
        _ => Ok(()),
    }
}

fn meant(reference: &Map<String, Value>, known: &Value) -> Option<Map<String, Value>> {
    let name = reference["$entity"].as_str()?;
    let fits = |record: &&Value| {
        let mut key = reference.iter().filter(|(field, _)| *field != "$entity");
        key.all(|(field, value)| record[field] == *value)
    };
    let record = known["entities"][name].as_array()?.iter().find(fits)?;
    let members = [("$entity", name.into()), (NUMBER, record[NUMBER].clone())];
    let members = members.map(|(key, value)| (key.to_owned(), value));
    Some(members.into_iter().collect())
}
