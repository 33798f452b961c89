//! Where a stream is, and how it goes on there: the field that tells it (`subscriptions.cursor_field`), and the argument
//! of the subscription's root field that takes it (`subscriptions.cursor_argument`).

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use apollo_compiler::ast::{
    Argument, Definition, Document, Field, OperationDefinition, Selection, Type, Value, VariableDefinition,
};
use apollo_compiler::{Name, Node, Schema};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::request::Request;

/// The variable that a resumed operation brings its cursor in.
const VARIABLE: Name = apollo_compiler::name!("resumeAfter");

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Option<HashMap<Cow<'a, str>, &'a RawValue>>,
}

/// The cursor that an event's only root field has under the response key `field`: a string or a whole number.
pub fn of_event(body: &[u8], field: &str) -> Option<Arc<str>> {
    let answer: Answer<'_> = serde_json::from_slice(body).ok()?;
    let data = answer.data?;
    let root = data.values().next()?.get();
    let members: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(root).ok()?;
    let raw = members.get(field)?.get();
    match serde_json::from_str(raw).ok()? {
        serde_json::Value::String(text) => Some(text.into()),
        serde_json::Value::Number(number) if number.is_i64() => Some(number.to_string().into()),
        _ => None,
    }
}

/// The argument of a subscription that says where it begins.
#[derive(Debug, Clone)]
pub struct CursorArgument {
    name: Name,
    ty: Node<Type>,
    value: Option<Node<Value>>,
    default: Option<Node<Value>>,
}

impl CursorArgument {
    /// That of the request's root field, if it has one of this name.
    pub fn of(schema: &Schema, request: &Request, name: &str) -> Option<CursorArgument> {
        let document = Document::parse(request.query.as_str(), "query").ok()?;
        let operation = chosen(&document, request)?;
        let field = root_field(operation)?;
        let root = schema.root_operation(operation.operation_type)?;
        let known = schema.get_object(root)?.fields.get(&field.name)?;
        let definition = known.arguments.iter().find(|argument| argument.name == name)?;
        let given = field.arguments.iter().find(|argument| argument.name == name);
        let value = given.map(|argument| argument.value.clone());
        let default = value.as_ref().and_then(|value| default_of(operation, value));
        Some(CursorArgument {
            name: definition.name.clone(),
            ty: definition.ty.clone(),
            value,
            default,
        })
    }

    /// The value that the request gives it, if it gives one.
    pub fn given(&self, request: &Request) -> Option<String> {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Int(number) => Some(number.to_string()),
            _ => None,
        };
        let Value::Variable(name) = &**self.value.as_ref()? else {
            return text(self.value.as_ref()?);
        };
        match request.variables.get(name.as_str()) {
            Some(serde_json::Value::String(value)) => Some(value.clone()),
            Some(serde_json::Value::Number(value)) => Some(value.to_string()),
            Some(_) => None,
            None => text(self.default.as_ref()?),
        }
    }

    /// The request that begins after `cursor`.
    pub fn resumed(&self, request: &Request, cursor: &str) -> Option<Request> {
        let value = match self.ty.inner_named_type().as_str() {
            "Int" => serde_json::Value::from(cursor.parse::<i64>().ok()?),
            _ => serde_json::Value::from(cursor),
        };
        let mut resumed = request.clone();
        if let Some(Value::Variable(name)) = self.value.as_deref() {
            resumed.variables.insert(name.to_string(), value);
            return Some(resumed);
        }
        resumed.query = self.with_variable(request)?;
        resumed.variables.insert(VARIABLE.to_string(), value);
        Some(resumed)
    }

    /// The query with the argument as a variable, so that all cursors share one plan.
    fn with_variable(&self, request: &Request) -> Option<String> {
        let mut document = Document::parse(request.query.as_str(), "query").ok()?;
        let place = position(&document, request)?;
        let Definition::OperationDefinition(operation) = &mut document.definitions[place] else {
            return None;
        };
        let operation = operation.make_mut();
        let Some(Selection::Field(field)) = operation.selection_set.first_mut() else {
            return None;
        };
        let field = field.make_mut();
        field.arguments.retain(|argument| argument.name != self.name);
        field.arguments.push(Node::new(Argument {
            name: self.name.clone(),
            value: Node::new(Value::Variable(VARIABLE)),
        }));
        operation.variables.push(Node::new(VariableDefinition {
            name: VARIABLE,
            ty: self.ty.clone(),
            default_value: None,
            directives: Default::default(),
        }));
        Some(document.to_string())
    }
}

fn position(document: &Document, request: &Request) -> Option<usize> {
    let wanted = request.operation_name.as_deref();
    document.definitions.iter().position(|definition| {
        let Definition::OperationDefinition(operation) = definition else {
            return false;
        };
        wanted.is_none_or(|wanted| operation.name.as_ref().is_some_and(|name| name == wanted))
    })
}

fn chosen<'a>(document: &'a Document, request: &Request) -> Option<&'a OperationDefinition> {
    match &document.definitions[position(document, request)?] {
        Definition::OperationDefinition(operation) => Some(operation),
        _ => None,
    }
}

/// The only root field, where it is not hidden in a fragment.
fn root_field(operation: &OperationDefinition) -> Option<&Field> {
    match operation.selection_set.as_slice() {
        [Selection::Field(field)] => Some(field),
        _ => None,
    }
}

fn default_of(operation: &OperationDefinition, value: &Value) -> Option<Node<Value>> {
    let Value::Variable(name) = value else {
        return None;
    };
    let mut variables = operation.variables.iter();
    variables
        .find(|variable| variable.name == *name)?
        .default_value
        .clone()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SCHEMA: &str =
        "type Query { a: Int } type Subscription { feed(after: String, n: Int): Item tick: Int
        count(after: Int!): Item } type Item { cursor: String }";

    fn request(query: &str, variables: serde_json::Value) -> Request {
        let serde_json::Value::Object(variables) = variables else {
            panic!("an object");
        };
        Request {
            query: query.to_owned(),
            operation_name: None,
            variables,
        }
    }

    fn argument(request: &Request) -> Option<CursorArgument> {
        let schema = Schema::parse(SCHEMA, "schema.graphql").expect("a schema");
        CursorArgument::of(&schema, request, "after")
    }

    #[test]
    fn an_event_tells_where_the_stream_is() {
        let of = |body: &str| of_event(body.as_bytes(), "cursor");
        assert_eq!(
            of(r#"{"data":{"feed":{"id":1,"cursor":"a\"b"}}}"#).as_deref(),
            Some("a\"b")
        );
        assert_eq!(
            of(r#"{"data":{"feed":{"cursor":7}},"errors":[]}"#).as_deref(),
            Some("7")
        );
        for none in [
            r#"{"data":null}"#,
            r#"{"data":{"feed":null}}"#,
            r#"{"data":{"feed":3}}"#,
            r#"{"data":{"feed":{"cursor":null}}}"#,
            r#"{"data":{"feed":{"cursor":[1]}}}"#,
            "nonsense",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn a_given_cursor_is_found_wherever_it_stands() {
        for (query, variables, given) in [
            ("subscription { feed { cursor } }", json!({}), None),
            ("subscription { feed(after: null) { cursor } }", json!({}), None),
            (
                "subscription { feed(after: \"x\") { cursor } }",
                json!({}),
                Some("x"),
            ),
            (
                "subscription($a: String) { feed(after: $a) { cursor } }",
                json!({"a": "y"}),
                Some("y"),
            ),
            (
                "subscription($a: String = \"z\") { feed(after: $a) { cursor } }",
                json!({}),
                Some("z"),
            ),
            (
                "subscription($a: String) { feed(after: $a) { cursor } }",
                json!({"a": null}),
                None,
            ),
        ] {
            let request = request(query, variables);
            let argument = argument(&request).expect(query);
            assert_eq!(argument.given(&request).as_deref(), given, "{query}");
        }
        assert!(argument(&request("subscription { tick }", json!({}))).is_none());
    }

    #[test]
    fn a_resumed_request_differs_in_its_cursor_only() {
        let literal = request(
            "subscription S { feed(after: \"x\", n: 2) { cursor } }",
            json!({}),
        );
        let resumed = argument(&literal)
            .expect("one")
            .resumed(&literal, "n")
            .expect("resumes");
        assert_eq!(resumed.variables["resumeAfter"], "n");
        for wanted in [
            "$resumeAfter: String",
            "n: 2",
            "after: $resumeAfter",
            "subscription S",
        ] {
            assert!(resumed.query.contains(wanted), "{}", resumed.query);
        }
        let variable = request(
            "subscription($a: Int!) { count(after: $a) { cursor } }",
            json!({"a": 1}),
        );
        let resumed = argument(&variable)
            .expect("one")
            .resumed(&variable, "5")
            .expect("resumes");
        assert_eq!(
            (&resumed.query, &resumed.variables["a"]),
            (&variable.query, &json!(5))
        );
        assert!(
            argument(&variable)
                .expect("one")
                .resumed(&variable, "x")
                .is_none()
        );
    }
}
