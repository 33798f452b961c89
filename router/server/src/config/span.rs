//! Lengths of time as people write them: `500ms`, `10s`, `5m`, `1h`.
//!
//! A field of the configuration says `#[serde(with = "Span")]`, or `#[serde(with = "MaybeSpan")]` where it is optional:
//! so it is read, written and described in the JSON Schema.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

/// What [`parse`] reads, for the JSON Schema.
const PATTERN: &str = "^[0-9]+ *(ms|s|m|h)$";

/// A length of time.
pub struct Span;

/// A length of time that may be absent.
pub struct MaybeSpan;

impl Span {
    /// Reads `500ms`, `10s`, `5m` or `1h`.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }

    /// Writes it in the largest unit that fits.
    pub fn serialize<S: Serializer>(length: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&write(*length))
    }
}

impl MaybeSpan {
    /// Reads a length, or nothing.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Option::<String>::deserialize(deserializer)?
            .map(|text| parse(&text).map_err(D::Error::custom))
            .transpose()
    }

    /// Writes a length, or nothing.
    pub fn serialize<S: Serializer>(length: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match length {
            Some(length) => serializer.serialize_some(&write(*length)),
            None => serializer.serialize_none(),
        }
    }
}

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": PATTERN, "x-type": "time"})
    }
}

impl JsonSchema for MaybeSpan {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "MaybeSpan".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "null"], "pattern": PATTERN, "x-type": "time"})
    }
}

/// Reads `500ms`, `10s`, `5m` or `1h`.
pub fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong(text))?;
    let scale = match unit.trim_start_matches(' ') {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong(text)),
    };
    number
        .checked_mul(scale)
        .map(Duration::from_millis)
        .ok_or_else(|| wrong(text))
}

/// As [`parse`] reads it; what is shorter than a millisecond is not in it.
fn write(length: Duration) -> String {
    let millis = length.as_millis();
    let units = [("h", 3_600_000), ("m", 60_000), ("s", 1_000)];
    match units.into_iter().find(|(_, scale)| millis.is_multiple_of(*scale)) {
        Some((_, _)) if millis == 0 => "0s".to_owned(),
        Some((unit, scale)) => format!("{}{unit}", millis / scale),
        None => format!("{millis}ms"),
    }
}

fn wrong(text: &str) -> String {
    format!("`{text}` is not a length of time; write for example 500ms, 10s, 5m or 1h")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read() {
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(parse("2h"), Ok(Duration::from_secs(7200)));
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["0s", "1ms", "1500ms", "90s", "1m", "61m", "2h"] {
            assert_eq!(write(parse(text).expect(text)), text);
        }
        assert_eq!(write(Duration::from_secs(60)), "1m");
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for text in [
            "",
            "10",
            "s",
            "-1s",
            "1.5s",
            "10 parsecs",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            let message = parse(text).expect_err(text);
            assert!(message.contains("for example"), "{message}");
        }
    }
}
