//! C42: what a web page of another origin can make a browser send is refused.

use crate::support::World;
use crate::support::socket::Socket;

#[tokio::test]
async fn a_form_post_is_refused() {
    let world = World::start().await;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        let answer = world
            .client()
            .post_raw(content_type, r#"{"query":"mutation { productsStep(step: 1) }"}"#)
            .await;
        assert_eq!(answer.status, 415, "{content_type}");
    }
    assert!(world.journal.read().is_empty());
}

#[tokio::test]
async fn a_get_without_a_header_that_forces_a_preflight_is_refused() {
    let world = World::start().await;
    let bare = world.client().get(&[("query", "{ me { id } }")]).await;
    assert_eq!((bare.status, bare.code()), (400, "CSRF_REFUSED"));
    for (name, value) in [
        ("apollo-require-preflight", "true"),
        ("content-type", "application/json"),
    ] {
        world
            .client()
            .header(name, value)
            .get(&[("query", "{ me { id } }")])
            .await
            .data();
    }
}

#[tokio::test]
async fn the_guard_can_be_switched_off() {
    let world = World::with(|config| config.csrf.enabled = false).await;
    world.client().get(&[("query", "{ me { id } }")]).await.data();
}

#[tokio::test]
async fn a_websocket_of_a_foreign_page_is_refused() {
    let world = World::start().await;
    let open = |origin: String| {
        let gateway = &world.gateway;
        async move {
            let headers = [
                ("sec-websocket-protocol", "graphql-transport-ws"),
                ("origin", origin.as_str()),
            ];
            Socket::try_open(gateway, &headers)
                .await
                .map(drop)
                .map_err(|error| error.to_string())
        }
    };
    assert!(
        open("https://evil.example".to_owned())
            .await
            .expect_err("refused")
            .contains("403")
    );
    assert!(
        open("null".to_owned())
            .await
            .expect_err("refused")
            .contains("403")
    );
    open(format!("http://{}", world.gateway.addr()))
        .await
        .expect("its own pages may");
}
