//! What is asked of a bound field: the request that a subgraph would get, taken apart.

use apollo_compiler::ast::OperationType;
use apollo_compiler::ast::{Definition, Document, Field, OperationDefinition, Selection, Value as Literal};
use apollo_compiler::{Node, Schema};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::shape::Shape;

#[derive(Deserialize)]
struct Request {
    query: String,
    #[serde(default)]
    variables: Map<String, Value>,
}

/// A bound field as it is asked for.
pub struct Asked {
    /// Its name.
    pub field: String,
    /// Its arguments, with defaults.
    pub arguments: Map<String, Value>,
    /// What is selected of it.
    pub shape: Shape,
}

/// Reads the request for a subgraph; `None` if it is no subscription.
pub fn read(schema: &Schema, body: &[u8]) -> Option<Asked> {
    let request: Request = serde_json::from_slice(body).ok()?;
    let document = Document::parse(request.query.as_str(), "query").ok()?;
    let operation = operation(&document)?;
    let field = operation
        .selection_set
        .iter()
        .find_map(|selection| match selection {
            Selection::Field(field) => Some(field),
            _ => None,
        })?;
    Some(Asked {
        field: field.name.to_string(),
        arguments: arguments(schema, field, &request.variables),
        shape: Shape::of(schema, &document, field),
    })
}

fn operation(document: &Document) -> Option<&Node<OperationDefinition>> {
    document
        .definitions
        .iter()
        .find_map(|definition| match definition {
            Definition::OperationDefinition(operation)
                if operation.operation_type == OperationType::Subscription =>
            {
                Some(operation)
            }
            _ => None,
        })
}

fn arguments(schema: &Schema, field: &Field, variables: &Map<String, Value>) -> Map<String, Value> {
    let given = field
        .arguments
        .iter()
        .map(|argument| (argument.name.to_string(), plain(&argument.value, variables)));
    let mut all: Map<String, Value> = given.collect();
    let root = schema.root_operation(OperationType::Subscription);
    let definition = root.and_then(|root| schema.get_object(root)?.fields.get(&field.name));
    for argument in definition.into_iter().flat_map(|field| &field.arguments) {
        if let (None, Some(default)) = (all.get(argument.name.as_str()), &argument.default_value) {
            all.insert(argument.name.to_string(), plain(default, variables));
        }
    }
    all
}

/// A value without variables.
fn plain(value: &Literal, variables: &Map<String, Value>) -> Value {
    match value {
        Literal::Variable(name) => variables.get(name.as_str()).cloned().unwrap_or_default(),
        Literal::Null => Value::Null,
        Literal::Enum(name) => Value::from(name.as_str()),
        Literal::String(text) => Value::from(text.as_str()),
        Literal::Boolean(value) => Value::from(*value),
        Literal::Int(number) => serde_json::from_str(number.as_str()).unwrap_or_default(),
        Literal::Float(number) => serde_json::from_str(number.as_str()).unwrap_or_default(),
        Literal::List(items) => items.iter().map(|item| plain(item, variables)).collect(),
        Literal::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| (name.to_string(), plain(value, variables)));
            Value::Object(members.collect())
        }
    }
}
