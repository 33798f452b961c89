//! C27 and C28: refresh tokens.

use crate::world::{World, claims};

#[tokio::test]
async fn a_refresh_token_used_twice_is_refused_and_revokes_the_family() {
    let world = World::demo().await;
    let first = world.tokens().await.text("refresh_token");
    let second = world.refresh(&first, &[]).await;
    assert_eq!(second.status, 200, "{second:?}");
    let (access, newest) = (second.text("access_token"), second.text("refresh_token"));
    assert_eq!(world.introspect(&access).await["active"], true);
    world.refresh(&first, &[]).await.refused(400, "invalid_grant");
    world.refresh(&newest, &[]).await.refused(400, "invalid_grant");
    assert_eq!(world.introspect(&access).await["active"], false);
    assert_eq!(world.introspect(&newest).await["active"], false);
}

#[tokio::test]
async fn another_login_of_the_same_user_is_not_harmed_by_reuse() {
    let world = World::demo().await;
    let (one, other) = (world.tokens().await, world.tokens().await);
    world.refresh(&one.text("refresh_token"), &[]).await;
    world
        .refresh(&one.text("refresh_token"), &[])
        .await
        .refused(400, "invalid_grant");
    assert_eq!(world.refresh(&other.text("refresh_token"), &[]).await.status, 200);
}

#[tokio::test]
async fn a_refresh_token_of_another_client_is_refused() {
    let world = World::demo().await;
    let token = world.tokens().await.text("refresh_token");
    world
        .refresh(&token, &[("client_id", "other-cli")])
        .await
        .refused(400, "invalid_grant");
    assert_eq!(
        world.refresh(&token, &[]).await.status,
        200,
        "the owner was not harmed"
    );
}

#[tokio::test]
async fn a_wider_scope_is_refused_and_a_narrower_one_granted() {
    let world = World::demo().await;
    let token = world.tokens().await.text("refresh_token");
    for wider in ["openid order store", "operator", "profile"] {
        world
            .refresh(&token, &[("scope", wider)])
            .await
            .refused(400, "invalid_scope");
    }
    let narrow = world.refresh(&token, &[("scope", "order")]).await;
    assert_eq!(claims(&narrow.text("access_token"))["scope"], "order");
    let wide = world.refresh(&narrow.text("refresh_token"), &[]).await;
    assert_eq!(
        wide.text("scope"),
        "offline_access openid order",
        "the grant is as wide as ever"
    );
}

#[tokio::test]
async fn an_unused_refresh_token_ends() {
    let world = World::demo().await;
    let token = world.tokens().await.text("refresh_token");
    world.advance(14 * 86_400);
    world.refresh(&token, &[]).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_family_ends_however_often_it_is_refreshed() {
    let world = World::demo().await;
    let mut token = world.tokens().await.text("refresh_token");
    for _ in 0..2 {
        world.advance(13 * 86_400);
        token = world.refresh(&token, &[]).await.text("refresh_token");
    }
    world.advance(4 * 86_400);
    world.refresh(&token, &[]).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_made_up_refresh_token_is_refused() {
    let world = World::demo().await;
    for token in ["x", "' OR 1=1 --", &"a".repeat(43)] {
        world.refresh(token, &[]).await.refused(400, "invalid_grant");
    }
    let access = world.tokens().await.text("access_token");
    world.refresh(&access, &[]).await.refused(400, "invalid_grant");
}
