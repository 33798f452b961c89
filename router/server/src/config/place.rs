//! Where something is in a configuration: which key, and at which line and column of a text.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// To the value of a key.
    Key(String),
    /// To an entry of a list.
    Index(usize),
}

/// A way down from the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Path(pub Vec<Step>);

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if number == 0 => out.write_str(key)?,
                Step::Key(key) => write!(out, ".{key}")?,
                Step::Index(index) => write!(out, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl Path {
    /// The way to a key that is written with dots, as far as `value` goes; names of its own in a map may have dots in
    /// them. What `value` does not have is the last step, in one.
    pub fn parse(key: &str, value: &Value) -> Path {
        let (mut steps, mut value, mut rest) = (Vec::new(), value, key);
        while !rest.is_empty() {
            let found = next(value, rest);
            let Some((step, below, left)) = found else {
                steps.push(Step::Key(rest.to_owned()));
                break;
            };
            steps.push(step);
            (value, rest) = (below, left);
        }
        Path(steps)
    }

    /// How many of the steps `value` has.
    pub fn depth_in(&self, value: &Value) -> usize {
        let mut at = Some(value);
        let exists = |step: &&Step| {
            at = at.and_then(|value| below(value, step));
            at.is_some()
        };
        self.0.iter().take_while(exists).count()
    }

    /// The first steps.
    pub fn first(&self, count: usize) -> Path {
        Path(self.0[..count].to_vec())
    }

    /// Line and column, from 1, of the key (or entry of a list) in a YAML text, which must have it.
    pub fn locate(&self, text: &str) -> Option<(usize, usize)> {
        let seek = Seek { steps: &self.0 };
        let found = seek
            .deserialize(serde_norway::Deserializer::from_str(text))
            .err()?;
        let place = found.location()?;
        Some((place.line(), place.column()))
    }
}

/// The value one step below.
pub fn below<'a>(value: &'a Value, step: &Step) -> Option<&'a Value> {
    match step {
        Step::Key(key) => value.get(key),
        Step::Index(index) => value.get(index),
    }
}

/// The longest key that `text` begins with, or an index; the value there, and what is left of the text.
fn next<'a, 't>(value: &'a Value, text: &'t str) -> Option<(Step, &'a Value, &'t str)> {
    if let Some(inside) = text.strip_prefix('[') {
        let (index, rest) = inside.split_once(']')?;
        let index = index.parse().ok()?;
        let rest = rest.strip_prefix('.').unwrap_or(rest);
        return Some((Step::Index(index), value.get(index)?, rest));
    }
    let fits = |key: &&String| {
        let rest = text.strip_prefix(key.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let key = value
        .as_object()?
        .keys()
        .filter(fits)
        .max_by_key(|key| key.len())?;
    let rest = &text[key.len()..];
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    Some((Step::Key(key.clone()), value.get(key)?, rest))
}

/// Walks down a text and fails where it wanted to go: the reader's error has the place then.
struct Seek<'a> {
    steps: &'a [Step],
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the place that was sought")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((Step::Key(key), rest)) = self.steps.split_first() else {
            return Err(A::Error::custom("here"));
        };
        let found = |stop| Key { key, stop };
        while let Some(is_it) = map.next_key_seed(found(rest.is_empty()))? {
            match is_it {
                true => map.next_value_seed(Seek { steps: rest })?,
                false => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((Step::Index(index), rest)) = self.steps.split_first() else {
            return Err(A::Error::custom("here"));
        };
        for _ in 0..*index {
            list.next_element::<IgnoredAny>()?;
        }
        list.next_element_seed(Seek { steps: rest })?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Whether a key is the one, and whether to stop there.
struct Key<'a> {
    key: &'a str,
    stop: bool,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = bool;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        match key == self.key {
            true if self.stop => Err(E::custom("here")),
            is_it => Ok(is_it),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# a comment
path: /g
subgraphs:
  my.sub: { url: x,
    sdl: y }
  'quoted':
    replicas:
      - one
      - two
auth:
  issuers:
  - issuer: a
  - issuer: b
    audience: c
";

    fn place(key: &str) -> Option<(usize, usize)> {
        let value = super::super::yaml::value(TEXT).expect("YAML");
        Path::parse(key, &value).locate(TEXT)
    }

    #[test]
    fn keys_and_entries_of_lists_are_found() {
        for (key, wanted) in [
            ("path", (2, 1)),
            ("subgraphs", (3, 1)),
            ("subgraphs.my.sub.sdl", (5, 5)),
            ("subgraphs.quoted.replicas", (7, 5)),
            ("auth.issuers[1].audience", (14, 5)),
            ("auth.issuers[1]", (13, 5)),
        ] {
            assert_eq!(place(key), Some(wanted), "{key}");
        }
        assert_eq!(place("limits.depth"), None);
    }

    #[test]
    fn a_key_is_read_as_far_as_it_is_there() {
        let value = super::super::yaml::value(TEXT).expect("YAML");
        let path = Path::parse("subgraphs.my.sub.traffic.retry", &value);
        assert_eq!(path.0.len(), 3, "{path:?}");
        assert_eq!(path.depth_in(&value), 2);
        assert_eq!(path.to_string(), "subgraphs.my.sub.traffic.retry");
        let path = Path::parse("auth.issuers[].jwks_url", &value);
        assert_eq!(path.depth_in(&value), 2, "{path:?}");
    }
}
