//! Bytes → [`Asked`]: the members of a GraphQL request, from a JSON body or a query string. It becomes a [`Request`] where
//! its document is known ([`crate::persisted`]).
//!
//! GraphQL over HTTP, sections 5.3 (GET) and 5.4 (POST), and appendix A (`documentId`). Unknown members are ignored,
//! repeated ones are refused.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::config::LimitsConfig;
use crate::errors::{Code, Refusal};
use crate::limits;

/// What a client asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The document.
    pub query: String,
    /// Which operation of it.
    pub operation_name: Option<String>,
    /// Values of its variables.
    pub variables: Map<String, Value>,
}

/// The same as it was sent: the document is there, or named.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The document.
    pub query: Option<String>,
    /// Which operation of it.
    pub operation_name: Option<String>,
    /// Values of its variables.
    pub variables: Map<String, Value>,
    /// How it is named; `None` only where the document is there.
    pub named: Option<Box<Named>>,
}

/// Names of a document: at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// `extensions.persistedQuery`, whatever it is.
    pub persisted_query: Option<Value>,
    /// `documentId`, or Relay's `doc_id`.
    pub document_id: Option<String>,
}

impl Asked {
    /// The request for this document.
    pub fn with(self, query: String) -> Request {
        Request {
            query,
            operation_name: self.operation_name,
            variables: self.variables,
        }
    }
}

#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    query: Option<&'a RawValue>,
    #[serde(borrow, rename = "documentId", alias = "doc_id")]
    document_id: Option<&'a RawValue>,
    #[serde(borrow, rename = "operationName")]
    operation_name: Option<&'a RawValue>,
    #[serde(borrow)]
    variables: Option<&'a RawValue>,
    #[serde(borrow)]
    extensions: Option<&'a RawValue>,
}

/// Reads a JSON body.
pub fn from_json(body: &[u8], limits: &LimitsConfig) -> Result<Asked, Refusal> {
    let text = std::str::from_utf8(body).map_err(|_| not_json("it is not UTF-8"))?;
    limits::check_json(body, limits)?;
    if text.trim_start().starts_with('[') {
        return Err(Refusal::new(
            Code::BatchingDisabled,
            "several requests in one body are not accepted here; send one object",
        ));
    }
    let members = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data if text.trim_start().starts_with('{') => {
            bad(&without_place(&error))
        }
        serde_json::error::Category::Data => bad("the body must be a JSON object with the member `query`"),
        _ => not_json(&error.to_string()),
    })?;
    from_members(members, limits)
}

fn from_members(members: Members<'_>, limits: &LimitsConfig) -> Result<Asked, Refusal> {
    let query = string(members.query, "query")?;
    let document_id = string(members.document_id, "documentId")?;
    let operation_name = string(members.operation_name, "operationName")?.filter(|name| !name.is_empty());
    let extensions: Option<Value> = members.extensions.map(value).transpose()?;
    if extensions
        .as_ref()
        .is_some_and(|value| !value.is_object() && !value.is_null())
    {
        return Err(bad("the member `extensions` must be an object"));
    }
    let (query, named) =
        named(query, document_id, extensions).ok_or_else(|| bad("the member `query` is missing"))?;
    if let Some(variables) = members.variables {
        limits::check_variables(variables.get(), limits)?;
    }
    let variables = members.variables.map(value).transpose()?.unwrap_or(Value::Null);
    Ok(Asked {
        query,
        operation_name,
        variables: object(variables)?,
        named,
    })
}

/// The document and its names, if there is any of them. Beside a name an empty document is none.
fn named(
    query: Option<String>,
    document_id: Option<String>,
    extensions: Option<Value>,
) -> Option<(Option<String>, Option<Box<Named>>)> {
    let persisted_query = match extensions {
        Some(Value::Object(mut members)) => members.remove("persistedQuery"),
        _ => None,
    };
    if document_id.is_none() && persisted_query.is_none() {
        return query.map(|query| (Some(query), None));
    }
    let query = query.filter(|query| !query.is_empty());
    let named = Named {
        persisted_query,
        document_id,
    };
    Some((query, Some(Box::new(named))))
}

/// Reads the query string of a GET request.
pub fn from_query_string(text: &str, limits: &LimitsConfig) -> Result<Asked, Refusal> {
    let (mut query, mut operation_name, mut variables, mut extensions) = (None, None, None, None);
    let mut document_id = None;
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let place = match decode(name)?.as_str() {
            "query" => &mut query,
            "operationName" => &mut operation_name,
            "variables" => &mut variables,
            "extensions" => &mut extensions,
            "documentId" | "doc_id" => &mut document_id,
            _ => continue,
        };
        if place.replace(decode(value)?).is_some() {
            return Err(bad(&format!("the parameter `{name}` is given twice")));
        }
    }
    limits::check_variables(variables.as_deref().unwrap_or_default(), limits)?;
    let variables = parameter(variables, limits)?;
    let extensions = parameter(extensions, limits)?;
    if !matches!(extensions, Value::Null | Value::Object(_)) {
        return Err(bad("the parameter `extensions` must be a JSON object"));
    }
    let (query, named) =
        named(query, document_id, Some(extensions)).ok_or_else(|| bad("the parameter `query` is missing"))?;
    Ok(Asked {
        query,
        operation_name: operation_name.filter(|name| !name.is_empty()),
        variables: object(variables)?,
        named,
    })
}

fn parameter(text: Option<String>, limits: &LimitsConfig) -> Result<Value, Refusal> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(Value::Null);
    };
    limits::check_json(text.as_bytes(), limits)?;
    serde_json::from_str(&text).map_err(|error| not_json(&error.to_string()))
}

/// Form decoding (`+` is a space) that refuses what is not UTF-8.
fn decode(text: &str) -> Result<String, Refusal> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                hex(rest.next(), rest.next()).ok_or_else(|| bad("the query string has a broken % escape"))?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| bad("the query string is not UTF-8"))
}

fn hex(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn string(raw: Option<&RawValue>, name: &str) -> Result<Option<String>, Refusal> {
    match raw.map(RawValue::get) {
        None | Some("null") => Ok(None),
        Some(text) if text.starts_with('"') => serde_json::from_str(text)
            .map(Some)
            .map_err(|error| not_json(&without_place(&error))),
        Some(_) => Err(bad(&format!("the member `{name}` must be a string"))),
    }
}

fn object(variables: Value) -> Result<Map<String, Value>, Refusal> {
    match variables {
        Value::Null => Ok(Map::new()),
        Value::Object(map) => Ok(map),
        _ => Err(Refusal::new(
            Code::InvalidVariables,
            "`variables` must be a JSON object",
        )),
    }
}

fn value(raw: &RawValue) -> Result<Value, Refusal> {
    serde_json::from_str(raw.get()).map_err(|error| not_json(&without_place(&error)))
}

/// The place is relative to a part of the body here, and would mislead.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

fn bad(message: &str) -> Refusal {
    Refusal::new(Code::BadRequest, message)
}

fn not_json(why: &str) -> Refusal {
    Refusal::new(Code::InvalidJson, format!("the request is not valid JSON: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Result<Asked, Refusal> {
        from_json(text.as_bytes(), &LimitsConfig::default())
    }

    fn get(text: &str) -> Result<Asked, Refusal> {
        from_query_string(text, &LimitsConfig::default())
    }

    #[test]
    fn all_members_are_read() {
        let request =
            json(r#"{"query":"{a}","operationName":"A","variables":{"x":[1]},"extensions":{},"other":1}"#);
        let request = request.expect("reads");
        assert_eq!(
            (request.query.as_deref(), request.operation_name.as_deref()),
            (Some("{a}"), Some("A"))
        );
        assert_eq!(request.variables["x"], serde_json::json!([1]));
    }

    #[test]
    fn every_malformed_body_has_its_code() {
        for (body, code) in [
            ("", Code::InvalidJson),
            ("{", Code::InvalidJson),
            ("\u{feff}{\"query\":\"{a}\"}", Code::InvalidJson),
            ("{\"query\":\"\\ud800\"}", Code::InvalidJson),
            (
                "{\"query\":\"{a}\",\"variables\":{\"x\":1e999}}",
                Code::InvalidJson,
            ),
            ("{\"query\":\"{a}\u{0}\"}", Code::InvalidJson),
            ("\"{a}\"", Code::BadRequest),
            ("{}", Code::BadRequest),
            ("{\"query\":1}", Code::BadRequest),
            ("{\"query\":\"{a}\",\"query\":\"{b}\"}", Code::BadRequest),
            ("{\"query\":\"{a}\",\"operationName\":[]}", Code::BadRequest),
            ("{\"query\":\"{a}\",\"extensions\":\"x\"}", Code::BadRequest),
            ("{\"query\":\"{a}\",\"variables\":[1]}", Code::InvalidVariables),
            ("{\"query\":\"{a}\",\"variables\":\"{}\"}", Code::InvalidVariables),
            ("[{\"query\":\"{a}\"}]", Code::BatchingDisabled),
        ] {
            assert_eq!(json(body).expect_err(body).code, code, "{body}");
        }
        let not_utf8 = from_json(b"{\"query\":\"\xff\"}", &LimitsConfig::default());
        assert_eq!(not_utf8.expect_err("not UTF-8").code, Code::InvalidJson);
    }

    #[test]
    fn a_query_string_is_form_decoded() {
        let request = get("query=%7B+a%20%7D&operationName=A&variables=%7B%22x%22%3A%22%C3%A9%22%7D&other=1")
            .expect("reads");
        assert_eq!(
            (request.query.as_deref(), request.operation_name.as_deref()),
            (Some("{ a }"), Some("A"))
        );
        assert_eq!(request.variables["x"], "é");
    }

    #[test]
    fn a_document_may_be_named() {
        let hash = r#"{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab"}}}"#;
        let asked = json(hash).expect("reads");
        let named = asked.named.expect("it is named");
        assert_eq!(named.persisted_query.expect("a hash")["sha256Hash"], "ab");
        assert_eq!(asked.query, None);
        for text in [
            r#"{"documentId":"x","query":""}"#,
            r#"{"doc_id":"x"}"#,
            r#"{"documentId":"x","query":null,"extensions":null}"#,
        ] {
            let asked = json(text).expect(text);
            let named = asked.named.expect("it is named");
            assert_eq!(
                (asked.query, named.document_id.as_deref()),
                (None, Some("x")),
                "{text}"
            );
        }
        let asked = get("documentId=sha256%3Aab&extensions=%7B%22persistedQuery%22:1%7D").expect("reads");
        let named = asked.named.expect("it is named");
        assert_eq!(named.document_id.as_deref(), Some("sha256:ab"));
        assert_eq!(named.persisted_query, Some(1.into()));
        for text in [r#"{"documentId":"x","doc_id":"x"}"#, r#"{"documentId":1}"#] {
            assert_eq!(json(text).expect_err(text).code, Code::BadRequest, "{text}");
        }
        assert_eq!(
            json(r#"{"query":"","extensions":{"x":1}}"#).expect("reads").named,
            None
        );
    }

    #[test]
    fn every_malformed_query_string_has_its_code() {
        for (text, code) in [
            ("", Code::BadRequest),
            ("query=%7", Code::BadRequest),
            ("query=%ff", Code::BadRequest),
            ("query=a&query=b", Code::BadRequest),
            ("query=a&variables={", Code::InvalidJson),
            ("query=a&variables=[]", Code::InvalidVariables),
            ("query=a&extensions=1", Code::BadRequest),
        ] {
            assert_eq!(get(text).expect_err(text).code, code, "{text}");
        }
    }
}
