//! The accounts of the embedded platform. They exist nowhere else: a service on real stores refuses them.
use baedal_auth::{DEMO_USERS, DemoUser};
use clap::ValueEnum;

/// Who a demo token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Account {
    /// 고객: orders food.
    Customer,
    /// Another customer, to see that nobody reads another's orders.
    Customer2,
    /// 상점주인: runs 서울통닭.
    Owner,
    /// Sees everything, changes nothing.
    Operator,
}

impl Account {
    /// All of them.
    pub const ALL: [Account; 4] = [
        Account::Customer,
        Account::Customer2,
        Account::Owner,
        Account::Operator,
    ];

    /// Login name.
    pub fn login(self) -> &'static str {
        match self {
            Account::Customer => "customer",
            Account::Customer2 => "customer2",
            Account::Owner => "owner",
            Account::Operator => "operator",
        }
    }

    /// Password, printed at start.
    pub fn password(self) -> &'static str {
        self.user().password
    }

    /// `sub` of its tokens.
    pub fn sub(self) -> &'static str {
        self.user().sub
    }

    /// What the account may ask for.
    pub fn scopes(self) -> &'static [&'static str] {
        match self {
            Account::Customer | Account::Customer2 => &["openid", "order"],
            Account::Owner => &["openid", "store"],
            Account::Operator => &["openid", "operator"],
        }
    }

    fn user(self) -> &'static DemoUser {
        DEMO_USERS
            .iter()
            .find(|user| user.login == self.login())
            .expect("the auth server knows every demo account")
    }
}
