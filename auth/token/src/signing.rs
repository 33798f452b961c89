//! The issuer's private key: ES256 (ECDSA on P-256 with SHA-256, RFC 7518 section 3.4).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p256::SecretKey;
use p256::elliptic_curve::Generate;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::KeyError;

/// A private key and the `kid` its public half is published under (the RFC 7638 thumbprint).
#[derive(Clone)]
pub struct SigningKey {
    secret: SecretKey,
    encoding: EncodingKey,
    kid: String,
}

impl SigningKey {
    /// A new key from the operating system's randomness: the one source a key may come from.
    pub fn generate() -> SigningKey {
        SigningKey::new(SecretKey::generate())
    }

    /// Reads a P-256 private key in PKCS#8 PEM.
    pub fn from_pem(pem: &str) -> Result<SigningKey, KeyError> {
        SecretKey::from_pkcs8_pem(pem)
            .map(SigningKey::new)
            .map_err(|_| KeyError::NotAPrivateKey)
    }

    /// Writes the key as PKCS#8 PEM. Secret.
    pub fn to_pem(&self) -> String {
        let pem = self
            .secret
            .to_pkcs8_pem(LineEnding::LF)
            .expect("a P-256 key has a PKCS#8 form");
        pem.to_string()
    }

    /// The key's id.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half as a JWK: `kty`, `crv`, `x`, `y`, `kid`, `alg`, `use`.
    pub fn public_jwk(&self) -> Value {
        let (x, y) = coordinates(&self.secret);
        json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": self.kid, "alg": "ES256", "use": "sig" })
    }

    /// Signs claims as a compact JWS with this `typ` (`at+jwt` for access tokens, `JWT` for ID tokens).
    ///
    /// # Panics
    /// If `claims` cannot be written as JSON, which is the caller's mistake (a map with keys that are not text).
    pub fn sign(&self, claims: &impl Serialize, typ: &str) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(typ.to_owned());
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.encoding).expect("claims are JSON and the key is P-256")
    }

    fn new(secret: SecretKey) -> SigningKey {
        let der = secret.to_pkcs8_der().expect("a P-256 key has a PKCS#8 form");
        let encoding = EncodingKey::from_ec_der(der.as_bytes());
        let (x, y) = coordinates(&secret);
        SigningKey {
            secret,
            encoding,
            kid: thumbprint(&x, &y),
        }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey(kid {})", self.kid)
    }
}

/// The RFC 7638 thumbprint of a P-256 public key given by its base64url coordinates.
pub fn thumbprint(x: &str, y: &str) -> String {
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
}

fn coordinates(secret: &SecretKey) -> (String, String) {
    let point = secret.public_key().to_sec1_point(false);
    let bytes = point.as_bytes();
    let (x, y) = bytes[1..].split_at(32);
    (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y))
}
