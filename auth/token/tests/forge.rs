//! Makes tokens, good and bad, without the crate's own writer where the point is to be malformed.

use std::sync::LazyLock;

use baedal_token::{KeySet, SigningKey, Verifier};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub const ISSUER: &str = "http://127.0.0.1:4001";
pub const NOW: u64 = 1_800_000_000;

/// One key for the whole run: making one is slow, and no test depends on a fresh one.
pub static KEY: LazyLock<SigningKey> = LazyLock::new(SigningKey::generate);

pub fn verifier() -> Verifier {
    Verifier::new(ISSUER, "baedal")
}

pub fn jwks(keys: &[&SigningKey]) -> Vec<u8> {
    let keys: Vec<Value> = keys.iter().map(|key| key.public_jwk()).collect();
    json!({ "keys": keys }).to_string().into_bytes()
}

pub fn keys() -> KeySet {
    KeySet::from_jwks(&jwks(&[&KEY])).unwrap()
}

pub fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "demo-customer", "aud": "baedal", "exp": NOW + 600, "iat": NOW,
        "jti": "t-1", "client_id": "baedal-cli", "scope": "openid order",
    })
}

/// The good claims with some replaced; `null` removes one. To send a JSON null, use [`sign_text`].
pub fn claims_with(changes: Value) -> Value {
    let mut all = claims();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => all.as_object_mut().unwrap().remove(name),
            value => all.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    all
}

pub fn sign(claims: &Value) -> String {
    KEY.sign(claims, "at+jwt")
}

pub fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Signs header and claims given as raw JSON text with the real key: what a buggy or hostile issuer could send.
pub fn sign_text(header: &str, claims: &str) -> String {
    let signed = format!("{}.{}", b64(header), b64(claims));
    let key = jsonwebtoken::EncodingKey::from_ec_pem(KEY.to_pem().as_bytes()).unwrap();
    let signature =
        jsonwebtoken::crypto::sign(signed.as_bytes(), &key, jsonwebtoken::Algorithm::ES256).unwrap();
    format!("{signed}.{signature}")
}

pub fn header() -> String {
    header_with("")
}

/// The good header with more fields, given as JSON text that starts with a comma.
pub fn header_with(more: &str) -> String {
    format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"{}"{more}}}"#, KEY.kid())
}
