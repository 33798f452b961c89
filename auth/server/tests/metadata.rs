//! C33 and C34: what is published.

use serde_json::{Value, json};

use crate::world::World;

/// The table of OpenID Connect Discovery section 3, RFC 8414 section 2 and RFC 9207 section 3, as far as it binds us.
#[tokio::test]
async fn metadata_says_what_the_server_does() {
    let world = World::demo().await;
    let issuer = world.running.issuer();
    let at = |path: &str| json!(format!("{issuer}{path}"));
    let expected: Vec<(&str, Value)> = vec![
        ("issuer", json!(issuer)),
        ("authorization_endpoint", at("/authorize")),
        ("token_endpoint", at("/token")),
        ("userinfo_endpoint", at("/userinfo")),
        ("jwks_uri", at("/jwks.json")),
        ("revocation_endpoint", at("/revoke")),
        ("introspection_endpoint", at("/introspect")),
        ("response_types_supported", json!(["code"])),
        ("response_modes_supported", json!(["query"])),
        (
            "grant_types_supported",
            json!(["authorization_code", "refresh_token", "client_credentials"]),
        ),
        ("subject_types_supported", json!(["public"])),
        ("id_token_signing_alg_values_supported", json!(["ES256"])),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("authorization_response_iss_parameter_supported", json!(true)),
        (
            "token_endpoint_auth_methods_supported",
            json!(["client_secret_basic", "client_secret_post", "none"]),
        ),
    ];
    let openid = world.get("/.well-known/openid-configuration").await;
    let oauth = world.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(openid.body, oauth.body);
    for (name, value) in expected {
        assert_eq!(openid.body[name], value, "{name}");
    }
    let endpoints = [
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "revocation_endpoint",
        "introspection_endpoint",
    ];
    for name in endpoints {
        let path = openid.text(name).replace(issuer, "");
        assert_ne!(world.get(&path).await.status, 404, "{name} exists");
    }
}

#[tokio::test]
async fn a_private_member_is_never_in_the_key_set() {
    let world = World::demo().await;
    let answer = world.get("/jwks.json").await;
    let keys = answer.body["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1);
    for key in keys {
        for member in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(key.get(member).is_none(), "{member}");
        }
        assert_eq!(
            (&key["kty"], &key["crv"], &key["alg"], &key["use"]),
            (&json!("EC"), &json!("P-256"), &json!("ES256"), &json!("sig"))
        );
    }
}

/// OpenID Connect Core sections 2 and 3.1.3.
#[tokio::test]
async fn the_id_token_says_who_when_and_for_whom() {
    let world = World::demo().await;
    let code = world.code(&[("nonce", "n-🍗")]).await;
    let tokens = world.redeem(&code, &[]).await;
    assert_eq!(
        (tokens.text("token_type"), &tokens.body["expires_in"]),
        ("Bearer".to_owned(), &json!(600))
    );
    let id = crate::world::claims(&tokens.text("id_token"));
    assert_eq!(
        (&id["iss"], &id["sub"], &id["aud"]),
        (
            &json!(world.running.issuer()),
            &json!("demo-customer"),
            &json!("cli")
        )
    );
    assert_eq!(id["nonce"], "n-🍗");
    assert!(id["auth_time"].as_i64().unwrap() <= id["iat"].as_i64().unwrap());
    let refreshed = world.refresh(&tokens.text("refresh_token"), &[]).await;
    let again = crate::world::claims(&refreshed.text("id_token"));
    assert_eq!(
        (&again["sub"], &again["auth_time"], again.get("nonce")),
        (&id["sub"], &id["auth_time"], None)
    );
}

#[tokio::test]
async fn userinfo_tells_no_more_than_the_scopes_allow() {
    let world = World::demo().await;
    let scoped = async |scope: &str| {
        let tokens = world.redeem(&world.code(&[("scope", scope)]).await, &[]).await;
        world.userinfo(&tokens.text("access_token")).await
    };
    assert_eq!(scoped("openid").await.body, json!({ "sub": "demo-customer" }));
    let profile = json!({ "sub": "demo-customer", "name": "김손님", "preferred_username": "customer" });
    assert_eq!(scoped("openid profile").await.body, profile);
    assert_eq!(scoped("order").await.status, 403);
}

#[tokio::test]
async fn health_answers() {
    let world = World::demo().await;
    assert_eq!(world.get("/health/live").await.status, 200);
    assert_eq!(world.get("/health/ready").await.status, 200);
}
