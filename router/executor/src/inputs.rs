//! What comes with a request besides its program, and what goes out.
use std::sync::Arc;

use baedal_planner::plan::InitialCount;
use bytes::Bytes;
use serde_json::{Map, Value};

/// A request's inputs.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// Coerced variables (defaults applied) by name, each as valid JSON text. A variable without value is absent.
    pub variables: Vec<(Box<str>, Bytes)>,
    /// Prefilled root fields (introspection) by response key, each as valid JSON text.
    pub given: Vec<(Box<str>, Bytes)>,
    /// The largest body of a subgraph that is read, in bytes.
    pub max_body: usize,
    /// How many errors an answer holds; if there are more, one last error says how many were left out.
    pub max_errors: usize,
    /// What clients see of subgraphs' errors.
    pub error_policy: ErrorPolicy,
    /// Whether errors of a subgraph name it, in `extensions.service`.
    pub name_subgraphs: bool,
    /// Under which id a masked error can be found in the log, shown as `extensions.requestId`.
    pub reference: Option<Arc<str>>,
    /// The largest answer, in bytes, and the most that entities found at several places are copied.
    pub max_answer: usize,
}

/// What clients see of the errors a subgraph reports.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum ErrorPolicy {
    /// Message, path in the client's terms, and all extensions but `stacktrace` and `exception`.
    #[default]
    Pass,
    /// The same, but of the extensions only `code` and those of these names.
    PassOnly(Arc<[String]>),
    /// A fixed message and code, the path, and [`Inputs::reference`].
    Mask,
}

impl Default for Inputs {
    fn default() -> Inputs {
        Inputs {
            variables: Vec::new(),
            given: Vec::new(),
            max_body: 64 << 20,
            max_errors: 100,
            error_policy: ErrorPolicy::default(),
            name_subgraphs: true,
            reference: None,
            max_answer: 64 << 20,
        }
    }
}

impl Inputs {
    /// Inputs with these coerced variables, and the usual limits.
    pub fn with_variables(variables: &Map<String, Value>) -> Inputs {
        let raw = |(name, value): (&String, &Value)| (name.as_str().into(), Bytes::from(value.to_string()));
        Inputs {
            variables: variables.iter().map(raw).collect(),
            ..Inputs::default()
        }
    }

    /// Sets the JSON text of a prefilled root field.
    pub fn give(&mut self, response_key: &str, json: impl Into<Bytes>) {
        self.given.push((response_key.into(), json.into()));
    }

    pub(crate) fn variable(&self, name: &str) -> Option<&Bytes> {
        named(&self.variables, name)
    }

    /// How many items come at once; what is no number is none.
    pub(crate) fn initial_count(&self, count: &InitialCount) -> usize {
        match count {
            InitialCount::Fixed(count) => *count,
            InitialCount::Variable(name) => {
                let value = self.variable(name);
                value
                    .and_then(|json| serde_json::from_slice(json).ok())
                    .unwrap_or(0)
            }
        }
    }

    pub(crate) fn given(&self, response_key: &str) -> Option<&Bytes> {
        named(&self.given, response_key)
    }
}

fn named<'a>(list: &'a [(Box<str>, Bytes)], name: &str) -> Option<&'a Bytes> {
    list.iter()
        .find(|(known, _)| &**known == name)
        .map(|(_, json)| json)
}

/// The client's answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// `{"data":…}` or `{"data":…,"errors":[…]}`.
    pub body: Bytes,
    /// How many errors there were, those left out of the body included.
    pub errors: usize,
    /// How many subgraph calls were made.
    pub calls: usize,
}
