//! Signed requests: that a request comes from whoever shares a secret, and is as it was sent.
//!
//! A subset of HTTP Message Signatures ([RFC 9421](https://www.rfc-editor.org/rfc/rfc9421)): one signature, `hmac-sha256`,
//! over `@method`, `@path` and `content-digest` ([RFC 9530](https://www.rfc-editor.org/rfc/rfc9530), `sha-256`), with
//! `created` and `keyid`. A request whose body is streamed is signed without its digest, and only whoever asks for no digest
//! takes it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Seconds for which a signature holds, and by which two clocks may differ.
pub const LIFETIME: u64 = 30;
/// The shortest secret that cannot be guessed.
pub const SHORTEST_SECRET: usize = 32;
/// The longest header field that is looked at.
const LONGEST: usize = 1_000;
/// The name of the signature.
const LABEL: &str = "router";
const WITH_DIGEST: &str = r#"("@method" "@path" "content-digest")"#;
const WITHOUT_DIGEST: &str = r#"("@method" "@path")"#;

/// A secret that two sides share, and its name.
#[derive(Clone)]
pub struct SharedKey {
    id: Box<str>,
    secret: Box<[u8]>,
}

/// Why there is no such key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SharedKeyError {
    /// The secret can be guessed.
    #[error("the secret must have at least {SHORTEST_SECRET} bytes, e.g. those of `openssl rand -hex 32`")]
    Short,
    /// Its name would have to be escaped.
    #[error("the key id must be of 1 to 64 letters, digits, `-`, `_` and `.`")]
    Id,
}

/// What a request is signed over.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Its method, in capitals.
    pub method: &'a str,
    /// Its path, without a query.
    pub path: &'a str,
    /// Its body; `None` if it is streamed.
    pub body: Option<&'a [u8]>,
}

/// The header fields of a signed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// `Content-Digest`, unless the body is streamed.
    pub content_digest: Option<String>,
    /// `Signature-Input`.
    pub signature_input: String,
    /// `Signature`.
    pub signature: String,
}

/// The header fields of a request that may be signed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Claimed<'a> {
    /// `Content-Digest`.
    pub content_digest: Option<&'a str>,
    /// `Signature-Input`.
    pub signature_input: Option<&'a str>,
    /// `Signature`.
    pub signature: Option<&'a str>,
}

/// Why a request is not believed to come from where it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// It bears no signature, or not one of this kind.
    #[error("the request bears no signature of the gateway")]
    Unsigned,
    /// Nobody here knows the key.
    #[error("the key of the request's signature is not known")]
    UnknownKey,
    /// It was signed too long ago, or is to be.
    #[error("the request was signed at another time: more than {LIFETIME} seconds ago or ahead")]
    Expired,
    /// It is not as it was signed.
    #[error("the request is not as it was signed")]
    Altered,
}

impl SharedKey {
    /// A key by its name.
    pub fn new(id: &str, secret: &[u8]) -> Result<SharedKey, SharedKeyError> {
        let is_part = |one: u8| one.is_ascii_alphanumeric() || matches!(one, b'-' | b'_' | b'.');
        if !(1..=64).contains(&id.len()) || !id.bytes().all(is_part) {
            return Err(SharedKeyError::Id);
        }
        match secret.len() < SHORTEST_SECRET {
            true => Err(SharedKeyError::Short),
            false => Ok(SharedKey {
                id: id.into(),
                secret: secret.into(),
            }),
        }
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Signs a request; `now` is in seconds since 1970.
    pub fn sign(&self, message: Message<'_>, now: u64) -> Signed {
        let content_digest = message.body.map(digest);
        let covered = match content_digest {
            Some(_) => WITH_DIGEST,
            None => WITHOUT_DIGEST,
        };
        let parameters = format!(r#"{covered};created={now};keyid="{}";alg="hmac-sha256""#, self.id);
        let base = base(message, content_digest.as_deref(), &parameters);
        let signature = BASE64_STANDARD.encode(self.mac(&base).finalize().into_bytes());
        Signed {
            content_digest,
            signature_input: format!("{LABEL}={parameters}"),
            signature: format!("{LABEL}=:{signature}:"),
        }
    }

    fn mac(&self, base: &str) -> Hmac<Sha256> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.secret);
        mac.expect("HMAC takes keys of any length")
            .chain_update(base.as_bytes())
    }
}

/// Whether a request was signed with one of these keys not long ago, and is as it was signed. `now` is in seconds since
/// 1970. A request with a body must be signed over its digest.
pub fn verify(
    keys: &[SharedKey],
    message: Message<'_>,
    claimed: Claimed<'_>,
    now: u64,
) -> Result<(), MessageError> {
    let short = |field: Option<&'_ str>| field.filter(|field| field.len() <= LONGEST).map(str::to_owned);
    let (Some(input), Some(signature)) = (short(claimed.signature_input), short(claimed.signature)) else {
        return Err(MessageError::Unsigned);
    };
    let parameters = input.strip_prefix("router=").ok_or(MessageError::Unsigned)?;
    let read = read(parameters).ok_or(MessageError::Unsigned)?;
    if read.covers_digest != message.body.is_some() {
        return Err(MessageError::Unsigned);
    }
    let key = keys.iter().find(|key| *key.id == *read.key_id);
    let key = key.ok_or(MessageError::UnknownKey)?;
    if now.abs_diff(read.created) > LIFETIME {
        return Err(MessageError::Expired);
    }
    let digest = message.body.map(digest);
    if digest.as_deref() != claimed.content_digest.filter(|_| digest.is_some()) {
        return Err(MessageError::Altered);
    }
    let said = signature
        .strip_prefix("router=:")
        .and_then(|rest| rest.strip_suffix(':'));
    let said = said.and_then(|text| BASE64_STANDARD.decode(text).ok());
    let base = base(message, digest.as_deref(), parameters);
    // In a time that does not tell how much of it is right.
    let verified = key.mac(&base).verify_slice(&said.ok_or(MessageError::Unsigned)?);
    verified.map_err(|_| MessageError::Altered)
}

/// `Content-Digest` of a body.
fn digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", BASE64_STANDARD.encode(Sha256::digest(body)))
}

/// RFC 9421, section 2.5.
fn base(message: Message<'_>, digest: Option<&str>, parameters: &str) -> String {
    let Message { method, path, .. } = message;
    let digest = digest.map_or_else(String::new, |digest| format!("\"content-digest\": {digest}\n"));
    format!("\"@method\": {method}\n\"@path\": {path}\n{digest}\"@signature-params\": {parameters}")
}

struct Parameters<'a> {
    covers_digest: bool,
    created: u64,
    key_id: &'a str,
}

/// Parameters in the form and order in which [`SharedKey::sign`] writes them.
fn read(parameters: &str) -> Option<Parameters<'_>> {
    let (covers_digest, rest) = match parameters.strip_prefix(WITH_DIGEST) {
        Some(rest) => (true, rest),
        None => (false, parameters.strip_prefix(WITHOUT_DIGEST)?),
    };
    let (created, rest) = rest.strip_prefix(";created=")?.split_once(';')?;
    let key_id = rest
        .strip_prefix("keyid=\"")?
        .strip_suffix("\";alg=\"hmac-sha256\"")?;
    Some(Parameters {
        covers_digest,
        created: created.parse().ok()?,
        key_id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9421, appendix B.2.5, with the key of B.1.5.
    #[test]
    fn the_mac_is_that_of_the_specification() {
        let secret =
            "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
        let secret = BASE64_STANDARD.decode(secret).expect("base64");
        let key = SharedKey::new("test-shared-secret", &secret).expect("a key");
        let base = "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@authority\": example.com\n\"content-type\": application/json\n\
                    \"@signature-params\": (\"date\" \"@authority\" \"content-type\");created=1618884473;keyid=\"test-shared-secret\"";
        let mac = BASE64_STANDARD.encode(key.mac(base).finalize().into_bytes());
        assert_eq!(mac, "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=");
    }

    /// RFC 9530, appendix A (the body of example B.1).
    #[test]
    fn the_digest_is_that_of_the_specification() {
        let body = b"{\"hello\": \"world\"}\n";
        assert_eq!(
            digest(body),
            "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
        );
    }
}
