//! C21–C26 and C30: codes, PKCE, redirects.

use crate::browser::parameter;
use crate::world::{CHALLENGE, REDIRECT, VERIFIER, WEB_REDIRECT, World, claims};

#[tokio::test]
async fn a_code_used_twice_is_refused_and_revokes_its_tokens() {
    let world = World::demo().await;
    let code = world.code(&[]).await;
    let tokens = world.redeem(&code, &[]).await;
    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    assert_eq!(world.introspect(&access).await["active"], true);
    assert_eq!(world.userinfo(&access).await.status, 200);
    world.redeem(&code, &[]).await.refused(400, "invalid_grant");
    assert_eq!(
        world.introspect(&access).await,
        serde_json::json!({ "active": false })
    );
    assert_eq!(world.userinfo(&access).await.status, 401);
    world.refresh(&refresh, &[]).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_code_of_another_client_is_refused() {
    let world = World::demo().await;
    let code = world.code(&[]).await;
    world
        .redeem(&code, &[("client_id", "other-cli")])
        .await
        .refused(400, "invalid_grant");
    let code_form = ("grant_type", "authorization_code");
    let form = [
        code_form,
        ("code", &code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", REDIRECT),
    ];
    world
        .post("/token", &form, Some(("web", &world.web)))
        .await
        .refused(400, "invalid_grant");
    assert_eq!(
        world.redeem(&code, &[]).await.status,
        200,
        "the owner was not harmed"
    );
}

#[tokio::test]
async fn a_code_for_another_redirect_uri_is_refused() {
    let world = World::demo().await;
    for other in [
        "http://127.0.0.1:8766/callback",
        "http://127.0.0.1/callback",
        "https://evil.test/",
    ] {
        let code = world.code(&[]).await;
        world
            .redeem(&code, &[("redirect_uri", other)])
            .await
            .refused(400, "invalid_grant");
    }
}

#[tokio::test]
async fn an_expired_code_is_refused() {
    let world = World::demo().await;
    let (fresh, stale) = (world.code(&[]).await, world.code(&[]).await);
    world.advance(55);
    assert_eq!(world.redeem(&fresh, &[]).await.status, 200);
    world.advance(5);
    world.redeem(&stale, &[]).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_made_up_code_is_refused() {
    let world = World::demo().await;
    for code in ["x", "' OR 1=1 --", &"a".repeat(5000), &"a".repeat(43)] {
        world.redeem(code, &[]).await.refused(400, "invalid_grant");
    }
    world
        .redeem("", &[("code", "")])
        .await
        .refused(400, "invalid_request");
}

#[tokio::test]
async fn a_request_without_pkce_or_with_plain_is_refused() {
    let world = World::demo().await;
    let bad: [&[(&str, &str)]; 6] = [
        &[("code_challenge", "")],
        &[("code_challenge_method", "")],
        &[("code_challenge", ""), ("code_challenge_method", "")],
        &[("code_challenge_method", "plain"), ("code_challenge", VERIFIER)],
        &[("code_challenge_method", "s256")],
        &[("code_challenge", "tooshort")],
    ];
    for changes in bad {
        let page = world.browser().get(&world.authorize(changes)).await;
        assert_eq!(
            page.answer("error").as_deref(),
            Some("invalid_request"),
            "{changes:?}"
        );
        assert_eq!(page.answer("code"), None);
    }
}

#[tokio::test]
async fn a_wrong_verifier_is_refused() {
    let world = World::demo().await;
    let code = world.code(&[]).await;
    world
        .redeem(&code, &[("code_verifier", &"a".repeat(43))])
        .await
        .refused(400, "invalid_grant");
    world.redeem(&code, &[]).await.refused(400, "invalid_grant");
    let code = world.code(&[]).await;
    world
        .redeem(&code, &[("code_verifier", CHALLENGE)])
        .await
        .refused(400, "invalid_grant");
}

#[tokio::test]
async fn pkce_downgrade_is_refused() {
    let world = World::demo().await;
    let page = world
        .browser()
        .get(&world.authorize(&[("code_challenge", ""), ("code_challenge_method", "")]))
        .await;
    assert_eq!(
        page.answer("error").as_deref(),
        Some("invalid_request"),
        "no code without a challenge is ever made"
    );
    let code = world.code(&[]).await;
    world
        .redeem(&code, &[("code_verifier", "")])
        .await
        .refused(400, "invalid_request");
    assert_eq!(world.redeem(&code, &[]).await.status, 200);
}

#[tokio::test]
async fn a_verifier_of_a_wrong_length_is_refused() {
    let world = World::demo().await;
    let code = world.code(&[]).await;
    for verifier in ["a".repeat(42), "a".repeat(129), "ä".repeat(43)] {
        world
            .redeem(&code, &[("code_verifier", &verifier)])
            .await
            .refused(400, "invalid_request");
    }
}

#[tokio::test]
async fn a_foreign_redirect_uri_gets_an_error_page_and_no_redirect() {
    let world = World::demo().await;
    let foreign = [
        "https://evil.test/callback",
        "http://127.0.0.1:8765/callback/",
        "http://127.0.0.1:8765/callback/x",
        "http://127.0.0.1:8765/callback?a=b",
        "http://127.0.0.1:8765/Callback",
        "http://127.0.0.1:8765/x/../callback",
        "http://user@127.0.0.1:8765/callback",
        "http://127.0.0.1@evil.test/callback",
        "https://127.0.0.1:8765/callback",
        "http://127.0.0.1:8765/%63allback",
        "http://localhost:8765/callback",
        "http://127.0.0.1:8765/callback#f",
        "http://127.0.0.1:99999/callback",
        "HTTP://127.0.0.1:8765/callback",
        "//127.0.0.1:8765/callback",
        "javascript:alert(1)",
    ];
    for uri in foreign {
        let page = world
            .browser()
            .get(&world.authorize(&[("redirect_uri", uri)]))
            .await;
        assert!(page.is_error_page(), "{uri}: {} {}", page.status, page.body);
    }
    for changes in [
        &[("redirect_uri", "")][..],
        &[("client_id", "")],
        &[("client_id", "nobody")],
        &[("client_id", "machine")],
    ] {
        let page = world.browser().get(&world.authorize(changes)).await;
        assert!(page.is_error_page(), "{changes:?}");
    }
    let web = [("client_id", "web"), ("redirect_uri", "https://app.test:443/cb")];
    assert!(world.browser().get(&world.authorize(&web)).await.is_error_page());
}

#[tokio::test]
async fn the_loopback_port_may_vary() {
    let world = World::demo().await;
    for uri in [
        "http://127.0.0.1:1/callback",
        "http://127.0.0.1:54321/callback",
        "http://127.0.0.1/callback",
    ] {
        assert!(
            world
                .browser()
                .get(&world.authorize(&[("redirect_uri", uri)]))
                .await
                .is_login(),
            "{uri}"
        );
    }
}

#[tokio::test]
async fn other_response_and_grant_types_are_refused() {
    let world = World::demo().await;
    for kind in ["token", "id_token", "code token", "code id_token", "none"] {
        let page = world
            .browser()
            .get(&world.authorize(&[("response_type", kind)]))
            .await;
        assert_eq!(
            page.answer("error").as_deref(),
            Some("unsupported_response_type"),
            "{kind}"
        );
    }
    let missing = world
        .browser()
        .get(&world.authorize(&[("response_type", "")]))
        .await;
    assert_eq!(missing.answer("error").as_deref(), Some("invalid_request"));
    let password = [
        ("grant_type", "password"),
        ("username", "customer"),
        ("password", "baedal-customer"),
        ("client_id", "cli"),
    ];
    world
        .post("/token", &password, None)
        .await
        .refused(400, "unsupported_grant_type");
    world
        .post("/token", &[("client_id", "cli")], None)
        .await
        .refused(400, "invalid_request");
}

#[tokio::test]
async fn state_and_issuer_come_back_byte_equal() {
    let world = World::demo().await;
    for state in ["s-1", "a b+c&d=e%20\"'<>", "상태🍗", "%", &"x".repeat(2000)] {
        let url = world.authorize(&[("state", state)]);
        let page = world.browser().approve(&url, "customer", "baedal-customer").await;
        assert_eq!(page.answer("state").as_deref(), Some(state));
        assert_eq!(page.answer("iss").as_deref(), Some(world.running.issuer()));
        let refused = world
            .browser()
            .get(&world.authorize(&[("state", state), ("scope", "nonsense")]))
            .await;
        assert_eq!(refused.answer("error").as_deref(), Some("invalid_scope"));
        assert_eq!(
            (refused.answer("state").as_deref(), refused.answer("iss")),
            (Some(state), page.answer("iss"))
        );
    }
    let without = world
        .browser()
        .approve(&world.authorize(&[("state", "")]), "customer", "baedal-customer")
        .await;
    assert_eq!(without.answer("state"), None);
}

#[tokio::test]
async fn a_repeated_parameter_is_refused() {
    let world = World::demo().await;
    for more in [
        "&client_id=cli",
        "&redirect_uri=https://evil.test",
        "&state=2",
        "&scope=order",
    ] {
        let page = world
            .browser()
            .get(&format!("{}{more}", world.authorize(&[])))
            .await;
        assert!(page.is_error_page(), "{more}");
    }
    let twice = [
        ("grant_type", "client_credentials"),
        ("grant_type", "client_credentials"),
    ];
    world
        .post("/token", &twice, Some(("machine", &world.machine)))
        .await
        .refused(400, "invalid_request");
}

#[tokio::test]
async fn request_objects_and_other_response_modes_are_refused() {
    let world = World::demo().await;
    let cases = [
        ("request", "e30.e30.", "request_not_supported"),
        ("request_uri", "https://evil.test/r", "request_uri_not_supported"),
        ("response_mode", "fragment", "invalid_request"),
        ("prompt", "none login", "invalid_request"),
        ("max_age", "-1", "invalid_request"),
    ];
    for (name, value, error) in cases {
        let page = world.browser().get(&world.authorize(&[(name, value)])).await;
        assert_eq!(page.answer("error").as_deref(), Some(error), "{name}");
    }
}

#[tokio::test]
async fn an_unknown_resource_is_refused_and_a_known_one_narrows_the_audience() {
    let world = World::with(|config| config.resources = vec!["https://reports.test".into()]).await;
    let page = world
        .browser()
        .get(&world.authorize(&[("resource", "https://evil.test")]))
        .await;
    assert_eq!(page.answer("error").as_deref(), Some("invalid_target"));
    let code = world.code(&[("resource", "https://reports.test")]).await;
    world
        .redeem(&code, &[("resource", "baedal")])
        .await
        .refused(400, "invalid_target");
    let code = world.code(&[("resource", "https://reports.test")]).await;
    let tokens = world.redeem(&code, &[]).await;
    assert_eq!(
        claims(&tokens.text("access_token"))["aud"],
        "https://reports.test"
    );
    let refreshed = world.refresh(&tokens.text("refresh_token"), &[]).await;
    let access = refreshed.text("access_token");
    assert_eq!(
        claims(&access)["aud"],
        "https://reports.test",
        "narrowed for good"
    );
    assert_eq!(world.introspect(&access).await["active"], true);
    assert_eq!(
        world.userinfo(&access).await.status,
        401,
        "it is not for the platform any more"
    );
    world
        .post("/revoke", &[("token", &access), ("client_id", "cli")], None)
        .await;
    assert_eq!(world.introspect(&access).await["active"], false);
    let machine = |resource| [("grant_type", "client_credentials"), ("resource", resource)];
    let basic = Some(("machine", world.machine.as_str()));
    world
        .post("/token", &machine("https://evil.test"), basic)
        .await
        .refused(400, "invalid_target");
    let token = world
        .post("/token", &machine("https://reports.test"), basic)
        .await;
    assert_eq!(claims(&token.text("access_token"))["aud"], "https://reports.test");
}

#[tokio::test]
async fn scopes_end_at_the_users_role() {
    let world = World::demo().await;
    let tokens = world
        .redeem(&world.code(&[("scope", "openid order store")]).await, &[])
        .await;
    assert_eq!(tokens.text("scope"), "openid order", "a customer has no store");
    let page = world
        .browser()
        .approve(
            &world.authorize(&[("scope", "store")]),
            "customer",
            "baedal-customer",
        )
        .await;
    assert_eq!(page.answer("error").as_deref(), Some("invalid_scope"));
    let owner = world
        .browser()
        .approve(
            &world.authorize(&[("scope", "order store")]),
            "owner",
            "baedal-owner",
        )
        .await;
    let tokens = world.redeem(&owner.answer("code").unwrap(), &[]).await;
    assert_eq!(tokens.text("scope"), "store");
    assert!(
        tokens.body.get("id_token").is_none() && tokens.body.get("refresh_token").is_none(),
        "nobody asked for them"
    );
    let beyond = world
        .browser()
        .get(&world.authorize(&[("scope", "operator")]))
        .await;
    assert_eq!(
        beyond.answer("error").as_deref(),
        Some("invalid_scope"),
        "the client may not ask for it"
    );
}

#[tokio::test]
async fn a_public_client_on_the_loopback_is_never_waved_through() {
    let world = World::demo().await;
    let mut browser = world.browser();
    browser
        .approve(&world.authorize(&[]), "customer", "baedal-customer")
        .await
        .answer("code")
        .unwrap();
    assert!(
        browser.get(&world.authorize(&[])).await.is_consent(),
        "any program could have asked"
    );
    let web = [("client_id", "web"), ("redirect_uri", WEB_REDIRECT)];
    let page = browser.get(&world.authorize(&web)).await;
    assert!(page.is_consent());
    browser.decide(&page, "allow").await.answer("code").unwrap();
    let again = browser.get(&world.authorize(&web)).await;
    assert!(
        again.answer("code").is_some(),
        "agreed before, and nobody else receives at this URI"
    );
    let more = browser
        .get(&world.authorize(&[web[0], web[1], ("scope", "openid profile order")]))
        .await;
    assert!(more.is_consent(), "more than was agreed to");
}

#[tokio::test]
async fn a_user_can_refuse() {
    let world = World::demo().await;
    let mut browser = world.browser();
    let page = browser
        .try_login(&world.authorize(&[]), "customer", "baedal-customer")
        .await;
    let consent = browser.get(page.header("location")).await;
    let answer = browser.decide(&consent, "deny").await;
    assert_eq!(
        (
            answer.answer("error").as_deref(),
            answer.answer("state").as_deref()
        ),
        (Some("access_denied"), Some("s-1"))
    );
    assert!(parameter(answer.header("location"), "code").is_none());
}

#[tokio::test]
async fn prompt_and_max_age_are_kept() {
    let world = World::demo().await;
    let web = |more: (&'static str, &'static str)| {
        world.authorize(&[("client_id", "web"), ("redirect_uri", WEB_REDIRECT), more])
    };
    let mut browser = world.browser();
    assert_eq!(
        browser
            .get(&web(("prompt", "none")))
            .await
            .answer("error")
            .as_deref(),
        Some("login_required")
    );
    let page = browser
        .try_login(&web(("prompt", "login")), "customer", "baedal-customer")
        .await;
    let consent = browser.get(page.header("location")).await;
    assert!(consent.is_consent(), "the password was just typed");
    assert_eq!(
        browser
            .get(&web(("prompt", "none")))
            .await
            .answer("error")
            .as_deref(),
        Some("consent_required")
    );
    browser.decide(&consent, "allow").await.answer("code").unwrap();
    assert!(
        browser
            .get(&web(("prompt", "none")))
            .await
            .answer("code")
            .is_some()
    );
    assert!(browser.get(&web(("prompt", "consent"))).await.is_consent());
    assert!(browser.get(&web(("prompt", "login"))).await.is_login());
    assert!(browser.get(&web(("max_age", "0"))).await.is_login());
    world.advance(100);
    assert!(browser.get(&web(("max_age", "99"))).await.is_login());
    assert!(
        browser
            .get(&web(("max_age", "1000")))
            .await
            .answer("code")
            .is_some()
    );
    world.advance(8 * 3600);
    assert!(
        browser.get(&web(("max_age", "99999"))).await.is_login(),
        "the session has ended"
    );
}

#[tokio::test]
async fn a_request_posted_as_a_form_is_answered_like_a_link() {
    let world = World::demo().await;
    let url = world.authorize(&[("state", "상태")]);
    let fields: Vec<(String, String)> =
        url::form_urlencoded::parse(url.split_once('?').unwrap().1.as_bytes())
            .into_owned()
            .collect();
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let mut browser = world.browser();
    let page = browser.post("/authorize", &fields).await;
    assert_eq!(page.status, 303);
    assert!(
        browser.cookie.is_none(),
        "a form from elsewhere must not replace the session"
    );
    assert!(browser.get(page.header("location")).await.is_login());
}
