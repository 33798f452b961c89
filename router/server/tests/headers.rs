//! Header rules: to all subgraphs, to one, and back to clients.

use std::collections::BTreeMap;

use baedal_router::config::{self, Config, Merge, Propagation, Responded};

use crate::support::{Manner, Rogue, World};

const BOTH: &str = "{ me { name } topProducts { name } }";

fn rule(name: &str, rename: Option<&str>, default: Option<&str>) -> Propagation {
    Propagation {
        name: name.to_owned(),
        rename: rename.map(str::to_owned),
        default: default.map(str::to_owned),
    }
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

/// What the subgraph was sent at its last call under these names.
fn sent(subgraph: &crate::support::Subgraph, names: &[&str]) -> Vec<Vec<String>> {
    let (headers, _) = subgraph.requests().pop().expect("a call");
    let text = |value: &http::HeaderValue| value.to_str().expect("text").to_owned();
    let of = |name: &&str| headers.get_all(*name).iter().map(text).collect();
    names.iter().map(of).collect()
}

fn rules(config: &mut Config) {
    config.headers.propagate = vec![
        "x-tenant".into(),
        rule("accept-language", Some("x-language"), Some("en")),
    ];
    config.headers.insert = map(&[("x-gateway", "baedal"), ("x-stage", "test")]);
    let accounts = config.subgraphs.get_mut("accounts").expect("it is there");
    accounts.headers.propagate = vec![rule("x-session", None, None), rule("x-plan", None, Some("free"))];
    accounts.headers.insert = map(&[("x-stage", "accounts"), ("x-key", "s3cret")]);
}

#[tokio::test]
async fn headers_travel_by_the_rules_to_all_subgraphs_or_to_one() {
    let world = World::with(rules).await;
    let names = [
        "x-tenant",
        "x-language",
        "accept-language",
        "x-gateway",
        "x-stage",
        "x-session",
        "x-plan",
        "x-key",
    ];
    let client = world.client().header("x-tenant", "a").header("x-tenant", "b");
    let client = client.header("accept-language", "ko").header("x-session", "7");
    client
        .header("x-gateway", "forged")
        .header("x-key", "forged")
        .query(BOTH)
        .await
        .data();
    let one = |value: &str| vec![value.to_owned()];
    let tenants = vec!["a".to_owned(), "b".to_owned()];
    let none = Vec::new;
    assert_eq!(
        sent(&world.accounts, &names),
        [
            tenants.clone(),
            one("ko"),
            none(),
            one("baedal"),
            one("accounts"),
            one("7"),
            one("free"),
            one("s3cret")
        ]
    );
    assert_eq!(
        sent(&world.products, &names),
        [
            tenants,
            one("ko"),
            none(),
            one("baedal"),
            one("test"),
            none(),
            none(),
            none()
        ]
    );
    world.query(BOTH).await.data();
    let defaults = [
        none(),
        one("en"),
        none(),
        one("baedal"),
        one("accounts"),
        none(),
        one("free"),
        one("s3cret"),
    ];
    assert_eq!(sent(&world.accounts, &names), defaults);
}

#[tokio::test]
async fn streams_have_the_headers_of_their_subgraph() {
    let world = World::with(|config| {
        config.headers.insert = map(&[("x-gateway", "baedal")]);
        let products = config.subgraphs.get_mut("products").expect("it is there");
        products.headers.propagate = vec![rule("x-session", None, Some("none"))];
    })
    .await;
    let mut socket = crate::support::socket::Socket::ready(&world.gateway, None).await;
    socket.subscribe("1", "subscription { sold { name } }").await;
    assert_eq!(socket.message().await["type"], "next");
    assert_eq!(
        sent(&world.products, &["x-gateway", "x-session"]),
        [["baedal"], ["none"]]
    );
}

#[tokio::test]
async fn callers_that_differ_in_a_header_of_one_subgraph_share_nothing() {
    let world = World::with(|config| {
        rules(config);
        config.traffic.share_equal_requests = true;
    })
    .await;
    world
        .accounts
        .set_mode(crate::support::Mode::Slow(std::time::Duration::from_millis(300)));
    let (one, two) = (
        world.client().header("x-session", "1"),
        world.client().header("x-session", "2"),
    );
    tokio::join!(one.query("{ me { name } }"), two.query("{ me { name } }"));
    assert_eq!(world.accounts.requests().len(), 2);
    let (one, two) = (
        world.client().header("x-session", "1"),
        world.client().header("x-session", "1"),
    );
    tokio::join!(one.query("{ me { name } }"), two.query("{ me { name } }"));
    assert_eq!(world.accounts.requests().len(), 1);
}

/// What clients get of the headers of two subgraphs.
async fn carried(respond: Vec<Responded>, first: &str, second: &str) -> crate::support::Answer {
    let accounts = Rogue::start(Manner::http(200, first, r#"{"data":{"me":{"name":"Ada"}}}"#)).await;
    let products = Rogue::start(Manner::http(200, second, r#"{"data":{"topProducts":[]}}"#)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::with(|config| {
        for (name, rogue) in [("accounts", &accounts), ("products", &products)] {
            let sdl = folder.path().join(name);
            let text = match name {
                "accounts" => "type Query { me: User } type User { name: String }",
                _ => "type Query { topProducts: [Product] } type Product { name: String }",
            };
            std::fs::write(&sdl, text).expect("written");
            let subgraph = config.subgraphs.get_mut(name).expect("it is there");
            (subgraph.url, subgraph.sdl) = (Some(rogue.url()), Some(sdl));
        }
        config.subgraphs.remove("reviews");
        config.headers.respond = respond;
    })
    .await;
    let answer = world.query(BOTH).await;
    answer.data();
    answer
}

#[tokio::test]
async fn named_headers_of_answers_travel_back_merged() {
    let all = Responded {
        name: "x-trail".to_owned(),
        merge: Merge::All,
    };
    let respond = || vec!["x-cache".into(), all.clone(), "cache-control".into()];
    let first = "x-cache: hit\r\nx-trail: a\r\nset-cookie: s=1\r\ncache-control: max-age=60\r\n";
    let second = "x-trail: b\r\ncache-control: public, max-age=5\r\n";
    let answer = carried(respond(), first, second).await;
    assert_eq!(
        (answer.header("x-cache"), answer.header("cache-control")),
        ("hit", "public, max-age=5")
    );
    let mut trail: Vec<_> = answer
        .headers
        .get_all("x-trail")
        .iter()
        .map(|value| value.as_bytes())
        .collect();
    trail.sort_unstable();
    assert_eq!(trail, [b"a", b"b"]);
    assert!(!answer.headers.contains_key("set-cookie"), "nobody has named it");
    let answer = carried(respond(), first, "x-trail: a\r\n").await;
    assert_eq!(
        answer.header("cache-control"),
        "no-store",
        "one says nothing, and so allows nothing"
    );
    let answer = carried(Vec::new(), first, second).await;
    assert_eq!(
        (answer.header("x-cache"), answer.header("cache-control")),
        ("", "no-store")
    );
}

#[test]
fn rules_are_written_short_or_long() {
    let text = "
subgraphs:
  a: { url: 'http://a.example/', headers: { propagate: [x-a, { name: x-b, rename: x-c }], insert: { x-key: \"${env.KEY}\" } } }
headers:
  propagate: [x-d, { name: x-e, default: none }]
  insert: { x-f: g }
  respond: [x-h, { name: x-i, merge: all }]
";
    let config = config::parse(text, &|_| Some("s3cret".to_owned())).expect("reads");
    config.check().expect("works");
    let a = &config.subgraphs["a"].headers;
    assert_eq!(a.propagate, ["x-a".into(), rule("x-b", Some("x-c"), None)]);
    assert_eq!(
        config.headers.propagate,
        ["x-d".into(), rule("x-e", None, Some("none"))]
    );
    assert_eq!(config.headers.respond[1].merge, Merge::All);
    let shown = config.shown().to_string();
    assert!(!shown.contains("s3cret") && shown.contains("x-key"), "{shown}");
}

#[test]
fn rules_that_cannot_work_are_refused_with_their_key() {
    for (rules, wanted) in [
        (
            "propagate: [\"a b\"]",
            "`headers.propagate` `a b` is not a header name",
        ),
        (
            "propagate: [connection]",
            "`connection` belongs to one connection",
        ),
        (
            "propagate: [{ name: x-a, rename: host }]",
            "`host` belongs to one connection",
        ),
        (
            "propagate: [{ name: x-a, rename: traceparent }]",
            "`traceparent` is sent with every call already",
        ),
        (
            "propagate: [x-a, { name: x-b, rename: x-a }]",
            "`x-a` is sent by another rule already",
        ),
        (
            "propagate: [{ name: x-a, default: \"b\\nc\" }]",
            "the value of `x-a` cannot be one of a header",
        ),
        (
            "{ propagate: [x-a], insert: { x-a: b } }",
            "`x-a` is sent by another rule already",
        ),
        (
            "insert: { content-length: '1' }",
            "`headers.insert` `content-length` belongs",
        ),
        (
            "insert: { x-request-id: a }",
            "`x-request-id` is sent with every call already",
        ),
        (
            "respond: [transfer-encoding]",
            "`headers.respond` `transfer-encoding` belongs",
        ),
        (
            "respond: [x-request-id]",
            "`x-request-id` is said by the gateway itself",
        ),
        (
            "respond: [access-control-allow-origin]",
            "is said by the gateway itself",
        ),
    ] {
        let section = match rules.strip_prefix('{') {
            Some(_) => rules.to_owned(),
            None => format!("{{ {rules} }}"),
        };
        let text = format!("subgraphs: {{ a: {{ url: 'http://a.example/' }} }}\nheaders: {section}\n");
        let config = config::parse(&text, &|_| None).expect(rules);
        let told = config.check().expect_err(rules).to_string();
        assert!(told.contains(wanted), "{wanted:?} in: {told}");
    }
    for (own, wanted) in [
        (
            "{ propagate: [x-a] }",
            "`subgraphs.a.headers.propagate` `x-a` is sent by another rule",
        ),
        (
            "{ insert: { x-a: b } }",
            "`subgraphs.a.headers.insert` `x-a` is in headers.propagate already",
        ),
    ] {
        let text = format!(
            "subgraphs: {{ a: {{ url: 'http://a.example/', headers: {own} }} }}\nheaders: {{ propagate: [x-a] }}\n"
        );
        let config = config::parse(&text, &|_| None).expect(own);
        let told = config.check().expect_err(own).to_string();
        assert!(told.contains(wanted), "{wanted:?} in: {told}");
    }
    let mut config =
        config::parse("subgraphs: { a: { url: 'http://a.example/' } }", &|_| None).expect("reads");
    config.headers.respond = vec!["x-a".into()];
    config.traffic.share_equal_requests = true;
    let told = config.check().expect_err("a contradiction").to_string();
    assert!(told.contains("traffic.share_equal_requests"), "{told}");
    for wrong in [
        "propagate: [{ name: x-a, renam: b }]",
        "propagate: [1]",
        "respond: [{ name: x-a, merge: both }]",
    ] {
        let text = format!("subgraphs: {{ a: {{ url: 'http://a.example/' }} }}\nheaders: {{ {wrong} }}\n");
        config::parse(&text, &|_| None).expect_err(wrong);
    }
}
