//! Times.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::domain::Millis;

/// A time, RFC 3339.
#[derive(Clone, Copy)]
pub struct DateTime(pub(in crate::inbound::graphql) Millis);

/// RFC 3339 in UTC.
#[Scalar]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let at = OffsetDateTime::parse(text, &Rfc3339)?;
        Ok(DateTime((at.unix_timestamp_nanos() / 1_000_000) as Millis))
    }

    fn to_value(&self) -> Value {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000);
        let text = at.ok().and_then(|at| at.format(&Rfc3339).ok());
        text.map_or(Value::Null, Value::String)
    }
}
