//! A JSON Web Key Set (RFC 7517) reduced to the keys a token may be checked with.

use std::collections::HashMap;

use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use crate::{Algorithm, KeyError, Profile, header, strict};

/// A key set larger than this is not one of ours.
const MAX_BYTES: usize = 256 * 1024;
const MAX_KEYS: usize = 100;
/// Bytes of an RSA modulus: 2048 bits are the least that RFC 7518 section 3.3 allows, and more than 8192 only cost time.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=1024;
/// Bytes of an RSA exponent, which nearly always is 65537.
const MAX_EXPONENT: usize = 4;

/// The public keys of one issuer, by `kid`.
#[derive(Clone)]
pub struct KeySet {
    keys: HashMap<String, Key>,
}

#[derive(Clone)]
pub(crate) struct Key {
    /// What it may have signed with: all of one kind of key, so that no token chooses another kind.
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) decoding: DecodingKey,
}

impl KeySet {
    /// Reads a JWKS for tokens as RFC 9068 has them, signed with ES256 or EdDSA. See [`KeySet::for_algorithms`].
    pub fn from_jwks(json: &[u8]) -> Result<KeySet, KeyError> {
        KeySet::for_algorithms(json, &Profile::default().algorithms)
    }

    /// Reads a JWKS. Keys of other types, other uses or without a `kid` are passed over (RFC 7517 section 5), and so
    /// is a key that shows its private part: it is no secret any more.
    pub fn for_algorithms(json: &[u8], allowed: &[Algorithm]) -> Result<KeySet, KeyError> {
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
        let usable = |jwk| usable(jwk, allowed);
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

fn usable(jwk: &Map<String, Value>, allowed: &[Algorithm]) -> Option<(String, Key)> {
    let field = |name| jwk.get(name).and_then(Value::as_str);
    let kid = field("kid").filter(|kid| !kid.is_empty())?;
    if jwk.contains_key("d") || field("use").is_some_and(|usage| usage != "sig") {
        return None;
    }
    let (of_kind, decoding): (fn(Algorithm) -> bool, _) = match (field("kty")?, field("crv")) {
        ("EC", Some("P-256")) => (
            |algorithm| algorithm == Algorithm::Es256,
            p256_key(field("x")?, field("y")?)?,
        ),
        ("OKP", Some("Ed25519")) => (
            |algorithm| algorithm == Algorithm::EdDsa,
            ed25519_key(field("x")?)?,
        ),
        ("RSA", _) => (Algorithm::is_rsa, rsa_key(field("n")?, field("e")?)?),
        _ => return None,
    };
    let named = |algorithm: Algorithm| field("alg").is_none_or(|alg| alg == algorithm.name());
    let fits = |algorithm: &Algorithm| of_kind(*algorithm) && named(*algorithm);
    let algorithms: Vec<Algorithm> = allowed.iter().copied().filter(fits).collect();
    let key = Key { algorithms, decoding };
    (!key.algorithms.is_empty()).then(|| (kid.to_owned(), key))
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

fn rsa_key(n: &str, e: &str) -> Option<DecodingKey> {
    let (modulus, exponent) = (header::decode(n).ok()?, header::decode(e).ok()?);
    let fits =
        MODULUS.contains(&modulus.len()) && modulus[0] != 0 && (1..=MAX_EXPONENT).contains(&exponent.len());
    fits.then(|| DecodingKey::from_rsa_raw_components(&modulus, &exponent))
}

fn coordinate(text: &str) -> Option<[u8; 32]> {
    header::decode(text).ok()?.try_into().ok()
}
