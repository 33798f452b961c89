//! One rate limit: counted by this process alone, or by all gateways that use the same Redis. While that is away, each
//! counts for itself.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use baedal_traffic::rate::Settings;
use baedal_traffic::{Clock, Rates};
use sha2::{Digest, Sha256};

use crate::valkey::{Away, Rate, Valkey};

/// What its keys in Redis are told apart by.
const KIND: &str = "rate";
/// Bytes of a key's hash that are enough to tell keys apart.
const ENOUGH: usize = 16;

/// Who counts together.
pub struct Together {
    /// Where they count.
    pub valkey: Arc<Valkey>,
    /// What tells this limit apart from others.
    pub name: String,
}

/// A limit, for each key apart.
pub struct Limit<K> {
    rates: Rates<K>,
    shared: Option<(Together, Rate)>,
}

/// A key as a text that no other key has.
pub trait KeyText {
    /// The text.
    fn text(&self) -> String;
}

impl KeyText for Box<str> {
    fn text(&self) -> String {
        self.to_string()
    }
}

impl<K: Hash + Eq + Send + Sync + KeyText + 'static> Limit<K> {
    /// Nothing is used up yet, as far as this process knows.
    pub fn new(settings: Settings, clock: &Arc<dyn Clock>, together: Option<Together>) -> Limit<K> {
        Limit {
            rates: Rates::new(settings, Arc::clone(clock)),
            shared: together.map(|together| (together, Rate::of(settings))),
        }
    }

    /// Uses one up, or says when there will be one.
    pub async fn check(&self, key: K) -> Result<(), Duration> {
        let Some((together, rate)) = &self.shared else {
            return self.rates.check(key);
        };
        match Box::pin(together.take(&key.text(), *rate)).await {
            Ok(taken) => taken,
            Err(Away) => self.rates.check(key),
        }
    }
}

impl Together {
    /// Users and addresses are not written where others may read them.
    async fn take(&self, key: &str, rate: Rate) -> Result<Result<(), Duration>, Away> {
        let digest = Sha256::digest(key.as_bytes());
        let hash: String = digest[..ENOUGH]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let cell = self.valkey.key(KIND, &format!("{}:{hash}", self.name));
        self.valkey.take(&cell, rate).await
    }
}
