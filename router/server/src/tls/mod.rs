//! TLS: certificates and keys from files, for the listening side and for calls to subgraphs, read again when they change.
//!
//! Versions are 1.2 and 1.3; cryptography is rustls with ring. What goes over the connections is none of its business.

mod error;
mod kept;
mod listening;
mod outgoing;
mod pem;
mod validity;

pub use error::TlsError;
pub use listening::Listening;
pub use outgoing::Outgoing;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::crypto::CryptoProvider;

use crate::config::{Config, SubgraphTlsConfig};

/// Everything that was read from the files which the configuration names.
#[derive(Default)]
pub struct Secrets {
    listening: Option<Arc<Listening>>,
    subgraphs: Mutex<HashMap<String, Arc<Outgoing>>>,
}

impl Secrets {
    /// Reads all files, so that what is wrong with one is said before anything is started.
    pub fn load(config: &Config) -> Result<Secrets, TlsError> {
        let listening = config.tls.as_ref().map(Listening::load).transpose()?;
        let secrets = Secrets {
            listening: listening.map(Arc::new),
            subgraphs: Mutex::default(),
        };
        for (name, subgraph) in &config.subgraphs {
            if let Some(tls) = &subgraph.tls {
                secrets.of_subgraph(name, tls)?;
            }
        }
        Ok(secrets)
    }

    /// What the listening side shows and asks for, if it speaks TLS.
    pub fn listening(&self) -> Option<Arc<Listening>> {
        self.listening.clone()
    }

    /// What a subgraph is shown and believed; read at the first time, and when the configuration names other files.
    pub fn of_subgraph(&self, name: &str, config: &SubgraphTlsConfig) -> Result<Arc<Outgoing>, TlsError> {
        if let Some(known) = self.lock().get(name).filter(|known| known.is_of(config)) {
            return Ok(Arc::clone(known));
        }
        let read = Arc::new(Outgoing::load(name, config)?);
        self.lock().insert(name.to_owned(), Arc::clone(&read));
        Ok(read)
    }

    /// Reads files again that have changed. What cannot be used changes nothing, and is told by [`Secrets::reasons`].
    pub fn look(&self) {
        if let Some(listening) = &self.listening {
            listening.look();
        }
        let subgraphs: Vec<_> = self.lock().values().cloned().collect();
        subgraphs.iter().for_each(|subgraph| subgraph.look());
    }

    /// Whether there is anything to look at.
    pub fn is_empty(&self) -> bool {
        self.listening.is_none() && self.lock().is_empty()
    }

    /// What an operator should look at, as sentences.
    pub fn reasons(&self) -> Vec<String> {
        let listening = self.listening.iter().filter_map(|listening| listening.problem());
        let mut reasons: Vec<_> = listening.collect();
        reasons.extend(self.lock().values().filter_map(|subgraph| subgraph.problem()));
        reasons
    }

    /// A poisoned lock holds a whole map: nothing under it can stop halfway.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Outgoing>>> {
        self.subgraphs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The cryptography of this process.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
