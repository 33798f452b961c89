//! TLS towards a subgraph: whom the gateway believes, and what it shows.

use std::sync::Arc;

use hyper_rustls::ConfigBuilderExt;
use rustls::{ClientConfig, RootCertStore};

use super::kept::Kept;
use super::pem::{Identity, Named, refused};
use super::{TlsError, provider};
use crate::config::SubgraphTlsConfig;

/// The TLS side of calls to a subgraph.
pub struct Outgoing {
    of: SubgraphTlsConfig,
    made: Kept<Made>,
}

struct Made {
    /// Offers nothing but HTTP/1.1, without saying so.
    plain: Arc<ClientConfig>,
    /// Offers HTTP/2 before HTTP/1.1.
    multiplexed: Arc<ClientConfig>,
}

impl Outgoing {
    /// Reads the files that the configuration of this subgraph names.
    pub fn load(subgraph: &str, config: &SubgraphTlsConfig) -> Result<Outgoing, TlsError> {
        let named = |field: &str, file: &Option<std::path::PathBuf>| {
            let key = format!("subgraphs.{subgraph}.tls.{field}");
            file.as_ref().map(|file| Named::new(key, file))
        };
        let authorities = named("ca", &config.ca);
        let certificate = named("certificate", &config.certificate);
        let identity = certificate.zip(named("key", &config.key));
        let pair = identity.iter().flat_map(|(certificate, key)| [certificate, key]);
        let files = authorities.iter().chain(pair).map(|named| named.file.clone());
        let files = files.collect();
        let make = move || client(authorities.as_ref(), identity.as_ref());
        Ok(Outgoing {
            of: config.clone(),
            made: Kept::new(files, make)?,
        })
    }

    /// Whether this was made of the same configuration.
    pub fn is_of(&self, config: &SubgraphTlsConfig) -> bool {
        self.of == *config
    }

    /// How a connection is opened. `multiplexed`: HTTP/2 may be spoken on it.
    pub fn config(&self, multiplexed: bool) -> Arc<ClientConfig> {
        let made = self.made.current();
        Arc::clone(if multiplexed {
            &made.multiplexed
        } else {
            &made.plain
        })
    }

    /// Reads files again that have changed.
    pub fn look(&self) {
        self.made.look();
    }

    /// Why changed files are not taken over.
    pub fn problem(&self) -> Option<String> {
        self.made.problem()
    }
}

fn client(authorities: Option<&Named>, identity: Option<&(Named, Named)>) -> Result<Made, TlsError> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the provider has the default protocol versions");
    let builder = match authorities {
        Some(authorities) => builder.with_root_certificates(authorities.authorities()?),
        None => match builder.clone().with_native_roots() {
            Ok(builder) => builder,
            Err(error) => {
                tracing::warn!(%error, "this system has no certificates: subgraphs by https:// need `tls.ca`");
                builder.with_root_certificates(RootCertStore::empty())
            }
        },
    };
    let plain = match identity {
        None => builder.with_no_client_auth(),
        Some((certificate, private)) => {
            let read = Identity::read(certificate, private)?;
            builder
                .with_client_auth_cert(read.chain, read.private)
                .map_err(|error| refused(error, certificate, private))?
        }
    };
    let mut multiplexed = plain.clone();
    multiplexed.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Made {
        plain: Arc::new(plain),
        multiplexed: Arc::new(multiplexed),
    })
}
