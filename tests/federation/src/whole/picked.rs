//! What a field set selects of the whole's objects.
use apollo_compiler::Node;
use apollo_compiler::ast::{Field, Selection};
use serde_json::{Map, Value};

use super::Whole;
use super::declared::Declared;

/// The fields that a selection asks of an object of this type, with what is asked below them.
pub(super) fn fields(
    declared: &Declared,
    object: &str,
    selection: &[Selection],
) -> Vec<(Node<Field>, Vec<Selection>)> {
    let mut found: Vec<(Node<Field>, Vec<Selection>)> = Vec::new();
    collect(declared, object, selection, &mut found);
    found
}

fn collect(
    declared: &Declared,
    object: &str,
    selection: &[Selection],
    found: &mut Vec<(Node<Field>, Vec<Selection>)>,
) {
    for one in selection {
        match one {
            Selection::Field(field) => match found.iter_mut().find(|(known, _)| known.name == field.name) {
                Some((_, below)) => below.extend(field.selection_set.clone()),
                None => found.push((field.clone(), field.selection_set.clone())),
            },
            Selection::InlineFragment(fragment) => {
                let on = fragment.type_condition.as_ref();
                if on.is_none_or(|on| declared.is(object, on)) {
                    collect(declared, object, &fragment.selection_set, found);
                }
            }
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// What a representation must hold of an object.
pub(super) fn object(
    whole: &Whole,
    declared: &Declared,
    name: &str,
    record: &Value,
    selection: &[Selection],
) -> Value {
    let mut members = Map::new();
    for (field, below) in fields(declared, name, selection) {
        if field.name == "__typename" {
            continue;
        }
        let (Some(value), Some(known)) = (record.get(field.name.as_str()), declared.field(name, &field.name))
        else {
            continue;
        };
        let mut arguments = Map::new();
        for argument in &known.arguments {
            let given = field.arguments.iter().find(|one| one.name == argument.name);
            let given = given.map(|one| &one.value).or(argument.default_value.as_ref());
            if let Some(given) = given {
                let text = given.serialize().no_indent().to_string();
                let given = serde_json::from_str(&text).unwrap_or(Value::String(text));
                arguments.insert(argument.name.to_string(), given);
            }
        }
        let value = called(value, &arguments.into());
        members.insert(
            field.name.to_string(),
            picked(whole, declared, &known.named, &value, &below),
        );
    }
    members.into()
}

/// What a field gives with these arguments.
fn called(value: &Value, arguments: &Value) -> Value {
    if let Some(name) = value.get("$switch").and_then(Value::as_str) {
        let given = arguments[name]
            .as_str()
            .map_or_else(|| arguments[name].to_string(), str::to_owned);
        return called(&value["cases"][given], arguments);
    }
    if let Some(text) = value.get("$echo").and_then(Value::as_str) {
        return format!("{text} {arguments}").into();
    }
    value.clone()
}

fn picked(whole: &Whole, declared: &Declared, named: &str, value: &Value, below: &[Selection]) -> Value {
    match value {
        Value::Array(items) => items
            .iter()
            .map(|item| picked(whole, declared, named, item, below))
            .collect(),
        Value::Object(_) if below.is_empty() => value.clone(),
        Value::Object(fields) => {
            let entity = fields.get("$entity").and_then(Value::as_str);
            let record = whole.record(value).unwrap_or(value);
            let plain = fields.get("__typename").and_then(Value::as_str);
            let name = entity.or(plain).unwrap_or(named);
            object(whole, declared, name, record, below)
        }
        leaf => leaf.clone(),
    }
}
