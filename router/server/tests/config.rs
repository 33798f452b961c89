//! The configuration file: what it can say, and how a mistake is told.

use std::time::Duration;

use baedal_router::config;

fn parse(text: &str) -> Result<config::Config, config::ConfigError> {
    config::parse(text, &|name| (name == "PORT").then(|| "4100".to_owned()))
}

fn refusal(text: &str) -> String {
    match parse(text).and_then(|config| config.check()) {
        Ok(()) => panic!("accepted: {text}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_section_is_read() {
    let config = parse(
        "
listen: 127.0.0.1:${env.PORT}
path: /g
supergraph: { poll_interval: 2s, state_dir: ./state }
subgraphs:
  products: { url: \"http://127.0.0.1:4101/graphql\", timeout: 500ms, subscription_url: \"ws://127.0.0.1:4101/ws\" }
  reviews: { url: \"${env.REVIEWS:-http://127.0.0.1:4102/graphql}\", sdl: reviews.graphql }
contract: { include: [public], exclude: [internal] }
auth:
  issuers: [{ issuer: \"https://login.example.com\", audience: shop }]
limits: { depth: 20, aliases: 5 }
traffic: { timeout: 10s, pool_max_idle: 8 }
headers: { propagate: [x-tenant] }
csrf: { enabled: true, required_headers: [x-app] }
cors: { origins: [\"https://app.example.com\"] }
errors: { mask_subgraphs: true }
introspection: { enabled: false }
subscriptions: { idle_timeout: 1m }
websocket: { init_timeout: 5s, queue: 10 }
",
    )
    .expect("reads");
    config.check().expect("works");
    assert_eq!(config.listen.port(), 4100);
    assert_eq!(config.supergraph.poll_interval, Duration::from_secs(2));
    assert_eq!(
        config.subgraphs["products"].timeout,
        Some(Duration::from_millis(500))
    );
    assert_eq!(
        config.subgraphs["reviews"].url.as_ref().map(|url| url.port()),
        Some(Some(4102))
    );
    let contract = config.contract.expect("a contract").contract();
    assert!(contract.include.contains("public") && contract.exclude.contains("internal"));
    let issuer = &config.auth.expect("auth").issuers[0];
    assert_eq!(
        issuer.keys_url(),
        "https://login.example.com/.well-known/openid-configuration"
    );
    assert_eq!((config.limits.depth, config.limits.tokens), (20, 15_000));
}

#[test]
fn a_mistake_is_told_with_its_place_and_the_cure() {
    for (text, wanted) in [
        (
            "path: /g\nlisen: 127.0.0.1:1\n",
            vec!["2:", "unknown key `lisen`", "did you mean `listen`?"],
        ),
        (
            "limits:\n  dept: 3\n",
            vec!["2:", "unknown key `dept` in `limits`", "did you mean `depth`?"],
        ),
        ("limits:\n  zzz: 3\n", vec!["known here", "tokens"]),
        (
            "listen: nowhere\n",
            vec!["1:", "listen", "invalid socket address"],
        ),
        ("traffic: { timeout: 10 parsecs }\n", vec!["10 parsecs", "500ms"]),
        ("auth: { issuers: [{ issuer: x }] }\n", vec!["audience"]),
        ("path: /g\nlimits: {\n", vec!["3:"]),
        ("listen: 127.0.0.1:${env.NOPE}\n", vec!["1:", "NOPE is not set"]),
    ] {
        let message = parse(text).map(|_| ()).expect_err(text).to_string();
        for part in wanted {
            assert!(message.contains(part), "{part:?} is not in: {message}");
        }
    }
}

#[test]
fn what_cannot_work_is_refused_before_the_start() {
    for (text, wanted) in [
        ("", "no graph to serve"),
        ("# nothing but a comment\n", "no graph to serve"),
        (
            "path: g\nsubgraphs: { a: { url: \"http://h/g\" } }",
            "`path` must start with /",
        ),
        (
            "path: /a/{b}\nsubgraphs: { a: { url: \"http://h/g\" } }",
            "`path`",
        ),
        (
            "path: /health/x\nsubgraphs: { a: { url: \"http://h/g\" } }",
            "/health",
        ),
        (
            "path: /health\nsubgraphs: { a: { url: \"http://h/g\" } }",
            "must not be /health",
        ),
        (
            "supergraph: { poll_interval: 0s }\nsubgraphs: { a: { url: \"http://h/g\" } }",
            "`supergraph.poll_interval` must be at least 100ms",
        ),
        (
            "supergraph: { poll_interval: 99ms }\nsubgraphs: { a: { url: \"http://h/g\" } }",
            "at least 100ms",
        ),
        (
            "subgraphs: { a: { url: \"http://h/g\" } }\nlimits: { height: 201 }",
            "`limits.height` must be at most 200",
        ),
        (
            "subgraphs: { a: { url: \"http://h/g\" } }\nlimits: { depth: 129 }",
            "`limits.depth` must be at most 128",
        ),
        (
            "subgraphs: { a: { url: \"http://h/g\" } }\nlimits: { tokens: 250001 }",
            "`limits.tokens` must be at most 250000",
        ),
        (
            "subgraphs: { a: { url: \"http://h/g\" } }\ncors: { origins: [\"*\"] }",
            "name each origin",
        ),
        (
            "subgraphs: { a: { url: \"http://h/g\" } }\ncors: { origins: [\"http://ok.example\", \"http://a.example/\"] }",
            "write http://a.example",
        ),
        (
            "subgraphs: { a: { url: \"http://h/g\" } }\ncors: { origins: [\"a\\u0001b\"] }",
            "is no origin",
        ),
        (
            "subgraphs: { a: { url: \"http://h/g\" } }\ncontract: {}",
            "`contract` names no tag",
        ),
        (
            "subgraphs: { a: { url: \"http://h/g\" } }\ncontract: { include: [a], exclude: [a] }",
            "includes and excludes the tag `a`",
        ),
        (
            "subgraphs: { a: { sdl: a.graphql } }",
            "`subgraphs.a.url` is missing",
        ),
        (
            "subgraphs: { a: { url: \"ftp://h/g\" } }",
            "`subgraphs.a.url` must start with http://",
        ),
        (
            "subgraphs: { a: { url: \"http://h/g\", subscription_url: \"ftp://h\" } }",
            "subscription_url",
        ),
        (
            "supergraph: { file: s.graphql }\nsubgraphs: { a: { sdl: a.graphql } }",
            "no effect beside supergraph.file",
        ),
        (
            "subgraphs: { a: { url: \"http://h/g\" } }\nauth: { issuers: [] }",
            "at least one issuer",
        ),
        (
            "subgraphs: { a: { url: \"http://h/g\" } }\nauth: { issuers: [{ issuer: me, audience: x }] }",
            "jwks_url",
        ),
        (
            "subgraphs: { a: { url: \"http://h/g\" } }\nauth: { issuers: [{ issuer: \"http://i\", audience: x, algorithms: [HS256] }] }",
            "shared secrets and `none` are never accepted",
        ),
        (
            "subgraphs: { a: { url: \"http://h/g\" } }\nauth: { issuers: [{ issuer: \"http://i\", audience: x, algorithms: [] }] }",
            "`auth.issuers[].algorithms` must be some of ES256, EdDSA, RS256",
        ),
        (
            "subgraphs: { a: { url: \"http://h/g\" } }\nheaders: { propagate: [Host] }",
            "cannot be passed on",
        ),
        (
            "subgraphs: { a: { url: \"http://h/g\" } }\nheaders: { propagate: [\"a b\"] }",
            "is not a header name",
        ),
    ] {
        let message = refusal(text);
        assert!(message.contains(wanted), "{wanted:?} is not in: {message}");
    }
}

#[test]
fn a_file_is_named_in_its_errors_and_its_paths_are_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("router.yaml");
    let missing = config::read(&file).map(|_| ()).expect_err("missing").to_string();
    assert!(missing.contains("router.yaml"), "{missing}");
    std::fs::write(&file, "limitz: {}\n").expect("written");
    let wrong = config::read(&file).map(|_| ()).expect_err("wrong").to_string();
    assert!(wrong.contains("router.yaml:1:1: unknown key `limitz`"), "{wrong}");
    std::fs::write(&file, "supergraph: { file: s.graphql }\n").expect("written");
    let config = config::read(&file).expect("reads");
    assert_eq!(config.supergraph.file, Some(folder.path().join("s.graphql")));
}
