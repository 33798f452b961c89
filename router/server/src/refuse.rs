//! Refusals of the planner's rooms, as clients read them.

use baedal_planner::operation::RequestError;
use baedal_planner::{CoercionError, OperationError, PlanError};

use crate::errors::{Code, GraphqlError, Location, Refusal};

/// An operation that is not valid. With introspection off, messages suggest no names.
pub fn operation(error: OperationError, suggest: bool) -> Refusal {
    let code = match error.errors.first().map(|first| first.extensions.code) {
        Some("GRAPHQL_PARSE_FAILED") => Code::ParseFailed,
        Some("OPERATION_RESOLUTION_FAILURE") => Code::OperationUnknown,
        Some("INTROSPECTION_TOO_DEEP") => Code::IntrospectionTooDeep,
        _ => Code::ValidationFailed,
    };
    Refusal {
        code,
        errors: error
            .errors
            .into_iter()
            .map(|error| graphql(error, suggest))
            .collect(),
        retry_after: None,
    }
}

fn graphql(error: RequestError, suggest: bool) -> GraphqlError {
    let locations = error
        .locations
        .iter()
        .map(|place| Location {
            line: place.line,
            column: place.column,
        })
        .collect();
    let message = match error.message.split_once(" Did you mean") {
        Some((told, _)) if !suggest => told.to_owned(),
        _ => error.message,
    };
    GraphqlError::new(error.extensions.code, message, locations)
}

/// Variables without a value of their type: all at once.
pub fn variables(errors: Vec<CoercionError>) -> Refusal {
    let one =
        |error: CoercionError| GraphqlError::new(Code::BadUserInput.name(), error.to_string(), Vec::new());
    Refusal {
        code: Code::BadUserInput,
        errors: errors.into_iter().map(one).collect(),
        retry_after: None,
    }
}

/// No plan. That a field cannot be reached is a fault of the graph, so it is logged as well.
pub fn plan(error: PlanError) -> Refusal {
    match error {
        PlanError::BudgetExceeded(_) => {
            Refusal::new(Code::PlanTooExpensive, format!("{error} (limits.plan_budget)"))
        }
        PlanError::TooDeep(_) => Refusal::new(Code::TooHigh, error.to_string()),
        PlanError::Unreachable { .. } => {
            tracing::error!("{error}");
            Refusal::new(Code::PlanFailed, error.to_string())
        }
    }
}
