//! Subgraphs as a model: values with versions, and the moments at which these were current.

use std::collections::HashMap;

use apollo_compiler::ast::{Document, Field, Selection};
use baedal_composition::{Subgraph, compose};
use baedal_planner::plan::OperationKind;
use serde_json::{Map, Value, json};

/// The subgraphs and their data.
#[derive(Default)]
pub struct Model {
    /// Which of two schemas is served: in one of them what `stores` says is written otherwise.
    pub schema: u8,
    /// Whether `stores` and `menus` answer with errors.
    pub broken: [bool; 2],
    /// How often it was asked, and what last.
    pub calls: usize,
    pub last: String,
    /// By field and entity: when each version came to be.
    versions: HashMap<(String, String), Vec<u64>>,
    /// By field and entity, or subgraph: what is older must not be told any more.
    purged: HashMap<(String, String), u64>,
    purged_subgraphs: HashMap<String, u64>,
    purged_all: u64,
    /// By caller and subgraph: what is older must not be told to this caller any more.
    changed: HashMap<(String, String), u64>,
}

/// A value in an answer, taken apart.
#[derive(Debug)]
pub struct Told {
    pub field: String,
    pub entity: String,
    pub version: usize,
    pub schema: u8,
    pub who: String,
}

/// The supergraph; in schema 1 `stores` has one field more.
pub fn sdl(schema: u8) -> String {
    let link = "extend schema
          @link(url: \"https://specs.apollo.dev/federation/v2.12\", import: [\"@key\", \"@shareable\", \"@cacheTag\", \"@composeDirective\", \"@authenticated\"])
          @link(url: \"https://example.com/cacheControl/v1.0\", import: [\"@cacheControl\"])
          @composeDirective(name: \"@cacheControl\")
        directive @cacheControl(maxAge: Int, scope: CacheControlScope, inheritMaxAge: Boolean) on FIELD_DEFINITION | OBJECT | INTERFACE | UNION
        enum CacheControlScope { PUBLIC PRIVATE }";
    let more = if schema == 1 { "more: Int" } else { "" };
    let stores = format!(
        "{link}
        type Query {{
          stores: [Store!]! @cacheControl(maxAge: 20)
          store(id: ID!): Store @cacheControl(maxAge: 20) @cacheTag(format: \"stores-{{$args.id}}\")
          me: User @cacheControl(maxAge: 15, scope: PRIVATE)
        }}
        type Store @key(fields: \"id\") @cacheControl(maxAge: 20) @cacheTag(format: \"stores-{{$key.id}}\") {{
          id: ID! name: String secret: String @authenticated {more}
        }}
        type User @key(fields: \"id\") {{ id: ID! user: String }}"
    );
    let menus = format!(
        "{link}
        type Mutation {{ bump(id: ID!): String }}
        type Store @key(fields: \"id\") @cacheTag(format: \"menus-{{$key.id}}\") {{ id: ID! menu: String rating: String mine: String }}"
    );
    let subgraph = |name: &str, sdl: String| Subgraph {
        name: name.to_owned(),
        url: format!("http://{name}.example/"),
        sdl,
    };
    let composed = compose(&[subgraph("stores", stores), subgraph("menus", menus)]);
    composed
        .unwrap_or_else(|errors| panic!("{errors:?}"))
        .supergraph_sdl
}

/// The type and subgraph of a field.
pub fn place(field: &str) -> (&'static str, &'static str) {
    match field {
        "name" | "secret" => ("Store", "stores"),
        "user" => ("User", "stores"),
        _ => ("Store", "menus"),
    }
}

/// The entity that has a field.
pub fn entity(field: &str, id: u8) -> String {
    format!("{}{id}", place(field).0)
}

impl Model {
    pub fn is_disturbed(&self) -> bool {
        self.broken.contains(&true)
    }

    /// A value becomes another.
    pub fn change(&mut self, field: &str, entity: &str, now: u64) {
        self.of(field, entity).push(now);
    }

    fn of(&mut self, field: &str, entity: &str) -> &mut Vec<u64> {
        let key = (field.to_owned(), entity.to_owned());
        self.versions.entry(key).or_insert_with(|| vec![0])
    }

    pub fn purged(&mut self, field: &str, entity: &str, now: u64) {
        self.purged.insert((field.to_owned(), entity.to_owned()), now);
    }

    pub fn purged_subgraph(&mut self, subgraph: &str, now: u64) {
        self.purged_subgraphs.insert(subgraph.to_owned(), now);
    }

    pub fn purged_all(&mut self, now: u64) {
        self.purged_all = now;
    }

    pub fn changed_by(&mut self, caller: &str, subgraph: &str, now: u64) {
        self.changed.insert((caller.to_owned(), subgraph.to_owned()), now);
    }

    /// Why a value must not be told to someone who asked at `began`: it was past before `oldest`, or before something
    /// that makes it void.
    pub fn why_not(&mut self, told: &Told, oldest: u64, caller: &str, began: u64) -> Option<String> {
        let subgraph = place(&told.field).1;
        let key = (told.field.clone(), told.entity.clone());
        let voids = [
            ("its lifetime", oldest),
            ("its purge", self.purged.get(&key).copied().unwrap_or_default()),
            (
                "its subgraph's purge",
                self.purged_subgraphs.get(subgraph).copied().unwrap_or_default(),
            ),
            ("the purge of all", self.purged_all),
            (
                "the caller's own mutation",
                self.changed
                    .get(&(caller.to_owned(), subgraph.to_owned()))
                    .copied()
                    .unwrap_or_default(),
            ),
        ];
        let versions = self.of(&told.field, &told.entity);
        let Some(&until) = versions.get(told.version + 1) else {
            return (told.version >= versions.len()).then(|| "there is no such version".to_owned());
        };
        // What happens while one asks makes nothing void for this one.
        let void = voids.iter().find(|(_, at)| *at <= began && until < *at);
        void.map(|(what, at)| format!("it was current until {until}, {what} at {at}"))
    }

    /// What a subgraph says to a request, with `Cache-Control`.
    pub fn answer(
        &mut self,
        subgraph: &str,
        kind: OperationKind,
        body: &[u8],
        who: &str,
        now: u64,
    ) -> (String, Option<&'static str>) {
        self.calls += 1;
        self.last = String::from_utf8_lossy(body).into_owned();
        let body: Value = serde_json::from_slice(body).expect("JSON");
        let query = body["query"].as_str().expect("a query");
        let document = Document::parse(query, "query").expect("valid");
        let operation = document.definitions[0]
            .as_operation_definition()
            .expect("an operation");
        let control = (subgraph == "menus").then(|| match (query.contains("mine"), self.schema) {
            (true, 0) => "private, max-age=10",
            // Nothing is said of whose it is.
            (true, _) => "max-age=10",
            (false, _) => "public, max-age=30",
        });
        let broken = self.broken[usize::from(subgraph == "menus")];
        let mut asked = Asked {
            model: self,
            variables: &body["variables"],
            who,
            now,
        };
        let mut data = asked.object("Query", "", &operation.selection_set);
        if kind == OperationKind::Query && broken {
            // A part of it is null, and an error says so.
            if let Some(value) = data.values_mut().next() {
                *value = match value {
                    Value::Array(items) => items.iter().map(|_| Value::Null).collect(),
                    _ => Value::Null,
                };
            }
            return (
                json!({"data": data, "errors": [{"message": "broken"}]}).to_string(),
                control,
            );
        }
        (json!({"data": data}).to_string(), control)
    }

    fn value(&mut self, field: &str, entity: &str, who: &str) -> Value {
        let schema = if place(field).1 == "stores" {
            self.schema
        } else {
            0
        };
        let who = if ["mine", "user"].contains(&field) {
            who
        } else {
            "-"
        };
        let version = self.of(field, entity).len() - 1;
        Value::String(format!("{field}|{entity}|{version}|{schema}|{who}"))
    }
}

/// A request being answered.
struct Asked<'a> {
    model: &'a mut Model,
    variables: &'a Value,
    who: &'a str,
    now: u64,
}

impl Asked<'_> {
    fn object(&mut self, ty: &str, id: &str, selections: &[Selection]) -> Map<String, Value> {
        let mut out = Map::new();
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    let value = self.field(ty, id, field);
                    out.insert(field.response_name().to_string(), value);
                }
                Selection::InlineFragment(inline) => out.extend(self.object(ty, id, &inline.selection_set)),
                Selection::FragmentSpread(_) => unreachable!("a fetch has no fragments"),
            }
        }
        out
    }

    fn field(&mut self, ty: &str, id: &str, field: &Field) -> Value {
        match &*field.name {
            "__typename" => json!(ty),
            "id" => json!(id),
            "stores" => ["1", "2"]
                .map(|id| Value::from(self.object("Store", id, &field.selection_set)))
                .into_iter()
                .collect(),
            "store" => {
                let id = self.argument(field, "id");
                self.object("Store", id.as_str().expect("an id"), &field.selection_set)
                    .into()
            }
            "me" => match self.who {
                "-" => Value::Null,
                _ => self.object("User", "1", &field.selection_set).into(),
            },
            "_entities" => {
                let representations = self.argument(field, "representations");
                let of = |one: &Value| {
                    (
                        one["__typename"].as_str().expect("a type").to_owned(),
                        one["id"].as_str().expect("an id").to_owned(),
                    )
                };
                let entities = representations.as_array().expect("a list").iter().map(of);
                let entities: Vec<_> = entities.collect();
                let one =
                    |(ty, id): &(String, String)| Value::from(self.object(ty, id, &field.selection_set));
                entities.iter().map(one).collect()
            }
            "bump" => {
                let id = self.argument(field, "id");
                let entity = format!("Store{}", id.as_str().expect("an id"));
                self.model.change("menu", &entity, self.now);
                self.model.change("mine", &entity, self.now);
                json!("bumped")
            }
            name => self.model.value(name, &format!("{ty}{id}"), self.who),
        }
    }

    fn argument(&self, field: &Field, name: &str) -> Value {
        let argument = field.arguments.iter().find(|argument| argument.name == name);
        let value = &argument.expect("the argument").value;
        match value.as_variable() {
            Some(variable) => self.variables[variable.as_str()].clone(),
            None => json!(value.as_str().expect("a text")),
        }
    }
}

/// An answer without the versions of its values, and without the texts of its errors.
pub fn timeless(answer: &Value) -> Value {
    match answer {
        Value::String(text) => match Told::read(text) {
            Some(told) => json!([told.field, told.entity, told.schema, told.who]),
            None => answer.clone(),
        },
        Value::Array(items) => items.iter().map(timeless).collect(),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| (name.clone(), timeless(value)));
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

/// The values of an answer.
pub fn told(answer: &Value) -> Vec<Told> {
    match answer {
        Value::String(text) => Told::read(text).into_iter().collect(),
        Value::Array(items) => items.iter().flat_map(told).collect(),
        Value::Object(members) => members.values().flat_map(told).collect(),
        _ => Vec::new(),
    }
}

impl Told {
    fn read(text: &str) -> Option<Told> {
        let parts: Vec<&str> = text.split('|').collect();
        let [field, entity, version, schema, who] = parts[..] else {
            return None;
        };
        Some(Told {
            field: field.to_owned(),
            entity: entity.to_owned(),
            version: version.parse().ok()?,
            schema: schema.parse().ok()?,
            who: who.to_owned(),
        })
    }
}
