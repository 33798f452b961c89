//! Proof Key for Code Exchange, S256 only: [RFC 7636](https://www.rfc-editor.org/rfc/rfc7636).

use subtle::ConstantTimeEq;

use super::{OAuthError, sha256};

/// A `code_challenge`: base64url of a SHA-256 (section 4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge(String);

impl Challenge {
    /// Reads challenge and method; both must be given, and `plain` is refused (RFC 9700 section 2.1.1).
    pub fn parse(challenge: Option<&str>, method: Option<&str>) -> Result<Challenge, OAuthError> {
        let challenge = challenge.ok_or(OAuthError::InvalidRequest("code_challenge is required (PKCE)"))?;
        if method != Some("S256") {
            return Err(OAuthError::InvalidRequest("code_challenge_method must be S256"));
        }
        let well_formed = challenge.len() == 43 && challenge.bytes().all(is_base64url);
        match well_formed {
            true => Ok(Challenge(challenge.to_owned())),
            false => Err(OAuthError::InvalidRequest(
                "code_challenge must be 43 base64url characters",
            )),
        }
    }

    /// Back from the database.
    pub fn stored(text: String) -> Challenge {
        Challenge(text)
    }

    /// To the database.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Section 4.6, in constant time.
    pub fn is_met_by(&self, verifier: &Verifier) -> bool {
        sha256(&verifier.0).as_bytes().ct_eq(self.0.as_bytes()).into()
    }
}

/// A `code_verifier`: 43 to 128 unreserved characters (section 4.1).
pub struct Verifier(String);

impl Verifier {
    /// Reads the parameter of the token request.
    pub fn parse(text: Option<&str>) -> Result<Verifier, OAuthError> {
        let text = text.ok_or(OAuthError::InvalidRequest("code_verifier is required (PKCE)"))?;
        match (43..=128).contains(&text.len()) && text.bytes().all(is_unreserved) {
            true => Ok(Verifier(text.to_owned())),
            false => Err(OAuthError::InvalidRequest(
                "code_verifier must be 43 to 128 unreserved characters",
            )),
        }
    }
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 appendix B.
    #[test]
    fn the_example_of_the_rfc_holds() {
        let challenge =
            Challenge::parse(Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), Some("S256")).unwrap();
        let verifier = Verifier::parse(Some("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")).unwrap();
        assert!(challenge.is_met_by(&verifier));
        let other = Verifier::parse(Some("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl")).unwrap();
        assert!(!challenge.is_met_by(&other));
    }

    #[test]
    fn a_verifier_of_a_wrong_length_or_alphabet_is_refused() {
        for text in [
            "a".repeat(42),
            "a".repeat(129),
            format!("{}+", "a".repeat(43)),
            String::new(),
        ] {
            assert!(Verifier::parse(Some(&text)).is_err(), "{text}");
        }
        for text in ["a".repeat(43), "-._~".repeat(32)] {
            assert!(Verifier::parse(Some(&text)).is_ok(), "{text}");
        }
    }
}
