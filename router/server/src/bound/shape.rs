//! From a record to the answer that a subgraph would have given: what is selected, by response keys, and no more.

use apollo_compiler::Schema;
use apollo_compiler::ast::{Definition, Document, Field, OperationType, Selection};
use serde_json::{Map, Value};

/// What is selected of a bound field.
#[derive(Debug)]
pub struct Shape {
    key: String,
    ty: String,
    selected: Vec<Selected>,
}

#[derive(Debug)]
enum Selected {
    /// The name of the object's type.
    Typename(String),
    /// A field: its response key and name, its type, whether it is an ID, and what is selected of it.
    Field {
        key: String,
        name: String,
        ty: String,
        below: Vec<Selected>,
    },
    /// What is selected of objects of these types.
    On(Vec<String>, Vec<Selected>),
}

/// What reading a selection needs.
struct Reading<'a> {
    schema: &'a Schema,
    document: &'a Document,
}

impl Shape {
    /// What is selected of the root field.
    pub fn of(schema: &Schema, document: &Document, field: &Field) -> Shape {
        let reading = Reading { schema, document };
        let root = schema.root_operation(OperationType::Subscription);
        let ty = root.map_or_else(String::new, |root| reading.type_of(root, &field.name));
        Shape {
            key: key(field),
            selected: reading.selected(&ty, &field.selection_set),
            ty,
        }
    }

    /// The answer: `event` is the root field's value, `cursor` what its field `cursor_field` says. `None` if it is no
    /// value of an object type.
    pub fn answer(&self, event: &Value, cursor_field: &str, cursor: &str) -> Option<String> {
        let value = match event {
            Value::Object(members) => {
                let mut members = members.clone();
                members.insert(cursor_field.to_owned(), Value::from(cursor));
                object(&members, &self.ty, &self.selected)
            }
            _ => return None,
        };
        let data = Value::Object([(self.key.clone(), value)].into_iter().collect());
        Some(Value::Object([("data".to_owned(), data)].into_iter().collect()).to_string())
    }
}

fn key(field: &Field) -> String {
    field.alias.as_ref().unwrap_or(&field.name).to_string()
}

impl Reading<'_> {
    fn selected(&self, ty: &str, selections: &[Selection]) -> Vec<Selected> {
        selections
            .iter()
            .map(|selection| self.one(ty, selection))
            .collect()
    }

    fn one(&self, ty: &str, selection: &Selection) -> Selected {
        match selection {
            Selection::Field(field) if field.name == "__typename" => Selected::Typename(key(field)),
            Selection::Field(field) => {
                let below = self.type_of(ty, &field.name);
                Selected::Field {
                    key: key(field),
                    name: field.name.to_string(),
                    below: self.selected(&below, &field.selection_set),
                    ty: below,
                }
            }
            Selection::InlineFragment(fragment) => {
                let on = fragment.type_condition.as_ref().map_or(ty, |on| on.as_str());
                Selected::On(self.possible(on), self.selected(on, &fragment.selection_set))
            }
            Selection::FragmentSpread(spread) => {
                let found = self
                    .document
                    .definitions
                    .iter()
                    .find_map(|definition| match definition {
                        Definition::FragmentDefinition(found) if found.name == spread.fragment_name => {
                            Some(found)
                        }
                        _ => None,
                    });
                found.map_or(Selected::On(Vec::new(), Vec::new()), |found| {
                    let on = found.type_condition.as_str();
                    Selected::On(self.possible(on), self.selected(on, &found.selection_set))
                })
            }
        }
    }

    /// The name of a field's type; empty where the schema does not show it.
    fn type_of(&self, ty: &str, field: &str) -> String {
        let found = self.schema.types.get(ty).and_then(|ty| match ty {
            apollo_compiler::schema::ExtendedType::Object(ty) => ty.fields.get(field),
            apollo_compiler::schema::ExtendedType::Interface(ty) => ty.fields.get(field),
            _ => None,
        });
        found.map_or_else(String::new, |field| field.ty.inner_named_type().to_string())
    }

    /// The types that a condition lets pass: itself, and what belongs to it.
    fn possible(&self, on: &str) -> Vec<String> {
        let below = self
            .schema
            .types
            .keys()
            .filter(|ty| self.schema.is_subtype(on, ty));
        below.map(ToString::to_string).chain([on.to_owned()]).collect()
    }
}

/// The type that an object says it has, or that it must have.
fn typename<'a>(members: &'a Map<String, Value>, ty: &'a str) -> &'a str {
    members.get("__typename").and_then(Value::as_str).unwrap_or(ty)
}

fn object(members: &Map<String, Value>, ty: &str, selected: &[Selected]) -> Value {
    let mut out = Map::new();
    add(members, typename(members, ty), selected, &mut out);
    Value::Object(out)
}

fn add(members: &Map<String, Value>, ty: &str, selected: &[Selected], out: &mut Map<String, Value>) {
    for one in selected {
        match one {
            Selected::Typename(key) => drop(out.insert(key.clone(), Value::from(ty))),
            Selected::Field { key, name, ty, below } => {
                let value = members
                    .get(name)
                    .map_or(Value::Null, |value| shaped(value, ty, below));
                merge(out, key, value);
            }
            Selected::On(types, below) if types.iter().any(|on| on == ty) => add(members, ty, below, out),
            Selected::On(..) => {}
        }
    }
}

/// One response key can be selected in several places, each with its part.
fn merge(out: &mut Map<String, Value>, key: &str, value: Value) {
    match (out.get_mut(key), value) {
        (Some(Value::Object(known)), Value::Object(more)) => {
            for (key, value) in more {
                merge(known, &key, value);
            }
        }
        (_, value) => drop(out.insert(key.to_owned(), value)),
    }
}

fn shaped(value: &Value, ty: &str, below: &[Selected]) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| shaped(item, ty, below)).collect(),
        Value::Object(members) if !below.is_empty() => object(members, ty, below),
        // What is no object has no fields.
        _ if !below.is_empty() => Value::Null,
        Value::Number(number) if ty == "ID" => Value::from(number.to_string()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::asked;
    use super::*;

    const SCHEMA: &str = "
        type Query { a: Int }
        type Subscription { moved(id: ID!, zone: String = \"north\"): Move }
        type Move { cursor: String at: Place! order: Order by: Mover stops: [Place!] }
        type Place { lat: Float lng: Float }
        type Order { id: ID! total: Int }
        union Mover = Rider | Robot
        type Rider { name: String }
        type Robot { model: String }";

    fn asked(query: &str, variables: Value) -> asked::Asked {
        let schema = Schema::parse(SCHEMA, "schema.graphql").expect("a schema");
        let body = json!({"query": query, "variables": variables}).to_string();
        asked::read(&schema, body.as_bytes()).expect("a subscription")
    }

    fn answer(query: &str, event: &Value) -> Value {
        let answer = asked(query, json!({})).shape.answer(event, "cursor", "c7");
        serde_json::from_str(&answer.expect("an object")).expect("JSON")
    }

    #[test]
    fn a_record_becomes_what_was_asked_for() {
        let event = json!({"at": {"lat": 1.5, "lng": 2, "secret": 3}, "order": {"id": 17, "total": 9}, "cursor": "x",
            "by": {"__typename": "Robot", "model": "R2"}, "stops": [{"lat": 1}, {"lat": 2}], "secret": true});
        let query = "subscription { m: moved(id: 1) { cursor __typename p: at { lat } at { lng } at { lat }
            order { __typename id } by { __typename ... on Rider { name } ... on Robot { model } } stops { lat } } }";
        let wanted = json!({"data": {"m": {"cursor": "c7", "__typename": "Move", "p": {"lat": 1.5},
            "at": {"lat": 1.5, "lng": 2}, "order": {"__typename": "Order", "id": "17"},
            "by": {"__typename": "Robot", "model": "R2"}, "stops": [{"lat": 1}, {"lat": 2}]}}});
        assert_eq!(answer(query, &event), wanted);
    }

    #[test]
    fn what_a_record_lacks_or_has_in_another_form_is_null() {
        let query = "subscription { moved(id: 1) { at { lat } order { id } stops { lat } } }";
        let event = json!({"at": 7, "stops": null});
        let wanted = json!({"data": {"moved": {"at": null, "order": null, "stops": null}}});
        assert_eq!(answer(query, &event), wanted);
        for none in [json!(7), json!("x"), json!([]), json!(null)] {
            assert!(
                asked(query, json!({}))
                    .shape
                    .answer(&none, "cursor", "c")
                    .is_none(),
                "{none}"
            );
        }
    }

    #[test]
    fn arguments_come_from_variables_literals_and_defaults() {
        let query = "subscription($i: ID!) { moved(id: $i) { cursor } }";
        let found = asked(query, json!({"i": "o1"}));
        assert_eq!(
            (found.field.as_str(), &found.arguments["id"]),
            ("moved", &json!("o1"))
        );
        assert_eq!(found.arguments["zone"], "north");
        let literal = asked("subscription { moved(id: 7, zone: null) { cursor } }", json!({}));
        assert_eq!(literal.arguments["id"], 7);
        assert_eq!(literal.arguments["zone"], Value::Null);
    }
}
