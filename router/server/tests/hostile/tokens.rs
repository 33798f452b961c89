//! Tokens that somebody else made (C1 to C13, by what they cost).

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::raw::{Heard, post_with};
use super::world::{self, World};

const BODY: &[u8] = br#"{"query":"{ probe }"}"#;

fn part(json: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(json.to_string())
}

/// Headers of tokens, each with the claims and the signature of a good one.
fn heads() -> Vec<(&'static str, Value)> {
    let kid = |kid: Value| json!({"typ": "at+jwt", "alg": "ES256", "kid": kid});
    vec![
        (
            "no algorithm",
            json!({"typ": "at+jwt", "alg": "none", "kid": "a"}),
        ),
        ("HS256", json!({"typ": "at+jwt", "alg": "HS256", "kid": "a"})),
        ("a path for a key", kid(json!("../../../../etc/passwd"))),
        ("SQL for a key", kid(json!("' OR 1=1 --"))),
        ("an address for a key", kid(json!("http://127.0.0.1:1/"))),
        ("a key of 10 kB", kid(json!("x".repeat(10_000)))),
        ("a number for a key", kid(json!(1))),
        ("a list for a key", kid(json!(["a"]))),
        ("NUL in a key", kid(json!("a\u{0}b"))),
        (
            "a key of one's own",
            json!({"typ": "at+jwt", "alg": "ES256", "kid": "a", "jwk": {"kty": "EC"}, "jku": "http://127.0.0.1:1/"}),
        ),
        (
            "a demand nobody knows",
            json!({"typ": "at+jwt", "alg": "ES256", "kid": "a", "crit": ["x"], "x": 1}),
        ),
        ("nothing", json!({})),
        ("a list", json!([])),
        (
            "deep lists",
            serde_json::from_str(&format!("{}{}", "[".repeat(100), "]".repeat(100))).expect("JSON"),
        ),
    ]
}

async fn asked(world: &World, lines: &[u8]) -> Heard {
    let head = post_with("AUTHORIZATION", BODY);
    let at = head
        .windows(13)
        .position(|window| window == b"AUTHORIZATION")
        .expect("the place");
    let sent = [&head[..at], lines, &head[at + 13..]].concat();
    world.send(&sent).await
}

pub async fn run() {
    let world = World::start().await;
    let good = world.issuer.token("");
    let parts: Vec<&str> = good.split('.').collect();
    let refused = (401, "INVALID_TOKEN");
    let line = |token: &str| format!("authorization: Bearer {token}\r\n").into_bytes();
    let mut cases: Vec<(String, Vec<u8>, (u16, &str))> = heads()
        .into_iter()
        .map(|(name, head)| {
            let token = format!("{}.{}.{}", part(&head), parts[1], parts[2]);
            (name.to_owned(), line(&token), refused)
        })
        .collect();
    let named = |name: &str, lines: Vec<u8>, expected| (name.to_owned(), lines, expected);
    cases.extend([
        named("a good one", line(&good), (200, "")),
        named("a token of dots", line(&".".repeat(10_000)), refused),
        named("a token of one part", line(&"x".repeat(10_000)), refused),
        named("no base64", line("a!.b!.c!"), refused),
        named(
            "a token of 15 kB",
            line(&format!("{}.{}.{}", parts[0], "A".repeat(15_000), parts[2])),
            refused,
        ),
        named("a token of 3 MB", line(&"x".repeat(3 << 20)), (431, "")),
        named(
            "bytes that are no UTF-8",
            b"authorization: Bearer \xff\xfe\r\n".to_vec(),
            refused,
        ),
        named(
            "two tokens",
            [line(&good), line(&good)].concat(),
            (400, "AMBIGUOUS_AUTHORIZATION"),
        ),
        named(
            "40 tokens",
            line("a.b.c").repeat(40),
            (400, "AMBIGUOUS_AUTHORIZATION"),
        ),
        named("Basic", b"authorization: Basic YTpi\r\n".to_vec(), refused),
        named(
            "nothing after Bearer",
            b"authorization: Bearer\r\n".to_vec(),
            refused,
        ),
    ]);
    let count = cases.len() + 1;
    let mut wrong = Vec::new();
    for (name, lines, expected) in cases {
        let heard = asked(&world, &lines).await;
        if (heard.status, heard.code.as_str()) != expected {
            wrong.push(format!(
                "{name}: {} {:?} {:.200}",
                heard.status, heard.code, heard.text
            ));
        }
        if heard.text.contains("etc/passwd") || heard.took > world::patience() {
            wrong.push(format!("{name}: took {:?}: {:.200}", heard.took, heard.text));
        }
    }
    // A storm of keys that nobody knows: the issuer is asked once in ten seconds at most.
    let before = world.issuer.fetched();
    for number in 0..200 {
        let head = json!({"typ": "at+jwt", "alg": "ES256", "kid": format!("k{number}")});
        let token = format!("{}.{}.{}", part(&head), parts[1], parts[2]);
        let heard = asked(&world, &line(&token)).await;
        if heard.status != 401 {
            wrong.push(format!("key {number} of a storm: {}", heard.status));
        }
    }
    let fetched = world.issuer.fetched() - before;
    if fetched > 3 {
        wrong.push(format!("the issuer was asked {fetched} times for its keys"));
    }
    if let Err(why) = world.probe().await {
        wrong.push(why);
    }
    wrong.extend(world.end("tokens", count).await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
