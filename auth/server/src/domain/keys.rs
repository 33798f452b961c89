//! The server's signing keys. A key is published before it signs and stays published until its last token has expired,
//! so that no verifier ever meets a signature it cannot check (OpenID Connect Core section 10.1.1).

use baedal_token::{KeyError, KeySet, SigningKey};
use serde_json::{Value, json};

/// Seconds between the publication of a new key and its first use: longer than any verifier keeps a key set unasked.
pub const KEY_NOTICE: i64 = 120;

/// A key as stored. Generations count from 1.
#[derive(Clone)]
pub struct StoredKey {
    /// The order of keys; unique, so that two replicas that make a key at once agree on one.
    pub generation: i64,
    /// PKCS#8 PEM.
    pub pem: String,
    /// When it begins to sign.
    pub active_from: i64,
}

/// The keys at one moment: one signs, all are published.
pub struct Keys {
    signing: SigningKey,
    jwks: Value,
    verifying: KeySet,
}

impl Keys {
    /// Picks the signing key, and drops those whose successor has signed for longer than a token lives.
    /// `None` if the list is empty.
    pub fn choose(
        mut stored: Vec<StoredKey>,
        now: i64,
        token_lifetime: i64,
    ) -> Result<Option<Keys>, KeyError> {
        stored.sort_by_key(|key| key.generation);
        let Some(first) = stored.first() else {
            return Ok(None);
        };
        let signing = stored
            .iter()
            .rev()
            .find(|key| key.active_from <= now)
            .unwrap_or(first)
            .generation;
        let mut published = Vec::new();
        let mut chosen = None;
        for (index, key) in stored.iter().enumerate() {
            let successor = stored.get(index + 1);
            if successor.is_some_and(|next| next.active_from + token_lifetime + KEY_NOTICE <= now) {
                continue;
            }
            let parsed = SigningKey::from_pem(&key.pem)?;
            if key.generation == signing {
                chosen = Some(parsed.clone());
            }
            published.push(parsed);
        }
        let jwks = json!({ "keys": published.iter().map(SigningKey::public_jwk).collect::<Vec<_>>() });
        let verifying = KeySet::from_jwks(jwks.to_string().as_bytes())?;
        Ok(chosen.map(|signing| Keys {
            signing,
            jwks,
            verifying,
        }))
    }

    /// The key that signs now.
    pub fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// The public key set, RFC 7517.
    pub fn jwks(&self) -> &Value {
        &self.jwks
    }

    /// The same set, to check this server's own tokens with.
    pub fn verifying(&self) -> &KeySet {
        &self.verifying
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(generation: i64, active_from: i64) -> StoredKey {
        StoredKey {
            generation,
            pem: SigningKey::generate().to_pem(),
            active_from,
        }
    }

    #[test]
    fn a_new_key_is_published_before_it_signs_and_the_old_one_after() {
        let list = vec![stored(2, 1_000), stored(1, 0)];
        let old = SigningKey::from_pem(&list[1].pem).unwrap();
        let at = |now| Keys::choose(list.clone(), now, 600).unwrap().unwrap();
        let published = |now| at(now).jwks()["keys"].as_array().unwrap().len();
        assert_eq!(at(999).signing().kid(), old.kid());
        assert_ne!(at(1_000).signing().kid(), old.kid());
        assert_eq!((published(880), published(1_719), published(1_720)), (2, 2, 1));
        assert_eq!(at(1_720).verifying().len(), 1);
    }

    #[test]
    fn without_keys_there_is_none() {
        assert!(Keys::choose(Vec::new(), 0, 600).unwrap().is_none());
    }
}
