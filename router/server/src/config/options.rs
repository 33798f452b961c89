//! All keys of the configuration, one a row, as the documentation shows them.

use serde_json::Value;

use super::reload;
use super::schema::Node;

/// A key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// With dots; `NAME` stands for a name of one's own, `[]` for each entry of a list.
    pub name: String,
    /// What it takes, in a few words.
    pub kind: String,
    /// As it is written; empty if there is none.
    pub default: String,
    /// What it means.
    pub meaning: String,
    /// Whether a change is taken over by a gateway that runs.
    pub live: bool,
}

/// All of them, by name.
pub fn keys() -> Vec<Key> {
    let mut keys = Vec::new();
    collect("", Node::root(), None, &mut keys);
    keys
}

/// As a table in Markdown.
pub fn table() -> String {
    let mut text = String::from("| key | type | default | meaning | restart |\n|---|---|---|---|---|\n");
    for key in keys() {
        let default = match key.default.as_str() {
            "" => "–".to_owned(),
            default => format!("`{default}`"),
        };
        let restart = if key.live { "" } else { "yes" };
        text.push_str(&format!(
            "| `{}` | {} | {default} | {} | {restart} |\n",
            key.name,
            key.kind,
            key.meaning.replace('|', "\\|")
        ));
    }
    text
}

fn collect(prefix: &str, node: Node, default: Option<&Value>, keys: &mut Vec<Key>) {
    let mut properties: Vec<_> = node.properties().into_iter().flatten().collect();
    properties.sort_unstable_by_key(|(name, _)| *name);
    for (name, property) in properties {
        let node = Node(property);
        let name = match prefix {
            "" => name.clone(),
            prefix => format!("{prefix}.{name}"),
        };
        let above = default.and_then(|default| default.get(name.rsplit('.').next().unwrap_or_default()));
        let default = property.get("default").or(above);
        if node.properties().is_some() {
            tell_optional_section(&name, node, default, keys);
            collect(&name, node, default, keys);
        } else if let Some(values) = node.values().filter(|values| values.properties().is_some()) {
            collect(&format!("{name}.NAME"), values, None, keys);
        } else if let Some(entries) = node.entries().filter(|entries| entries.properties().is_some()) {
            keys.push(key(&name, node, default));
            collect(&format!("{name}[]"), entries, None, keys);
        } else {
            keys.push(key(&name, node, default));
        }
    }
}

/// A section that may be absent has a row of its own, which says what that means.
fn tell_optional_section(name: &str, node: Node, default: Option<&Value>, keys: &mut Vec<Key>) {
    if node.0.get("anyOf").is_some() || default.is_some_and(Value::is_null) {
        keys.push(Key {
            kind: "section".to_owned(),
            ..key(name, node, default)
        });
    }
}

fn key(name: &str, node: Node, default: Option<&Value>) -> Key {
    Key {
        name: name.to_owned(),
        kind: kind(node),
        default: default.map(written).unwrap_or_default(),
        meaning: meaning(node),
        live: reload::is_live(name),
    }
}

/// The comment, in one line.
fn meaning(node: Node) -> String {
    let own = node
        .0
        .get("description")
        .or_else(|| node.resolved().0.get("description"));
    let text = own.and_then(Value::as_str).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn kind(node: Node) -> String {
    let resolved = node.resolved().0;
    let named = |name: &str| resolved.get(name).and_then(Value::as_str);
    if let Some(kind) = named("x-type") {
        return kind.to_owned();
    }
    if let Some(choices) = choices(resolved) {
        return choices.join(", ");
    }
    if let Some(entries) = node.entries() {
        return match kind(entries).as_str() {
            "section" => "list".to_owned(),
            kind => format!("list of {kind}"),
        };
    }
    if let Some(values) = node.values() {
        return format!("{} by name", kind(values));
    }
    match (named("format"), type_of(resolved)) {
        (Some("path"), _) => "path".to_owned(),
        (Some("uri"), _) => "URL".to_owned(),
        (_, "integer") => "whole number".to_owned(),
        (_, "boolean") => "true, false".to_owned(),
        (_, "string") => "text".to_owned(),
        (_, "object") => "section".to_owned(),
        (_, other) => other.to_owned(),
    }
}

fn type_of(schema: &Value) -> &str {
    let named = match schema.get("type") {
        Some(Value::Array(several)) => several.iter().find(|each| each.as_str() != Some("null")),
        one => one,
    };
    named.and_then(Value::as_str).unwrap_or("any")
}

/// The values of which it must be one.
fn choices(schema: &Value) -> Option<Vec<String>> {
    let shown = |value: &Value| format!("`{}`", value.as_str().unwrap_or_default());
    if let Some(all) = schema.get("enum").and_then(Value::as_array) {
        return Some(all.iter().filter(|value| value.is_string()).map(shown).collect());
    }
    let all = schema.get("oneOf")?.as_array()?;
    let each = |choice: &Value| match (choice.get("const"), choice.get("enum").and_then(Value::as_array)) {
        (Some(value), _) => vec![shown(value)],
        (None, Some(values)) => values.iter().map(shown).collect(),
        (None, None) => Vec::new(),
    };
    let found: Vec<String> = all.iter().flat_map(each).collect();
    (!found.is_empty()).then_some(found)
}

fn written(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) if list.is_empty() => String::new(),
        Value::Object(map) if map.is_empty() => String::new(),
        Value::Array(list) => list.iter().map(written).collect::<Vec<_>>().join("`, `"),
        other => other.to_string(),
    }
}
