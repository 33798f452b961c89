//! Automatic persisted queries: a query that was sent with its hash is known by the hash from then on.
//!
//! <https://www.apollographql.com/docs/apollo-server/performance/apq>
//!
//! The memory has so much room (`apq.bytes`) and keeps what is asked for most often: who sends ever other queries pushes
//! nobody's out. What was refused is not kept. With `apq.store: redis` queries are kept there besides, for other gateways;
//! what comes back is looked at: it must have the hash it was asked for.

use std::sync::Arc;
use std::time::Duration;

use baedal_telemetry::Registry;
use baedal_telemetry::metrics::Counter;
use moka::sync::Cache;

use super::hash::Hash;
use crate::config::{ApqConfig, StoreKind};
use crate::observe::APQ_METRIC;
use crate::valkey::Valkey;

/// What an entry takes besides its text.
const ENTRY_BYTES: usize = 256;
/// What its keys in Redis are told apart by.
const KIND: &str = "apq";

/// Queries by their hashes.
pub struct Apq {
    memory: Cache<Hash, Arc<str>>,
    valkey: Option<Arc<Valkey>>,
    ttl: Duration,
    outcomes: Outcomes,
}

struct Outcomes {
    hit: Counter,
    shared: Counter,
    miss: Counter,
    kept: Counter,
}

impl Apq {
    /// Nothing is known yet.
    pub fn new(config: &ApqConfig, valkey: Option<&Arc<Valkey>>, registry: &Registry) -> Apq {
        let weigh = |_: &Hash, text: &Arc<str>| u32::try_from(text.len() + ENTRY_BYTES).unwrap_or(u32::MAX);
        let family = registry.counters(APQ_METRIC, 4);
        Apq {
            memory: Cache::builder().max_capacity(config.bytes).weigher(weigh).build(),
            valkey: valkey.filter(|_| config.store == StoreKind::Redis).cloned(),
            ttl: config.ttl,
            outcomes: Outcomes {
                hit: family.with(&["hit"]),
                shared: family.with(&["shared"]),
                miss: family.with(&["miss"]),
                kept: family.with(&["kept"]),
            },
        }
    }

    /// Whether a query is in memory.
    pub fn knows(&self, hash: &Hash) -> bool {
        self.memory.contains_key(hash)
    }

    /// The query with this hash.
    pub async fn get(&self, hash: &Hash) -> Option<String> {
        if let Some(text) = self.memory.get(hash) {
            self.outcomes.hit.inc();
            return Some(text.as_ref().to_owned());
        }
        let shared = self.shared(hash).await;
        match &shared {
            Some(text) => {
                self.outcomes.shared.inc();
                self.memory.insert(*hash, text.as_str().into());
            }
            None => self.outcomes.miss.inc(),
        }
        shared
    }

    async fn shared(&self, hash: &Hash) -> Option<String> {
        let valkey = self.valkey.as_ref()?;
        let found = valkey.get(&valkey.key(KIND, &hash.to_string())).await;
        let text = String::from_utf8(found.ok()??).ok()?;
        (Hash::of(&text) == *hash).then_some(text)
    }

    /// From now on it is known.
    pub fn keep(&self, hash: Hash, text: &str) {
        self.outcomes.kept.inc();
        let text: Arc<str> = text.into();
        self.memory.insert(hash, Arc::clone(&text));
        if let Some(valkey) = &self.valkey {
            let (valkey, ttl) = (Arc::clone(valkey), self.ttl);
            // Nobody waits for it; it ends with the server's time limit.
            tokio::spawn(async move {
                let key = valkey.key(KIND, &hash.to_string());
                // That the server is away is told by it.
                let _ = valkey.set(&key, text.as_bytes(), ttl).await;
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_so_many_bytes_and_what_is_used_stays() {
        let config = ApqConfig {
            bytes: 64 << 10,
            ..ApqConfig::default()
        };
        let apq = Apq::new(&config, None, &Registry::default());
        let popular = "{ popular }";
        apq.keep(Hash::of(popular), popular);
        for number in 0..2_000 {
            let text = format!("{{ a{number}(x: \"{}\") }}", "x".repeat(500));
            apq.keep(Hash::of(&text), &text);
            assert!(apq.memory.get(&Hash::of(popular)).is_some(), "after {number}");
        }
        let huge = "x".repeat(100 << 10);
        apq.keep(Hash::of(&huge), &huge);
        apq.memory.run_pending_tasks();
        assert!(apq.memory.weighted_size() <= 64 << 10);
        assert!(!apq.knows(&Hash::of(&huge)));
    }
}
