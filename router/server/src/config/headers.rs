//! Section `headers`, and `headers` of a subgraph: which header fields travel, to subgraphs and back.

use std::collections::{BTreeMap, HashSet};

use http::{HeaderName, HeaderValue};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError};

/// Which header fields travel. Nothing travels that is not named here, but for the request id, `traceparent`, and
/// `Authorization` when `auth` is configured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HeadersConfig {
    /// Request headers that travel on to all subgraphs.
    pub propagate: Vec<Propagation>,
    /// Fixed header fields of every call to a subgraph.
    #[schemars(schema_with = "secret_values")]
    pub insert: BTreeMap<String, String>,
    /// Headers of subgraphs' answers that travel back to clients.
    pub respond: Vec<Responded>,
}

/// Which header fields travel to one subgraph, besides those of section `headers`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SubgraphHeadersConfig {
    /// Request headers that travel on to this subgraph.
    pub propagate: Vec<Propagation>,
    /// Fixed header fields of every call to it; they replace those of the same name in `headers.insert`.
    #[schemars(schema_with = "secret_values")]
    pub insert: BTreeMap<String, String>,
}

/// A request header that travels on: a name, or a name with more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "PropagationForm", into = "PropagationForm")]
#[schemars(with = "PropagationForm")]
pub struct Propagation {
    /// The header of the client's request.
    pub name: String,
    /// What it is called in calls to subgraphs. Absent: the same.
    pub rename: Option<String>,
    /// The value where a client sends none.
    pub default: Option<String>,
}

/// A header of subgraphs' answers that travels back: a name, or a name and how several become one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "RespondedForm", into = "RespondedForm")]
#[schemars(with = "RespondedForm")]
pub struct Responded {
    /// The header.
    pub name: String,
    /// How those of several answers become one.
    pub merge: Merge,
}

/// How the values of several answers become one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Merge {
    /// That of the answer that came first.
    #[default]
    First,
    /// That of the answer that came last.
    Last,
    /// All that differ, each in a field of its own.
    All,
}

/// Values of names of one's own, which may be secrets.
fn secret_values(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": { "type": "string", "writeOnly": true },
    })
}

impl From<&str> for Propagation {
    fn from(name: &str) -> Propagation {
        Propagation {
            name: name.to_owned(),
            rename: None,
            default: None,
        }
    }
}

impl From<&str> for Responded {
    fn from(name: &str) -> Responded {
        Responded {
            name: name.to_owned(),
            merge: Merge::default(),
        }
    }
}

/// [`Propagation`], as it is written.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "must be a header name, or keys: name, rename, default")]
enum PropagationForm {
    /// The header of the client's request; it travels under the same name.
    Name(String),
    /// The same with more.
    Keys(PropagationKeys),
}

/// A request header that travels on.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PropagationKeys {
    /// The header of the client's request.
    name: String,
    /// What it is called in calls to subgraphs. Absent: the same.
    rename: Option<String>,
    /// The value where a client sends none. Absent: nothing is sent then.
    default: Option<String>,
}

/// [`Responded`], as it is written.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "must be a header name, or keys: name, merge")]
enum RespondedForm {
    /// The header; of several, the first counts.
    Name(String),
    /// The same with more.
    Keys(RespondedKeys),
}

/// A header of subgraphs' answers that travels back.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RespondedKeys {
    /// The header.
    name: String,
    /// How those of several answers become one.
    #[serde(default)]
    merge: Merge,
}

impl From<PropagationForm> for Propagation {
    fn from(form: PropagationForm) -> Propagation {
        match form {
            PropagationForm::Name(name) => Propagation::from(name.as_str()),
            PropagationForm::Keys(PropagationKeys {
                name,
                rename,
                default,
            }) => Propagation {
                name,
                rename,
                default,
            },
        }
    }
}

impl From<Propagation> for PropagationForm {
    fn from(propagation: Propagation) -> PropagationForm {
        let Propagation {
            name,
            rename,
            default,
        } = propagation;
        match (&rename, &default) {
            (None, None) => PropagationForm::Name(name),
            _ => PropagationForm::Keys(PropagationKeys {
                name,
                rename,
                default,
            }),
        }
    }
}

impl From<RespondedForm> for Responded {
    fn from(form: RespondedForm) -> Responded {
        match form {
            RespondedForm::Name(name) => Responded::from(name.as_str()),
            RespondedForm::Keys(RespondedKeys { name, merge }) => Responded { name, merge },
        }
    }
}

impl From<Responded> for RespondedForm {
    fn from(Responded { name, merge }: Responded) -> RespondedForm {
        match merge {
            Merge::First => RespondedForm::Name(name),
            _ => RespondedForm::Keys(RespondedKeys { name, merge }),
        }
    }
}

/// Headers that belong to one connection or are written by the gateway itself.
/// Headers that belong to one connection or are written by the gateway itself.
pub const NOT_OURS_TO_PASS: [&str; 19] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-digest",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "signature",
    "signature-input",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-request-timeout-ms",
];

/// Headers that every call has already.
const ALWAYS_THERE: [&str; 2] = ["traceparent", "x-request-id"];

/// Headers of the gateway's own answers.
const OUR_ANSWERS: [&str; 8] = [
    "access-control-allow-origin",
    "allow",
    "date",
    "retry-after",
    "server",
    "vary",
    "www-authenticate",
    "x-request-id",
];

impl Propagation {
    /// What it is called in calls.
    pub fn target(&self) -> &str {
        self.rename.as_deref().unwrap_or(&self.name)
    }

    fn check(&self, key: &str) -> Result<HeaderName, ConfigError> {
        passable(key, &self.name)?;
        let target = passable(key, self.target())?;
        if self.rename.is_some() && ALWAYS_THERE.contains(&target.as_str()) {
            return Err(ConfigError::value(
                key,
                &format!("`{target}` is sent with every call already"),
            ));
        }
        match &self.default {
            Some(value) => checked_value(key, target.as_str(), value).map(|()| target),
            None => Ok(target),
        }
    }
}

fn passable(key: &str, name: &str) -> Result<HeaderName, ConfigError> {
    let parsed: Result<HeaderName, _> = name.parse();
    let parsed = parsed.map_err(|_| ConfigError::value(key, &format!("`{name}` is not a header name")))?;
    if NOT_OURS_TO_PASS.contains(&parsed.as_str()) {
        let why = format!("`{name}` belongs to one connection or to the gateway and cannot be passed on");
        return Err(ConfigError::value(key, &why));
    }
    Ok(parsed)
}

fn checked_value(key: &str, name: &str, value: &str) -> Result<(), ConfigError> {
    let valid = HeaderValue::from_str(value).is_ok();
    // The value may be a secret: it is not told.
    let why = format!(
        "the value of `{name}` cannot be one of a header: it holds a line break or a control character"
    );
    valid.then_some(()).ok_or_else(|| ConfigError::value(key, &why))
}

/// Names that are inserted, each a valid one with a valid value.
fn inserted(key: &str, insert: &BTreeMap<String, String>) -> Result<HashSet<HeaderName>, ConfigError> {
    let check = |(name, value): (&String, &String)| {
        let parsed = passable(key, name)?;
        if ALWAYS_THERE.contains(&parsed.as_str()) {
            return Err(ConfigError::value(
                key,
                &format!("`{name}` is sent with every call already"),
            ));
        }
        checked_value(key, name, value).map(|()| parsed)
    };
    insert.iter().map(check).collect()
}

/// Targets that are propagated; each at most once, and none that is in `taken`.
fn targets(
    key: &str,
    rules: &[Propagation],
    taken: &HashSet<HeaderName>,
) -> Result<HashSet<HeaderName>, ConfigError> {
    let mut targets = HashSet::new();
    for rule in rules {
        let target = rule.check(key)?;
        if taken.contains(&target) || targets.contains(&target) {
            let why = format!("`{target}` is sent by another rule already; keep one of them");
            return Err(ConfigError::value(key, &why));
        }
        targets.insert(target);
    }
    Ok(targets)
}

impl Config {
    /// Refuses rules that contradict each other or what HTTP asks for.
    pub(super) fn check_headers(&self) -> Result<(), ConfigError> {
        let HeadersConfig {
            propagate,
            insert,
            respond,
        } = &self.headers;
        let fixed = inserted("headers.insert", insert)?;
        let passed = targets("headers.propagate", propagate, &fixed)?;
        for (name, subgraph) in &self.subgraphs {
            let key = |field: &str| format!("subgraphs.{name}.headers.{field}");
            let own = inserted(&key("insert"), &subgraph.headers.insert)?;
            if let Some(both) = own.intersection(&passed).next() {
                let why = format!("`{both}` is in headers.propagate already; keep it in one of the two");
                return Err(ConfigError::value(&key("insert"), &why));
            }
            let taken = fixed.iter().chain(&passed).chain(&own).cloned().collect();
            targets(&key("propagate"), &subgraph.headers.propagate, &taken)?;
        }
        self.check_responded(respond)
    }

    fn check_responded(&self, respond: &[Responded]) -> Result<(), ConfigError> {
        let key = "headers.respond";
        for responded in respond {
            let name = passable(key, &responded.name)?;
            if OUR_ANSWERS.contains(&name.as_str()) {
                let why = format!("`{name}` is said by the gateway itself");
                return Err(ConfigError::value(key, &why));
            }
        }
        let other = match () {
            _ if respond.is_empty() => return Ok(()),
            _ if self.traffic.share_equal_requests => "traffic.share_equal_requests",
            _ if self.traffic.share_equal_calls => "traffic.share_equal_calls",
            _ if self.cache.responses.enabled => "cache.responses",
            _ => return Ok(()),
        };
        let why = format!(
            "cannot be used with {other}: what was not asked of a subgraph has no headers of its answer"
        );
        Err(ConfigError::value(key, &why))
    }
}
