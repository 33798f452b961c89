//! Accounts with documented passwords, so that a first look needs no set-up. They never exist on Postgres.

use baedal_token::Scopes;

use crate::context::Context;
use crate::domain::{Client, GrantType, Password, Role, User};
use crate::server::StartError;

/// A demo account.
#[derive(Debug, Clone, Copy)]
pub struct DemoUser {
    /// `sub` in tokens.
    pub sub: &'static str,
    /// What to type.
    pub login: &'static str,
    /// What to type, too. Documented on purpose.
    pub password: &'static str,
    /// The shown name.
    pub name: &'static str,
    /// What it may do.
    pub role: Role,
}

/// All of them.
pub const DEMO_USERS: [DemoUser; 4] = [
    DemoUser {
        sub: "demo-customer",
        login: "customer",
        password: "baedal-customer",
        name: "김손님",
        role: Role::Customer,
    },
    DemoUser {
        sub: "demo-customer-2",
        login: "customer2",
        password: "baedal-customer2",
        name: "이손님",
        role: Role::Customer,
    },
    DemoUser {
        sub: "demo-owner",
        login: "owner",
        password: "baedal-owner",
        name: "박사장",
        role: Role::Owner,
    },
    DemoUser {
        sub: "demo-operator",
        login: "operator",
        password: "baedal-operator",
        name: "최운영",
        role: Role::Operator,
    },
];

/// The public client of the command line.
pub const DEMO_CLIENT: &str = "baedal-cli";
/// Its redirect URI; the port may vary (RFC 8252 section 7.3).
pub const DEMO_REDIRECT: &str = "http://127.0.0.1/callback";

/// The public client of the gateway's page.
pub const DEMO_PAGE_CLIENT: &str = "baedal-page";
/// Its redirect URIs: the endpoint itself.
pub const DEMO_PAGE_REDIRECTS: [&str; 2] = ["http://127.0.0.1/graphql", "http://[::1]/graphql"];

/// Adds what is missing of the demo; a second start changes nothing.
pub(crate) async fn install(ctx: &Context) -> Result<(), StartError> {
    for demo in DEMO_USERS {
        if ctx.db.user_by_login(demo.login).await?.is_none() {
            let password = Password::chosen(demo.password).expect("demo passwords are long enough");
            let password = ctx.hasher.hash(password).await.map_err(|_| StartError::Busy)?;
            let (sub, login, name) = (demo.sub.to_owned(), demo.login.to_owned(), demo.name.to_owned());
            ctx.db
                .add_user(
                    &User {
                        sub,
                        login,
                        name,
                        password,
                        role: demo.role,
                        demo: true,
                    },
                    ctx.now(),
                )
                .await?;
        }
    }
    let cli = [DEMO_REDIRECT, "http://[::1]/callback"];
    for client in [
        public(DEMO_CLIENT, "baedal command line", cli),
        public(DEMO_PAGE_CLIENT, "the gateway's page", DEMO_PAGE_REDIRECTS),
    ] {
        ctx.db.add_client(&client, ctx.now()).await?;
    }
    Ok(())
}

fn public(id: &str, name: &str, redirects: [&str; 2]) -> Client {
    Client {
        id: id.to_owned(),
        name: name.to_owned(),
        secret_hash: None,
        redirect_uris: redirects.map(str::to_owned).to_vec(),
        grants: [GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
        scopes: Scopes::parse("openid profile offline_access order store operator"),
        demo: true,
    }
}
