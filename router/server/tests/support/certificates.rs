//! A CA for a test, and certificates of it in files.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore};

/// A CA whose certificate is in a file.
pub struct Authority {
    folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pub file: PathBuf,
}

/// A certificate and its key, in files.
pub struct Signed {
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub der: CertificateDer<'static>,
    private: Vec<u8>,
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len().div_ceil(64))
        .map(|line| &text[line * 64..text.len().min(line * 64 + 64)])
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

impl Signed {
    pub fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.private.clone()))
    }
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        let folder = tempfile::tempdir().expect("a folder");
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.self_signed(&key).expect("a certificate").der().clone();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, pem("CERTIFICATE", &certificate)).expect("written");
        Authority {
            folder,
            issuer: Issuer::new(parameters, key),
            certificate,
            file,
        }
    }

    /// A certificate for this machine and for `name`, valid until the end of `year`.
    pub fn sign(&self, name: &str, year: i32) -> Signed {
        let names = ["localhost", "127.0.0.1", name].map(str::to_owned);
        let mut parameters = CertificateParams::new(names).expect("names");
        parameters
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        parameters.not_before = rcgen::date_time_ymd(2000, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(year, 12, 31);
        let key = KeyPair::generate().expect("a key");
        let der = parameters
            .signed_by(&key, &self.issuer)
            .expect("signed")
            .der()
            .clone();
        let write = |what: &str, text: String| {
            let file = self.folder.path().join(format!("{name}-{what}.pem"));
            std::fs::write(&file, text).expect("written");
            file
        };
        Signed {
            certificate: write("certificate", pem("CERTIFICATE", &der)),
            key: write("key", pem("PRIVATE KEY", &key.serialize_der())),
            private: key.serialize_der(),
            der,
        }
    }

    /// Believes clients with certificates of this CA.
    pub fn verifier(&self) -> Arc<dyn rustls::server::danger::ClientCertVerifier> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).expect("a CA");
        let provider = Arc::new(ring::default_provider());
        rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .expect("a verifier")
    }

    /// What a client needs that believes this CA, and shows a certificate if there is one.
    pub fn client(&self, shown: Option<&Signed>, protocols: &[&str]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).expect("a CA");
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        let mut config = match shown {
            None => builder.with_no_client_auth(),
            Some(shown) => builder
                .with_client_auth_cert(vec![shown.der.clone()], shown.private_key())
                .expect("a certificate and its key"),
        };
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}
