//! A server with its own database and clock, and requests as clients send them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use baedal_auth::admin::{self, GrantType, NewClient, NewUser};
use baedal_auth::{Clock, Config, Role, Running, start_at, system_clock};
use reqwest::StatusCode;
use serde_json::Value;
use tempfile::TempDir;

use crate::browser::{Browser, Page, http, parameter};

pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const REDIRECT: &str = "http://127.0.0.1:8765/callback";
pub const WEB_REDIRECT: &str = "https://app.test/cb";

/// A running server and what belongs to it.
pub struct World {
    pub running: Running,
    pub base: String,
    pub config: Config,
    /// Secret of `web`: confidential, logs users in.
    pub web: String,
    /// Secret of `machine`: confidential, acts for itself.
    pub machine: String,
    /// Secret of `gateway`: may introspect.
    pub gateway: String,
    ahead: Arc<AtomicI64>,
    folder: Option<TempDir>,
}

/// The answer of a machine endpoint.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn text(&self, name: &str) -> String {
        self.body[name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name} in {self:?}"))
            .to_owned()
    }

    /// Asserts a refusal by its code.
    pub fn refused(&self, status: u16, error: &str) {
        assert_eq!(
            (self.status.as_u16(), self.body["error"].as_str()),
            (status, Some(error)),
            "{self:?}"
        );
    }
}

pub fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

pub fn file(folder: &TempDir) -> String {
    let path: PathBuf = folder.path().join("auth.db");
    format!("sqlite://{}", path.display())
}

impl World {
    /// The demo on a new SQLite file.
    pub async fn demo() -> World {
        World::with(|_| {}).await
    }

    /// The same with some settings changed.
    pub async fn with(change: impl FnOnce(&mut Config)) -> World {
        let folder = folder();
        let mut config = config(file(&folder));
        config.demo_accounts = true;
        change(&mut config);
        World::start(config, Some(folder)).await
    }

    /// A server on a given database, with an account `customer` like that of the demo.
    pub async fn on(database_url: &str) -> World {
        let user = NewUser {
            login: "customer".into(),
            name: "김손님".into(),
            role: Role::Customer,
            password: "baedal-customer".into(),
        };
        admin::add_user(database_url, user).await.unwrap();
        World::start(config(database_url.to_owned()), None).await
    }

    async fn start(config: Config, folder: Option<TempDir>) -> World {
        let ahead = Arc::new(AtomicI64::new(0));
        let url = &config.database_url;
        let web = add_client(
            url,
            "web",
            "authorization_code refresh_token",
            &[WEB_REDIRECT, REDIRECT],
        )
        .await;
        let machine = add_client(url, "machine", "client_credentials", &[]).await;
        let gateway = add_client(url, "gateway", "introspection", &[]).await;
        add_public(url, "other-cli").await;
        add_public(url, "cli").await;
        let running = start_at(config.clone(), clock(&ahead)).await.unwrap();
        let base = format!("http://{}", running.addr());
        World {
            running,
            base,
            config,
            web,
            machine,
            gateway,
            ahead,
            folder,
        }
    }

    /// Another server on the same database, sharing the clock.
    pub async fn replica(&self) -> World {
        let mut config = self.config.clone();
        config.issuer = self.running.issuer().to_owned();
        let running = start_at(config.clone(), clock(&self.ahead)).await.unwrap();
        let base = format!("http://{}", running.addr());
        let (web, machine, gateway) = (self.web.clone(), self.machine.clone(), self.gateway.clone());
        World {
            running,
            base,
            config,
            web,
            machine,
            gateway,
            ahead: Arc::clone(&self.ahead),
            folder: None,
        }
    }

    /// Stops the server; the database stays as long as the folder is held.
    pub async fn stop(self) -> (Config, Option<TempDir>) {
        self.running.shutdown().await;
        (self.config, self.folder)
    }

    /// Moves the server's clock.
    pub fn advance(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn browser(&self) -> Browser {
        Browser::new(&self.base)
    }

    /// A good authorization request of the public client, with parameters replaced (an empty value removes one).
    pub fn authorize(&self, changes: &[(&str, &str)]) -> String {
        let good = [
            ("response_type", "code"),
            ("client_id", "cli"),
            ("redirect_uri", REDIRECT),
            ("scope", "openid offline_access order"),
            ("state", "s-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let kept = good
            .iter()
            .filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        let all = kept.chain(changes.iter().filter(|(_, value)| !value.is_empty()));
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(all)
            .finish();
        format!("{}/authorize?{query}", self.base)
    }

    /// Logs `customer` in and agrees; the code for the request comes back.
    pub async fn code(&self, changes: &[(&str, &str)]) -> String {
        let page: Page = self
            .browser()
            .approve(&self.authorize(changes), "customer", "baedal-customer")
            .await;
        let location = page.header("location").to_owned();
        parameter(&location, "code").unwrap_or_else(|| panic!("no code in {location} {}", page.body))
    }

    /// Redeems a code of the public client, with parameters replaced (an empty value removes one).
    pub async fn redeem(&self, code: &str, changes: &[(&str, &str)]) -> Answer {
        let good = [
            ("grant_type", "authorization_code"),
            ("client_id", "cli"),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
            ("code", code),
        ];
        let kept = good
            .iter()
            .filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        let all: Vec<(&str, &str)> = kept
            .chain(changes.iter().filter(|(_, value)| !value.is_empty()))
            .copied()
            .collect();
        self.post("/token", &all, None).await
    }

    /// Tokens of `customer` for the public client.
    pub async fn tokens(&self) -> Answer {
        let answer = self.redeem(&self.code(&[]).await, &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer
    }

    pub async fn refresh(&self, token: &str, changes: &[(&str, &str)]) -> Answer {
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
        if changes.iter().all(|(name, _)| *name != "client_id") {
            form.push(("client_id", "cli"));
        }
        form.extend(changes);
        self.post("/token", &form, None).await
    }

    /// Posts a form, with HTTP Basic if given.
    pub async fn post(&self, path: &str, form: &[(&str, &str)], basic: Option<(&str, &str)>) -> Answer {
        let mut request = http().post(format!("{}{path}", self.base)).form(form);
        if let Some((id, secret)) = basic {
            request = request.basic_auth(id, Some(secret));
        }
        read(request.send().await.unwrap()).await
    }

    /// What the gateway's client is told about a token.
    pub async fn introspect(&self, token: &str) -> Value {
        let answer = self
            .post(
                "/introspect",
                &[("token", token)],
                Some(("gateway", &self.gateway)),
            )
            .await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.body
    }

    pub async fn userinfo(&self, token: &str) -> Answer {
        read(
            http()
                .get(format!("{}/userinfo", self.base))
                .bearer_auth(token)
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    pub async fn get(&self, path: &str) -> Answer {
        read(http().get(format!("{}{path}", self.base)).send().await.unwrap()).await
    }
}

async fn read(response: reqwest::Response) -> Answer {
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.unwrap();
    Answer {
        status,
        headers,
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
    }
}

pub fn config(database_url: String) -> Config {
    Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        database_url,
        ..Config::default()
    }
}

fn clock(ahead: &Arc<AtomicI64>) -> Clock {
    let (ahead, real) = (Arc::clone(ahead), system_clock());
    Arc::new(move || real() + ahead.load(Ordering::SeqCst))
}

/// The claims of a token, unverified.
pub fn claims(token: &str) -> Value {
    use base64::Engine;
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(part)
            .unwrap(),
    )
    .unwrap()
}

async fn add_client(url: &str, id: &str, grants: &str, redirects: &[&str]) -> String {
    let client = client(id, grants, redirects, true);
    admin::add_client(url, client).await.unwrap().unwrap()
}

async fn add_public(url: &str, id: &str) {
    let client = client(
        id,
        "authorization_code refresh_token",
        &["http://127.0.0.1/callback"],
        false,
    );
    assert!(admin::add_client(url, client).await.unwrap().is_none());
}

fn client(id: &str, grants: &str, redirects: &[&str], confidential: bool) -> NewClient {
    NewClient {
        id: id.to_owned(),
        name: String::new(),
        confidential,
        redirect_uris: redirects.iter().map(|uri| (*uri).to_owned()).collect(),
        grants: grants
            .split(' ')
            .map(|grant| grant.parse::<GrantType>().unwrap())
            .collect(),
        scopes: ["openid", "profile", "offline_access", "order", "store"]
            .map(str::to_owned)
            .to_vec(),
    }
}
