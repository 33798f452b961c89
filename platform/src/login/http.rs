//! HTTP for the login: no redirects are followed, answers are bounded in time.
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use oauth2::{HttpRequest, HttpResponse};

const TIMEOUT: Duration = Duration::from_secs(10);

/// A client that follows no redirects: in the code flow each is an answer to look at.
pub fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .build()
}

/// The body behind `url`, which must answer 200.
pub async fn get(url: &str) -> Result<Vec<u8>> {
    let answer = client()?.get(url).send().await?;
    ensure!(answer.status().is_success(), "{url} answered {}", answer.status());
    Ok(answer
        .bytes()
        .await
        .with_context(|| format!("{url} broke off"))?
        .to_vec())
}

/// Sends a request of the `oauth2` crate.
pub async fn send(request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let answer = client()?.execute(request.try_into()?).await?;
    let mut response = HttpResponse::new(Vec::new());
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    *response.body_mut() = answer.bytes().await?.to_vec();
    Ok(response)
}
