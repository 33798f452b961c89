//! An issuer of access tokens: a key, a JWKS endpoint, and every way to make a token wrong.

use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::routing::get;
use baedal_token::SigningKey;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A running issuer.
pub struct Issuer {
    pub name: String,
    pub key: SigningKey,
    jwks_url: String,
    fetched: Arc<Mutex<usize>>,
    server: tokio::task::JoinHandle<()>,
}

pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs()
}

impl Issuer {
    pub async fn start() -> Issuer {
        let key = SigningKey::generate();
        let jwks = json!({"keys": [key.public_jwk()]});
        Issuer::serving(key, jwks).await
    }

    /// An issuer that shows these keys, and not the one that it signs with.
    pub async fn with_keys(jwks: Value) -> Issuer {
        Issuer::serving(SigningKey::generate(), jwks).await
    }

    async fn serving(key: SigningKey, jwks: Value) -> Issuer {
        let jwks = jwks.to_string();
        let fetched = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&fetched);
        let serve = move || async move {
            *counted.lock().expect("no test has panicked with it") += 1;
            jwks
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let name = format!("http://{}", listener.local_addr().expect("an address"));
        let metadata = json!({"issuer": name, "jwks_uri": format!("{name}/keys")}).to_string();
        let app = Router::new().route("/keys", get(serve)).route(
            "/.well-known/openid-configuration",
            get(move || async { metadata }),
        );
        let server = tokio::spawn(async move { axum::serve(listener, app).await.expect("serves") });
        Issuer {
            jwks_url: format!("{name}/keys"),
            name,
            key,
            fetched,
            server,
        }
    }

    pub fn jwks_url(&self) -> &str {
        &self.jwks_url
    }

    /// Goes away.
    pub async fn stop(&self) {
        self.server.abort();
        while !self.server.is_finished() {
            tokio::task::yield_now().await;
        }
    }

    /// How often its keys were fetched.
    pub fn fetched(&self) -> usize {
        *self.fetched.lock().expect("no test has panicked with it")
    }

    /// Claims of a good token.
    pub fn claims(&self, scope: &str) -> Value {
        json!({
            "iss": self.name, "sub": "demo-customer", "aud": "baedal", "client_id": "test", "scope": scope,
            "iat": now(), "exp": now() + 300, "jti": uuid::Uuid::new_v4().to_string(),
        })
    }

    /// A good token.
    pub fn token(&self, scope: &str) -> String {
        self.sign(&self.claims(scope))
    }

    /// A token with these claims.
    pub fn sign(&self, claims: &Value) -> String {
        self.key.sign(claims, "at+jwt")
    }

    /// A good token but for some claims.
    pub fn token_with(&self, changes: Value) -> String {
        let mut claims = self.claims("order");
        for (name, value) in changes.as_object().expect("an object") {
            match value {
                Value::String(text) if text == "absent" => {
                    drop(claims.as_object_mut().expect("an object").remove(name))
                }
                other => claims[name] = other.clone(),
            }
        }
        self.sign(&claims)
    }
}
