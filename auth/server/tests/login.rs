//! C35–C39: passwords, guessing, forms and cookies.

use std::time::{Duration, Instant};

use argon2::{Argon2, Params, PasswordHasher};
use reqwest::StatusCode;

use crate::browser::Browser;
use crate::world::{World, file, folder};

/// A world behind one trusted proxy, so that tests can come from different addresses.
async fn behind_proxy() -> World {
    World::with(|config| config.forwarded_hops = 1).await
}

fn from(world: &World, address: &str) -> Browser {
    let mut browser = world.browser();
    browser.headers.push(("x-forwarded-for", address.to_owned()));
    browser
}

async fn attempt(world: &World, address: &str, login: &str, password: &str) -> crate::browser::Page {
    from(world, address)
        .try_login(&world.authorize(&[]), login, password)
        .await
}

#[tokio::test]
async fn a_weak_hash_is_made_anew_at_login() {
    let folder = folder();
    let world = World::with(|config| config.database_url = file(&folder)).await;
    let weak = Argon2::from(Params::new(8192, 1, 1, None).unwrap())
        .hash_password(b"baedal-customer")
        .unwrap()
        .to_string();
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&file(&folder)).await.unwrap();
    let stored = async || -> String {
        sqlx::query_scalar("SELECT password FROM users WHERE login = 'customer'")
            .fetch_one(&pool)
            .await
            .unwrap()
    };
    assert!(stored().await.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    sqlx::query("UPDATE users SET password = $1 WHERE login = 'customer'")
        .bind(&weak)
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(
        attempt(&world, "", "customer", "wrong-password").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(stored().await, weak, "only the right password makes it anew");
    assert_eq!(
        attempt(&world, "", "customer", "baedal-customer").await.status,
        StatusCode::SEE_OTHER
    );
    assert!(stored().await.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_eq!(
        attempt(&world, "", "customer", "baedal-customer").await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn a_password_of_a_megabyte_or_with_nul_is_refused_without_hashing() {
    let world = World::demo().await;
    let mut browser = world.browser();
    let page = browser.get(&world.authorize(&[])).await;
    let (csrf, request) = (page.hidden("csrf"), page.hidden("request"));
    for password in ["a".repeat(1 << 20), "a".repeat(1025), "baedal-customer\0".into()] {
        let form = [
            ("csrf", csrf.as_str()),
            ("request", &request),
            ("login", "customer"),
            ("password", &password),
        ];
        assert_eq!(
            browser.post("/login", &form).await.status,
            StatusCode::BAD_REQUEST
        );
    }
    assert_eq!(
        attempt(&world, "", "customer", "baedal-customer").await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn guessing_one_account_locks_it_even_for_the_right_password() {
    let world = behind_proxy().await;
    for n in 0..10 {
        let page = attempt(&world, &format!("10.0.0.{n}"), "customer", "wrong-password").await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{n}");
    }
    let page = attempt(&world, "10.0.1.1", "customer", "baedal-customer").await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: i64 = page.header("retry-after").parse().unwrap();
    assert!((800..=900).contains(&wait), "{wait}");
    assert_eq!(
        attempt(&world, "10.0.0.1", " CUSTOMER ", "x").await.status,
        StatusCode::TOO_MANY_REQUESTS,
        "one account, however written"
    );
    assert_eq!(
        attempt(&world, "10.0.0.1", "owner", "baedal-owner").await.status,
        StatusCode::SEE_OTHER,
        "others unaffected"
    );
    world.advance(wait);
    assert_eq!(
        attempt(&world, "10.0.1.1", "customer", "baedal-customer")
            .await
            .status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn guessing_many_accounts_locks_the_address() {
    let world = behind_proxy().await;
    for n in 0..10 {
        assert_eq!(
            attempt(&world, "10.0.0.1", &format!("user{n}"), "password1")
                .await
                .status,
            StatusCode::UNAUTHORIZED
        );
    }
    assert_eq!(
        attempt(&world, "10.0.0.1", "customer", "baedal-customer")
            .await
            .status,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(
        attempt(&world, "10.0.0.2", "customer", "baedal-customer")
            .await
            .status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn a_success_forgives_earlier_failures() {
    let world = behind_proxy().await;
    for _ in 0..3 {
        for _ in 0..8 {
            assert_eq!(
                attempt(&world, "10.0.0.1", "customer", "wrong-password")
                    .await
                    .status,
                StatusCode::UNAUTHORIZED
            );
        }
        assert_eq!(
            attempt(&world, "10.0.0.1", "customer", "baedal-customer")
                .await
                .status,
            StatusCode::SEE_OTHER
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_guesses_at_once_do_not_slip_under_the_limit() {
    let world = std::sync::Arc::new(behind_proxy().await);
    let guesses: Vec<_> = (0..40)
        .map(|n| {
            let world = std::sync::Arc::clone(&world);
            tokio::spawn(async move {
                attempt(&world, &format!("10.0.0.{n}"), "customer", "wrong-password")
                    .await
                    .status
            })
        })
        .collect();
    let mut hashed = 0;
    for guess in guesses {
        hashed += usize::from(guess.await.unwrap() == StatusCode::UNAUTHORIZED);
    }
    assert!(hashed <= 10, "{hashed} passwords were looked at");
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_get_the_same_answer() {
    let world = World::demo().await;
    let mut browser = world.browser();
    let page = browser.get(&world.authorize(&[])).await;
    let (csrf, request) = (page.hidden("csrf"), page.hidden("request"));
    let mut answers = Vec::new();
    for login in ["customer", "nobody", "", "' OR 1=1 --"] {
        let form = [
            ("csrf", csrf.as_str()),
            ("request", &request),
            ("login", login),
            ("password", "wrong-password"),
        ];
        let answer = browser.post("/login", &form).await;
        answers.push((answer.status, answer.body, answer.headers.len()));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(answers[0].0, StatusCode::UNAUTHORIZED);
}

/// The bounds are wide because other work shares the machine; without the hash an unknown user is ten times faster.
#[tokio::test]
async fn an_unknown_user_takes_as_long_as_a_wrong_password() {
    let world = behind_proxy().await;
    let mut times: [Vec<Duration>; 2] = Default::default();
    for n in 0..24 {
        for (index, login) in ["customer", "nobody"].into_iter().enumerate() {
            let mut browser = from(&world, &format!("10.0.0.{n}"));
            let page = browser.get(&world.authorize(&[])).await;
            let (csrf, request) = (page.hidden("csrf"), page.hidden("request"));
            let start = Instant::now();
            let form = [
                ("csrf", csrf.as_str()),
                ("request", &request),
                ("login", login),
                ("password", "wrong-password"),
            ];
            assert_eq!(
                browser.post("/login", &form).await.status,
                StatusCode::UNAUTHORIZED
            );
            times[index].push(start.elapsed());
        }
        world.advance(120);
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64()
    };
    let ratio = median(&mut times[1]) / median(&mut times[0]);
    assert!((0.6..1.7).contains(&ratio), "{ratio}");
}

#[tokio::test]
async fn a_form_from_elsewhere_is_refused() {
    let world = World::demo().await;
    let mut browser = world.browser();
    let page = browser.get(&world.authorize(&[])).await;
    let (csrf, request) = (page.hidden("csrf"), page.hidden("request"));
    let good = [
        ("csrf", csrf.as_str()),
        ("request", &request),
        ("login", "customer"),
        ("password", "baedal-customer"),
    ];
    assert_eq!(
        browser.clone().post("/login", &good[1..]).await.status,
        StatusCode::FORBIDDEN,
        "no token"
    );
    let wrong = [("csrf", "x"), good[1], good[2], good[3]];
    assert_eq!(
        browser.clone().post("/login", &wrong).await.status,
        StatusCode::FORBIDDEN,
        "wrong token"
    );
    let mut other = world.browser();
    assert_eq!(
        other.post("/login", &good).await.status,
        StatusCode::FORBIDDEN,
        "no cookie"
    );
    other.get(&world.authorize(&[])).await;
    assert_eq!(
        other.post("/login", &good).await.status,
        StatusCode::FORBIDDEN,
        "another browser's token"
    );
    for header in [
        ("origin", "https://evil.test"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let mut foreign = browser.clone();
        foreign.headers.push((header.0, header.1.to_owned()));
        assert_eq!(
            foreign.post("/login", &good).await.status,
            StatusCode::FORBIDDEN,
            "{header:?}"
        );
    }
    browser
        .headers
        .push(("origin", world.running.issuer().to_owned()));
    browser.headers.push(("sec-fetch-site", "same-origin".to_owned()));
    assert_eq!(browser.post("/login", &good).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_consent_that_nobody_gave_is_refused() {
    let world = World::demo().await;
    let mut browser = world.browser();
    let page = browser.get(&world.authorize(&[])).await;
    let (csrf, request) = (page.hidden("csrf"), page.hidden("request"));
    let early = browser
        .post(
            "/consent",
            &[("csrf", &csrf), ("request", &request), ("decision", "allow")],
        )
        .await;
    assert_eq!(early.status, StatusCode::FORBIDDEN, "nobody is logged in");
    let page = browser
        .try_login(&world.authorize(&[]), "customer", "baedal-customer")
        .await;
    let consent = browser.get(page.header("location")).await;
    let request = consent.hidden("request");
    let stale = browser
        .post(
            "/consent",
            &[("csrf", &csrf), ("request", &request), ("decision", "allow")],
        )
        .await;
    assert_eq!(
        stale.status,
        StatusCode::FORBIDDEN,
        "the token of the time before the login"
    );
    let csrf = consent.hidden("csrf");
    let foreign = request.replace("127.0.0.1", "evil.test");
    let foreign = browser
        .post(
            "/consent",
            &[("csrf", &csrf), ("request", &foreign), ("decision", "allow")],
        )
        .await;
    assert!(foreign.is_error_page(), "{}", foreign.header("location"));
    assert!(browser.decide(&consent, "allow").await.answer("code").is_some());
}

#[tokio::test]
async fn the_session_changes_at_login_and_the_old_one_is_worthless() {
    let world = World::demo().await;
    let mut browser = world.browser();
    browser.get(&world.authorize(&[])).await;
    let mut attacker = browser.clone();
    let before = browser.cookie.clone();
    browser
        .try_login(&world.authorize(&[]), "customer", "baedal-customer")
        .await;
    assert_ne!(browser.cookie, before);
    assert!(
        attacker.get(&world.authorize(&[])).await.is_login(),
        "a cookie planted before the login is not logged in"
    );
    let mut first = browser.clone();
    browser
        .try_login(
            &world.authorize(&[("prompt", "login")]),
            "customer",
            "baedal-customer",
        )
        .await;
    assert!(
        first.get(&world.authorize(&[])).await.is_login(),
        "a second login ends the first"
    );
}

#[tokio::test]
async fn cookies_are_bound_to_the_host_and_hidden_from_scripts() {
    let plain = World::demo().await;
    let page = plain.browser().get(&plain.authorize(&[])).await;
    let cookie = page.header("set-cookie");
    assert!(
        cookie.starts_with("baedal=") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let secure = World::with(|config| config.issuer = "https://auth.baedal.test".into()).await;
    let page = secure.browser().get(&secure.authorize(&[])).await;
    let cookie = page.header("set-cookie").to_owned();
    assert!(
        cookie.starts_with("__Host-baedal=") && cookie.contains("; Secure") && cookie.contains("Path=/"),
        "{cookie}"
    );
    assert!(!cookie.contains("Domain"));
}

#[tokio::test]
async fn pages_cannot_be_framed_and_run_no_script() {
    let world = World::demo().await;
    let login = world.browser().get(&world.authorize(&[])).await;
    let error = world
        .browser()
        .get(&world.authorize(&[("client_id", "nobody")]))
        .await;
    for page in [&login, &error] {
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_eq!(
            (page.header("x-frame-options"), page.header("cache-control")),
            ("DENY", "no-store")
        );
    }
    let policy = login.header("content-security-policy");
    assert!(
        policy.contains("form-action 'self' http://127.0.0.1:8765;"),
        "the redirect after the form is a form action, too"
    );
    assert!(
        error
            .header("content-security-policy")
            .contains("form-action 'self' ;")
    );
    for label in [
        "<html lang=\"en\">",
        "for=\"login\"",
        "for=\"password\"",
        "autocomplete=\"current-password\"",
    ] {
        assert!(login.body.contains(label), "{label}");
    }
}

#[tokio::test]
async fn a_way_back_to_elsewhere_is_ignored() {
    let world = World::demo().await;
    let mut browser = world.browser();
    let page = browser.get(&world.authorize(&[])).await;
    let csrf = page.hidden("csrf");
    for request in [
        "https://evil.test/",
        "//evil.test",
        "return_to=https://evil.test",
        "redirect_uri=https://evil.test/",
    ] {
        let form = [
            ("csrf", csrf.as_str()),
            ("request", request),
            ("login", "customer"),
            ("password", "baedal-customer"),
        ];
        let mut browser = browser.clone();
        let answer = browser.post("/login", &form).await;
        let location = answer.header("location").to_owned();
        assert!(
            location.starts_with(&format!("{}/authorize?", world.base)),
            "{location}"
        );
        assert!(browser.get(&location).await.is_error_page());
    }
}
