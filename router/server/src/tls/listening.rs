//! TLS for clients: what they are shown, and who may come in.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::kept::Kept;
use super::pem::{Identity, Named, refused};
use super::{TlsError, provider};
use crate::config::TlsConfig;

/// What is spoken within, the one liked best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The TLS side of the listener.
pub struct Listening {
    config: Kept<ServerConfig>,
    /// Whether subgraphs are told of a client's certificate.
    tells: bool,
}

impl Listening {
    /// Reads the files of section `tls`.
    pub fn load(config: &TlsConfig) -> Result<Listening, TlsError> {
        let certificate = Named::new("tls.certificate", &config.certificate);
        let private = Named::new("tls.key", &config.key);
        let clients = config.client_auth.as_ref();
        let authorities = clients.map(|clients| Named::new("tls.client_auth.ca", &clients.ca));
        let required = clients.is_none_or(|clients| clients.required);
        let named = [&certificate, &private].into_iter().chain(&authorities);
        let files = named.map(|named| named.file.clone()).collect();
        let make = move || server(&certificate, &private, authorities.as_ref(), required);
        Ok(Listening {
            config: Kept::new(files, make)?,
            tells: clients.is_some_and(|clients| clients.forward_certificate),
        })
    }

    /// The handshake.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.config.current()).accept(stream).await
    }

    /// The client's certificate as a header ([RFC 9440](https://www.rfc-editor.org/rfc/rfc9440#section-2.2)), if
    /// subgraphs are told of it.
    pub fn client_certificate(&self, stream: &TlsStream<TcpStream>) -> Option<HeaderValue> {
        if !self.tells {
            return None;
        }
        let (_, session) = stream.get_ref();
        let certificate = session.peer_certificates()?.first()?;
        let text = format!(":{}:", BASE64_STANDARD.encode(certificate));
        HeaderValue::try_from(text).ok()
    }

    /// Reads files again that have changed.
    pub fn look(&self) {
        self.config.look();
    }

    /// Why changed files are not taken over.
    pub fn problem(&self) -> Option<String> {
        self.config.problem()
    }
}

fn server(
    certificate: &Named,
    private: &Named,
    authorities: Option<&Named>,
    required: bool,
) -> Result<ServerConfig, TlsError> {
    let identity = Identity::read(certificate, private)?;
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the provider has the default protocol versions");
    let builder = match authorities {
        None => builder.with_no_client_auth(),
        Some(authorities) => {
            let roots = Arc::new(authorities.authorities()?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
            let verifier = match required {
                true => verifier,
                false => verifier.allow_unauthenticated(),
            };
            let verifier = verifier.build().map_err(|error| TlsError::Unusable {
                key: authorities.key.clone(),
                file: authorities.file.clone(),
                why: error.to_string(),
            })?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder
        .with_single_cert(identity.chain, identity.private)
        .map_err(|error| refused(error, certificate, private))?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}
