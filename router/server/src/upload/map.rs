//! The field `map`: which file belongs where in the variables ([GraphQL multipart request
//! specification](https://github.com/jaydenseric/graphql-multipart-request-spec)).
//!
//! On the way through the gateway a file is a text that nobody can guess. Where such a text comes out, in the variables of
//! a call to a subgraph, the file belongs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// Places of one file at most.
const MOST_PLACES: usize = 100;

/// Why a map is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misplaced {
    /// It is not JSON of the right form.
    #[error(
        "`map` must be a JSON object whose values are lists of paths, like {{\"0\": [\"variables.file\"]}}"
    )]
    NoMap,
    /// It names no file.
    #[error("`map` names no file, or a file without a place")]
    Empty,
    /// Too many files.
    #[error("`map` names more than {0} files (uploads.files)")]
    TooMany(usize),
    /// A place that is none.
    #[error("`map` names the place `{0}`, where there is no null in `operations`")]
    NoPlace(String),
}

/// Fields of files, and their places.
#[derive(Debug, PartialEq)]
pub struct Files {
    token: String,
    fields: BTreeMap<String, Vec<String>>,
}

impl Files {
    /// Reads a map of at most `most` files. `token`: what nobody can guess.
    pub fn read(map: &[u8], most: usize, token: String) -> Result<Files, Misplaced> {
        let fields: BTreeMap<String, Vec<String>> =
            serde_json::from_slice(map).map_err(|_| Misplaced::NoMap)?;
        if fields.is_empty() || fields.values().any(Vec::is_empty) {
            return Err(Misplaced::Empty);
        }
        let places: usize = fields.values().map(Vec::len).sum();
        if fields.len() > most || places > MOST_PLACES {
            return Err(Misplaced::TooMany(most.min(MOST_PLACES)));
        }
        Ok(Files { token, fields })
    }

    /// Whether a field is a file.
    pub fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// The fields.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// Marks the places of all files in the variables; gives the variables' names.
    pub fn mark(&self, variables: &mut Map<String, Value>) -> Result<BTreeSet<String>, Misplaced> {
        let mut names = BTreeSet::new();
        for (field, places) in &self.fields {
            for place in places {
                let marked = self.place(variables, place);
                let (name, value) = marked.ok_or_else(|| Misplaced::NoPlace(place.clone()))?;
                *value = Value::String(format!("{}{field}", self.token));
                names.insert(name);
            }
        }
        Ok(names)
    }

    /// The null at `variables.name.…`, and the variable's name.
    fn place<'v>(
        &self,
        variables: &'v mut Map<String, Value>,
        place: &str,
    ) -> Option<(String, &'v mut Value)> {
        let mut steps = place.strip_prefix("variables.")?.split('.');
        let name = steps.next()?;
        let mut value = variables.get_mut(name)?;
        for step in steps {
            value = match value {
                Value::Object(members) => members.get_mut(step)?,
                Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        value.is_null().then(|| (name.to_owned(), value))
    }

    /// Takes the marks out of the body of a call again: what is sent as `operations`, and the map that belongs to it.
    pub fn unmark(&self, body: &[u8]) -> (Value, BTreeMap<String, Vec<String>>) {
        let mut body: Value = serde_json::from_slice(body).expect("the executor writes JSON");
        let mut found = BTreeMap::new();
        if let Some(variables) = body.get_mut("variables") {
            self.find(variables, "variables", &mut found);
        }
        (body, found)
    }

    fn find(&self, value: &mut Value, place: &str, found: &mut BTreeMap<String, Vec<String>>) {
        match value {
            Value::String(text) => {
                let field = text.strip_prefix(self.token.as_str());
                if let Some(field) = field.filter(|field| self.has(field)) {
                    found.entry(field.to_owned()).or_default().push(place.to_owned());
                    *value = Value::Null;
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.find(item, &format!("{place}.{index}"), found);
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    self.find(member, &format!("{place}.{name}"), found);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn files(map: &Value) -> Result<Files, Misplaced> {
        Files::read(map.to_string().as_bytes(), 3, "token-".to_owned())
    }

    #[test]
    fn marks_come_out_where_they_went_in() {
        let files = files(&json!({"0": ["variables.a", "variables.c.d.1"], "x y": ["variables.b.0"]}));
        let files = files.expect("a map");
        let variables = json!({"a": null, "b": [null, 1], "c": {"d": ["token-", null]}, "e": "token-9"});
        let mut marked = variables.as_object().expect("an object").clone();
        let names = files.mark(&mut marked).expect("all are null");
        assert_eq!(Vec::from_iter(names), ["a", "b", "c"]);
        assert_ne!(Value::Object(marked.clone()), variables);
        let body = json!({"query": "token-0", "variables": {"z": marked["c"], "a": marked["a"]}});
        let (body, map) = files.unmark(body.to_string().as_bytes());
        let wanted = json!({"query": "token-0", "variables": {"z": {"d": ["token-", null]}, "a": null}});
        assert_eq!(body, wanted);
        let wanted = BTreeMap::from([(
            "0".to_owned(),
            vec!["variables.a".to_owned(), "variables.z.d.1".to_owned()],
        )]);
        assert_eq!(map, wanted);
    }

    #[test]
    fn anything_else_is_refused() {
        for (map, why) in [
            (json!([]), Misplaced::NoMap),
            (json!({"0": "variables.a"}), Misplaced::NoMap),
            (json!({"0": [1]}), Misplaced::NoMap),
            (json!({}), Misplaced::Empty),
            (json!({"0": []}), Misplaced::Empty),
            (
                json!({"0": ["a"], "1": ["a"], "2": ["a"], "3": ["a"]}),
                Misplaced::TooMany(3),
            ),
            (json!({"0": vec!["a"; 101]}), Misplaced::TooMany(3)),
        ] {
            assert_eq!(files(&map), Err(why), "{map}");
        }
        let variables = json!({"a": null, "b": [null], "c": "x"});
        for place in [
            "a",
            "variables",
            "variables.",
            "variables.c",
            "variables.z",
            "variables.b",
            "variables.b.1",
            "variables.b.x",
            "variables.a.b",
            "0.variables.a",
        ] {
            let mut variables = variables.as_object().expect("an object").clone();
            let marked = files(&json!({"0": [place]})).expect("a map").mark(&mut variables);
            assert_eq!(marked, Err(Misplaced::NoPlace(place.to_owned())));
        }
        let mut variables = variables.as_object().expect("an object").clone();
        let twice = files(&json!({"0": ["variables.a"], "1": ["variables.a"]})).expect("a map");
        assert!(twice.mark(&mut variables).is_err(), "a place is for one file");
    }
}
