//! What the tokens of an issuer look like: by default as RFC 9068 has them, for foreign issuers as they are.

/// An algorithm that may be allowed (RFC 7518 section 3.1, RFC 8037). `none` and symmetric ones are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA over P-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
}

/// Those of RSA keys.
const RSA: [Algorithm; 6] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
];

impl Algorithm {
    /// All of them.
    pub const ALL: [Algorithm; 8] = [
        Algorithm::Es256,
        Algorithm::EdDsa,
        RSA[0],
        RSA[1],
        RSA[2],
        RSA[3],
        RSA[4],
        RSA[5],
    ];

    /// The name, as in a token's header: case matters.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Es256 => "ES256",
            Algorithm::EdDsa => "EdDSA",
            Algorithm::Rs256 => "RS256",
            Algorithm::Rs384 => "RS384",
            Algorithm::Rs512 => "RS512",
            Algorithm::Ps256 => "PS256",
            Algorithm::Ps384 => "PS384",
            Algorithm::Ps512 => "PS512",
        }
    }

    /// The algorithm of this name.
    pub fn of_name(name: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|known| known.name() == name)
    }

    pub(crate) fn is_rsa(self) -> bool {
        RSA.contains(&self)
    }

    pub(crate) fn library(self) -> jsonwebtoken::Algorithm {
        match self {
            Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
            Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
            Algorithm::Rs384 => jsonwebtoken::Algorithm::RS384,
            Algorithm::Rs512 => jsonwebtoken::Algorithm::RS512,
            Algorithm::Ps256 => jsonwebtoken::Algorithm::PS256,
            Algorithm::Ps384 => jsonwebtoken::Algorithm::PS384,
            Algorithm::Ps512 => jsonwebtoken::Algorithm::PS512,
        }
    }
}

/// What a token must have besides a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// RFC 9068: `typ` says that it is an access token, and all claims of section 2.2 are there.
    #[default]
    AccessToken,
    /// RFC 7519: any `typ` of a JWT or none; `iss`, `sub`, `aud` and `exp`. An ID token cannot be told from an access
    /// token by its form: only an audience that ID tokens do not have keeps them out.
    Jwt,
}

/// The tokens of one issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What they may be signed with.
    pub algorithms: Vec<Algorithm>,
    /// What they must have.
    pub form: Form,
    /// The claim that holds the scopes: words in a text; of [`Form::Jwt`] also a list of texts.
    pub scope_claim: String,
}

impl Default for Profile {
    fn default() -> Profile {
        Profile {
            algorithms: vec![Algorithm::Es256, Algorithm::EdDsa],
            form: Form::default(),
            scope_claim: "scope".to_owned(),
        }
    }
}
