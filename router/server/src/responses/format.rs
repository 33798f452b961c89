//! Formats of tags: text with holes, `product-{$key.id}`.
//! <https://specs.apollo.dev/federation/v2.12/#@cacheTag>

use serde_json::Value;

/// A format, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    /// What to look for in what is around: `$key.id` is `["$key", "id"]`.
    Hole(Vec<Box<str>>),
}

impl Format {
    /// Takes a format apart. A brace that is not closed is text.
    pub fn parse(text: &str) -> Format {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, hole, after)) = hole(rest) {
            if !before.is_empty() {
                pieces.push(Piece::Text(before.into()));
            }
            pieces.push(Piece::Hole(hole.trim().split('.').map(Box::from).collect()));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.into()));
        }
        Format(pieces)
    }

    /// The tag; `None` if a hole cannot be filled. `find` looks up a hole's path.
    pub fn fill(&self, find: impl Fn(&[Box<str>]) -> Option<Value>) -> Option<String> {
        let mut tag = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => tag.push_str(text),
                Piece::Hole(path) => tag.push_str(&plain(&find(path)?)?),
            }
        }
        Some(tag)
    }
}

fn hole(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (hole, after) = rest.split_once('}')?;
    Some((before, hole, after))
}

/// A scalar as it stands in a tag: an ID is the same as a number and as a string.
pub fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// What lies at a path in a value.
pub fn at<'a>(value: &'a Value, path: &[Box<str>]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, step| value.get(&**step))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn holes_are_filled_with_scalars_and_nothing_else() {
        let around = json!({"$key": {"id": "7", "n": 3, "b": true, "o": {"x": "y"}, "z": null}});
        let fill = |text: &str| Format::parse(text).fill(|path| at(&around, path).cloned());
        assert_eq!(fill("a-{$key.id}"), Some("a-7".to_owned()));
        assert_eq!(
            fill("{ $key.n }/{$key.b}-{$key.o.x}!"),
            Some("3/true-y!".to_owned())
        );
        assert_eq!(fill("plain"), Some("plain".to_owned()));
        assert_eq!(fill("open {$key.id"), Some("open {$key.id".to_owned()));
        for lacking in ["{$key.q}", "{$key.o}", "{$key.z}", "{$args.id}", "{}"] {
            assert_eq!(fill(lacking), None, "{lacking}");
        }
    }
}
