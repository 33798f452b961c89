//! A JSON Web Key Set (RFC 7517) reduced to the keys a token may be checked with.

use std::collections::HashMap;

use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

use crate::{KeyError, header, strict};

/// A key set larger than this is not one of ours.
const MAX_BYTES: usize = 256 * 1024;
const MAX_KEYS: usize = 100;

/// The public keys of one issuer, by `kid`.
#[derive(Clone)]
pub struct KeySet {
    keys: HashMap<String, Key>,
}

#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) algorithm: Algorithm,
    pub(crate) decoding: DecodingKey,
}

impl KeySet {
    /// Reads a JWKS. Keys of other types, other uses or without a `kid` are passed over (RFC 7517 section 5), and so
    /// is a key that shows its private part: it is no secret any more.
    pub fn from_jwks(json: &[u8]) -> Result<KeySet, KeyError> {
        if json.len() > MAX_BYTES {
            return Err(KeyError::NotAKeySet);
        }
        let set = strict::object(json).map_err(|_| KeyError::NotAKeySet)?;
        let list = set
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(KeyError::NotAKeySet)?;
        if list.len() > MAX_KEYS {
            return Err(KeyError::NotAKeySet);
        }
        let mut keys = HashMap::new();
        for (kid, key) in list.iter().filter_map(Value::as_object).filter_map(usable) {
            if keys.insert(kid, key).is_some() {
                return Err(KeyError::DuplicateKid);
            }
        }
        if keys.is_empty() {
            Err(KeyError::NoUsableKey)
        } else {
            Ok(KeySet { keys })
        }
    }

    /// The number of usable keys; at least one.
    #[expect(clippy::len_without_is_empty, reason = "a key set is never empty")]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether the set has a key of this id.
    pub fn contains(&self, kid: &str) -> bool {
        self.keys.contains_key(kid)
    }

    pub(crate) fn get(&self, kid: &str) -> Option<&Key> {
        self.keys.get(kid)
    }
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeySet({} keys)", self.keys.len())
    }
}

fn usable(jwk: &Map<String, Value>) -> Option<(String, Key)> {
    let field = |name| jwk.get(name).and_then(Value::as_str);
    let kid = field("kid").filter(|kid| !kid.is_empty())?;
    if jwk.contains_key("d") || field("use").is_some_and(|usage| usage != "sig") {
        return None;
    }
    let (algorithm, decoding) = match (field("kty")?, field("crv")?) {
        ("EC", "P-256") => (Algorithm::ES256, p256_key(field("x")?, field("y")?)?),
        ("OKP", "Ed25519") => (Algorithm::EdDSA, ed25519_key(field("x")?)?),
        _ => return None,
    };
    let named = field("alg").is_none_or(|alg| alg == format!("{algorithm:?}"));
    named.then(|| (kid.to_owned(), Key { algorithm, decoding }))
}

/// The point is checked to lie on the curve now, not at the first token.
fn p256_key(x: &str, y: &str) -> Option<DecodingKey> {
    let mut point = vec![0x04];
    point.extend(coordinate(x)?);
    point.extend(coordinate(y)?);
    p256::PublicKey::from_sec1_bytes(&point).ok()?;
    Some(DecodingKey::from_ec_der(&point))
}

/// The length is checked here because the library below slices 32 bytes without looking.
fn ed25519_key(x: &str) -> Option<DecodingKey> {
    Some(DecodingKey::from_ed_der(&coordinate(x)?))
}

fn coordinate(text: &str) -> Option<[u8; 32]> {
    header::decode(text).ok()?.try_into().ok()
}
