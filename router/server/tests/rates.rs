//! Rate limits, from outside: by client, user and operation.

use std::num::NonZeroU32;
use std::time::Duration;

use baedal_router::config::{ClientRateConfig, ForEach, OperationRateConfig, RateConfig, RateLimitsConfig};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::support::socket::Socket;
use crate::support::{Answer, Issuer, World, auth_of};

const QUERY: &str = "{ me { name } }";
const MINUTE: Duration = Duration::from_secs(60);

fn count(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).expect("not zero")
}

async fn limited(rates: RateLimitsConfig) -> World {
    World::with(|config| config.traffic.rate_limits = rates).await
}

fn assert_refused(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.code()),
        (429, "RATE_LIMITED"),
        "{answer:?}"
    );
    let seconds: u64 = answer.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&seconds), "{seconds}");
    let millis = answer.errors()[0]["extensions"]["retryAfterMs"]
        .as_u64()
        .expect("a number");
    assert!(
        millis <= seconds * 1_000 && millis + 1_000 > (seconds - 1) * 1_000,
        "{millis}"
    );
}

#[tokio::test]
async fn each_client_has_its_own_rate() {
    let per_client = ClientRateConfig {
        count: count(2),
        per: MINUTE,
        burst: None,
        header: Some("x-real-ip".to_owned()),
    };
    let world = limited(RateLimitsConfig {
        per_client: Some(per_client),
        ..RateLimitsConfig::default()
    })
    .await;
    for client in [
        world.client(),
        world.client().header("x-real-ip", "10.0.0.1"),
        world.client().header("x-real-ip", "10.0.0.2"),
    ] {
        client.query(QUERY).await.data();
        client.query(QUERY).await.data();
        assert_refused(&client.query(QUERY).await);
    }
    // By address, where there is no header: the same client, over a WebSocket.
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket.subscribe("q", QUERY).await;
    let message = socket.message().await;
    assert_eq!(message["type"], "error", "{message}");
    assert_eq!(
        message["payload"][0]["extensions"]["code"], "RATE_LIMITED",
        "{message}"
    );
}

#[tokio::test]
async fn each_user_has_its_own_rate() {
    let issuer = Issuer::start().await;
    let auth = auth_of(&[&issuer]);
    let world = World::with(|config| {
        config.auth = Some(auth);
        config.traffic.rate_limits.per_user = Some(RateConfig {
            count: count(2),
            per: MINUTE,
            burst: None,
        });
    })
    .await;
    for user in ["u1", "u2"] {
        let client = world.client().bearer(&issuer.token_with(json!({"sub": user})));
        client.query(QUERY).await.data();
        client.query(QUERY).await.data();
        assert_refused(&client.query(QUERY).await);
    }
    for _ in 0..5 {
        world.query(QUERY).await.data();
    }
}

#[tokio::test]
async fn an_operation_has_a_rate_by_its_name_or_its_text() {
    let operation = |name: Option<&str>, hash: Option<String>| OperationRateConfig {
        name: name.map(str::to_owned),
        hash,
        for_each: ForEach::Gateway,
        count: count(1),
        per: MINUTE,
        burst: None,
    };
    let digest = Sha256::digest(QUERY.as_bytes());
    let hash = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let world = limited(RateLimitsConfig {
        per_operation: vec![operation(Some("Dear"), None), operation(None, Some(hash))],
        ..RateLimitsConfig::default()
    })
    .await;
    for query in ["query Dear { users { name } }", QUERY] {
        world.query(query).await.data();
        assert_refused(&world.query(query).await);
    }
    for _ in 0..3 {
        world.query("query Cheap { me { name } }").await.data();
    }
}
