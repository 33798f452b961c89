//! Databases of their own on the real servers, and what a real platform needs that a demo brings along:
//! accounts, and a store with a menu.
use std::env;

use anyhow::{Context, Result};
use baedal::settings::{Part, Servers, Settings};
use baedal_auth::admin::{GrantType, NewClient, NewUser, add_client, add_user};
use baedal_auth::{DEMO_CLIENT, DEMO_REDIRECT, DEMO_USERS};
use serde_json::json;
use url::Url;

use crate::client::Client;

/// The servers named by the environment, with fresh database names.
///
/// # Errors
/// A variable that is not set, a server that is not there.
pub async fn fresh() -> Result<Servers> {
    let prefix = format!("t{}_", uuid::Uuid::new_v4().simple());
    let servers = Servers {
        mongodb: named("MONGODB_URL")?.parse()?,
        postgres: named("POSTGRES_URL")?.parse()?,
        kafka: named("KAFKA_BROKERS")?,
        prefix,
    };
    for part in [Part::Auth, Part::Payment, Part::Store] {
        create_database(&servers.postgres, &format!("{}{part}", servers.prefix)).await?;
    }
    Ok(servers)
}

/// Whether the environment names the real servers.
pub fn are_named() -> bool {
    ["MONGODB_URL", "POSTGRES_URL", "KAFKA_BROKERS"]
        .iter()
        .all(|name| env::var_os(name).is_some())
}

fn named(name: &str) -> Result<String> {
    env::var(name).with_context(|| {
        format!("{name} is not set; run the tests with `cargo xtask test`, which starts the servers")
    })
}

async fn create_database(server: &Url, name: &str) -> Result<()> {
    sqlx::any::install_default_drivers();
    let mut connection = <sqlx::AnyConnection as sqlx::Connection>::connect(server.as_str()).await?;
    let text = sqlx::AssertSqlSafe(format!("CREATE DATABASE \"{name}\""));
    sqlx::query(text)
        .execute(&mut connection)
        .await
        .with_context(|| format!("cannot create the database {name}"))?;
    Ok(())
}

/// The owner opens a store with the dishes that scenarios order, as owners do; returns its id.
///
/// # Errors
/// The store service refuses.
pub async fn open_shop(owner: &Client) -> Result<String> {
    let open = "mutation ($input: OpenStoreInput!) { openStore(input: $input) { id } }";
    let opened = owner
        .data(open, json!({ "input": { "name": "서울통닭" } }))
        .await?;
    let id = opened["openStore"]["id"]
        .as_str()
        .context("a store has an id")?
        .to_owned();
    let set = "mutation ($id: ID!, $item: MenuItemInput!) { setMenuItem(storeId: $id, item: $item) { id } }";
    for (dish, name, price) in [("tongdak", "통닭", 18_000), ("pizza", "피자", 23_000)] {
        owner
            .data(
                set,
                json!({ "id": id, "item": { "id": dish, "name": name, "price": price } }),
            )
            .await?;
    }
    Ok(id)
}

/// The accounts and the client that a demo would bring, made the way an operator makes them.
///
/// # Errors
/// The auth server's database refuses.
pub async fn create_accounts(settings: &Settings) -> Result<()> {
    let database = settings.database(Part::Auth);
    for demo in DEMO_USERS {
        let (login, name, password) = (
            demo.login.to_owned(),
            demo.name.to_owned(),
            demo.password.to_owned(),
        );
        add_user(
            &database,
            NewUser {
                login,
                name,
                role: demo.role,
                password,
            },
        )
        .await?;
    }
    let scopes = [
        "openid",
        "profile",
        "offline_access",
        "order",
        "store",
        "operator",
    ]
    .map(str::to_owned)
    .to_vec();
    let client = NewClient {
        id: DEMO_CLIENT.to_owned(),
        name: String::new(),
        confidential: false,
        redirect_uris: vec![DEMO_REDIRECT.to_owned()],
        grants: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        scopes,
    };
    add_client(&database, client).await?;
    Ok(())
}
