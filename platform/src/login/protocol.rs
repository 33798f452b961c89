//! The parts of the code flow that both ways share.
use anyhow::{Context, Result, ensure};
use oauth2::basic::BasicClient;
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, CsrfToken, EndpointNotSet, EndpointSet, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, TokenResponse, TokenUrl,
};
use serde::Deserialize;
use url::Url;

use super::http;

/// The public client of this command line, known to every auth server with demo accounts.
const CLIENT: &str = "baedal-cli";

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// What the token endpoint gave.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The access token, a JWT (RFC 9068).
    pub access: String,
    /// The refresh token, when `offline_access` was granted.
    pub refresh: Option<String>,
    /// Seconds the access token is good for.
    pub expires_in: Option<u64>,
}

/// As much of the authorization server metadata (RFC 8414) as the flow needs.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
}

/// One login that has begun: the URL to open, and the secrets that its answer is checked with.
pub struct Session {
    client: Client,
    issuer: String,
    state: CsrfToken,
    verifier: PkceCodeVerifier,
    /// Where the user's browser goes to log in.
    pub authorization_url: Url,
    /// Where the answer comes back.
    pub redirect: Url,
}

impl Session {
    /// Reads the server's metadata and prepares a login that comes back to `redirect`.
    ///
    /// # Errors
    /// The auth server does not answer, or its metadata is not that of `issuer`.
    pub async fn begin(
        issuer: &str,
        client: Option<&str>,
        redirect: Url,
        scopes: &[&str],
    ) -> Result<Session> {
        let metadata = metadata(issuer).await?;
        let client = BasicClient::new(ClientId::new(client.unwrap_or(CLIENT).to_owned()))
            .set_auth_uri(AuthUrl::new(metadata.authorization_endpoint)?)
            .set_token_uri(TokenUrl::new(metadata.token_endpoint)?)
            .set_redirect_uri(RedirectUrl::from_url(redirect.clone()));
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (authorization_url, state) = client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(scopes.iter().map(|scope| Scope::new((*scope).to_owned())))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Session {
            client,
            issuer: metadata.issuer,
            state,
            verifier,
            authorization_url,
            redirect,
        })
    }

    /// Checks the answer that came to the redirect URL and turns its code into tokens.
    ///
    /// # Errors
    /// The server refused (its `error` and `error_description`), or the answer is not of this login.
    pub async fn finish(self, answer: &Url) -> Result<Tokens> {
        let value = |name: &str| {
            answer
                .query_pairs()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        if let Some(error) = value("error") {
            anyhow::bail!(
                "the auth server refused: {error} {}",
                value("error_description").unwrap_or_default()
            );
        }
        ensure!(
            value("state").as_ref() == Some(self.state.secret()),
            "the answer is not of this login (`state` differs)"
        );
        ensure!(
            value("iss").as_ref() == Some(&self.issuer),
            "the answer is of another server (`iss` differs, RFC 9207)"
        );
        let code = AuthorizationCode::new(value("code").context("the answer holds no code")?);
        let request = self.client.exchange_code(code).set_pkce_verifier(self.verifier);
        let answer = request
            .request_async(&http::send)
            .await
            .context("the code was not accepted")?;
        Ok(Tokens {
            access: answer.access_token().secret().clone(),
            refresh: answer.refresh_token().map(|token| token.secret().clone()),
            expires_in: answer.expires_in().map(|time| time.as_secs()),
        })
    }
}

/// Where the server at `issuer` gives tokens.
pub(crate) async fn token_endpoint(issuer: &str) -> Result<String> {
    Ok(metadata(issuer).await?.token_endpoint)
}

async fn metadata(issuer: &str) -> Result<Metadata> {
    let url = format!(
        "{}/.well-known/oauth-authorization-server",
        issuer.trim_end_matches('/')
    );
    let body = http::get(&url).await.with_context(|| {
        format!("no auth server answers at {issuer}; start the platform with `cargo run`, or name another with --issuer")
    })?;
    let metadata: Metadata =
        serde_json::from_slice(&body).with_context(|| format!("{url} is not server metadata"))?;
    ensure!(
        metadata.issuer.trim_end_matches('/') == issuer.trim_end_matches('/'),
        "the server at {issuer} says it is {} (RFC 8414 section 3.3)",
        metadata.issuer
    );
    Ok(metadata)
}
