//! Fetching the issuer's keys: discovery
//! ([OpenID Connect Discovery 1.0](https://openid.net/specs/openid-connect-discovery-1_0.html) section 4) names the JWKS.

use baedal_token::FetchJwks;
use reqwest::{Client, StatusCode, redirect::Policy};
use std::time::Duration;

/// How long one request may take.
const DEADLINE: Duration = Duration::from_secs(3);
/// Largest document that is read.
const MOST: usize = 512 * 1024;

/// Reads an issuer's JWKS over HTTP.
pub(super) struct IssuerKeys {
    client: Client,
    place: Place,
}

/// Where the keys are.
enum Place {
    /// Where the discovery document of this issuer says.
    Discovered(String),
    /// At this URL.
    At(String),
}

impl IssuerKeys {
    pub fn discovered(issuer: &str) -> IssuerKeys {
        IssuerKeys::new(Place::Discovered(issuer.trim_end_matches('/').to_owned()))
    }

    pub fn at(url: &str) -> IssuerKeys {
        IssuerKeys::new(Place::At(url.to_owned()))
    }

    fn new(place: Place) -> IssuerKeys {
        let client = Client::builder()
            .timeout(DEADLINE)
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .expect("a client without TLS or resolver settings can be built");
        IssuerKeys { client, place }
    }

    /// The URL of the JWKS. An issuer without a discovery document has it at `/jwks.json`.
    async fn url(&self) -> Result<String, String> {
        let issuer = match &self.place {
            Place::At(url) => return Ok(url.clone()),
            Place::Discovered(issuer) => issuer,
        };
        match self
            .read(&format!("{issuer}/.well-known/openid-configuration"))
            .await?
        {
            Some(document) => jwks_uri(&document),
            None => Ok(format!("{issuer}/jwks.json")),
        }
    }

    /// The body of a document; none where the issuer has no such document.
    async fn read(&self, url: &str) -> Result<Option<Vec<u8>>, String> {
        let said = |error: reqwest::Error| format!("{url}: {error}");
        let mut answer = self.client.get(url).send().await.map_err(said)?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            status => return Err(format!("{url}: status {status}")),
        }
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(said)? {
            if body.len() + part.len() > MOST {
                return Err(format!("{url}: more than {MOST} bytes"));
            }
            body.extend_from_slice(&part);
        }
        Ok(Some(body))
    }
}

impl FetchJwks for IssuerKeys {
    async fn fetch(&self, _issuer: &str) -> Result<Vec<u8>, String> {
        let url = self.url().await?;
        self.read(&url).await?.ok_or_else(|| format!("{url}: not found"))
    }
}

fn jwks_uri(document: &[u8]) -> Result<String, String> {
    let document: serde_json::Value =
        serde_json::from_slice(document).map_err(|error| format!("discovery document: {error}"))?;
    let uri = document["jwks_uri"]
        .as_str()
        .ok_or("discovery document: no jwks_uri")?;
    Ok(uri.to_owned())
}
