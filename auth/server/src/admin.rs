//! Work on a database without a server: the first user, the first client, a new key.

use baedal_token::Scopes;
use uuid::Uuid;

use crate::context::rotate_key;
use crate::db::{Db, DbError, OpenError};
pub use crate::domain::GrantType;
use crate::domain::{Client, Hasher, InvalidClientData, Password, PasswordError, Role, Secret, User};
use crate::server::system_clock;

/// Why nothing was added.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The password is none.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The client would be unsafe.
    #[error(transparent)]
    Client(#[from] InvalidClientData),
    /// The login or client id exists.
    #[error("{0:?} is taken: choose another")]
    Taken(String),
    /// Not a login.
    #[error("a login is 1 to 100 visible characters without spaces")]
    Login,
    /// No thread to hash.
    #[error("the machine is too busy to hash the password: try again")]
    Busy,
    /// Somebody else made a key at the same moment.
    #[error("another process made a new key at this moment: nothing more to do")]
    KeyExists,
}

/// An account to add.
pub struct NewUser {
    /// What to type to log in; kept in lower case.
    pub login: String,
    /// The shown name; the login if empty.
    pub name: String,
    /// What the account may do.
    pub role: Role,
    /// The password.
    pub password: String,
}

/// Adds an account and returns its new subject.
pub async fn add_user(database_url: &str, new: NewUser) -> Result<String, AdminError> {
    let login = new.login.to_lowercase();
    let visible = login.chars().all(|c| !c.is_whitespace() && !c.is_control());
    if login.is_empty() || login.chars().count() > 100 || !visible {
        return Err(AdminError::Login);
    }
    let password = Password::chosen(&new.password)?;
    let db = Db::open(database_url).await?;
    let password = Hasher::new(1)
        .hash(password)
        .await
        .map_err(|_| AdminError::Busy)?;
    let name = if new.name.is_empty() {
        login.clone()
    } else {
        new.name
    };
    let sub = Uuid::new_v4().to_string();
    let user = User {
        sub: sub.clone(),
        login: login.clone(),
        name,
        password,
        role: new.role,
        demo: false,
    };
    let added = db.add_user(&user, system_clock()()).await?;
    db.close().await;
    if added {
        Ok(sub)
    } else {
        Err(AdminError::Taken(login))
    }
}

/// A client to add.
pub struct NewClient {
    /// `client_id`.
    pub id: String,
    /// Shown to users; the id if empty.
    pub name: String,
    /// Whether it gets a secret.
    pub confidential: bool,
    /// Where codes may go.
    pub redirect_uris: Vec<String>,
    /// Names of grants.
    pub grants: Vec<GrantType>,
    /// Names of scopes.
    pub scopes: Vec<String>,
}

/// Adds a client; a confidential one gets its secret, which is shown this once and kept only as a hash.
pub async fn add_client(database_url: &str, new: NewClient) -> Result<Option<String>, AdminError> {
    let secret = new.confidential.then(Secret::random);
    let client = Client {
        name: if new.name.is_empty() {
            new.id.clone()
        } else {
            new.name
        },
        id: new.id,
        secret_hash: secret.as_ref().map(Secret::hash),
        redirect_uris: new.redirect_uris,
        grants: new.grants.into_iter().collect(),
        scopes: new.scopes.into_iter().collect::<Scopes>(),
        demo: false,
    };
    client.check()?;
    let db = Db::open(database_url).await?;
    let added = db.add_client(&client, system_clock()()).await?;
    db.close().await;
    if added {
        Ok(secret.map(|secret| secret.text().to_owned()))
    } else {
        Err(AdminError::Taken(client.id))
    }
}

/// Publishes a new signing key, which begins to sign two minutes later; running servers pick it up by themselves.
pub async fn add_key(database_url: &str) -> Result<(), AdminError> {
    let db = Db::open(database_url).await?;
    let added = rotate_key(&db, system_clock()()).await?;
    db.close().await;
    if added { Ok(()) } else { Err(AdminError::KeyExists) }
}
