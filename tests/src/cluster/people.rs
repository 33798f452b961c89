//! Customers, as many as wanted.
use anyhow::Result;
use baedal::login;
use baedal::settings::{Part, Settings};
use baedal_auth::Role;
use baedal_auth::admin::{NewUser, add_user};

const PASSWORD: &str = "a-load-of-통닭";

fn login_of(number: usize) -> String {
    format!("load-{number}")
}

/// Adds the accounts; their subjects.
pub async fn add(settings: &Settings, count: usize) -> Result<Vec<String>> {
    let database = settings.database(Part::Auth);
    let mut subs = Vec::with_capacity(count);
    for number in 0..count {
        let user = NewUser {
            login: login_of(number),
            name: String::new(),
            role: Role::Customer,
            password: PASSWORD.to_owned(),
        };
        subs.push(add_user(&database, user).await?);
    }
    Ok(subs)
}

/// Logs all of them in; their access tokens.
pub async fn log_in(settings: &Settings, count: usize) -> Result<Vec<String>> {
    let mut tokens = Vec::with_capacity(count);
    for number in 0..count {
        let (issuer, name) = (settings.issuer(), login_of(number));
        let scopes = ["openid", "order"];
        tokens.push(
            login::account::login(&issuer, None, &name, PASSWORD, &scopes)
                .await?
                .access,
        );
    }
    Ok(tokens)
}
