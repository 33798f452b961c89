//! Executes an operation over the data (GraphQL specification, section 6), for one subgraph or for all of them.

use std::collections::HashMap;

use apollo_compiler::ast::{Definition, DirectiveList, Document, Field, Selection, Value as Literal};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::fields::{Arguments, Given, Object, Unknown, field};
use super::schema::{Scope, sdl};

#[derive(Deserialize)]
struct Asked {
    query: String,
    #[serde(default)]
    variables: Option<Map<String, Value>>,
}

/// The JSON answer to a JSON request. What cannot be understood is answered with `errors` alone.
pub fn answer(scope: Scope, body: &[u8]) -> Vec<u8> {
    let refused = |why: String| json!({"errors": [{"message": why}]}).to_string().into_bytes();
    let Ok(asked) = serde_json::from_slice::<Asked>(body) else {
        return refused("not a GraphQL request".to_owned());
    };
    match execute(scope, &asked) {
        Ok(answer) => answer,
        Err(Unknown(why)) => refused(why),
    }
}

fn execute(scope: Scope, asked: &Asked) -> Result<Vec<u8>, Unknown> {
    let document =
        Document::parse(asked.query.as_str(), "query").map_err(|_| Unknown("a syntax error".to_owned()))?;
    let operation = document
        .definitions
        .iter()
        .find_map(|definition| match definition {
            Definition::OperationDefinition(operation) => Some(operation),
            _ => None,
        });
    let operation = operation.ok_or_else(|| Unknown("no operation".to_owned()))?;
    let mut variables = asked.variables.clone().unwrap_or_default();
    for definition in &operation.variables {
        if let Some(default) = &definition.default_value {
            let name = definition.name.to_string();
            variables
                .entry(name)
                .or_insert_with(|| literal(default, &Map::new()));
        }
    }
    let mut run = Run {
        scope,
        fragments: fragments(&document),
        variables,
        path: Vec::new(),
        errors: Vec::new(),
    };
    let mut out = b"{\"data\":".to_vec();
    run.object(Object::Root, &[&operation.selection_set], &mut out)?;
    if !run.errors.is_empty() {
        out.extend_from_slice(b",\"errors\":");
        out.extend_from_slice(Value::Array(run.errors).to_string().as_bytes());
    }
    out.push(b'}');
    Ok(out)
}

fn fragments(document: &Document) -> HashMap<&str, (&str, &[Selection])> {
    let mut found = HashMap::new();
    for definition in &document.definitions {
        if let Definition::FragmentDefinition(fragment) = definition {
            let body = (
                fragment.type_condition.as_str(),
                fragment.selection_set.as_slice(),
            );
            found.insert(fragment.name.as_str(), body);
        }
    }
    found
}

struct Run<'a> {
    scope: Scope,
    fragments: HashMap<&'a str, (&'a str, &'a [Selection])>,
    variables: Map<String, Value>,
    path: Vec<Value>,
    errors: Vec<Value>,
}

type Collected<'a> = IndexMap<&'a str, Vec<&'a Field>>;

impl<'a> Run<'a> {
    fn object(&mut self, object: Object, sets: &[&'a [Selection]], out: &mut Vec<u8>) -> Result<(), Unknown> {
        let mut collected = Collected::new();
        for set in sets {
            self.collect(object.typename(), set, &mut collected);
        }
        out.push(b'{');
        for (number, (key, fields)) in collected.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            text(key, out);
            out.push(b':');
            self.path.push(Value::from(*key));
            self.field(object, fields, out)?;
            self.path.pop();
        }
        out.push(b'}');
        Ok(())
    }

    fn collect(&self, typename: &str, set: &'a [Selection], into: &mut Collected<'a>) {
        for selection in set {
            match selection {
                Selection::Field(field) if self.wanted(&field.directives) => {
                    into.entry(field.response_name().as_str())
                        .or_default()
                        .push(field);
                }
                Selection::InlineFragment(fragment)
                    if self.wanted(&fragment.directives)
                        && fragment
                            .type_condition
                            .as_ref()
                            .is_none_or(|name| name == typename) =>
                {
                    self.collect(typename, &fragment.selection_set, into);
                }
                Selection::FragmentSpread(spread) if self.wanted(&spread.directives) => {
                    match self.fragments.get(spread.fragment_name.as_str()) {
                        Some((on, set)) if *on == typename => self.collect(typename, set, into),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }

    fn wanted(&self, directives: &DirectiveList) -> bool {
        directives.iter().all(|directive| {
            let given = directive.specified_argument_by_name("if");
            let holds = given.is_some_and(|given| literal(given, &self.variables) == Value::Bool(true));
            match directive.name.as_str() {
                "skip" => !holds,
                "include" => holds,
                _ => true,
            }
        })
    }

    fn field(&mut self, object: Object, fields: &[&'a Field], out: &mut Vec<u8>) -> Result<(), Unknown> {
        let first = fields[0];
        let mut arguments = Arguments::new();
        for argument in &first.arguments {
            arguments.insert(
                argument.name.to_string(),
                literal(&argument.value, &self.variables),
            );
        }
        let sets: Vec<&'a [Selection]> = fields
            .iter()
            .map(|field| field.selection_set.as_slice())
            .collect();
        let given = match (self.scope, object, first.name.as_str()) {
            (Scope::Whole, ..) => field(self.scope, object, first.name.as_str(), &arguments)?,
            (_, Object::Root, "_entities") => entities(&arguments),
            (scope, Object::Root, "_service") => {
                let service = json!({"sdl": sdl(scope)});
                out.extend_from_slice(service.to_string().as_bytes());
                return Ok(());
            }
            _ => field(self.scope, object, first.name.as_str(), &arguments)?,
        };
        self.write(given, &sets, out)
    }

    fn write(&mut self, given: Given, sets: &[&'a [Selection]], out: &mut Vec<u8>) -> Result<(), Unknown> {
        match given {
            Given::Null => out.extend_from_slice(b"null"),
            Given::Text(value) => text(&value, out),
            Given::Number(value) => out.extend_from_slice(value.to_string().as_bytes()),
            Given::Flag(value) => out.extend_from_slice(value.to_string().as_bytes()),
            Given::One(object) => self.object(object, sets, out)?,
            Given::Many(objects) => self.list(&objects, sets, out)?,
            Given::Failed(why) => {
                self.errors.push(json!({"message": why, "path": self.path}));
                out.extend_from_slice(b"null");
            }
        }
        Ok(())
    }

    fn list(
        &mut self,
        objects: &[Option<Object>],
        sets: &[&'a [Selection]],
        out: &mut Vec<u8>,
    ) -> Result<(), Unknown> {
        out.push(b'[');
        for (number, object) in objects.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            self.path.push(Value::from(number));
            match object {
                Some(object) => self.object(*object, sets, out)?,
                None => out.extend_from_slice(b"null"),
            }
            self.path.pop();
        }
        out.push(b']');
        Ok(())
    }
}

fn entities(arguments: &Arguments) -> Given {
    let asked = arguments.get("representations").and_then(Value::as_array);
    let asked = asked.map(Vec::as_slice).unwrap_or_default();
    Given::Many(asked.iter().map(Object::of_representation).collect())
}

fn text(value: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("a string is JSON, and a Vec takes all");
}

fn literal(literal_value: &Literal, variables: &Map<String, Value>) -> Value {
    match literal_value {
        Literal::Null => Value::Null,
        Literal::Variable(name) => variables.get(name.as_str()).cloned().unwrap_or(Value::Null),
        Literal::Enum(name) => Value::from(name.as_str()),
        Literal::String(text) => Value::from(text.as_str()),
        Literal::Boolean(value) => Value::Bool(*value),
        Literal::Int(value) => serde_json::from_str(value.as_str()).unwrap_or(Value::Null),
        Literal::Float(value) => serde_json::from_str(value.as_str()).unwrap_or(Value::Null),
        Literal::List(items) => items.iter().map(|item| literal(item, variables)).collect(),
        Literal::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| (name.to_string(), literal(value, variables)));
            Value::Object(fields.collect())
        }
    }
}
