//! Requests that are not the gateway's are refused, named after the attack.

use crate::serve::guarded_by;
use baedal_kit::clock::{Clock, SystemClock};
use baedal_kit::serve::{Proof, ProofError};
use baedal_token::message::{LIFETIME, Message, SharedKey, SharedKeyError, Signed};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const SECRET: &str = "a secret of the gateway and its subgraphs";
const BODY: &str = r#"{"query":"{ __typename }"}"#;

fn now() -> u64 {
    u64::try_from(SystemClock.now_ms() / 1000).expect("after 1970")
}

fn key(secret: &str) -> SharedKey {
    SharedKey::new("one", secret.as_bytes()).expect("a key")
}

fn signed(method: &str, body: &str, at: u64) -> Signed {
    let message = Message {
        method,
        path: "/graphql",
        body: Some(body.as_bytes()),
    };
    key(SECRET).sign(message, at)
}

fn proof() -> Proof {
    let keys = format!("zero:{}, one:{SECRET}", "x".repeat(32));
    Proof::new(&keys, Arc::new(SystemClock)).expect("keys")
}

fn with(request: RequestBuilder, signed: &Signed) -> RequestBuilder {
    request
        .header(
            "content-digest",
            signed.content_digest.as_deref().expect("a digest"),
        )
        .header("signature-input", &signed.signature_input)
        .header("signature", &signed.signature)
}

#[tokio::test]
async fn only_signed_requests_are_answered() {
    let running = guarded_by(proof()).await;
    let url = format!("http://{}/graphql", running.addr());
    let client = Client::new();
    let post = |body: &'static str| {
        let request = client.post(&url).header("content-type", "application/json");
        request.body(body)
    };
    let good = with(post(BODY), &signed("POST", BODY, now()))
        .send()
        .await
        .expect("an answer");
    assert_eq!(good.status(), StatusCode::OK);
    let answer: Value = good.json().await.expect("JSON");
    assert_eq!(answer["data"]["__typename"], "Query");
    let (old, ahead) = (now() - LIFETIME - 5, now() + LIFETIME + 5);
    let twice = with(
        with(post(BODY), &signed("POST", BODY, now())),
        &signed("POST", BODY, now()),
    );
    let stranger = key("a secret that somebody else has made up").sign(
        Message {
            method: "POST",
            path: "/graphql",
            body: Some(BODY.as_bytes()),
        },
        now(),
    );
    for (request, why) in [
        (post(BODY), "unsigned"),
        (with(post(BODY), &signed("POST", BODY, old)), "replayed too late"),
        (
            with(post(BODY), &signed("POST", BODY, ahead)),
            "signed ahead of time",
        ),
        (
            with(post(r#"{"query":"{ all }"}"#), &signed("POST", BODY, now())),
            "another body",
        ),
        (with(post(BODY), &signed("GET", BODY, now())), "another method"),
        (with(post(BODY), &stranger), "another secret"),
        (twice, "signed twice"),
    ] {
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{why}");
        let body: Value = answer.json().await.expect("JSON");
        assert_eq!(
            body["errors"][0]["extensions"]["code"], "ROUTER_PROOF_REQUIRED",
            "{why}"
        );
    }
    running.shutdown().await;
}

#[tokio::test]
async fn sockets_are_opened_to_the_gateway_alone_and_health_to_everyone() {
    let running = guarded_by(proof()).await;
    let request = |signed: Option<&Signed>| {
        let mut request = format!("ws://{}/graphql", running.addr())
            .into_client_request()
            .expect("a request");
        let headers = request.headers_mut();
        headers.insert(
            "sec-websocket-protocol",
            "graphql-transport-ws".parse().expect("a value"),
        );
        if let Some(signed) = signed {
            let digest = signed.content_digest.as_deref().expect("a digest");
            for (name, value) in [
                ("content-digest", digest),
                ("signature-input", &signed.signature_input),
                ("signature", &signed.signature),
            ] {
                headers.insert(name, value.parse().expect("a value"));
            }
        }
        request
    };
    assert!(tokio_tungstenite::connect_async(request(None)).await.is_err());
    let signed = signed("GET", "", now());
    assert!(
        tokio_tungstenite::connect_async(request(Some(&signed)))
            .await
            .is_ok()
    );
    let ready = reqwest::get(format!("http://{}/health/ready", running.addr())).await;
    assert_eq!(ready.expect("an answer").status(), StatusCode::OK);
    running.shutdown().await;
}

#[test]
fn keys_that_cannot_be_used_are_refused() {
    let read = |keys: &str| Proof::new(keys, Arc::new(SystemClock)).err();
    assert_eq!(read("no-colon"), Some(ProofError::Form));
    assert_eq!(read("one:short"), Some(ProofError::Key(SharedKeyError::Short)));
    assert_eq!(
        read(&format!("a b:{SECRET}")),
        Some(ProofError::Key(SharedKeyError::Id))
    );
    assert_eq!(read(&format!("one:{SECRET},")), Some(ProofError::Form));
}
