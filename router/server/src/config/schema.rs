//! The JSON Schema of the configuration, and what is known of a key by it: nothing is written twice.
//!
//! It is made of the types: a key is described by the comment of its field. A field that names a file or folder says
//! `#[schemars(extend("format" = "path"))]`, so that it is relative to the file it stands in; one that holds a secret
//! says `#[schemars(extend("writeOnly" = true))]`, so that it is never shown.

use std::path::Path as FilePath;
use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::Config;
use super::place::{Path, Step};

/// The schema.
pub fn schema() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
        let generator = SchemaSettings::draft2020_12().into_generator();
        let mut schema = generator.into_root_schema_for::<Config>().to_value();
        schema["title"] = "Configuration of baedal-router".into();
        schema
    });
    &SCHEMA
}

/// What a key may hold.
#[derive(Clone, Copy)]
pub struct Node(pub &'static Value);

impl Node {
    /// The configuration itself.
    pub fn root() -> Node {
        Node(schema())
    }

    /// What it refers to, or what it is if it is there at all.
    pub fn resolved(self) -> Node {
        if let Some(reference) = self.0.get("$ref").and_then(Value::as_str) {
            let pointer = reference.trim_start_matches('#');
            let target = schema().pointer(pointer);
            return Node(target.expect("a schema refers to what it has")).resolved();
        }
        let alternatives = self.0.get("anyOf").and_then(Value::as_array);
        let is_null = |schema: &&Value| schema.get("type").and_then(Value::as_str) == Some("null");
        match alternatives.map(|all| all.iter().filter(|each| !is_null(each)).collect::<Vec<_>>()) {
            Some(others) if others.len() == 1 => Node(others[0]).resolved(),
            _ => self,
        }
    }

    /// The keys of a section.
    pub fn properties(self) -> Option<&'static Map<String, Value>> {
        self.resolved().0.get("properties")?.as_object()
    }

    /// What the values of a map hold whose keys are names.
    pub fn values(self) -> Option<Node> {
        let values = self.resolved().0.get("additionalProperties")?;
        values.is_object().then_some(Node(values))
    }

    /// What the entries of a list hold.
    pub fn entries(self) -> Option<Node> {
        self.resolved().0.get("items").map(Node)
    }

    /// What is below it.
    pub fn below(self, step: &Step) -> Option<Node> {
        match step {
            Step::Key(key) => {
                let property = self.properties().and_then(|properties| properties.get(key));
                property.map(Node).or_else(|| self.values())
            }
            Step::Index(_) => self.entries(),
        }
    }

    /// Whether it names a file or folder.
    pub fn is_file(self) -> bool {
        self.0.get("format").and_then(Value::as_str) == Some("path")
    }

    /// Whether it is a secret.
    pub fn is_secret(self) -> bool {
        self.0.get("writeOnly") == Some(&Value::Bool(true))
    }
}

/// Calls `each` with every value that the schema knows, from the root down.
pub fn visit(value: &mut Value, each: &mut dyn FnMut(&Path, Node, &mut Value)) {
    walk(&mut Path::default(), Node::root(), value, each);
}

fn walk(at: &mut Path, node: Node, value: &mut Value, each: &mut dyn FnMut(&Path, Node, &mut Value)) {
    each(at, node, value);
    let mut descend = |step: Step, value: &mut Value| {
        if let Some(below) = node.below(&step) {
            at.0.push(step);
            walk(at, below, value, each);
            at.0.pop();
        }
    };
    match value {
        Value::Object(map) => map
            .iter_mut()
            .for_each(|(key, value)| descend(Step::Key(key.clone()), value)),
        Value::Array(list) => list
            .iter_mut()
            .enumerate()
            .for_each(|(index, value)| descend(Step::Index(index), value)),
        _ => {}
    }
}

/// Makes files and folders relative to `folder`.
pub fn root_at(value: &mut Value, folder: &FilePath) {
    visit(value, &mut |_, node, value| {
        if let Some(file) = value.as_str().filter(|_| node.is_file()) {
            *value = folder.join(file).display().to_string().into();
        }
    });
}

/// A key without a value is one that is not there; a name without one has no settings of its own.
pub fn without_nulls(value: &mut Value) {
    visit(value, &mut |_, node, value| {
        let Value::Object(map) = value else { return };
        if node.properties().is_some() {
            map.retain(|_, value| !value.is_null());
        } else if node.values().is_some_and(|values| values.properties().is_some()) {
            map.values_mut()
                .filter(|value| value.is_null())
                .for_each(|value| *value = Value::Object(Map::new()));
        }
    });
}

/// All files and folders that a configuration names, with their keys.
pub fn files(value: &mut Value) -> Vec<(Path, String)> {
    let mut found = Vec::new();
    visit(value, &mut |path, node, value| {
        if let Some(file) = value.as_str().filter(|_| node.is_file()) {
            found.push((path.clone(), file.to_owned()));
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn files_are_relative_to_the_folder() {
        let mut value = json!({
            "supergraph": {"file": "s.graphql", "state_dir": "/var/x"},
            "subgraphs": {"a": {"sdl": "a.graphql", "url": "http://a.example/"}},
        });
        root_at(&mut value, FilePath::new("conf"));
        let wanted = json!({
            "supergraph": {"file": "conf/s.graphql", "state_dir": "/var/x"},
            "subgraphs": {"a": {"sdl": "conf/a.graphql", "url": "http://a.example/"}},
        });
        assert_eq!(value, wanted);
        let found: Vec<_> = files(&mut value)
            .into_iter()
            .map(|(path, _)| path.to_string())
            .collect();
        assert_eq!(
            found,
            ["subgraphs.a.sdl", "supergraph.file", "supergraph.state_dir"]
        );
    }

    #[test]
    fn nothing_is_no_value() {
        let mut value = json!({"path": null, "limits": null, "subgraphs": {"a": null, "b": {"url": null}}});
        without_nulls(&mut value);
        assert_eq!(value, json!({"subgraphs": {"a": {}, "b": {}}}));
    }

    /// Fields that hold a `PathBuf` and do not say so would be relative to wherever the gateway was started.
    #[test]
    fn every_file_of_the_types_is_one_in_the_schema() {
        let sources = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("src/config");
        let mut wrong = Vec::new();
        for entry in std::fs::read_dir(sources).expect("the folder of the configuration") {
            let file = entry.expect("an entry").path();
            if file.ends_with("load.rs") {
                continue;
            }
            let text = std::fs::read_to_string(&file).expect("a source");
            let lines: Vec<&str> = text.lines().collect();
            for (number, line) in lines.iter().enumerate() {
                let is_field =
                    line.trim_start().starts_with("pub ") && line.contains(": ") && !line.contains('(');
                if is_field && line.contains("PathBuf") {
                    let before = lines[number.saturating_sub(4)..number].join("\n");
                    if !before.contains("\"format\" = \"path\"") && !before.contains("serde(skip)") {
                        wrong.push(format!("{}:{}: {}", file.display(), number + 1, line.trim()));
                    }
                }
            }
        }
        assert!(
            wrong.is_empty(),
            "say #[schemars(extend(\"format\" = \"path\"))] above:\n{}",
            wrong.join("\n")
        );
    }
}
