//! C14 (at this server), C29, C31, C32: client authentication, revocation, introspection.

use reqwest::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use serde_json::json;

use crate::browser::http;
use crate::world::{Answer, World};

const MACHINE: [(&str, &str); 1] = [("grant_type", "client_credentials")];

#[tokio::test]
async fn a_wrong_client_secret_is_refused() {
    let world = World::demo().await;
    let wrong = world.machine.replace(world.machine.chars().next().unwrap(), "_");
    for (id, secret) in [
        ("machine", wrong.as_str()),
        ("machine", ""),
        ("nobody", "x"),
        ("web", &world.machine),
        ("cli", "x"),
    ] {
        let answer = world.post("/token", &MACHINE, Some((id, secret))).await;
        answer.refused(401, "invalid_client");
        assert!(
            answer.headers[WWW_AUTHENTICATE]
                .to_str()
                .unwrap()
                .starts_with("Basic")
        );
        let body = [MACHINE[0], ("client_id", id), ("client_secret", secret)];
        world
            .post("/token", &body, None)
            .await
            .refused(401, "invalid_client");
    }
    world
        .post("/token", &[MACHINE[0], ("client_id", "machine")], None)
        .await
        .refused(401, "invalid_client");
    world
        .post("/token", &MACHINE, None)
        .await
        .refused(401, "invalid_client");
}

#[tokio::test]
async fn two_ways_of_client_authentication_at_once_are_refused() {
    let world = World::demo().await;
    let basic = Some(("machine", world.machine.as_str()));
    let both = [
        MACHINE[0],
        ("client_id", "machine"),
        ("client_secret", world.machine.as_str()),
    ];
    world
        .post("/token", &both, basic)
        .await
        .refused(400, "invalid_request");
    world
        .post("/token", &[MACHINE[0], ("client_id", "web")], basic)
        .await
        .refused(400, "invalid_request");
    let twice = http()
        .post(format!("{}/token", world.base))
        .form(&MACHINE)
        .header(AUTHORIZATION, "Basic YTpi");
    let answer = twice.header(AUTHORIZATION, "Basic YzpkCg").send().await.unwrap();
    assert_eq!(answer.status(), 400);
}

#[tokio::test]
async fn a_public_client_cannot_act_for_itself() {
    let world = World::demo().await;
    world
        .post("/token", &[MACHINE[0], ("client_id", "cli")], None)
        .await
        .refused(400, "unauthorized_client");
    let web = world.post("/token", &MACHINE, Some(("web", &world.web))).await;
    web.refused(400, "unauthorized_client");
}

#[tokio::test]
async fn a_machine_gets_no_personal_scope() {
    let world = World::demo().await;
    let basic = Some(("machine", world.machine.as_str()));
    for scope in ["openid", "offline_access", "operator", "nonsense"] {
        world
            .post("/token", &[MACHINE[0], ("scope", scope)], basic)
            .await
            .refused(400, "invalid_scope");
    }
    let answer = world.post("/token", &MACHINE, basic).await;
    assert_eq!(answer.text("scope"), "order store");
    assert!(answer.body.get("refresh_token").is_none() && answer.body.get("id_token").is_none());
    world
        .userinfo(&answer.text("access_token"))
        .await
        .refused(403, "invalid_token");
}

fn is_private(answer: &Answer) {
    assert_eq!(
        answer.headers.get(CACHE_CONTROL).map(|value| value.as_bytes()),
        Some(&b"no-store"[..]),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_cacheable_token_answer_is_never_sent() {
    let world = World::demo().await;
    let tokens = world.tokens().await;
    is_private(&tokens);
    is_private(&world.refresh(&tokens.text("refresh_token"), &[]).await);
    is_private(&world.refresh("x", &[]).await);
    is_private(
        &world
            .post("/token", &MACHINE, Some(("machine", &world.machine)))
            .await,
    );
    is_private(&world.post("/token", &MACHINE, None).await);
    is_private(&world.userinfo(&tokens.text("access_token")).await);
    is_private(
        &world
            .post(
                "/introspect",
                &[("token", "x")],
                Some(("gateway", &world.gateway)),
            )
            .await,
    );
    is_private(
        &world
            .post("/revoke", &[("token", "x"), ("client_id", "cli")], None)
            .await,
    );
}

#[tokio::test]
async fn introspection_without_client_authentication_is_refused() {
    let world = World::demo().await;
    let token = world.tokens().await.text("access_token");
    world
        .post("/introspect", &[("token", &token)], None)
        .await
        .refused(401, "invalid_client");
    world
        .post("/introspect", &[("token", &token), ("client_id", "cli")], None)
        .await
        .refused(401, "invalid_client");
    world
        .post("/introspect", &[("token", &token)], Some(("gateway", "x")))
        .await
        .refused(401, "invalid_client");
}

#[tokio::test]
async fn anothers_token_looks_like_an_unknown_one() {
    let world = World::demo().await;
    let tokens = world.tokens().await;
    for token in [
        tokens.text("access_token"),
        tokens.text("refresh_token"),
        "x".into(),
        tokens.text("id_token"),
    ] {
        let answer = world
            .post("/introspect", &[("token", &token)], Some(("web", &world.web)))
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.body),
            (200, json!({ "active": false }))
        );
    }
    let seen = world.introspect(&tokens.text("access_token")).await;
    assert_eq!(
        (&seen["active"], &seen["sub"], &seen["client_id"]),
        (&json!(true), &json!("demo-customer"), &json!("cli"))
    );
    assert_eq!(
        world.introspect(&tokens.text("refresh_token")).await["active"],
        true
    );
    world.advance(700);
    assert_eq!(
        world.introspect(&tokens.text("access_token")).await,
        json!({ "active": false }),
        "expired"
    );
}

#[tokio::test]
async fn a_revoked_refresh_token_takes_its_family_along() {
    let world = World::demo().await;
    let tokens = world.tokens().await;
    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    let revoke = async |client: &str| {
        world
            .post("/revoke", &[("token", &refresh), ("client_id", client)], None)
            .await
            .status
    };
    assert_eq!(revoke("other-cli").await, 200);
    assert_eq!(
        world.introspect(&access).await["active"],
        true,
        "not theirs to revoke"
    );
    assert_eq!(revoke("cli").await, 200);
    assert_eq!(world.introspect(&access).await["active"], false);
    world.refresh(&refresh, &[]).await.refused(400, "invalid_grant");
    assert_eq!(world.userinfo(&access).await.status, 401);
}

#[tokio::test]
async fn a_revoked_access_token_is_dead_and_its_session_lives() {
    let world = World::demo().await;
    let tokens = world.tokens().await;
    let access = tokens.text("access_token");
    assert_eq!(
        world
            .post("/revoke", &[("token", &access), ("client_id", "cli")], None)
            .await
            .status,
        200
    );
    assert_eq!(world.introspect(&access).await, json!({ "active": false }));
    let answer = world.userinfo(&access).await;
    assert_eq!(
        answer.headers[WWW_AUTHENTICATE],
        r#"Bearer error="invalid_token""#
    );
    assert_eq!(
        world.refresh(&tokens.text("refresh_token"), &[]).await.status,
        200
    );
}

#[tokio::test]
async fn revoking_an_unknown_token_succeeds() {
    let world = World::demo().await;
    assert_eq!(
        world
            .post("/revoke", &[("token", "x"), ("client_id", "cli")], None)
            .await
            .status,
        200
    );
    world
        .post("/revoke", &[("client_id", "cli")], None)
        .await
        .refused(400, "invalid_request");
    world
        .post("/revoke", &[("token", "x")], None)
        .await
        .refused(401, "invalid_client");
}

#[tokio::test]
async fn a_form_of_another_type_or_size_is_refused() {
    let world = World::demo().await;
    let url = format!("{}/token", world.base);
    let json = http()
        .post(&url)
        .json(&json!({ "grant_type": "client_credentials" }))
        .send()
        .await
        .unwrap();
    assert_eq!(json.status(), 400);
    let huge = http()
        .post(&url)
        .form(&[("grant_type", "x".repeat(1 << 20))])
        .send()
        .await
        .unwrap();
    assert_eq!(huge.status(), 400);
    assert_eq!(http().get(&url).send().await.unwrap().status(), 405);
    let token = world.tokens().await.text("access_token");
    let in_query = http()
        .get(format!("{}/userinfo?access_token={token}", world.base))
        .send()
        .await
        .unwrap();
    assert_eq!(in_query.status(), 401);
}

#[tokio::test]
async fn two_bearer_tokens_are_refused() {
    let world = World::demo().await;
    let token = world.tokens().await.text("access_token");
    let request = http()
        .get(format!("{}/userinfo", world.base))
        .bearer_auth(&token)
        .bearer_auth(&token);
    assert_eq!(request.send().await.unwrap().status(), 400);
}
