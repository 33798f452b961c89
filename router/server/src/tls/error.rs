//! What can be wrong with certificates and keys: what, where, and what to do.

use std::path::PathBuf;

/// Why a certificate or a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file cannot be read.
    #[error("configuration key `{key}`: cannot read {}: {source}", file.display())]
    Unreadable {
        /// The key that names the file.
        key: String,
        /// The file.
        file: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// There is something, but not what there should be.
    #[error(
        "configuration key `{key}`: {} holds no {wanted}; it must be PEM, with a line `-----BEGIN {label}-----`",
        file.display()
    )]
    Missing {
        /// The key that names the file.
        key: String,
        /// The file.
        file: PathBuf,
        /// What is not there.
        wanted: &'static str,
        /// How it would begin.
        label: &'static str,
    },
    /// What is between the lines of PEM is not what they say.
    #[error("configuration key `{key}`: {} cannot be used: {why}", file.display())]
    Unusable {
        /// The key that names the file.
        key: String,
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Two files that do not belong together.
    #[error(
        "configuration key `{key}`: the key in {} is not the one of the certificate in {}; make both anew, or name the \
         files that belong together",
        private.display(),
        certificate.display()
    )]
    Mismatch {
        /// The key that names the file with the private key.
        key: String,
        /// The file with the private key.
        private: PathBuf,
        /// The file with the certificate.
        certificate: PathBuf,
    },
    /// Nobody would accept it any more.
    #[error("configuration key `{key}`: the certificate in {} expired {ago}; renew it", file.display())]
    Expired {
        /// The key that names the file.
        key: String,
        /// The file.
        file: PathBuf,
        /// For how long it has.
        ago: String,
    },
}
