//! C14: the list by which others know what was withdrawn.

use reqwest::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use serde_json::json;

use crate::browser::http;
use crate::world::{World, claims};

#[tokio::test]
async fn what_is_withdrawn_is_on_the_list_until_it_expires() {
    let world = World::demo().await;
    assert_eq!(world.get("/revoked").await.body, json!({"jti": [], "sid": []}));
    let (first, second) = (world.tokens().await, world.tokens().await);
    let access = first.text("access_token");
    let revoke = async |token: &str| {
        let answer = world
            .post("/revoke", &[("token", token), ("client_id", "cli")], None)
            .await;
        assert_eq!(answer.status, 200);
    };
    revoke(&access).await;
    let jti = &claims(&access)["jti"];
    assert_eq!(world.get("/revoked").await.body, json!({"jti": [jti], "sid": []}));
    revoke(&second.text("refresh_token")).await;
    let sid = &claims(&second.text("access_token"))["sid"];
    assert_eq!(
        world.get("/revoked").await.body,
        json!({"jti": [jti], "sid": [sid]})
    );
    // As long as somebody's clock may be behind, an expired token counts, too.
    world.advance(600 + 30);
    assert_eq!(
        world.get("/revoked").await.body,
        json!({"jti": [jti], "sid": [sid]})
    );
    world.advance(60);
    assert_eq!(world.get("/revoked").await.body, json!({"jti": [], "sid": []}));
}

#[tokio::test]
async fn a_refresh_token_that_comes_twice_puts_its_family_on_the_list() {
    let world = World::demo().await;
    let tokens = world.tokens().await;
    let refresh = tokens.text("refresh_token");
    assert_eq!(world.refresh(&refresh, &[]).await.status, 200);
    world.advance(60);
    world.refresh(&refresh, &[]).await.refused(400, "invalid_grant");
    let sid = &claims(&tokens.text("access_token"))["sid"];
    assert_eq!(world.get("/revoked").await.body["sid"], json!([sid]));
}

#[tokio::test]
async fn a_list_that_is_known_is_not_sent_again() {
    let world = World::demo().await;
    let first = world.get("/revoked").await;
    assert_eq!(first.headers[CACHE_CONTROL], "no-cache");
    let tag = first.headers[ETAG].clone();
    let url = format!("{}/revoked", world.base);
    let again = async || {
        let request = http().get(&url).header(IF_NONE_MATCH, tag.clone());
        let answer = request.send().await.expect("an answer");
        (
            answer.status().as_u16(),
            answer.text().await.expect("a body").len(),
        )
    };
    assert_eq!(again().await, (304, 0));
    let access = world.tokens().await.text("access_token");
    world
        .post("/revoke", &[("token", &access), ("client_id", "cli")], None)
        .await;
    assert_eq!(again().await.0, 200);
}
