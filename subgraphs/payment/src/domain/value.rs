//! Values checked once, where they enter.

/// Milliseconds since 1970-01-01 UTC.
pub type Millis = i64;

/// Why a value was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidValue {
    /// Empty, too long, or with characters that an identifier does not have.
    #[error("{0} must have 1 to 128 visible characters")]
    Identifier(&'static str),
    /// Below zero or above what the platform handles.
    #[error("amount must be between 0 and {max} won, got {got}", max = Won::MAX.get())]
    Amount {
        /// What was given.
        got: i64,
    },
}

fn identifier(text: &str, what: &'static str) -> Result<String, InvalidValue> {
    let visible = text.chars().all(|c| !c.is_control() && !c.is_whitespace());
    if text.is_empty() || text.len() > 128 || !visible {
        return Err(InvalidValue::Identifier(what));
    }
    Ok(text.to_owned())
}

/// The order's id; correlation key of the platform.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderId(String);

/// The subject of the customer's token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CustomerId(String);

/// Integer Korean won, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Won(i64);

impl OrderId {
    /// Checks and takes it.
    pub fn parse(text: &str) -> Result<OrderId, InvalidValue> {
        identifier(text, "order id").map(OrderId)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl CustomerId {
    /// Checks and takes it.
    pub fn parse(text: &str) -> Result<CustomerId, InvalidValue> {
        identifier(text, "customer id").map(CustomerId)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Won {
    /// Nothing.
    pub const ZERO: Won = Won(0);
    /// What a GraphQL `Int` can carry.
    pub const MAX: Won = Won(i32::MAX as i64);

    /// Checks and takes it.
    pub fn parse(amount: i64) -> Result<Won, InvalidValue> {
        if (0..=Won::MAX.0).contains(&amount) {
            Ok(Won(amount))
        } else {
            Err(InvalidValue::Amount { got: amount })
        }
    }

    /// As a number.
    pub fn get(self) -> i64 {
        self.0
    }
}
