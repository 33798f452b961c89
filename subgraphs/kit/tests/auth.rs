//! Who may call: real signed tokens, over HTTP and WebSocket, against a service and its issuer.

use crate::serve::{Socket, start};
use axum::{Json, Router, routing::get};
use baedal_kit::{Running, auth::Auth};
use baedal_token::SigningKey;
use reqwest::{RequestBuilder, Response, StatusCode, header::AUTHORIZATION};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::net::TcpListener;

/// An issuer with a discovery document, or with nothing but `/jwks.json`.
struct Issuer {
    key: SigningKey,
    url: String,
}

impl Issuer {
    async fn start(discovery: bool) -> Issuer {
        let key = SigningKey::generate();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let keys = json!({ "keys": [key.public_jwk()] });
        let path = if discovery {
            "/somewhere/keys"
        } else {
            "/jwks.json"
        };
        let mut router = Router::new().route(path, get(move || async move { Json(keys) }));
        if discovery {
            let document = json!({ "issuer": url, "jwks_uri": format!("{url}{path}") });
            let get = get(move || async move { Json(document) });
            router = router.route("/.well-known/openid-configuration", get);
        }
        tokio::spawn(async move { axum::serve(listener, router).await.expect("serving") });
        Issuer { key, url }
    }

    fn token(&self, change: impl FnOnce(&mut Value)) -> String {
        let now = now();
        let mut claims = json!({
            "iss": self.url, "sub": "demo-customer", "aud": "baedal", "exp": now + 300, "iat": now,
            "jti": "t-1", "client_id": "test", "scope": "openid order",
        });
        change(&mut claims);
        format!("Bearer {}", self.key.sign(&claims, "at+jwt"))
    }

    fn good(&self) -> String {
        self.token(|_| {})
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs()
}

async fn service(issuer: &Issuer) -> Running {
    start(Some(Auth::new(&issuer.url, "baedal"))).await
}

fn ask(running: &Running, query: &str) -> RequestBuilder {
    reqwest::Client::new()
        .post(running.url())
        .json(&json!({ "query": query }))
}

async fn body(response: Response) -> Value {
    response.json().await.expect("JSON")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_token_names_the_caller_and_none_is_anonymous() {
    for discovery in [true, false] {
        let issuer = Issuer::start(discovery).await;
        let running = service(&issuer).await;
        let answer = ask(&running, "{ whoami }")
            .header(AUTHORIZATION, issuer.good())
            .send()
            .await
            .expect("sent");
        assert_eq!(
            body(answer).await["data"]["whoami"],
            "demo-customer",
            "discovery: {discovery}"
        );
        let answer = ask(&running, "{ whoami }").send().await.expect("sent");
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(body(answer).await["data"]["whoami"], Value::Null);
        running.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_may_be_elsewhere_than_the_issuers_name_leads() {
    let issuer = Issuer::start(true).await;
    let inside = format!("{}/somewhere/keys", issuer.url);
    let issuer = Issuer {
        url: "https://auth.example".to_owned(),
        ..issuer
    };
    let running = start(Some(Auth::with_keys_at(&issuer.url, "baedal", &inside))).await;
    let answer = ask(&running, "{ whoami }")
        .header(AUTHORIZATION, issuer.good())
        .send()
        .await
        .expect("sent");
    assert_eq!(body(answer).await["data"]["whoami"], "demo-customer");
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_tokens_are_401_with_a_challenge() {
    let (issuer, stranger) = (Issuer::start(true).await, Issuer::start(true).await);
    let running = service(&issuer).await;
    let good = issuer.good();
    let (unsigned, _) = good.rsplit_once('.').expect("three parts");
    let foreign_key = {
        let claims = json!({
            "iss": issuer.url, "sub": "x", "aud": "baedal", "exp": now() + 300, "iat": now(),
            "jti": "t", "client_id": "test", "scope": "order",
        });
        format!("Bearer {}", stranger.key.sign(&claims, "at+jwt"))
    };
    let id_token = format!(
        "Bearer {}",
        issuer
            .key
            .sign(&json!({ "iss": issuer.url, "aud": "baedal" }), "JWT")
    );
    let cases = [
        ("expired", issuer.token(|c| c["exp"] = (now() - 60).into())),
        ("other audience", issuer.token(|c| c["aud"] = "elsewhere".into())),
        ("other issuer", stranger.good()),
        ("foreign key", foreign_key),
        ("unsigned", format!("{unsigned}.")),
        ("an ID token", id_token),
        ("no JWT", "Bearer nonsense".to_owned()),
        ("no bearer", "Basic dXNlcjpwYXNz".to_owned()),
        ("empty", String::new()),
    ];
    for (name, value) in cases {
        let answer = ask(&running, "{ whoami }")
            .header(AUTHORIZATION, value)
            .send()
            .await
            .expect("sent");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{name}");
        assert_eq!(
            answer.headers()["www-authenticate"],
            r#"Bearer error="invalid_token""#,
            "{name}"
        );
        assert_eq!(
            body(answer).await["errors"][0]["extensions"]["code"],
            "UNAUTHENTICATED",
            "{name}"
        );
    }
    let two = ask(&running, "{ whoami }")
        .header(AUTHORIZATION, &good)
        .header(AUTHORIZATION, &good);
    assert_eq!(two.send().await.expect("sent").status(), StatusCode::BAD_REQUEST);
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_issuer_is_away_tokens_are_503_and_anonymous_callers_are_served() {
    let gone: SocketAddr = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port")
        .local_addr()
        .expect("an address");
    let issuer = Issuer {
        key: SigningKey::generate(),
        url: format!("http://{gone}"),
    };
    let running = service(&issuer).await;
    let answer = ask(&running, "{ whoami }")
        .header(AUTHORIZATION, issuer.good())
        .send()
        .await
        .expect("sent");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        ask(&running, "{ whoami }").send().await.expect("sent").status(),
        StatusCode::OK
    );
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scopes_are_required() {
    let issuer = Issuer::start(true).await;
    let running = service(&issuer).await;
    let code = async |request: RequestBuilder| {
        body(request.send().await.expect("sent")).await["errors"][0]["extensions"]["code"].clone()
    };
    assert_eq!(code(ask(&running, "{ secret }")).await, "UNAUTHENTICATED");
    assert_eq!(
        code(ask(&running, "{ secret }").header(AUTHORIZATION, issuer.good())).await,
        "FORBIDDEN"
    );
    let operator = issuer.token(|c| c["scope"] = "order operator".into());
    let answer = ask(&running, "{ secret }")
        .header(AUTHORIZATION, operator)
        .send()
        .await
        .expect("sent");
    assert_eq!(body(answer).await["data"]["secret"], "for demo-customer");
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_knows_its_caller_by_init_or_by_header() {
    let issuer = Issuer::start(true).await;
    let running = service(&issuer).await;
    for key in ["authorization", "Authorization"] {
        let mut socket = Socket::open(running.addr(), None).await;
        socket.init(json!({ key: issuer.good() })).await;
        assert_eq!(socket.receive().await["type"], "connection_ack");
        assert_eq!(
            socket.ask("{ whoami }").await["payload"]["data"]["whoami"],
            "demo-customer"
        );
    }
    let mut socket = Socket::open(running.addr(), Some(&issuer.good())).await;
    socket.init(json!({})).await;
    assert_eq!(socket.receive().await["type"], "connection_ack");
    assert_eq!(
        socket.ask("{ whoami }").await["payload"]["data"]["whoami"],
        "demo-customer"
    );
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_with_a_bad_token_is_closed_4403() {
    let issuer = Issuer::start(true).await;
    let running = service(&issuer).await;
    let expired = issuer.token(|c| c["exp"] = (now() - 60).into());
    for payload in [
        json!({ "authorization": expired }),
        json!({ "authorization": "Bearer x" }),
        json!({ "authorization": 7 }),
        json!({ "authorization": issuer.good(), "Authorization": issuer.good() }),
    ] {
        let mut socket = Socket::open(running.addr(), None).await;
        socket.init(payload).await;
        assert_eq!(socket.closed().await, 4403);
    }
    assert_eq!(Socket::refused(running.addr(), "Bearer x").await, 401);
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_ends_with_its_token() {
    let issuer = Issuer::start(true).await;
    let running = service(&issuer).await;
    let mut socket = Socket::open(running.addr(), None).await;
    socket
        .init(json!({ "authorization": issuer.token(|c| c["exp"] = (now() + 2).into()) }))
        .await;
    assert_eq!(socket.receive().await["type"], "connection_ack");
    socket.subscribe("subscription { ticks }").await;
    let start = Instant::now();
    assert_eq!(socket.closed().await, 4403);
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    running.shutdown().await;
}
