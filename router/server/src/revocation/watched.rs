//! The list of one issuer, as it was read last.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as Lock, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use baedal_token::Claims;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::alarm::Bell;
use super::list::List;
use crate::config::{IssuerConfig, RevocationConfig};
use crate::remote::Remote;
use crate::subgraphs::Client;

/// Longest time for one answer. A list that is late is not waited for.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A list that is looked at again and again.
pub struct Watched {
    issuer: String,
    config: RevocationConfig,
    list: ArcSwap<List>,
    remote: Mutex<Remote>,
    /// Why it could not be read the last time, or that it was not yet.
    trouble: Lock<Option<String>>,
    bell: Bell,
    /// Whether somebody looks at it already.
    kept: AtomicBool,
}

/// What operators see of it.
pub struct View {
    /// Whose it is.
    pub issuer: String,
    /// Whether it could be read the last time.
    pub readable: bool,
    /// How many entries are known.
    pub entries: usize,
}

impl Watched {
    /// The list of this issuer, if it has one. Nothing is known of it yet.
    pub fn new(issuer: &IssuerConfig, client: &Client, bell: &Bell) -> Option<Arc<Watched>> {
        let config = issuer.revocation.clone()?;
        Some(Arc::new(Watched {
            issuer: issuer.issuer.clone(),
            list: ArcSwap::default(),
            remote: Mutex::new(Remote::new(config.url.clone(), client, TIMEOUT)),
            config,
            trouble: Lock::new(Some("it was not read yet".to_owned())),
            bell: bell.clone(),
            kept: AtomicBool::new(false),
        }))
    }

    /// Whether it is what this configuration asks for.
    pub fn is_of(&self, issuer: &IssuerConfig) -> bool {
        self.issuer == issuer.issuer && Some(&self.config) == issuer.revocation.as_ref()
    }

    /// Whether a token with these claims is on it.
    pub fn covers(&self, claims: &Claims) -> bool {
        self.list.load().covers(claims)
    }

    /// Reads it, if it has changed. What cannot be read changes nothing.
    pub async fn look(&self) {
        let mut remote = self.remote.lock().await;
        let looked = remote.look().await;
        let read = looked.and_then(|text| text.map(|text| List::read(&text)).transpose());
        let trouble = match read {
            Ok(None) => None,
            Ok(Some(list)) => {
                if **self.list.load() != list {
                    self.list.store(Arc::new(list));
                    self.bell.ring();
                }
                None
            }
            Err(why) => {
                // The same again must not look like what is known already.
                remote.forget();
                Some(why)
            }
        };
        self.tell(trouble);
    }

    /// Notes how it went; the log has what is new.
    fn tell(&self, now: Option<String>) {
        let mut known = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let issuer = &self.issuer;
        match (&*known, &now) {
            (before, Some(why)) if before.as_ref() != Some(why) => {
                tracing::warn!(
                    issuer,
                    why,
                    "the list of revoked tokens cannot be read; what was read last counts"
                );
            }
            (Some(_), None) => tracing::info!(issuer, "the list of revoked tokens is read"),
            _ => {}
        }
        *known = now;
    }

    /// Why it is not as it should be.
    pub fn reason(&self) -> Option<String> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let why = trouble.as_ref()?;
        Some(format!(
            "the list of revoked tokens of {} cannot be read: {why}",
            self.issuer
        ))
    }

    /// As operators see it.
    pub fn view(&self) -> View {
        View {
            issuer: self.issuer.clone(),
            readable: self.reason().is_none(),
            entries: self.list.load().len(),
        }
    }

    /// Looks at it again and again, until the gateway closes or nobody has it any more; `None` if somebody does already.
    pub fn keep(
        self: &Arc<Self>,
        closing: CancellationToken,
    ) -> Option<impl Future<Output = ()> + Send + use<>> {
        if self.kept.swap(true, Ordering::Relaxed) {
            return None;
        }
        let (watched, interval) = (Arc::downgrade(self), self.config.interval);
        Some(async move {
            let _ = closing.run_until_cancelled(watch(watched, interval)).await;
        })
    }
}

async fn watch(watched: Weak<Watched>, interval: Duration) {
    while let Some(watched) = watched.upgrade() {
        watched.look().await;
        drop(watched);
        tokio::time::sleep(interval).await;
    }
}
