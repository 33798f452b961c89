//! The JSON Schema of the configuration, and what is made of it: it agrees with the parser, with every example in the
//! documentation, and the table of all keys is that of the types.

use std::path::{Path, PathBuf};

use baedal_router::config;
use serde_json::{Value, json};

const TABLE: &str = "docs/gateway/configuration.md";
const BEGIN: &str =
    "<!-- all keys: made by UPDATE_DOCS=1 cargo test -p baedal-router --test main config_schema -->\n";
const END: &str = "<!-- end of all keys -->";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn validator() -> jsonschema::Validator {
    jsonschema::validator_for(config::schema()).expect("a JSON Schema")
}

/// The parser's word.
fn is_read(value: &Value) -> bool {
    config::parse(&value.to_string(), &|_| None).is_ok()
}

/// One of everything that has keys of its own.
fn whole() -> Value {
    let text = "
subgraphs:
  a:
    url: http://a.example/graphql
    traffic: { bulkhead: { adaptive: { least: 4, target: 1s } } }
contract: { exclude: [internal] }
subscriptions:
  callback: { public_url: 'http://gateway.example/callback' }
  bound: [{ field: f, broker: main, topic: t, where: [{ at: /x, equals: 1 }] }]
brokers: { main: { kafka: { servers: ['127.0.0.1:9092'] } } }
auth: { issuers: [{ issuer: https://login.example.com, audience: shop }] }
traffic:
  shed: { adaptive: { least: 4, target: 1s } }
  rate_limits:
    per_client: { count: 5 }
    per_user: { count: 5 }
    per_operation: [{ name: Search, count: 5 }]
";
    let config = config::parse(text, &|_| None).expect("reads");
    config.check().expect("works");
    config.shown()
}

/// Every value with keys, and where it is.
fn sections(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            found.push(at.to_owned());
            for (key, value) in map {
                sections(value, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                sections(value, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn schema_and_parser_agree_on_unknown_keys() {
    let (validator, whole) = (validator(), whole());
    let errors: Vec<String> = validator
        .iter_errors(&whole)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty() && is_read(&whole), "{errors:#?}");
    let mut places = Vec::new();
    sections(&whole, "", &mut places);
    assert!(places.len() > 25, "{places:?}");
    let mut refused = 0;
    for place in places {
        let mut changed = whole.clone();
        changed.pointer_mut(&place).expect("it is there")["no_such_key"] = json!({});
        let (schema, parser) = (validator.is_valid(&changed), is_read(&changed));
        assert_eq!(
            schema, parser,
            "`{place}`: the schema says {schema}, the parser {parser}"
        );
        refused += usize::from(!parser);
    }
    assert!(refused > 25, "{refused}");
}

#[test]
fn schema_and_parser_agree_on_values() {
    let validator = validator();
    for (value, good) in [
        (json!({"limits": {"depth": 3}}), true),
        (json!({"limits": {"depth": "3"}}), false),
        (json!({"limits": {"depth": -3}}), false),
        (json!({"traffic": {"timeout": "10s"}}), true),
        (json!({"traffic": {"timeout": "10 ms"}}), true),
        (json!({"traffic": {"timeout": "10 parsecs"}}), false),
        (json!({"traffic": {"timeout": 10}}), false),
        (
            json!({"subgraphs": {"a": {"subscription_protocol": "sse"}}}),
            true,
        ),
        (
            json!({"subgraphs": {"a": {"subscription_protocol": "smoke"}}}),
            false,
        ),
        (
            json!({"traffic": {"rate_limits": {"per_user": {"count": 0}}}}),
            false,
        ),
        (json!({"traffic": {"rate_limits": {"per_user": {}}}}), false),
        (json!({"contract": {"include": ["a"]}}), true),
        (json!({"log": {"slow": "1s"}}), true),
        (json!({"introspection": {"enabled": "yes"}}), false),
    ] {
        assert_eq!(
            (validator.is_valid(&value), is_read(&value)),
            (good, good),
            "{value}"
        );
    }
}

#[test]
fn every_key_says_what_it_means() {
    let mut silent = Vec::new();
    for row in config::options_table().lines().skip(2) {
        let cells: Vec<&str> = row.split(" | ").collect();
        if cells.get(3).is_none_or(|meaning| meaning.trim().len() < 8) {
            silent.push(row.to_owned());
        }
    }
    assert!(
        silent.is_empty(),
        "write a comment above these fields:\n{}",
        silent.join("\n")
    );
}

#[test]
fn the_table_of_all_keys_is_that_of_the_types() {
    let file = repository().join(TABLE);
    let text = std::fs::read_to_string(&file).expect("the page");
    let (before, rest) = text.split_once(BEGIN).expect("a place for the table");
    let (told, after) = rest.split_once(END).expect("an end of the table");
    let made = config::options_table();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(file, format!("{before}{BEGIN}{made}{END}{after}")).expect("written");
        return;
    }
    assert!(
        told == made,
        "{TABLE} is not up to date: UPDATE_DOCS=1 cargo test -p baedal-router --test main config_schema"
    );
}

/// Fenced blocks of a page, of one language, with the line they begin at.
fn blocks(page: &Path, language: &str) -> Vec<(usize, String)> {
    let text = std::fs::read_to_string(page).expect("a page");
    let (mut found, mut open) = (Vec::new(), None);
    for (number, line) in text.lines().enumerate() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(fence)) => open = Some((fence == language, number + 2, String::new())),
            (Some(_), Some(_)) => {
                if let Some((true, number, block)) = open.take() {
                    found.push((number, block));
                }
            }
            (Some((_, _, block)), None) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

/// Every configuration that is shown anywhere, with its place.
fn examples() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let pages = std::fs::read_dir(repository().join("docs/gateway")).expect("the gateway's pages");
    for page in pages {
        let page = page.expect("an entry").path();
        for (line, block) in blocks(&page, "yaml") {
            found.push((format!("{}:{line}", page.display()), block));
        }
    }
    let file = repository().join("deploy/router.yaml");
    let text = std::fs::read_to_string(&file).expect("deploy/router.yaml");
    found.push((file.display().to_string(), text));
    found
}

#[test]
fn every_example_is_a_configuration() {
    let validator = validator();
    let examples = examples();
    assert!(examples.len() >= 4, "{}", examples.len());
    let reference = |text: &str| text.contains("${");
    for (place, text) in examples {
        let known = |name: &str| Some(format!("http://{}.example/graphql", name.to_ascii_lowercase()));
        let none = |_: &str| None;
        // Most have defaults; those without are URLs.
        let lookup: &dyn Fn(&str) -> Option<String> = match reference(&text) && !text.contains(":-") {
            true => &known,
            false => &none,
        };
        let config = config::parse(&text, lookup).unwrap_or_else(|error| panic!("{place}: {error}"));
        let plain = text
            .split("${env.")
            .enumerate()
            .map(|(number, part)| match (number, part.split_once('}')) {
                (0, _) | (_, None) => part.to_owned(),
                (_, Some((name, rest))) => {
                    let default = name
                        .split_once(":-")
                        .map_or("http://a.example/", |(_, default)| default);
                    format!("{default}{rest}")
                }
            })
            .collect::<String>();
        let value: Value = serde_norway::from_str(&plain).unwrap_or_else(|error| panic!("{place}: {error}"));
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{place}: {errors:#?}");
        assert!(
            validator.is_valid(&config.shown()),
            "{place}: what is shown of it is not valid"
        );
    }
}
