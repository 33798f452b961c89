//! C14: a token that was given back opens nothing at the gateway, and keeps nothing open, within five seconds.
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use baedal::demo::Account;
use baedal::settings::Part;
use baedal_tests::feed::Feed;
use baedal_tests::patience::until;
use baedal_tests::world::World;
use serde_json::json;

/// As long as it may take, and some time for a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);
const FEED: &str = "subscription { deliveryFeed { sequence } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_given_back_opens_nothing_and_keeps_nothing_open() {
    let _alone = crate::alone().await;
    let world = World::embedded().await.expect("the platform starts");
    if let Err(error) = given_back(&world).await {
        panic!("{error:?}");
    }
    world.shutdown().await;
}

async fn given_back(world: &World) -> Result<()> {
    let (token, other) = (
        world.token(Account::Customer).await?,
        world.token(Account::Customer).await?,
    );
    let url = world.settings.graphql(Part::Gateway);
    let mut feed = Feed::open(&url, &token, FEED, json!({})).await?;
    ensure!(answer(&url, &token).await?.0 == 200, "the token is good");
    let given_back = reqwest::Client::new()
        .post(format!("{}/revoke", world.settings.issuer()))
        .form(&[("token", token.as_str()), ("client_id", "baedal-cli")])
        .send()
        .await?;
    ensure!(given_back.status() == 200, "{given_back:?}");
    let begun = Instant::now();
    let ended = loop {
        match feed.next(PATIENCE).await {
            Ok(_) if begun.elapsed() > PATIENCE => bail!("the feed goes on"),
            Ok(_) => {}
            Err(error) => break format!("{error:#}"),
        }
    };
    ensure!(
        ended.contains("4403") || ended.contains("revoked"),
        "the feed ended by: {ended}"
    );
    until(PATIENCE, || async { Ok(answer(&url, &token).await?.0 == 401) })
        .await
        .context("the gateway refuses it")?;
    let (_, text) = answer(&url, &token).await?;
    ensure!(text.contains("TOKEN_REVOKED"), "{text}");
    ensure!(
        answer(&url, &other).await?.0 == 200,
        "another token of the same user is good"
    );
    Ok(())
}

async fn answer(url: &str, token: &str) -> Result<(u16, String)> {
    let request = reqwest::Client::new()
        .post(url)
        .json(&json!({ "query": "{ __typename }" }))
        .bearer_auth(token);
    let answer = request.send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}
