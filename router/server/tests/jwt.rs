//! C1–C18 at the gateway: each test is named after the attack, or the input, it refuses.

use std::time::{Duration, Instant};

use baedal_router::config::TokenForm;
use baedal_token::SigningKey;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

use crate::support::issuer::now;
use crate::support::socket::{Came, Socket};
use crate::support::{Issuer, World, auth_of};

const QUERY: &str = "{ me { id } }";

struct Guarded {
    issuer: Issuer,
    world: World,
}

async fn guarded() -> Guarded {
    let issuer = Issuer::start().await;
    let world = World::guarded(&issuer).await;
    Guarded { issuer, world }
}

impl Guarded {
    async fn refuses(&self, what: &str, token: &str) {
        let answer = self.world.client().bearer(token).query(QUERY).await;
        assert_eq!(
            (answer.status, answer.code()),
            (401, "INVALID_TOKEN"),
            "{what}: {answer:?}"
        );
        assert_eq!(
            answer.header("www-authenticate"),
            r#"Bearer error="invalid_token""#,
            "{what}"
        );
        assert!(
            self.world.accounts.requests().is_empty(),
            "{what}: nothing may reach a subgraph"
        );
    }

    async fn accepts(&self, what: &str, token: &str) {
        let answer = self.world.client().bearer(token).query(QUERY).await;
        assert_eq!(answer.status, 200, "{what}: {answer:?}");
        self.world.accounts.requests();
    }

    /// A token with a header of the test's choice, signed by the issuer's key over its own header (so the signature is
    /// wrong where the header differs, as an attacker's would be).
    fn with_header(&self, header: Value) -> String {
        let token = self.issuer.token("order");
        let mut parts = token.split('.');
        let (_, payload, signature) = (
            parts.next(),
            parts.next().expect("a payload"),
            parts.next().expect("a signature"),
        );
        format!("{}.{payload}.{signature}", BASE64.encode(header.to_string()))
    }

    fn header(&self) -> Value {
        json!({"alg": "ES256", "typ": "at+jwt", "kid": self.issuer.key.kid()})
    }
}

#[tokio::test]
async fn a_good_token_comes_in_and_travels_on() {
    let guarded = guarded().await;
    let token = guarded.issuer.token("order");
    guarded.world.client().bearer(&token).query(QUERY).await.data();
    let (headers, _) = guarded.world.accounts.requests().pop().expect("a call");
    assert_eq!(headers["authorization"], format!("Bearer {token}").as_str());
    let anonymous = guarded.world.query(QUERY).await;
    assert_eq!(anonymous.status, 200, "without a token one comes in as nobody");
    let (headers, _) = guarded.world.accounts.requests().pop().expect("a call");
    assert!(!headers.contains_key("authorization"));
}

#[tokio::test]
async fn alg_none_is_refused() {
    let guarded = guarded().await;
    for alg in ["none", "None", "nOnE", ""] {
        let mut header = guarded.header();
        header["alg"] = json!(alg);
        let token = guarded.with_header(header);
        guarded.refuses(alg, &token).await;
        let unsigned = format!("{}.", token.rsplit_once('.').expect("parts").0);
        guarded.refuses(alg, &unsigned).await;
    }
}

#[tokio::test]
async fn alg_confusion_is_refused() {
    let guarded = guarded().await;
    for alg in ["HS256", "RS256", "ES384", "PS256"] {
        let mut header = guarded.header();
        header["alg"] = json!(alg);
        guarded.refuses(alg, &guarded.with_header(header)).await;
    }
}

#[tokio::test]
async fn a_hostile_kid_is_refused_and_not_echoed() {
    let guarded = guarded().await;
    for kid in [
        "../../etc/passwd",
        "' OR 1=1 --",
        "http://127.0.0.1:1/keys",
        &"k".repeat(10_000),
    ] {
        let mut header = guarded.header();
        header["kid"] = json!(kid);
        let token = guarded.with_header(header);
        guarded.refuses("kid", &token).await;
        let answer = guarded.world.client().bearer(&token).query(QUERY).await;
        assert!(!answer.body.to_string().contains(kid));
    }
}

#[tokio::test]
async fn an_unknown_kid_storm_fetches_the_keys_at_most_once() {
    let guarded = guarded().await;
    let before = guarded.issuer.fetched();
    let stranger = SigningKey::generate();
    let token = stranger.sign(&guarded.issuer.claims("order"), "at+jwt");
    let client = guarded.world.client().bearer(&token);
    let answers = futures_util::future::join_all((0..100).map(|_| client.query(QUERY))).await;
    assert!(answers.iter().all(|answer| answer.status == 401));
    assert!(
        guarded.issuer.fetched() <= before + 1,
        "{} fetches",
        guarded.issuer.fetched() - before
    );
}

#[tokio::test]
async fn keys_named_by_the_token_itself_are_never_used() {
    let guarded = guarded().await;
    let stranger = SigningKey::generate();
    for (name, value) in [
        ("jwk", stranger.public_jwk()),
        ("jku", json!("http://127.0.0.1:1/jwks.json")),
        ("x5u", json!("http://127.0.0.1:1/cert.pem")),
        ("crit", json!(["x"])),
    ] {
        let mut header = guarded.header();
        header[name] = value;
        guarded.refuses(name, &guarded.with_header(header)).await;
    }
    let foreign = stranger.sign(&guarded.issuer.claims("order"), "at+jwt");
    guarded.refuses("a stranger's key", &foreign).await;
}

#[tokio::test]
async fn expired_and_malformed_times_are_refused() {
    let guarded = guarded().await;
    for changes in [
        json!({"exp": now() - 60}),
        json!({"exp": "absent"}),
        json!({"exp": (now() + 300).to_string()}),
        json!({"exp": null}),
        json!({"exp": -1}),
        json!({"exp": 1e300}),
        json!({"nbf": now() + 300}),
        json!({"nbf": (now() - 300).to_string()}),
        json!({"iat": "yesterday"}),
        json!({"iat": null}),
    ] {
        guarded
            .refuses(&changes.to_string(), &guarded.issuer.token_with(changes))
            .await;
    }
}

#[tokio::test]
async fn a_foreign_issuer_or_audience_is_refused() {
    let guarded = guarded().await;
    let slash = format!("{}/", guarded.issuer.name);
    for changes in [
        json!({"iss": "http://evil.example"}),
        json!({"iss": slash}),
        json!({"iss": "absent"}),
        json!({"aud": "other"}),
        json!({"aud": "absent"}),
        json!({"aud": []}),
        json!({"aud": ["other"]}),
        json!({"sub": "absent"}),
    ] {
        guarded
            .refuses(&changes.to_string(), &guarded.issuer.token_with(changes))
            .await;
    }
    guarded
        .accepts(
            "one of several audiences",
            &guarded.issuer.token_with(json!({"aud": ["other", "baedal"]})),
        )
        .await;
}

#[tokio::test]
async fn an_id_token_is_no_access_token() {
    let guarded = guarded().await;
    for typ in ["JWT", "id+jwt", ""] {
        guarded
            .refuses(
                typ,
                &guarded.issuer.key.sign(&guarded.issuer.claims("order"), typ),
            )
            .await;
    }
}

#[tokio::test]
async fn damaged_tokens_are_refused_quickly() {
    let guarded = guarded().await;
    let token = guarded.issuer.token("order");
    let (head, signature) = token.rsplit_once('.').expect("parts");
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let flipped = format!("{head}.{first}{}", &signature[1..]);
    for (what, damaged) in [
        ("flipped", flipped.as_str()),
        ("no dots", "abc"),
        ("two dots", ".."),
        ("four parts", "a.b.c.d"),
        ("empty", ""),
    ] {
        let started = Instant::now();
        guarded.refuses(what, damaged).await;
        assert!(started.elapsed() < Duration::from_millis(500), "{what}");
    }
    let long = guarded
        .world
        .client()
        .bearer(&"a".repeat(60_000))
        .query(QUERY)
        .await;
    assert!([401, 431].contains(&long.status), "{long:?}");
    for scheme in ["Basic dXNlcjpwYXNz", "Bearer", "bearer\u{e9}x"] {
        let answer = guarded
            .world
            .client()
            .header("authorization", scheme)
            .query(QUERY)
            .await;
        assert_eq!(answer.status, 401, "{scheme}");
    }
}

#[tokio::test]
async fn duplicate_claims_are_refused() {
    let guarded = guarded().await;
    #[derive(serde::Serialize)]
    struct Twice {
        sub: &'static str,
        #[serde(flatten)]
        claims: Value,
    }
    let twice = guarded.issuer.key.sign(
        &Twice {
            sub: "demo-operator",
            claims: guarded.issuer.claims("order"),
        },
        "at+jwt",
    );
    let payload = BASE64
        .decode(twice.split('.').nth(1).expect("a payload"))
        .expect("base64");
    assert_eq!(
        String::from_utf8(payload)
            .expect("text")
            .matches("\"sub\"")
            .count(),
        2,
        "the test's own token"
    );
    guarded.refuses("sub twice", &twice).await;
}

#[tokio::test]
async fn a_token_in_the_query_string_is_ignored() {
    let guarded = guarded().await;
    let token = guarded.issuer.token("order");
    let client = guarded.world.client().header("graphql-require-preflight", "1");
    let answer = client
        .get(&[
            ("query", QUERY),
            ("access_token", &token),
            ("authorization", &token),
        ])
        .await;
    assert_eq!(answer.status, 200);
    let (headers, _) = guarded.world.accounts.requests().pop().expect("a call");
    assert!(!headers.contains_key("authorization"), "the caller is anonymous");
}

#[tokio::test]
async fn two_authorization_headers_are_400() {
    let guarded = guarded().await;
    let token = guarded.issuer.token("order");
    let answer = guarded
        .world
        .client()
        .bearer(&token)
        .bearer(&token)
        .query(QUERY)
        .await;
    assert_eq!((answer.status, answer.code()), (400, "AMBIGUOUS_AUTHORIZATION"));
    let joined = format!("Bearer {token}, Bearer {token}");
    let answer = guarded
        .world
        .client()
        .header("authorization", &joined)
        .query(QUERY)
        .await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn several_issuers_are_told_apart() {
    let (one, two, stranger) = (
        Issuer::start().await,
        Issuer::start().await,
        Issuer::start().await,
    );
    let auth = auth_of(&[&one, &two]);
    let world = World::with(|config| config.auth = Some(auth)).await;
    let status = async |token: String| world.client().bearer(&token).query(QUERY).await.status;
    assert_eq!(status(one.token("order")).await, 200);
    assert_eq!(status(two.token("order")).await, 200);
    assert_eq!(status(stranger.token("order")).await, 401);
    let posing = stranger.token_with(json!({"iss": one.name}));
    assert_eq!(status(posing).await, 401, "a stranger's key under a known name");
    let crossed = two.token_with(json!({"iss": one.name}));
    assert_eq!(status(crossed).await, 401, "one issuer cannot sign for the other");
}

#[tokio::test]
async fn an_issuer_that_is_down_fails_closed() {
    let issuer = Issuer::start().await;
    let nowhere = crate::support::subgraph::free_address().await;
    let mut auth = auth_of(&[&issuer]);
    auth.issuers[0].jwks_url = Some(format!("http://{nowhere}/jwks.json").parse().expect("a URL"));
    let world = World::with(|config| config.auth = Some(auth)).await;
    let answer = world.client().bearer(&issuer.token("order")).query(QUERY).await;
    assert_eq!((answer.status, answer.code()), (503, "AUTH_UNAVAILABLE"));
    assert!(!answer.body.to_string().contains(&nowhere.to_string()));
}

#[tokio::test]
async fn cached_keys_serve_on_while_the_issuer_is_down() {
    let guarded = guarded().await;
    guarded.accepts("before", &guarded.issuer.token("order")).await;
    guarded.issuer.stop().await;
    guarded.accepts("after", &guarded.issuer.token("order")).await;
    let stranger = SigningKey::generate().sign(&guarded.issuer.claims("order"), "at+jwt");
    guarded
        .refuses("an unknown key while nobody can be asked", &stranger)
        .await;
}

#[tokio::test]
async fn keys_are_found_by_the_issuers_metadata() {
    let issuer = Issuer::start().await;
    let mut auth = auth_of(&[&issuer]);
    auth.issuers[0].jwks_url = None;
    let world = World::with(|config| config.auth = Some(auth)).await;
    world
        .client()
        .bearer(&issuer.token("order"))
        .query(QUERY)
        .await
        .data();
    assert_eq!(world.client().bearer("x.y.z").query(QUERY).await.status, 401);
}

#[tokio::test]
async fn a_bad_token_closes_a_websocket_with_4403() {
    let guarded = guarded().await;
    for token in [
        guarded.issuer.token_with(json!({"exp": now() - 60})),
        "x.y.z".to_owned(),
    ] {
        let mut socket = guarded.world.socket().await;
        let payload = json!({"authorization": format!("Bearer {token}")});
        socket
            .say(json!({"type": "connection_init", "payload": payload}))
            .await;
        assert_eq!(socket.hear().await, Came::Closed(4403, "Forbidden".into()));
    }
    let bearer = "Bearer x.y.z";
    let headers = [
        ("sec-websocket-protocol", "graphql-transport-ws"),
        ("authorization", bearer),
    ];
    let refused = Socket::try_open(&guarded.world.gateway, &headers)
        .await
        .map(drop)
        .expect_err("refused");
    assert!(refused.to_string().contains("401"), "{refused}");
}

#[tokio::test]
async fn a_token_of_the_upgrade_request_counts() {
    let guarded = guarded().await;
    let bearer = format!("Bearer {}", guarded.issuer.token("order"));
    let headers = [
        ("sec-websocket-protocol", "graphql-transport-ws"),
        ("authorization", bearer.as_str()),
    ];
    let mut socket = Socket::try_open(&guarded.world.gateway, &headers)
        .await
        .expect("an upgrade");
    socket.say(json!({"type": "connection_init"})).await;
    assert_eq!(socket.message().await["type"], "connection_ack");
    socket.subscribe("1", QUERY).await;
    assert_eq!(socket.message().await["type"], "next");
    let (headers, _) = guarded.world.accounts.requests().pop().expect("a call");
    assert_eq!(headers["authorization"], bearer.as_str());
}

/// Tokens as most issuers write them: RS256, no `at+jwt`, permissions in a list.
#[tokio::test]
async fn a_foreign_issuer_with_rsa_keys_is_accepted_as_configured() {
    const PEM: &str = include_str!("../../../auth/token/tests/keys/foreign_rsa.pem");
    const MODULUS: &str = "uOjvwhfxdEaz8OZ2HH4nfDjJ-Dqv0RCQ00CnFDhmuElJvYPnDVy_HOg5An0crfcFwmtSBGzln4ma0EWkdyQaGbWXmVWsYFu5KN4z3Fv-k_ARgu3AUdc0Pl-GemmWl-Z99EU3MOuwzwsnngHVIXjlwDS1FhfOC2I49XZ60Ab2mKJl5nhEkxo9E1V1NuxZWJ011G8K4HuygwyOpwrpynylvvxoETMmOPpPModFC8mNby6GbMirA1nySwOXH8LvrMAxJvvd-PUvtsilKS27uRRB6jbH5UP7dQVDQ1yT1vyoQR1dr4UNL0dbd_UQ0Z_6Z-IgQKj0iw5Ws4iKejr1_ybRHw";
    let jwk = json!({"kty": "RSA", "use": "sig", "kid": "rsa", "n": MODULUS, "e": "AQAB"});
    let issuer = Issuer::with_keys(json!({ "keys": [jwk] })).await;
    let mut auth = auth_of(&[&issuer]);
    auth.issuers[0].algorithms = vec!["RS256".to_owned()];
    auth.issuers[0].form = TokenForm::Jwt;
    auth.issuers[0].scope_claim = "permissions".to_owned();
    let world = World::with(|config| config.auth = Some(auth)).await;
    let key = jsonwebtoken::EncodingKey::from_rsa_pem(PEM.as_bytes()).expect("a key");
    let claims = json!({"iss": issuer.name, "sub": "foreign|1", "aud": ["baedal"], "exp": now() + 300, "permissions": ["order"]});
    let signed = format!(
        "{}.{}",
        BASE64.encode(json!({"alg": "RS256", "kid": "rsa"}).to_string()),
        BASE64.encode(claims.to_string())
    );
    let signature =
        jsonwebtoken::crypto::sign(signed.as_bytes(), &key, jsonwebtoken::Algorithm::RS256).expect("signed");
    let token = format!("{signed}.{signature}");
    world.client().bearer(&token).query(QUERY).await.data();
    let (headers, _) = world.accounts.requests().pop().expect("a call");
    assert_eq!(headers["authorization"], format!("Bearer {token}"));
    let ours = issuer.token("order");
    let refused = world.client().bearer(&ours).query(QUERY).await;
    assert_eq!((refused.status, refused.code()), (401, "INVALID_TOKEN"));
}

#[tokio::test]
async fn where_a_token_is_required_nobody_is_anonymous() {
    let issuer = Issuer::start().await;
    let mut auth = auth_of(&[&issuer]);
    auth.required = true;
    let world = World::with(|config| config.auth = Some(auth)).await;
    for query in ["{ __typename }", "{ __schema { types { name } } }", QUERY] {
        let refused = world.client().query(query).await;
        assert_eq!(
            (refused.status, refused.code()),
            (401, "TOKEN_REQUIRED"),
            "{query}"
        );
        assert_eq!(refused.header("www-authenticate"), "Bearer", "{query}");
    }
    assert!(world.accounts.requests().is_empty());
    world
        .client()
        .bearer(&issuer.token("order"))
        .query(QUERY)
        .await
        .data();

    let mut socket = world.socket().await;
    socket.say(json!({"type": "connection_init"})).await;
    assert_eq!(socket.message().await["type"], "connection_ack");
    socket.subscribe("1", "{ __typename }").await;
    let refused = socket.message().await;
    assert_eq!(refused["type"], "error");
    assert_eq!(refused["payload"][0]["extensions"]["code"], "TOKEN_REQUIRED");
}
