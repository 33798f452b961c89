//! Manifests: the documents of an application, as its build tools write them.
//!
//! Apollo's: `{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{id, name, type, body}]}`
//! (<https://www.apollographql.com/docs/graphos/platform/security/persisted-queries>). Relay's, and that of others:
//! `{"id": "text"}` (<https://relay.dev/docs/guides/persisted-queries/>).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use apollo_compiler::ast::{self, Definition};
use serde::Deserialize;
use serde_json::Value;

use super::name::plain;

/// What Apollo's manifests say they are.
const APOLLO: &str = "apollo-persisted-query-manifest";

/// One document.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its id, without a prefix.
    pub id: Box<str>,
    /// The document.
    pub text: Arc<str>,
    /// The name of its operation, where it has only one.
    pub operation: Option<Box<str>>,
}

/// All documents of some manifests.
#[derive(Debug, Default)]
pub struct Manifest {
    by_id: HashMap<Box<str>, Document>,
    texts: HashSet<Arc<str>>,
}

#[derive(Deserialize)]
struct Apollo {
    version: u64,
    operations: Vec<Operation>,
}

#[derive(Deserialize)]
struct Operation {
    id: String,
    body: String,
}

impl Manifest {
    /// Takes in the documents of a file.
    pub fn add(&mut self, file: &str) -> Result<(), String> {
        let value: Value = serde_json::from_str(file).map_err(|error| format!("it is not JSON: {error}"))?;
        let Value::Object(members) = value else {
            return Err("it is not a JSON object".to_owned());
        };
        if !members.contains_key("format") {
            return members.into_iter().try_for_each(|(id, text)| match text {
                Value::String(text) => self.document(&id, text),
                _ => Err(format!("the document `{id}` is not a string")),
            });
        }
        if members["format"] != APOLLO {
            return Err(format!("its `format` is {}, not \"{APOLLO}\"", members["format"]));
        }
        let apollo: Apollo =
            serde_json::from_value(Value::Object(members)).map_err(|error| error.to_string())?;
        if apollo.version != 1 {
            return Err(format!("its `version` is {}, not 1", apollo.version));
        }
        let mut operations = apollo.operations.into_iter();
        operations.try_for_each(|Operation { id, body }| self.document(&id, body))
    }

    fn document(&mut self, id: &str, text: String) -> Result<(), String> {
        let id = plain(id);
        if id.is_empty() {
            return Err("a document has an empty id".to_owned());
        }
        if let Some(known) = self.by_id.get(id) {
            return match *known.text == *text {
                true => Ok(()),
                false => Err(format!("two documents have the id `{id}`")),
            };
        }
        let text: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&text));
        let document = Document {
            operation: only_operation(&text),
            id: id.into(),
            text,
        };
        self.by_id.insert(id.into(), document);
        Ok(())
    }

    /// The document with this id.
    pub fn get(&self, id: &str) -> Option<&Document> {
        self.by_id.get(id)
    }

    /// Whether a document is one of these, byte for byte.
    pub fn has_text(&self, text: &str) -> bool {
        self.texts.contains(text)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// All of them.
    pub fn documents(&self) -> impl Iterator<Item = &Document> {
        self.by_id.values()
    }
}

/// The name of a document's operation. A document that is none is told of when it is read for its schema.
fn only_operation(text: &str) -> Option<Box<str>> {
    let document = ast::Document::parse(text, "document").ok()?;
    let mut operations = document
        .definitions
        .iter()
        .filter_map(|definition| match definition {
            Definition::OperationDefinition(operation) => Some(operation),
            _ => None,
        });
    let name = operations.next()?.name.as_ref()?.as_str().into();
    operations.next().is_none().then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str) -> Result<Manifest, String> {
        let mut manifest = Manifest::default();
        manifest.add(file).map(|()| manifest)
    }

    #[test]
    fn both_formats_are_read() {
        let apollo = r#"{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [
            {"id": "sha256:1", "name": "A", "type": "query", "body": "query A { a }", "clientName": "web"},
            {"id": "2", "name": "B", "type": "query", "body": "query B { b } query C { c }"}]}"#;
        let manifest = read(apollo).expect("reads");
        let document = manifest.get("1").expect("is there");
        assert_eq!(
            (&*document.text, document.operation.as_deref()),
            ("query A { a }", Some("A"))
        );
        assert_eq!(manifest.get("2").expect("is there").operation, None);
        let relay = read(r#"{"abc": "query A { a }", "sha256:d": "{ a }"}"#).expect("reads");
        assert_eq!((relay.len(), relay.has_text("{ a }")), (2, true));
        assert!(
            relay
                .get("d")
                .is_some_and(|document| document.operation.is_none())
        );
        assert!(!relay.has_text("{a}") && relay.get("sha256:d").is_none());
        assert_eq!(read("{}").map(|manifest| manifest.len()), Ok(0));
    }

    #[test]
    fn anything_else_is_refused_with_a_reason() {
        for (file, why) in [
            ("", "not JSON"),
            ("[]", "object"),
            (r#"{"a": 1}"#, "`a`"),
            (r#"{"": "{ a }"}"#, "empty id"),
            (r#"{"format": "mine"}"#, "format"),
            (
                r#"{"format": "apollo-persisted-query-manifest", "version": 2, "operations": []}"#,
                "version",
            ),
            (
                r#"{"format": "apollo-persisted-query-manifest", "version": 1}"#,
                "operations",
            ),
            (
                r#"{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": "1"}]}"#,
                "body",
            ),
            (r#"{"sha256:a": "{ a }", "a": "{ b }"}"#, "two documents"),
        ] {
            let told = read(file).expect_err(file);
            assert!(told.contains(why), "{file}: {told}");
        }
    }
}
