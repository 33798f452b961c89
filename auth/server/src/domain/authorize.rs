//! The decision at the authorization endpoint, apart from how it is asked and answered:
//! [OpenID Connect Core section 3.1.2](https://openid.net/specs/openid-connect-core-1_0.html#AuthorizationEndpoint).

use baedal_token::Scopes;

use super::{Challenge, Client, OAuthError, Session};

/// A checked authorization request. The client and the redirect URI are known to belong together.
#[derive(Debug, Clone)]
pub struct AuthRequest {
    /// Who asks.
    pub client: Client,
    /// Where the answer goes, byte for byte as asked.
    pub redirect_uri: String,
    /// What is asked for; within the client's scopes.
    pub scope: Scopes,
    /// Comes back unchanged.
    pub state: Option<String>,
    /// Goes into the ID token.
    pub nonce: Option<String>,
    /// PKCE.
    pub challenge: Challenge,
    /// The narrowed audience (RFC 8707).
    pub resource: Option<String>,
    /// How much the user may be bothered.
    pub prompt: Prompt,
    /// The longest time since the last login, in seconds.
    pub max_age: Option<i64>,
}

/// `prompt`, OpenID Connect Core section 3.1.2.1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Show no page at all.
    pub none: bool,
    /// Ask for the password again.
    pub login: bool,
    /// Ask for consent again.
    pub consent: bool,
}

impl Prompt {
    /// Reads the space-separated values; `none` stands alone.
    pub fn parse(text: &str) -> Result<Prompt, OAuthError> {
        let mut prompt = Prompt::default();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            match word {
                "none" => prompt.none = true,
                "login" | "select_account" => prompt.login = true,
                "consent" => prompt.consent = true,
                _ => {
                    return Err(OAuthError::InvalidRequest(
                        "prompt must be none, login, consent or select_account",
                    ));
                }
            }
        }
        match prompt.none && (prompt.login || prompt.consent) {
            true => Err(OAuthError::InvalidRequest("prompt=none stands alone")),
            false => Ok(prompt),
        }
    }
}

/// What the endpoint does next.
#[derive(Debug)]
pub enum Step<'a> {
    /// Show the login page.
    Login,
    /// Show the consent page to whom the session belongs.
    Consent(&'a Session),
    /// Answer with a code for whom the session belongs to.
    Answer(&'a Session),
    /// Answer with an error.
    Refuse(OAuthError),
}

/// The next step for this request, given who is logged in and whether that user has agreed before.
pub fn decide<'a>(request: &AuthRequest, session: Option<&'a Session>, agreed: bool, now: i64) -> Step<'a> {
    let Some(session) = session.filter(|session| is_fresh(request, session, now)) else {
        return if request.prompt.none {
            Step::Refuse(OAuthError::LoginRequired)
        } else {
            Step::Login
        };
    };
    match (agreed && !request.prompt.consent, request.prompt.none) {
        (true, _) => Step::Answer(session),
        (false, true) => Step::Refuse(OAuthError::ConsentRequired),
        (false, false) => Step::Consent(session),
    }
}

/// `max_age=0` is never met: it asks for the password anew, as `prompt=login` does.
fn is_fresh(request: &AuthRequest, session: &Session, now: i64) -> bool {
    !request.prompt.login && request.max_age.is_none_or(|age| now - session.auth_time < age)
}
