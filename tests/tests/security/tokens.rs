//! Wrong, expired, unsigned and foreign tokens are refused everywhere (RFC 9068, RFC 8725).
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use baedal::demo::Account;
use baedal::settings::Part;
use baedal_tests::world::World;
use baedal_token::SigningKey;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn bad_tokens_are_refused_by_the_gateway_and_by_each_subgraph() {
    let _alone = crate::alone().await;
    let world = World::embedded().await.expect("the platform starts");
    if let Err(error) = refused_everywhere(&world).await {
        panic!("{error:?}");
    }
    world.shutdown().await;
}

async fn refused_everywhere(world: &World) -> Result<()> {
    let good = world.token(Account::Customer).await?;
    let places = [
        Part::Gateway,
        Part::Order,
        Part::Payment,
        Part::Store,
        Part::Marketing,
    ];
    for part in places {
        ensure!(
            status(world, part, &good).await? == 200,
            "{part} takes a good token"
        );
        for (name, token) in bad_tokens(world, &good)? {
            ensure!(
                status(world, part, &token).await? == 401,
                "{part} must refuse a token that is {name}"
            );
        }
        two_headers(world, part, &good).await?;
    }
    Ok(())
}

async fn status(world: &World, part: Part, token: &str) -> Result<u16> {
    Ok(world
        .subgraph(part)
        .with_token(token)
        .send("{ __typename }", json!({}))
        .await?
        .0)
}

async fn two_headers(world: &World, part: Part, token: &str) -> Result<()> {
    let request = reqwest::Client::new()
        .post(world.settings.graphql(part))
        .json(&json!({ "query": "{ __typename }" }));
    let answer = request
        .bearer_auth(token)
        .header("authorization", format!("Bearer {token}"))
        .send()
        .await?;
    ensure!(
        answer.status() == 400,
        "{part}: two Authorization headers are a bad request, not {}",
        answer.status()
    );
    Ok(())
}

/// Each with the reason why it is bad.
fn bad_tokens(world: &World, good: &str) -> Result<Vec<(&'static str, String)>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let claims = |changes: Value| {
        let mut claims = json!({
            "iss": world.settings.issuer(), "sub": "demo-customer", "aud": "baedal", "client_id": "baedal-cli",
            "scope": "openid order", "jti": "forged", "iat": now, "exp": now + 600,
        });
        for (name, value) in changes.as_object().into_iter().flatten() {
            claims[name.as_str()] = value.clone();
        }
        claims
    };
    let foreign = SigningKey::generate();
    let mut parts: Vec<&str> = good.split('.').collect();
    let unsigned = format!(
        "{}.{}.",
        encode(&json!({ "alg": "none", "typ": "at+jwt" })),
        parts[1]
    );
    let stripped = format!("{}.{}.", parts[0], parts[1]);
    let more = encode(&claims(json!({ "scope": "openid order store operator" })));
    parts[1] = &more;
    Ok(vec![
        ("of a foreign key", foreign.sign(&claims(json!({})), "at+jwt")),
        (
            "expired and forged",
            foreign.sign(&claims(json!({ "exp": now - 3600 })), "at+jwt"),
        ),
        ("unsigned (alg none)", unsigned),
        ("without its signature", stripped),
        ("changed after signing", parts.join(".")),
        ("no token at all", "garbage".to_owned()),
        ("empty in the middle", "a..b".to_owned()),
    ])
}

fn encode(value: &Value) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
}
