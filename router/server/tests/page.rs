//! What browsers get at the endpoint, with a page and without.

use std::sync::{Arc, Mutex};

use axum::Form;
use axum::extract::State;
use axum::routing::{get, post};
use baedal_router::config::LoginConfig;
use serde_json::{Value, json};

use crate::support::World;

const CHROMIUM: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

async fn get_with(url: &str, headers: &[(&str, &str)]) -> reqwest::Response {
    let mut request = reqwest::Client::new().get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("an answer")
}

async fn browse(url: &str) -> reqwest::Response {
    get_with(url, &[("accept", CHROMIUM)]).await
}

fn header<'a>(response: &'a reqwest::Response, name: &str) -> &'a str {
    let value = response.headers().get(name);
    value.and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn with_page() -> World {
    World::with(|config| {
        config.page.enabled = true;
        config.page.plan = true;
    })
    .await
}

#[tokio::test]
async fn a_browser_gets_the_page_and_nobody_else() {
    let world = with_page().await;
    let url = world.gateway.url();
    let page = browse(&url).await;
    assert_eq!(
        (page.status(), header(&page, "content-type")),
        (http::StatusCode::OK, "text/html; charset=utf-8")
    );
    let policy = header(&page, "content-security-policy").to_owned();
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(header(&page, "referrer-policy"), "no-referrer");
    let html = page.text().await.expect("a page");
    assert!(
        html.contains("page=page.js") && html.contains(r#"{"plan":true,"login":null}"#),
        "{html}"
    );

    // Programs see no difference.
    let client = world.client();
    assert_eq!(client.query("{ __typename }").await.data()["__typename"], "Query");
    let got = client.header("graphql-require-preflight", "1");
    assert_eq!(
        got.get(&[("query", "{ __typename }")]).await.data()["__typename"],
        "Query"
    );
    for accept in ["*/*", "application/json", "application/graphql-response+json"] {
        let answer = get_with(&url, &[("accept", accept)]).await;
        assert_eq!(answer.status(), 400, "{accept}");
        assert!(header(&answer, "content-type").contains("json"), "{accept}");
    }
}

#[tokio::test]
async fn parts_of_the_page_come_compressed_and_are_kept_by_browsers() {
    let world = with_page().await;
    let url = format!("{}?page=page.js", world.gateway.url());
    let mut sizes = Vec::new();
    for (taken, coding) in [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("identity", ""),
    ] {
        let script = get_with(&url, &[("accept-encoding", taken)]).await;
        assert_eq!(
            (script.status(), header(&script, "content-encoding")),
            (http::StatusCode::OK, coding)
        );
        assert_eq!(header(&script, "content-type"), "text/javascript; charset=utf-8");
        assert_eq!(header(&script, "vary"), "accept-encoding");
        assert_eq!(header(&script, "x-content-type-options"), "nosniff");
        let tag = header(&script, "etag").to_owned();
        assert!(tag.starts_with('"'), "a strong tag: {tag}");
        sizes.push(script.bytes().await.expect("a script").len());
        let again = get_with(&url, &[("accept-encoding", taken), ("if-none-match", &tag)]).await;
        assert_eq!(again.status(), 304);
        assert!(again.bytes().await.expect("nothing").is_empty());
    }
    assert!(sizes[0] < sizes[1] && sizes[1] * 2 < sizes[2], "{sizes:?}");
    let licences = get_with(&format!("{}?page=licences.txt", world.gateway.url()), &[]).await;
    let licences = licences.text().await.expect("licences");
    assert!(licences.contains("graphiql 4") && licences.contains("Permission is hereby granted"));
    let page = browse(&world.gateway.url()).await;
    let tag = header(&page, "etag").to_owned();
    let again = get_with(
        &world.gateway.url(),
        &[("accept", CHROMIUM), ("if-none-match", &tag)],
    )
    .await;
    assert_eq!(again.status(), 304);
}

#[tokio::test]
async fn without_a_page_a_browser_gets_a_note_and_nothing_else_changes() {
    let world = World::start().await;
    let url = world.gateway.url();
    let note = browse(&url).await;
    assert_eq!(
        (note.status(), header(&note, "content-type")),
        (http::StatusCode::OK, "text/html; charset=utf-8")
    );
    let note = note.text().await.expect("a note");
    assert!(
        note.contains("A GraphQL endpoint") && !note.contains("<script"),
        "{note}"
    );
    let asked = [
        format!("{url}?page=page.js"),
        format!("{url}?query=%7B__typename%7D"),
        format!("{url}?page=login"),
    ];
    for url in &asked {
        let answer = get_with(url, &[("accept", "application/json")]).await;
        assert!(
            answer.text().await.expect("JSON").contains("CSRF_REFUSED"),
            "{url}"
        );
    }
    let forged = browse(&asked[1]).await.text().await.expect("JSON");
    assert!(forged.contains("CSRF_REFUSED"), "{forged}");
    let plan = plan(&world, json!({"query": "{ me { name } }"})).await;
    assert_eq!(
        plan["data"]["me"]["name"], "Ada",
        "an operation like any other: {plan}"
    );
}

async fn plan(world: &World, body: Value) -> Value {
    let url = format!("{}?page=plan", world.gateway.url());
    let request = reqwest::Client::new()
        .post(url)
        .header("content-type", "application/json")
        .header("accept", "application/json")
        .body(body.to_string());
    let answer = request.send().await.expect("an answer");
    serde_json::from_str(&answer.text().await.expect("text")).expect("JSON")
}

#[tokio::test]
async fn a_plan_tells_who_is_asked_what() {
    let world = with_page().await;
    let asked = json!({"query": "{ topProducts { name reviews { body author { name } } } }"});
    let told = plan(&world, asked).await;
    let fetches = told["plan"]["fetches"].as_array().expect("fetches");
    let who: Vec<_> = fetches
        .iter()
        .map(|fetch| fetch["subgraph"].as_str().expect("a name"))
        .collect();
    assert_eq!(who, ["products", "reviews", "accounts"], "{told}");
    assert_eq!(fetches[1]["after"], json!([0]));
    assert_eq!(fetches[1]["needs"][0], "topProducts.upc (@key of Product)");
    assert!(
        told["plan"]["text"]
            .as_str()
            .expect("text")
            .starts_with("#0 products")
    );
    assert_eq!(
        [&world.products, &world.reviews, &world.accounts].map(|subgraph| subgraph.requests().len()),
        [0; 3]
    );
    let wrong = plan(&world, json!({"query": "{ nothing }"})).await;
    assert_eq!(
        wrong["errors"][0]["extensions"]["code"],
        "GRAPHQL_VALIDATION_FAILED"
    );
}

#[tokio::test]
async fn plans_are_not_for_strangers() {
    let world = World::with(|config| config.page.enabled = true).await;
    let told = plan(&world, json!({"query": "{ me { name } }"})).await;
    assert_eq!(told["data"]["me"]["name"], "Ada", "{told}");
    assert!(told.get("plan").is_none());
}

#[tokio::test]
async fn a_form_of_another_page_gets_no_plan() {
    let world = with_page().await;
    let url = format!("{}?page=plan", world.gateway.url());
    let request = reqwest::Client::new()
        .post(url)
        .header("content-type", "text/plain")
        .body(r#"{"query":"{ me { name } }"}"#);
    assert_eq!(request.send().await.expect("an answer").status(), 415);
}

/// An issuer that notes what it is asked.
struct Provider {
    issuer: String,
    asked: Asked,
}

type Asked = Arc<Mutex<Vec<Vec<(String, String)>>>>;

impl Provider {
    async fn start(endpoint: &'static str) -> Provider {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Asked::default();
        let metadata = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": endpoint.replace("SELF", &issuer),
        });
        let routes = axum::Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(move || async move { metadata.to_string() }),
            )
            .route("/token", post(token))
            .with_state(Arc::clone(&asked));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Provider { issuer, asked }
    }

    async fn world(&self) -> World {
        let login = LoginConfig {
            issuer: self.issuer.clone(),
            client_id: "the-page".to_owned(),
            scopes: vec!["openid".to_owned(), "order".to_owned()],
        };
        World::with(|config| {
            config.page.enabled = true;
            config.page.login = Some(login);
        })
        .await
    }
}

async fn token(
    State(asked): State<Asked>,
    Form(form): Form<Vec<(String, String)>>,
) -> (http::StatusCode, String) {
    let bad = form.iter().any(|(_, value)| value == "used");
    asked.lock().expect("a list").push(form);
    match bad {
        true => (
            http::StatusCode::BAD_REQUEST,
            json!({"error": "invalid_grant"}).to_string(),
        ),
        false => (
            http::StatusCode::OK,
            json!({"access_token": "a", "expires_in": 60}).to_string(),
        ),
    }
}

async fn ask_token(world: &World, body: Value, origin: &str) -> (u16, Value) {
    let url = format!("{}?page=token", world.gateway.url());
    let request = reqwest::Client::new()
        .post(url)
        .header("content-type", "application/json")
        .header("origin", origin)
        .body(body.to_string());
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    assert_eq!(header(&answer, "cache-control"), "no-store");
    let text = answer.text().await.expect("text");
    (status, serde_json::from_str(&text).expect("JSON"))
}

#[tokio::test]
async fn a_login_goes_through_the_gateway_to_one_issuer_for_one_client() {
    let provider = Provider::start("SELF/token").await;
    let world = provider.world().await;
    let own = format!("http://{}", world.gateway.addr());
    let begin = get_with(&format!("{}?page=login", world.gateway.url()), &[]).await;
    let begin: Value = serde_json::from_str(&begin.text().await.expect("text")).expect("JSON");
    assert_eq!(
        begin["authorization_endpoint"],
        format!("{}/authorize", provider.issuer)
    );
    assert_eq!(
        (&begin["client_id"], &begin["scopes"]),
        (&json!("the-page"), &json!(["openid", "order"]))
    );

    let code = json!({"code": "c", "code_verifier": "v", "redirect_uri": world.gateway.url()});
    assert_eq!(
        ask_token(&world, code, &own).await,
        (200, json!({"access_token": "a", "expires_in": 60}))
    );
    let used = json!({"refresh_token": "used"});
    assert_eq!(
        ask_token(&world, used, &own).await,
        (400, json!({"error": "invalid_grant"}))
    );
    for (body, origin, wanted) in [
        (json!({"username": "u", "password": "p"}), own.as_str(), 400),
        (json!({"refresh_token": "r", "client_id": "other"}), &own, 400),
        (json!({"refresh_token": "r"}), "http://evil.example", 403),
    ] {
        assert_eq!(ask_token(&world, body, origin).await.0, wanted);
    }
    let asked = provider.asked.lock().expect("a list").clone();
    assert_eq!(
        asked.len(),
        2,
        "what is refused here does not reach it: {asked:?}"
    );
    let of = |form: &[(String, String)], name: &str| {
        form.iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    };
    assert_eq!(of(&asked[0], "grant_type").as_deref(), Some("authorization_code"));
    assert_eq!(of(&asked[0], "code_verifier").as_deref(), Some("v"));
    assert_eq!(of(&asked[1], "grant_type").as_deref(), Some("refresh_token"));
    assert!(
        asked
            .iter()
            .all(|form| of(form, "client_id").as_deref() == Some("the-page"))
    );
}

#[tokio::test]
async fn an_issuer_that_would_leak_codes_is_not_asked_for_tokens() {
    let provider = Provider::start("http://tokens.example/token").await;
    let world = provider.world().await;
    let own = format!("http://{}", world.gateway.addr());
    let (status, answer) = ask_token(&world, json!({"refresh_token": "r"}), &own).await;
    assert_eq!(
        (status, &answer["errors"][0]["extensions"]["code"]),
        (503, &json!("LOGIN_UNAVAILABLE"))
    );
    let text = answer.to_string();
    assert!(
        !text.contains("tokens.example"),
        "the reason is for the log: {text}"
    );
}
