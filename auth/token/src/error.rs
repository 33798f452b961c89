//! What can be wrong with a token or a key. The texts are safe for clients: none echoes input.

/// Why a token is refused. `Display` holds nothing of the token, its `kid` or its claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Two or more `Authorization` headers (or values) came with one request: a bad request, not a bad token.
    #[error("the request carries more than one Authorization header")]
    SeveralTokens,
    /// The `Authorization` header is not `Bearer <token>`.
    #[error("the Authorization header is not a bearer token")]
    NotBearer,
    /// Longer than [`crate::MAX_TOKEN`].
    #[error("the token is too long")]
    TooLong,
    /// Not three base64url parts holding JSON objects.
    #[error("the token is malformed")]
    Malformed,
    /// A JSON key occurs twice in the header or the claims.
    #[error("the token repeats a key")]
    DuplicateKey,
    /// The `typ` header is not `at+jwt`: an ID token, for example (RFC 9068 section 4).
    #[error("the token is not an access token")]
    NotAnAccessToken,
    /// The `alg` header is not allowed, or not the algorithm of the key.
    #[error("the token's algorithm is not allowed")]
    Algorithm,
    /// The header marks an extension as critical; none is understood here (RFC 7515 section 4.1.11).
    #[error("the token needs an extension that is not supported")]
    Critical,
    /// No key of the issuer has the token's `kid`.
    #[error("the token's key is unknown")]
    UnknownKid,
    /// The signature does not belong to these bytes and this key.
    #[error("the token's signature is invalid")]
    Signature,
    /// A required claim is missing, or a claim has the wrong type or an impossible value. Holds the claim's name.
    #[error("the token's claim {0} is missing or invalid")]
    Claim(&'static str),
    /// `exp` is in the past.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` is in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `iss` is not our issuer, byte for byte.
    #[error("the token is from another issuer")]
    Issuer,
    /// `aud` does not name us.
    #[error("the token is for another audience")]
    Audience,
    /// The issuer has withdrawn it before its end.
    #[error("the token was revoked")]
    Revoked,
    /// The issuer's keys could not be had, now or within the time they may be kept. Not the token's fault.
    #[error("the issuer's keys are not available")]
    KeysUnavailable,
}

/// Why a key or a key set cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a JSON Web Key Set, or larger than the limit.
    #[error("not a JSON Web Key Set (RFC 7517)")]
    NotAKeySet,
    /// Two keys share one `kid`: which one signed would be a guess.
    #[error("the key set names one kid twice")]
    DuplicateKid,
    /// The set has no signing key with a `kid` for an algorithm that is allowed.
    #[error("the key set holds no usable key (for an algorithm that is allowed, with a kid)")]
    NoUsableKey,
    /// Not a P-256 private key in PKCS#8 PEM.
    #[error("not a P-256 private key in PKCS#8 PEM")]
    NotAPrivateKey,
}
