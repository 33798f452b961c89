//! People, and what their role lets them ask for.

use std::str::FromStr;

use baedal_token::Scopes;

/// What a person is on the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Orders food.
    Customer,
    /// Runs stores.
    Owner,
    /// Sees everything.
    Operator,
}

impl Role {
    /// The widest set of scopes a token of this role can carry.
    pub fn scopes(self) -> Scopes {
        let own = match self {
            Role::Customer => "order",
            Role::Owner => "store",
            Role::Operator => "operator",
        };
        ["openid", "profile", "offline_access", own].into_iter().collect()
    }

    /// The word in the database and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Customer => "customer",
            Role::Owner => "owner",
            Role::Operator => "operator",
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Role, String> {
        match text {
            "customer" => Ok(Role::Customer),
            "owner" => Ok(Role::Owner),
            "operator" => Ok(Role::Operator),
            _ => Err("role must be customer, owner or operator".to_owned()),
        }
    }
}

/// An account. The password hash is an Argon2id PHC string.
#[derive(Clone)]
pub struct User {
    /// The stable id, `sub` in tokens.
    pub sub: String,
    /// What is typed to log in; compared in lower case.
    pub login: String,
    /// The name shown to people.
    pub name: String,
    /// The PHC string.
    pub password: String,
    /// What the account may do.
    pub role: Role,
    /// Whether the account has a documented password.
    pub demo: bool,
}
