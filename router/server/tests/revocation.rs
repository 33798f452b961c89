//! Tokens that are revoked before they expire: refused, and their streams closed, as soon as the list says so.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use baedal_router::config::RevocationConfig;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::issuer::Issuer;
use crate::support::socket::{Came, Socket};
use crate::support::{Client, World, auth_of, eventually};

/// Publishes a list.
struct List {
    said: Arc<Mutex<(u16, String)>>,
    url: url::Url,
    /// Answers with a list in them.
    sent: Arc<Mutex<usize>>,
}

impl List {
    async fn start() -> List {
        let said = Arc::new(Mutex::new((200, json!({"jti": []}).to_string())));
        let sent = Arc::new(Mutex::new(0));
        let (shown, counted) = (Arc::clone(&said), Arc::clone(&sent));
        let answer = move |headers: HeaderMap| async move {
            let (status, text) = shown.lock().expect("no panic").clone();
            let tag = format!("\"{:x}\"", text.len());
            if headers.get("if-none-match").is_some_and(|known| *known == *tag) {
                return StatusCode::NOT_MODIFIED.into_response();
            }
            *counted.lock().expect("no panic") += 1;
            let status = StatusCode::from_u16(status).expect("a status");
            (status, [("etag", tag)], text).into_response()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/revoked", listener.local_addr().expect("an address"));
        let app = Router::new().route("/revoked", get(answer));
        tokio::spawn(async move { axum::serve(listener, app).await.expect("serves") });
        List {
            said,
            url: url.parse().expect("a URL"),
            sent,
        }
    }

    fn says(&self, status: u16, text: impl ToString) {
        *self.said.lock().expect("no panic") = (status, text.to_string());
    }

    fn sent(&self) -> usize {
        *self.sent.lock().expect("no panic")
    }

    async fn world(&self, issuer: &Issuer) -> World {
        let mut auth = auth_of(&[issuer]);
        auth.issuers[0].revocation = Some(RevocationConfig {
            interval: Duration::from_millis(100),
            ..RevocationConfig::at(self.url.clone())
        });
        World::with(|config| config.auth = Some(auth)).await
    }
}

async fn code(client: &Client) -> String {
    let answer = client.query("{ me { id } }").await;
    match answer.status {
        200 => "good".to_owned(),
        status => format!("{status} {} {}", answer.code(), answer.header("www-authenticate")),
    }
}

const REVOKED: &str = r#"401 TOKEN_REVOKED Bearer error="invalid_token""#;

#[tokio::test]
async fn a_revoked_token_is_refused_with_a_code_of_its_own() {
    let (issuer, list) = (Issuer::start().await, List::start().await);
    let world = list.world(&issuer).await;
    let of = |changes: Value| world.client().bearer(&issuer.token_with(changes));
    let (token, session, user, other) = (
        of(json!({"jti": "j-1"})),
        of(json!({"sid": "s-1"})),
        of(json!({"sub": "ada", "iat": 1_000_000})),
        of(json!({"jti": "j-2", "sid": "s-2"})),
    );
    for client in [&token, &session, &user, &other] {
        assert_eq!(code(client).await, "good");
    }
    list.says(
        200,
        json!({"jti": ["j-1"], "sid": ["s-1"], "sub": {"ada": 2_000_000}}),
    );
    for client in [&token, &session, &user] {
        eventually("it is refused", || async { code(client).await == REVOKED }).await;
    }
    assert_eq!(code(&other).await, "good");
    let sent = list.sent();
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(list.sent(), sent, "what is known is not sent again");
    list.says(200, json!({"jti": []}));
    eventually("it is good again", || async { code(&token).await == "good" }).await;
}

#[tokio::test]
async fn open_streams_of_a_revoked_token_are_closed_and_no_others() {
    let (issuer, list) = (Issuer::start().await, List::start().await);
    let world = list.world(&issuer).await;
    let sales = "subscription { sales(everyMs: 50) { cursor } }";
    let revoked = issuer.token_with(json!({"jti": "j-1"}));
    let mut socket = Socket::ready(&world.gateway, Some(&revoked)).await;
    let mut other = Socket::ready(&world.gateway, Some(&issuer.token("order"))).await;
    socket.subscribe("a", sales).await;
    other.subscribe("a", sales).await;
    let mut waiting = Socket::try_open(
        &world.gateway,
        &[
            ("sec-websocket-protocol", "graphql-transport-ws"),
            ("authorization", &format!("Bearer {revoked}")),
        ],
    )
    .await
    .expect("an upgrade");
    let events = reqwest::Client::new()
        .post(world.gateway.url())
        .header("accept", "text/event-stream")
        .header("content-type", "application/json")
        .bearer_auth(&revoked)
        .body(json!({ "query": sales }).to_string());
    let events = events.send().await.expect("a response");
    socket.message().await;
    list.says(200, json!({"jti": ["j-1"]}));
    let (code, reason) = loop {
        match socket.hear().await {
            Came::Message(_) => {}
            Came::Closed(code, reason) => break (code, reason),
            Came::Gone => panic!("it ends with a code"),
        }
    };
    assert_eq!(code, 4403);
    assert!(reason.starts_with(r#"The token was revoked {"a":"#), "{reason}");
    assert_eq!(waiting.close_code().await, 4403, "before connection_init, too");
    let text = tokio::time::timeout(Duration::from_secs(10), events.text());
    let text = text.await.expect("it ends").expect("text");
    assert!(text.contains(r#""code":"TOKEN_REVOKED","cursor":"#), "{text}");
    assert!(!text.contains("event: complete"), "{text}");
    for _ in 0..5 {
        assert_eq!(other.message().await["type"], "next");
    }
    let protocol = [
        ("sec-websocket-protocol", "graphql-transport-ws"),
        ("authorization", &format!("Bearer {revoked}")),
    ];
    let refused = Socket::try_open(&world.gateway, &protocol).await;
    assert!(refused.is_err(), "the upgrade is refused");
}

#[tokio::test]
async fn a_list_that_is_away_counts_as_it_was_and_is_told() {
    let (issuer, list) = (Issuer::start().await, List::start().await);
    list.says(200, json!({"jti": ["j-1"]}));
    let world = list.world(&issuer).await;
    let token = world.client().bearer(&issuer.token_with(json!({"jti": "j-1"})));
    assert_eq!(
        code(&token).await,
        REVOKED,
        "the list is read before anybody is let in"
    );
    let ready = async || {
        let url = world.gateway.url().replace("/graphql", "/health/ready");
        reqwest::get(url)
            .await
            .expect("an answer")
            .text()
            .await
            .expect("text")
    };
    assert!(ready().await.contains(r#""status":"ready""#));
    for (status, text) in [(500, "down"), (200, "<html>"), (200, "{}"), (404, "[]")] {
        list.says(status, text);
        eventually("it is told", || async {
            ready().await.contains("the list of revoked tokens of")
        })
        .await;
        let told = ready().await;
        assert!(told.contains(r#""status":"degraded""#), "{told}");
        assert_eq!(code(&token).await, REVOKED, "after {text}");
        list.says(200, json!({"jti": ["j-1"]}));
        eventually("it is well again", || async {
            ready().await.contains(r#""status":"ready""#)
        })
        .await;
    }
}

#[tokio::test]
async fn an_issuer_whose_list_was_never_there_lets_its_tokens_in() {
    let issuer = Issuer::start().await;
    let list = List::start().await;
    list.says(503, "");
    let world = list.world(&issuer).await;
    assert_eq!(code(&world.client().bearer(&issuer.token("order"))).await, "good");
    let mut socket = Socket::ready(&world.gateway, Some(&issuer.token("order"))).await;
    assert!(socket.is_silent(Duration::from_millis(300)).await);
}

#[test]
fn a_list_at_no_place_or_without_a_pause_is_refused() {
    let config = |revocation: &str| {
        let text = format!(
            "auth: {{ issuers: [{{ issuer: 'https://a.example', audience: a, revocation: {revocation} }}] }}\n\
             subgraphs: {{ a: {{ url: 'http://127.0.0.1:1/' }} }}"
        );
        let read = baedal_router::config::parse(&text, &|_| None);
        read.and_then(|config| config.check())
    };
    config("{ url: 'https://a.example/revoked' }").expect("a configuration");
    for (bad, why) in [
        ("{ url: 'file:///revoked' }", "auth.issuers[].revocation.url"),
        (
            "{ url: 'https://a.example/r', interval: 1ms }",
            "auth.issuers[].revocation.interval",
        ),
        ("{ interval: 1s }", "url"),
    ] {
        let error = config(bad).expect_err(bad).to_string();
        assert!(error.contains(why), "{bad}: {error}");
    }
}
