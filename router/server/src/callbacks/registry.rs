//! Subscriptions that wait for callbacks, by their ids.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use subtle::ConstantTimeEq;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::config::CallbackConfig;

/// Events of one subscription that wait to be resolved; a subgraph that is quicker waits for its answer.
const ROOM: usize = 16;
/// How long it waits for it. Then the subscription is lost: a subgraph is not held for ever.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a subgraph said of a subscription.
#[derive(Debug, PartialEq)]
pub enum Heard {
    /// It is alive.
    Check,
    /// An event: a GraphQL response.
    Next(Bytes),
    /// It has ended; with these errors, if any.
    Complete(Option<Bytes>),
}

/// Why a message was not taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no such subscription, or its secret is another.
    Unknown,
    /// Too much waits.
    Full,
}

/// All of them.
pub struct Callbacks {
    settings: CallbackConfig,
    waiting: Mutex<HashMap<Box<str>, Entry>>,
}

struct Entry {
    verifier: Arc<str>,
    sender: mpsc::Sender<Heard>,
}

/// A subscription that waits for callbacks; dropped, it does so no more.
pub struct Expected {
    /// Its id.
    pub id: Box<str>,
    /// Its secret.
    pub verifier: Arc<str>,
    /// What was said of it.
    pub heard: mpsc::Receiver<Heard>,
    callbacks: Arc<Callbacks>,
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.callbacks.lock().remove(&self.id);
    }
}

impl Expected {
    /// Where its callbacks go.
    pub fn url(&self) -> String {
        let base = self.callbacks.settings.public_url.as_str();
        format!("{}/{}", base.trim_end_matches('/'), self.id)
    }

    /// How often its subgraph has to say that it is alive; zero is never.
    pub fn heartbeat(&self) -> Duration {
        self.callbacks.settings.heartbeat
    }
}

impl Callbacks {
    /// None yet.
    pub fn new(settings: CallbackConfig) -> Callbacks {
        Callbacks {
            settings,
            waiting: Mutex::default(),
        }
    }

    /// How they are set up.
    pub fn settings(&self) -> &CallbackConfig {
        &self.settings
    }

    /// A subscription more. Its id and its secret are of the system's randomness; `None` if that fails.
    pub fn expect(self: &Arc<Self>) -> Option<Expected> {
        let (mut id, mut secret) = ([0; 16], [0; 32]);
        getrandom::fill(&mut id)
            .and_then(|()| getrandom::fill(&mut secret))
            .ok()?;
        let id: Box<str> = uuid::Builder::from_random_bytes(id)
            .into_uuid()
            .to_string()
            .into();
        let verifier: Arc<str> = hex(&secret).into();
        let (sender, heard) = mpsc::channel(ROOM);
        let entry = Entry {
            verifier: Arc::clone(&verifier),
            sender,
        };
        self.lock().insert(id.clone(), entry);
        Some(Expected {
            id,
            verifier,
            heard,
            callbacks: Arc::clone(self),
        })
    }

    /// Whether a subscription of this id is under way. So that bodies for others are not even read.
    pub fn knows(&self, id: &str) -> bool {
        id.parse::<Uuid>().is_ok() && self.lock().contains_key(id)
    }

    /// Hands on what was said, when there is room for it.
    pub async fn hand_on(&self, id: &str, verifier: &str, heard: Heard) -> Result<(), Refused> {
        let sender = self.find(id, verifier).ok_or(Refused::Unknown)?;
        if heard == Heard::Check {
            // Where there is no room, what waits shows that the subgraph lives.
            return match sender.try_send(heard) {
                Err(mpsc::error::TrySendError::Closed(_)) => Err(Refused::Unknown),
                _ => Ok(()),
            };
        }
        match tokio::time::timeout(PATIENCE, sender.send(heard)).await {
            Ok(sent) => sent.map_err(|_| Refused::Unknown),
            Err(_) => {
                // With a gap it would be no stream.
                self.lock().remove(id);
                Err(Refused::Full)
            }
        }
    }

    /// The secret is compared in constant time, so that it cannot be found out byte by byte.
    fn find(&self, id: &str, verifier: &str) -> Option<mpsc::Sender<Heard>> {
        let waiting = self.lock();
        let entry = waiting.get(id)?;
        let same = bool::from(entry.verifier.as_bytes().ct_eq(verifier.as_bytes()));
        same.then(|| entry.sender.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Entry>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callbacks() -> Arc<Callbacks> {
        let url = "http://gateway.example/callback/".parse().expect("a URL");
        Arc::new(Callbacks::new(CallbackConfig::at(url)))
    }

    #[tokio::test]
    async fn only_who_knows_the_secret_of_the_id_is_heard() {
        let callbacks = callbacks();
        let (mut one, other) = (callbacks.expect().expect("one"), callbacks.expect().expect("one"));
        assert_ne!(one.id, other.id);
        assert_eq!((one.id.len(), one.verifier.len()), (36, 64));
        assert_eq!(one.url(), format!("http://gateway.example/callback/{}", one.id));
        for (id, verifier) in [
            (&*one.id, &*other.verifier),
            (&*one.id, ""),
            (&*one.id, &one.verifier[1..]),
            ("", &*one.verifier),
        ] {
            let said = callbacks.hand_on(id, verifier, Heard::Check).await;
            assert_eq!(said, Err(Refused::Unknown));
        }
        assert!(one.heard.try_recv().is_err());
        let said = callbacks.hand_on(&one.id, &one.verifier, Heard::Check).await;
        assert_eq!((said, one.heard.recv().await), (Ok(()), Some(Heard::Check)));
        let (id, verifier) = (one.id.clone(), Arc::clone(&one.verifier));
        assert!(callbacks.knows(&id) && !callbacks.knows("x"));
        drop(one);
        assert!(!callbacks.knows(&id));
        let said = callbacks.hand_on(&id, &verifier, Heard::Check).await;
        assert_eq!(said, Err(Refused::Unknown));
    }

    #[tokio::test]
    async fn a_subgraph_that_is_too_quick_waits_and_is_alive() {
        let callbacks = callbacks();
        let mut one = callbacks.expect().expect("one");
        let next = || Heard::Next(Bytes::from_static(b"{}"));
        for _ in 0..ROOM {
            callbacks
                .hand_on(&one.id, &one.verifier, next())
                .await
                .expect("room");
        }
        let said = callbacks.hand_on(&one.id, &one.verifier, Heard::Check).await;
        assert_eq!(said, Ok(()));
        let (id, verifier) = (one.id.clone(), Arc::clone(&one.verifier));
        let shared = Arc::clone(&callbacks);
        let waiting = tokio::spawn(async move { shared.hand_on(&id, &verifier, next()).await });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        one.heard.recv().await.expect("an event");
        assert_eq!(waiting.await.expect("no panic"), Ok(()));
    }
}
