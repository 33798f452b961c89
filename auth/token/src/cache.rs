//! The issuer's keys, kept: fetched once, refreshed when an unknown `kid` appears, served on while the issuer is down.
//!
//! Rules, in seconds of the caller's clock:
//! - one fetch at a time; callers that need it wait for the same one;
//! - an attempt at most every [`MIN_PAUSE`] (a storm of made-up kids costs the issuer one request), and every
//!   [`FIRST_PAUSE`] while there are no keys at all, so that services started before their issuer recover at once;
//! - keys older than [`FRESH_FOR`] are refreshed in the background by whoever asks next: this drops retired keys;
//! - keys older than [`MAX_STALE`] are not used any more: an issuer that has been away so long cannot revoke a key.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::{Algorithm, KeySet, Profile, TokenError};

/// The least time between two fetches.
const MIN_PAUSE: u64 = 10;
/// The least time between two fetches as long as none has succeeded.
const FIRST_PAUSE: u64 = 1;
/// The age at which keys are refreshed although every kid is known.
const FRESH_FOR: u64 = 60;
/// The age at which keys are given up when the issuer cannot be reached.
const MAX_STALE: u64 = 3600;

/// How the bytes of a JWKS are had: HTTP in services, a closure of facts in tests.
///
/// The implementer bounds time and size; the text of an error goes to no client.
pub trait FetchJwks: Send + Sync + 'static {
    /// The body behind `url`.
    fn fetch(&self, url: &str) -> impl Future<Output = Result<Vec<u8>, String>> + Send;
}

/// The cached keys of one issuer. A clone shares the cache. Needs a tokio runtime to fetch in.
pub struct KeyCache<F> {
    shared: Arc<Shared<F>>,
}

struct Shared<F> {
    url: String,
    algorithms: Vec<Algorithm>,
    fetcher: F,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: Option<Kept>,
    tried_at: Option<u64>,
    /// Closed when the fetch it stands for has ended, however it ended.
    flight: Option<watch::Receiver<()>>,
    last_error: Option<String>,
}

#[derive(Clone)]
struct Kept {
    set: Arc<KeySet>,
    fetched_at: u64,
}

impl<F> Clone for KeyCache<F> {
    fn clone(&self) -> Self {
        KeyCache {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<F: FetchJwks> KeyCache<F> {
    /// An empty cache for the JWKS at `url`, of keys for ES256 and EdDSA; nothing is fetched yet.
    pub fn new(url: impl Into<String>, fetcher: F) -> KeyCache<F> {
        KeyCache::for_algorithms(url, fetcher, Profile::default().algorithms)
    }

    /// The same, of keys for these algorithms.
    pub fn for_algorithms(url: impl Into<String>, fetcher: F, algorithms: Vec<Algorithm>) -> KeyCache<F> {
        let state = Mutex::new(State::default());
        KeyCache {
            shared: Arc::new(Shared {
                url: url.into(),
                algorithms,
                fetcher,
                state,
            }),
        }
    }

    /// The keys to check a token of this `kid` with. They may lack the kid: then the token is refused by them.
    ///
    /// [`TokenError::KeysUnavailable`] if there are none, or none young enough to be trusted.
    pub async fn keys_for(&self, kid: &str, now: u64) -> Result<Arc<KeySet>, TokenError> {
        if let Some(kept) = self.shared.usable(now)
            && kept.set.contains(kid)
        {
            if now.saturating_sub(kept.fetched_at) >= FRESH_FOR {
                self.start_fetch(now);
            }
            return Ok(kept.set);
        }
        self.refresh(now).await;
        self.shared
            .usable(now)
            .map(|kept| kept.set)
            .ok_or(TokenError::KeysUnavailable)
    }

    /// Fetches now, or waits for the fetch under way; does nothing if the last attempt is too young.
    pub async fn refresh(&self, now: u64) {
        if let Some(mut ended) = self.start_fetch(now) {
            // An error is the sender's drop: the end of the fetch, which is what is waited for.
            while ended.changed().await.is_ok() {}
        }
    }

    /// Whether usable keys are at hand: for a readiness check.
    pub fn is_ready(&self, now: u64) -> bool {
        self.shared.usable(now).is_some()
    }

    /// Why the last fetch failed, if it did. For logs, not for clients.
    pub fn last_error(&self) -> Option<String> {
        self.shared.lock().last_error.clone()
    }

    /// The fetch runs in its own task, so that a caller that goes away does not cancel it for the others.
    fn start_fetch(&self, now: u64) -> Option<watch::Receiver<()>> {
        let mut state = self.shared.lock();
        if let Some(flight) = state
            .flight
            .as_ref()
            .filter(|flight| flight.has_changed().is_ok())
        {
            return Some(flight.clone());
        }
        if !state.may_try(now) {
            return None;
        }
        let (ends, ended) = watch::channel(());
        state.tried_at = Some(now);
        state.flight = Some(ended.clone());
        drop(state);
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            let outcome = shared.fetch().await;
            shared.keep(outcome, now);
            drop(ends);
        });
        Some(ended)
    }
}

impl State {
    fn may_try(&self, now: u64) -> bool {
        let pause = if self.keys.is_some() {
            MIN_PAUSE
        } else {
            FIRST_PAUSE
        };
        self.tried_at
            .is_none_or(|tried| now.saturating_sub(tried) >= pause)
    }
}

impl<F: FetchJwks> Shared<F> {
    async fn fetch(&self) -> Result<KeySet, String> {
        let body = self.fetcher.fetch(&self.url).await?;
        KeySet::for_algorithms(&body, &self.algorithms).map_err(|error| error.to_string())
    }

    fn keep(&self, outcome: Result<KeySet, String>, now: u64) {
        let mut state = self.lock();
        match outcome {
            Ok(set) => {
                state.keys = Some(Kept {
                    set: Arc::new(set),
                    fetched_at: now,
                });
                state.last_error = None;
            }
            Err(error) => state.last_error = Some(error),
        }
    }

    fn usable(&self, now: u64) -> Option<Kept> {
        let state = self.lock();
        state
            .keys
            .as_ref()
            .filter(|kept| now.saturating_sub(kept.fetched_at) < MAX_STALE)
            .cloned()
    }
}

impl<F> Shared<F> {
    /// A poisoned lock holds a whole state: every change under it is a plain assignment.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
