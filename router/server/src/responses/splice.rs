//! Texts of requests with some of their entities left out, and of answers with these put in again.

use std::borrow::Cow;

use bytes::Bytes;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::question::{Asked, Group};

/// An answer, taken apart at the top.
#[derive(Deserialize)]
pub struct Answered<'a> {
    /// `data`, unless it is null.
    #[serde(borrow, default)]
    pub data: Option<&'a RawValue>,
    /// `errors`, unless they are null.
    #[serde(borrow, default)]
    pub errors: Option<&'a RawValue>,
    /// Tags among the extensions.
    #[serde(default)]
    pub extensions: Option<Extensions>,
}

/// Tags that come with an answer.
#[derive(Debug, Default, Deserialize)]
pub struct Extensions {
    /// Of all of it.
    #[serde(rename = "apolloCacheTags", default)]
    pub tags: Vec<String>,
    /// Of each entity, in the order of the representations.
    #[serde(rename = "apolloEntityCacheTags", default)]
    pub entity_tags: Vec<Vec<String>>,
}

impl Answered<'_> {
    /// Whether there are errors.
    pub fn has_errors(&self) -> bool {
        self.errors.is_some_and(|errors| errors.get().trim() != "[]")
    }
}

/// Where an entity is asked for: in which group, and in which place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Index of the group.
    pub group: usize,
    /// Index among its representations.
    pub index: usize,
}

/// Representations of each group.
pub type Representations<'a> = Vec<Vec<&'a RawValue>>;

/// The representations of a request's groups; `None` if they are not there.
pub fn representations<'a>(asked: &Asked<'a>, groups: &[Group]) -> Option<Representations<'a>> {
    let of = |group: &Group| serde_json::from_str(asked.variables.get(group.variable.as_str())?.get()).ok();
    groups.iter().map(of).collect()
}

/// The request for some of the entities only.
pub fn request(asked: &Asked<'_>, groups: &[Group], all: &Representations<'_>, wanted: &[Place]) -> Bytes {
    let mut out = Vec::with_capacity(asked.query.get().len() + 1024);
    out.extend_from_slice(b"{\"query\":");
    out.extend_from_slice(asked.query.get().as_bytes());
    if let Some(name) = asked.operation_name {
        out.extend_from_slice(b",\"operationName\":");
        out.extend_from_slice(name.get().as_bytes());
    }
    out.extend_from_slice(b",\"variables\":{");
    for (number, (name, value)) in asked.variables.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(quoted(name).as_bytes());
        out.push(b':');
        match groups.iter().position(|group| group.variable == *name) {
            Some(group) => {
                let of_group = wanted.iter().filter(|place| place.group == group);
                list(
                    &mut out,
                    of_group.map(|place| all[group][place.index].get().as_bytes()),
                );
            }
            None => out.extend_from_slice(value.get().as_bytes()),
        }
    }
    out.extend_from_slice(b"}}");
    out.into()
}

/// The entities of an answer, for each place that was asked for; `None` if it has others, or none.
pub fn entities<'a>(data: &'a RawValue, groups: &[Group], places: &[Place]) -> Option<Vec<&'a RawValue>> {
    let members: IndexMap<Cow<'a, str>, &'a RawValue> = serde_json::from_str(data.get()).ok()?;
    let mut found: Vec<Vec<&RawValue>> = Vec::with_capacity(groups.len());
    for (number, group) in groups.iter().enumerate() {
        let asked = places.iter().filter(|place| place.group == number).count();
        let list: Vec<&RawValue> =
            serde_json::from_str(members.get(group.response_key.as_str())?.get()).ok()?;
        if list.len() != asked {
            return None;
        }
        found.push(list);
    }
    let mut next = vec![0; groups.len()];
    let entity = |place: &Place| {
        let entity = found[place.group][next[place.group]];
        next[place.group] += 1;
        entity
    };
    Some(places.iter().map(entity).collect())
}

/// The answer with all entities: one list for each group.
pub fn answer(groups: &[Group], entities: &[(Place, &[u8])], errors: &[Value]) -> Bytes {
    let bytes: usize = entities.iter().map(|(_, text)| text.len() + 1).sum();
    let mut out = Vec::with_capacity(bytes + 64 + groups.len() * 16);
    out.extend_from_slice(b"{\"data\":{");
    for (number, group) in groups.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(quoted(&group.response_key).as_bytes());
        out.push(b':');
        let of_group = entities.iter().filter(|(place, _)| place.group == number);
        list(&mut out, of_group.map(|(_, text)| *text));
    }
    out.push(b'}');
    if !errors.is_empty() {
        out.extend_from_slice(b",\"errors\":");
        let errors = serde_json::to_vec(errors).expect("what was JSON is JSON");
        out.extend_from_slice(&errors);
    }
    out.push(b'}');
    out.into()
}

/// The errors of an answer for some places, with paths as in the answer for all.
pub fn errors(raw: &RawValue, groups: &[Group], places: &[Place]) -> Option<Vec<Value>> {
    let mut errors: Vec<Value> = serde_json::from_str(raw.get()).ok()?;
    for error in &mut errors {
        let Some(path) = error.get_mut("path").and_then(Value::as_array_mut) else {
            continue;
        };
        let [Value::String(key), index @ Value::Number(_), ..] = &mut path[..] else {
            continue;
        };
        let group = groups.iter().position(|group| group.response_key == *key)?;
        let asked = usize::try_from(index.as_u64()?).ok()?;
        let place = places.iter().filter(|place| place.group == group).nth(asked)?;
        *index = place.index.into();
    }
    Some(errors)
}

fn list<'a>(out: &mut Vec<u8>, items: impl Iterator<Item = &'a [u8]>) {
    out.push(b'[');
    for (number, item) in items.enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(item);
    }
    out.push(b']');
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
