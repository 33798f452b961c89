//! An issuer of tokens, as real as the service needs it: keys over HTTP, signatures that verify.

use axum::Json;
use axum::routing::get;
use baedal_token::SigningKey;
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;

pub struct Issuer {
    pub url: String,
    key: SigningKey,
}

impl Issuer {
    pub async fn start() -> Issuer {
        let key = SigningKey::generate();
        let keys = json!({ "keys": [key.public_jwk()] });
        let routes = axum::Router::new().route("/jwks.json", get(move || async move { Json(keys) }));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Issuer { url, key }
    }

    /// An access token that is good for so many seconds.
    pub fn token(&self, sub: &str, scope: &str, seconds: u64) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        let claims = json!({
            "iss": self.url, "sub": sub, "aud": "baedal", "exp": now + seconds, "iat": now,
            "jti": uuid::Uuid::new_v4().to_string(), "client_id": "test", "scope": scope,
        });
        self.key.sign(&claims, "at+jwt")
    }
}
