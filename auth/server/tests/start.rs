//! Starting: what is refused, and what stays the same from one start to the next.

use baedal_auth::{StartError, start, start_at, system_clock};

use crate::world::{World, claims, config, file, folder};

async fn refusal(change: impl FnOnce(&mut baedal_auth::Config)) -> String {
    let folder = folder();
    let mut config = config(file(&folder));
    change(&mut config);
    match start(config).await {
        Ok(_) => panic!("it must not start"),
        Err(error) => format!("{error:#}"),
    }
}

#[tokio::test]
async fn a_taken_port_says_so() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let text = refusal(|config| config.listen = taken.local_addr().unwrap()).await;
    assert!(
        text.contains("cannot listen on 127.0.0.1:") && text.contains("BAEDAL_LISTEN"),
        "{text}"
    );
}

#[tokio::test]
async fn an_unusable_database_says_so() {
    let text = refusal(|config| config.database_url = "mysql://x".into()).await;
    assert!(
        text.contains("must begin with sqlite:// or postgres://"),
        "{text}"
    );
    let text = refusal(|config| config.database_url = "sqlite:///no/such/folder/auth.db".into()).await;
    assert!(
        text.contains("the folder /no/such/folder does not exist"),
        "{text}"
    );
    let folder = folder();
    let text = refusal(|config| config.database_url = format!("sqlite://{}", folder.path().display())).await;
    assert!(
        text.contains("cannot open") && text.contains("writable"),
        "{text}"
    );
    let text = refusal(|config| config.database_url = "sqlite::memory:".into()).await;
    assert!(text.contains("in-memory"), "{text}");
    let text = refusal(|config| config.database_url = "postgres://nobody:secret@127.0.0.1:1/x".into()).await;
    assert!(
        text.contains("cannot reach Postgres") && !text.contains("secret"),
        "{text}"
    );
}

#[tokio::test]
async fn an_issuer_that_cannot_be_trusted_says_so() {
    for issuer in [
        "http://auth.baedal.test",
        "https://auth.test/",
        "https://auth.test?x",
        "https://a@auth.test",
        "ftp://x",
        "auth.test",
        "HTTPS://auth.test",
    ] {
        let text = refusal(|config| config.issuer = issuer.into()).await;
        assert!(text.contains("ISSUER_URL"), "{issuer}: {text}");
    }
    let text = refusal(|config| config.audience = String::new()).await;
    assert!(text.contains("AUDIENCE"), "{text}");
    let text = refusal(|config| config.access_token_lifetime = 0).await;
    assert!(text.contains("60 to 86400"), "{text}");
}

#[tokio::test]
async fn demo_accounts_on_postgres_are_refused() {
    let text = refusal(|config| {
        config.database_url = "postgres://u:p@127.0.0.1:1/x".into();
        config.demo_accounts = true;
    })
    .await;
    assert!(
        text.contains("demo accounts") && text.contains("baedal-auth user add"),
        "{text}"
    );
}

#[tokio::test]
async fn a_database_with_demo_accounts_is_refused_without_demo() {
    let (mut config, _folder) = World::demo().await.stop().await;
    config.demo_accounts = false;
    let refused = start_at(config.clone(), system_clock()).await;
    assert!(matches!(refused, Err(StartError::DemoRows)));
    config.demo_accounts = true;
    start_at(config, system_clock()).await.unwrap().shutdown().await;
}

#[tokio::test]
async fn no_demo_account_exists_without_demo() {
    let folder = folder();
    let world = World::on(&file(&folder)).await;
    let page = world
        .browser()
        .try_login(&world.authorize(&[]), "owner", "baedal-owner")
        .await;
    assert_eq!(page.status, 401);
    assert!(
        world
            .browser()
            .get(&world.authorize(&[("client_id", "baedal-cli")]))
            .await
            .is_error_page()
    );
}

#[tokio::test]
async fn keys_codes_and_logins_survive_a_restart() {
    let world = World::demo().await;
    let keys = world.get("/jwks.json").await.body;
    let tokens = world.tokens().await;
    let issuer = world.running.issuer().to_owned();
    let (mut config, _folder) = world.stop().await;
    config.issuer = issuer;
    let running = start_at(config.clone(), system_clock()).await.unwrap();
    let base = format!("http://{}", running.addr());
    let again: serde_json::Value = reqwest::get(format!("{base}/jwks.json"))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(again, keys);
    let userinfo = crate::browser::http()
        .get(format!("{base}/userinfo"))
        .bearer_auth(tokens.text("access_token"));
    assert_eq!(userinfo.send().await.unwrap().status(), 200);
    running.shutdown().await;
}

#[tokio::test]
async fn replicas_share_keys_and_sessions() {
    let world = World::demo().await;
    let replica = world.replica().await;
    assert_eq!(
        world.get("/jwks.json").await.body,
        replica.get("/jwks.json").await.body
    );
    let code = world.code(&[]).await;
    let tokens = replica.redeem(&code, &[]).await;
    assert_eq!(world.userinfo(&tokens.text("access_token")).await.status, 200);
    world.redeem(&code, &[]).await.refused(400, "invalid_grant");
    assert_eq!(
        replica.introspect(&tokens.text("access_token")).await["active"],
        false
    );
}

#[tokio::test]
async fn a_rotated_key_signs_after_its_notice_and_old_tokens_stay_valid() {
    let world = World::demo().await;
    let old = world.tokens().await.text("access_token");
    baedal_auth::admin::add_key(&world.config.database_url)
        .await
        .unwrap();
    let replica = world.replica().await;
    assert_eq!(
        replica.get("/jwks.json").await.body["keys"]
            .as_array()
            .unwrap()
            .len(),
        2,
        "published at once"
    );
    let kid = |token: &str| {
        use base64::Engine;
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(token.split('.').next().unwrap())
            .unwrap();
        serde_json::from_slice::<serde_json::Value>(&header).unwrap()["kid"].clone()
    };
    let early = replica
        .redeem(&replica.code(&[]).await, &[])
        .await
        .text("access_token");
    assert_eq!(kid(&early), kid(&old), "not used at once");
    world.advance(130);
    let later = world.replica().await;
    let new = later
        .redeem(&later.code(&[]).await, &[])
        .await
        .text("access_token");
    assert_ne!(kid(&new), kid(&old));
    assert_eq!(
        later.userinfo(&old).await.status,
        200,
        "valid until it expires: {}",
        claims(&old)["exp"]
    );
    assert_eq!(later.userinfo(&new).await.status, 200);
}

#[tokio::test]
async fn shutdown_frees_the_port() {
    let world = World::demo().await;
    let address = world.running.addr();
    let (mut config, _folder) = world.stop().await;
    config.listen = address;
    start_at(config, system_clock()).await.unwrap().shutdown().await;
}

#[tokio::test]
async fn the_database_file_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let world = World::with(|config| config.database_url = file(&folder)).await;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o077,
            0,
            "{:?}",
            entry.path()
        );
    }
    world.stop().await;
}
