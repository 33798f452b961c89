//! A subgraph of one subscription that brings its events by callbacks.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Numbered ticks, from the one after a cursor.
const SDL: &str = "
extend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\", import: [\"@key\"])
type Query { ticks: Int }
type Subscription { tick(after: String): Tick }
type Tick { cursor: String number: Int! product: Product }
type Product @key(fields: \"upc\", resolvable: false) { upc: ID! }
";

/// How it greets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Greeting {
    /// As the protocol wants.
    Check,
    /// By no call, only by its answer.
    None,
    /// By errors in its answer.
    Refusal,
}

/// A running one.
pub struct Emitter {
    pub addr: SocketAddr,
    state: Arc<Mutex<Asked>>,
    server: JoinHandle<()>,
}

struct Asked {
    greeting: Greeting,
    all: Vec<(HeaderMap, Value)>,
}

impl Drop for Emitter {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A subscription that it was asked for.
#[derive(Clone)]
pub struct Callback {
    pub url: String,
    pub id: String,
    pub verifier: String,
    pub request: Value,
    pub headers: HeaderMap,
}

impl Emitter {
    pub async fn start() -> Emitter {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(Asked {
            greeting: Greeting::Check,
            all: Vec::new(),
        }));
        let routes = Router::new()
            .route("/graphql", axum::routing::post(answer))
            .with_state(Arc::clone(&state));
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.expect("serves") });
        Emitter { addr, state, server }
    }

    pub fn url(&self) -> url::Url {
        format!("http://{}/graphql", self.addr).parse().expect("a URL")
    }

    pub fn greet(&self, greeting: Greeting) {
        lock(&self.state).greeting = greeting;
    }

    /// How often it was asked for a subscription.
    pub fn asked(&self) -> usize {
        lock(&self.state).all.len()
    }

    /// The latest subscription it was asked for.
    pub fn latest(&self) -> Callback {
        let (headers, request) = lock(&self.state).all.last().cloned().expect("a subscription");
        let told = request["extensions"]["subscription"].clone();
        let text = |name: &str| told[name].as_str().expect("text").to_owned();
        Callback {
            url: text("callbackUrl"),
            id: text("subscriptionId"),
            verifier: text("verifier"),
            request,
            headers,
        }
    }
}

impl Callback {
    /// Says something of the subscription, with these members changed. The answer's status and text.
    pub async fn say_with(&self, action: &str, more: Value) -> (u16, String) {
        let mut body =
            json!({"kind": "subscription", "action": action, "id": self.id, "verifier": self.verifier});
        for (name, value) in more.as_object().expect("members") {
            body[name] = value.clone();
        }
        self.post(body.to_string()).await
    }

    pub async fn say(&self, action: &str) -> u16 {
        self.say_with(action, json!({})).await.0
    }

    pub async fn post(&self, body: String) -> (u16, String) {
        let request = reqwest::Client::new()
            .post(&self.url)
            .header("subscription-protocol", "callback/1.0")
            .header("content-type", "application/json");
        let answer = request.body(body).send().await.expect("an answer");
        assert_eq!(answer.headers()["subscription-protocol"], "callback/1.0");
        (answer.status().as_u16(), answer.text().await.expect("a body"))
    }

    /// The tick of this number.
    pub async fn tick(&self, number: u64) -> u16 {
        let tick = json!({"__typename": "Tick", "cursor": number.to_string(), "number": number,
            "product": {"__typename": "Product", "upc": "top-1"}});
        let payload = json!({"payload": {"data": {"tick": tick}}});
        self.say_with("next", payload).await.0
    }
}

fn lock(state: &Mutex<Asked>) -> std::sync::MutexGuard<'_, Asked> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(
    State(state): State<Arc<Mutex<Asked>>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let query = body["query"].as_str().unwrap_or_default();
    if query.contains("_service") {
        return Json(json!({"data": {"_service": {"sdl": SDL}}})).into_response();
    }
    let greeting = lock(&state).greeting;
    let told = body["extensions"]["subscription"].clone();
    lock(&state).all.push((headers, body));
    if greeting == Greeting::Refusal {
        let errors = json!({"errors": [{"message": "no seat", "extensions": {"code": "FULL"}}]});
        return Json(errors).into_response();
    }
    if greeting == Greeting::Check {
        let check = json!({"kind": "subscription", "action": "check", "id": told["subscriptionId"],
            "verifier": told["verifier"]});
        let url = told["callbackUrl"].as_str().expect("a URL");
        let checked = reqwest::Client::new()
            .post(url)
            .body(check.to_string())
            .send()
            .await;
        assert_eq!(checked.expect("an answer").status(), StatusCode::NO_CONTENT);
    }
    (
        [("subscription-protocol", "callback/1.0")],
        Json(json!({"data": null})),
    )
        .into_response()
}
