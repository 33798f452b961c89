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
    #[error("an amount must be between 0 and {max} won, not {got}", max = Won::MAX.get())]
    Amount {
        /// What was given.
        got: i64,
    },
    /// Not a number of portions.
    #[error("quantity must be 1 to {max}, not {got}", max = Quantity::MAX)]
    Quantity {
        /// What was given.
        got: i64,
    },
    /// Empty or too long.
    #[error("address must have 1 to {max} characters", max = Address::MAX)]
    Address,
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// Checks and takes it.
            pub fn parse(text: &str) -> Result<$name, InvalidValue> {
                let visible = text.chars().all(|c| !c.is_control() && !c.is_whitespace());
                if text.is_empty() || text.len() > 128 || !visible {
                    return Err(InvalidValue::Identifier($what));
                }
                Ok($name(text.to_owned()))
            }

            /// As text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

identifier!(
    /// The order's id; correlation key of the platform.
    OrderId, "order id"
);
identifier!(
    /// The subject of the customer's token.
    CustomerId, "customer id"
);
identifier!(
    /// A store (가게).
    StoreId, "store id"
);
identifier!(
    /// A dish of a store's menu.
    MenuItemId, "menu item id"
);
identifier!(
    /// A coupon.
    CouponId, "coupon id"
);
identifier!(
    /// What a customer's client calls one attempt to order.
    IdempotencyKey, "idempotency key"
);

/// Integer Korean won, never negative, never more than a GraphQL `Int` carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Won(i64);

impl Won {
    /// Nothing.
    pub const ZERO: Won = Won(0);
    /// The most there is.
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

    /// Together, unless it is too much.
    pub fn plus(self, other: Won) -> Result<Won, InvalidValue> {
        Won::parse(self.0 + other.0)
    }

    /// That many times, unless it is too much.
    pub fn times(self, quantity: Quantity) -> Result<Won, InvalidValue> {
        Won::parse(self.0 * i64::from(quantity.get()))
    }

    /// What is left, never below nothing.
    pub fn less(self, other: Won) -> Won {
        Won((self.0 - other.0).max(0))
    }
}

/// 수량, how many portions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quantity(u32);

impl Quantity {
    /// The most of one dish in one order.
    pub const MAX: u32 = 100;

    /// Checks and takes it.
    pub fn parse(count: i64) -> Result<Quantity, InvalidValue> {
        let fits = u32::try_from(count)
            .ok()
            .filter(|count| (1..=Quantity::MAX).contains(count));
        fits.map(Quantity).ok_or(InvalidValue::Quantity { got: count })
    }

    /// As a number.
    pub fn get(self) -> u32 {
        self.0
    }
}

/// 주소, where to bring it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address(String);

impl Address {
    /// The longest, in characters.
    pub const MAX: usize = 200;

    /// Checks and takes it, without surrounding blanks.
    pub fn parse(text: &str) -> Result<Address, InvalidValue> {
        let text = text.trim();
        let readable = text.chars().all(|c| !c.is_control());
        if text.is_empty() || text.chars().count() > Address::MAX || !readable {
            return Err(InvalidValue::Address);
        }
        Ok(Address(text.to_owned()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
