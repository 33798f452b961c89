//! Certificates and keys, as files have them.

use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{Error, InconsistentKeys, RootCertStore};

use super::TlsError;
use super::validity;

const DAY: i64 = 86_400;
/// How long before its end a certificate is worth a word.
const SOON: i64 = 7 * DAY;

/// A file, and the key of the configuration that names it.
#[derive(Debug, Clone)]
pub struct Named {
    /// The key, with dots.
    pub key: String,
    /// The file.
    pub file: PathBuf,
}

/// A certificate with those that vouch for it, and its key.
pub struct Identity {
    /// Its own certificate first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key.
    pub private: PrivateKeyDer<'static>,
}

impl Named {
    /// The file that a key names.
    pub fn new(key: impl Into<String>, file: &Path) -> Named {
        Named {
            key: key.into(),
            file: file.to_owned(),
        }
    }

    fn read(&self) -> Result<Vec<u8>, TlsError> {
        std::fs::read(&self.file).map_err(|source| TlsError::Unreadable {
            key: self.key.clone(),
            file: self.file.clone(),
            source,
        })
    }

    fn unusable(&self, why: impl std::fmt::Display) -> TlsError {
        TlsError::Unusable {
            key: self.key.clone(),
            file: self.file.clone(),
            why: why.to_string(),
        }
    }

    fn missing(&self, wanted: &'static str, label: &'static str) -> TlsError {
        TlsError::Missing {
            key: self.key.clone(),
            file: self.file.clone(),
            wanted,
            label,
        }
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let bytes = self.read()?;
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
        let found = found.map_err(|error| self.unusable(error))?;
        if found.is_empty() {
            return Err(self.missing("certificate", "CERTIFICATE"));
        }
        Ok(found)
    }

    fn private_key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        use rustls::pki_types::pem::Error;
        PrivateKeyDer::from_pem_slice(&self.read()?).map_err(|error| match error {
            Error::NoItemsFound => self.missing("private key that is not encrypted", "PRIVATE KEY"),
            other => self.unusable(other),
        })
    }

    /// Those whose word counts.
    pub fn authorities(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in self.certificates()? {
            roots.add(certificate).map_err(|error| self.unusable(error))?;
        }
        Ok(roots)
    }
}

impl Identity {
    /// The certificate and its key; one that has expired is refused.
    pub fn read(certificate: &Named, private: &Named) -> Result<Identity, TlsError> {
        let chain = certificate.certificates()?;
        let left = validity::not_after(&chain[0]).map(|end| end - validity::now());
        match left {
            Some(left) if left <= 0 => {
                return Err(TlsError::Expired {
                    key: certificate.key.clone(),
                    file: certificate.file.clone(),
                    ago: match -left / DAY {
                        0 => "today".to_owned(),
                        1 => "a day ago".to_owned(),
                        days => format!("{days} days ago"),
                    },
                });
            }
            Some(left) if left < SOON => {
                let (file, days) = (certificate.file.display(), left / DAY);
                tracing::warn!(%file, days, "a certificate expires soon: renew it");
            }
            _ => {}
        }
        let private = private.private_key()?;
        Ok(Identity { chain, private })
    }
}

/// What rustls says of a certificate and its key, told by their files.
pub fn refused(error: Error, certificate: &Named, private: &Named) -> TlsError {
    match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::Mismatch {
            key: private.key.clone(),
            private: private.file.clone(),
            certificate: certificate.file.clone(),
        },
        Error::InvalidCertificate(_) => certificate.unusable(error),
        other => private.unusable(other),
    }
}
