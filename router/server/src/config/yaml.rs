//! A YAML text as a JSON value: what the JSON Schema describes, and what layers are merged of.

use serde_json::{Map, Number, Value};

use super::load::Problem;

/// The value of a text; of one with nothing but comments an empty map. What is no YAML, or more than JSON can say, is
/// refused.
pub fn value(text: &str) -> Result<Value, Problem> {
    let read: serde_norway::Value = serde_norway::from_str(text).map_err(|error| {
        let told = error.to_string();
        let (line, column) = error
            .location()
            .map_or((1, 1), |place| (place.line(), place.column()));
        let why = told.split(" at line ").next().unwrap_or(&told).to_owned();
        Problem::at(line, column, why)
    })?;
    match read {
        serde_norway::Value::Null => Ok(Value::Object(Map::new())),
        read => json(read).map_err(|why| Problem::at(1, 1, why)),
    }
}

fn json(value: serde_norway::Value) -> Result<Value, String> {
    use serde_norway::Value as Yaml;
    Ok(match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => value.into(),
        Yaml::Number(value) => number(&value)?,
        Yaml::String(text) => text.into(),
        Yaml::Sequence(list) => Value::Array(list.into_iter().map(json).collect::<Result<_, _>>()?),
        Yaml::Mapping(map) => {
            let entries = map
                .into_iter()
                .map(|(name, value)| Ok((key(name)?, json(value)?)));
            Value::Object(entries.collect::<Result<_, String>>()?)
        }
        Yaml::Tagged(tagged) => return Err(format!("the tag {} has no meaning here", tagged.tag)),
    })
}

fn number(value: &serde_norway::Number) -> Result<Value, String> {
    let whole = value
        .as_u64()
        .map(Number::from)
        .or_else(|| value.as_i64().map(Number::from));
    whole
        .or_else(|| value.as_f64().and_then(Number::from_f64))
        .map(Value::Number)
        .ok_or_else(|| format!("{value} is no number that can be used"))
}

/// A name may look like a number: `404: …`.
fn key(name: serde_norway::Value) -> Result<String, String> {
    match name {
        serde_norway::Value::String(text) => Ok(text),
        serde_norway::Value::Number(number) => Ok(number.to_string()),
        serde_norway::Value::Bool(value) => Ok(value.to_string()),
        _ => Err("a key must be a text".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_is_read_as_json() {
        let text = "a: [1, -1, 0.5, yes]\n404: {}\nempty:\n";
        let wanted = json!({"a": [1, -1, 0.5, "yes"], "404": {}, "empty": null});
        assert_eq!(value(text), Ok(wanted));
        assert_eq!(value("# nothing\n"), Ok(json!({})));
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        for (text, line, wanted) in [
            ("a: 1\nb: {", 2, ""),
            ("a: 1\nb: 2\na: 3\n", 1, "duplicate"),
            ("a: !x y\n", 1, "tag"),
            ("a: .nan\n", 1, "no number"),
            ("[a]: 1\n", 1, "must be a text"),
        ] {
            let refused = value(text).expect_err(text);
            assert!(refused.why.contains(wanted), "{refused:?}");
            assert!(refused.line >= line, "{refused:?}");
        }
    }
}
