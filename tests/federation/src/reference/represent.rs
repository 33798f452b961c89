//! Representations of entities.
use baedal_planner::Plan;
use baedal_planner::plan::{Representation, RepresentationField};
use serde_json::{Map, Value};

use super::tree::{Node, applies};

/// The representation of an entity; none if it has none, or something of it is not there.
pub fn represent(plan: &Plan, node: &Node, choices: &[Representation]) -> Option<Value> {
    let Node::Object(object) = node else {
        return None;
    };
    let fits = |choice: &&Representation| applies(choice.on.as_ref(), object.runtime);
    let choice = choices.iter().find(fits)?;
    let mut fields = members(plan, node, &choice.fields)?;
    fields.insert("__typename".to_owned(), (*choice.typename).into());
    Some(fields.into())
}

fn members(plan: &Plan, node: &Node, fields: &[RepresentationField]) -> Option<Map<String, Value>> {
    let Node::Object(object) = node else {
        return None;
    };
    let mut members = Map::new();
    for field in fields {
        if members.contains_key(&*field.name) || !applies(field.on.as_ref(), object.runtime) {
            continue;
        }
        let value = object.slots.get(&field.slot.0)?;
        if *value == Node::Null && !field.nullable {
            return None;
        }
        let value = written(plan, value, field.fields.as_deref())?;
        members.insert(field.name.to_string(), value);
    }
    Some(members)
}

fn written(plan: &Plan, node: &Node, fields: Option<&[RepresentationField]>) -> Option<Value> {
    match (node, fields) {
        (Node::Null, _) => Some(Value::Null),
        (Node::Leaf(leaf), None) => Some(leaf.clone()),
        (Node::Object(_), Some(fields)) => members(plan, node, fields).map(Value::Object),
        (Node::List(items), Some(_)) => items.iter().map(|item| written(plan, item, fields)).collect(),
        _ => None,
    }
}
