//! A request that is not executed, and the errors that say why.

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;

use super::Code;

/// Bytes of a message; what is longer is cut.
const LONGEST_MESSAGE: usize = 1024;

/// The last error, if there are more than `limits.errors`.
const TOO_MANY_ERRORS: &str = "TOO_MANY_ERRORS";

/// One entry of `errors` (GraphQL specification, section 7.1.2).
#[derive(Debug, Clone, Serialize)]
pub struct GraphqlError {
    /// What went wrong.
    pub message: String,
    /// Places in the query.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
    /// The code.
    pub extensions: Extensions,
}

/// `extensions` of an error.
#[derive(Debug, Clone, Serialize)]
pub struct Extensions {
    /// A stable code.
    pub code: Cow<'static, str>,
    /// Where a stream that ended can be taken up again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Box<str>>,
    /// When it is worth trying again.
    #[serde(rename = "retryAfterMs", skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// What the operation would cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

/// What an operation would cost, and may.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Cost {
    /// As estimated.
    pub estimate: u64,
    /// `limits.cost.budget`.
    pub limit: u64,
}

/// A place in the query, from 1.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Location {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// A request that is not executed.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Decides the HTTP status.
    pub code: Code,
    /// At least one.
    pub errors: Vec<GraphqlError>,
    /// When it is worth trying again.
    pub retry_after: Option<Duration>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<()>,
    errors: &'a [GraphqlError],
}

impl Refusal {
    /// One error without a place.
    pub fn new(code: Code, message: impl Into<String>) -> Refusal {
        Refusal::at(code, message, Vec::new())
    }

    /// One error at places in the query.
    pub fn at(code: Code, message: impl Into<String>, locations: Vec<Location>) -> Refusal {
        Refusal {
            code,
            errors: vec![GraphqlError::new(code.name(), message, locations)],
            retry_after: None,
        }
    }

    /// One error that may be past after a while.
    pub fn later(code: Code, message: impl Into<String>, after: Duration) -> Refusal {
        let mut refusal = Refusal::new(code, message);
        let millis = u64::try_from(after.as_millis()).unwrap_or(u64::MAX).max(1);
        for error in &mut refusal.errors {
            error.extensions.retry_after_ms = Some(millis);
        }
        refusal.retry_after = Some(after);
        refusal
    }

    /// An operation that costs more than it may.
    pub fn too_dear(estimate: u64, limit: u64) -> Refusal {
        let message = format!(
            "the operation may cost {estimate}, and at most {limit} is allowed (limits.cost.budget); \
             ask for fewer items or fewer nested lists"
        );
        let mut refusal = Refusal::new(Code::TooDear, message);
        for error in &mut refusal.errors {
            error.extensions.cost = Some(Cost { estimate, limit });
        }
        refusal
    }

    /// With no more errors than so many, and one that says how many are left out.
    pub fn at_most(mut self, most: usize) -> Refusal {
        let more = self.errors.len().saturating_sub(most);
        if more > 0 {
            self.errors.truncate(most);
            let message = format!("{more} more errors are left out (limits.errors)");
            self.errors
                .push(GraphqlError::new(TOO_MANY_ERRORS, message, Vec::new()));
        }
        self
    }

    /// `{"errors": […]}`, or `{"data": null, "errors": […]}`.
    pub fn body(&self) -> Vec<u8> {
        let body = ErrorBody {
            data: self.code.is_answer().then_some(()),
            errors: &self.errors,
        };
        serde_json::to_vec(&body).expect("strings and numbers are JSON")
    }
}

impl GraphqlError {
    /// An error with a code.
    pub fn new(
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
        locations: Vec<Location>,
    ) -> GraphqlError {
        GraphqlError {
            message: cut(message.into()),
            locations,
            extensions: Extensions {
                code: code.into(),
                cursor: None,
                retry_after_ms: None,
                cost: None,
            },
        }
    }

    /// The same of a stream that can be taken up again there.
    pub fn at_cursor(mut self, cursor: Option<&str>) -> GraphqlError {
        self.extensions.cursor = cursor.map(Box::from);
        self
    }
}

/// Messages quote what was sent, which may be as long as a request.
fn cut(mut message: String) -> String {
    if message.len() > LONGEST_MESSAGE {
        let end = (0..=LONGEST_MESSAGE)
            .rev()
            .find(|at| message.is_char_boundary(*at));
        message.truncate(end.unwrap_or(0));
        message.push('…');
    }
    message
}

impl From<baedal_token::TokenError> for Refusal {
    fn from(error: baedal_token::TokenError) -> Refusal {
        let code = match baedal_token::http::status(&error) {
            _ if error == baedal_token::TokenError::Revoked => Code::TokenRevoked,
            400 => Code::AmbiguousAuthorization,
            503 => Code::AuthUnavailable,
            _ => Code::InvalidToken,
        };
        Refusal::new(code, error.to_string())
    }
}
