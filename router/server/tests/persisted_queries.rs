//! Automatic persisted queries (`apq`), as Apollo Client and urql speak it.

use baedal_router::Running;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::socket::Socket;
use crate::support::{Answer, Client, World, config_of};

const QUERY: &str = "query Mine { me { name } }";

pub fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn extensions(text: &str) -> Value {
    json!({"persistedQuery": {"version": 1, "sha256Hash": sha256(text)}})
}

fn by_hash(text: &str) -> Value {
    json!({"extensions": extensions(text)})
}

fn with_hash(text: &str) -> Value {
    json!({"query": text, "extensions": extensions(text)})
}

fn ada() -> Value {
    json!({"data": {"me": {"name": "Ada"}}})
}

#[tokio::test]
async fn a_query_is_known_by_its_hash_once_it_was_sent() {
    let world = World::start().await;
    for (accept, status) in [
        ("application/json", 200),
        ("application/graphql-response+json", 400),
    ] {
        let client = world.client().header("accept", accept);
        let query = format!("{QUERY} # {status}");
        let answer = client.post(by_hash(&query)).await;
        assert_eq!(
            (answer.status, answer.code()),
            (status, "PERSISTED_QUERY_NOT_FOUND")
        );
        // This very message is what urql and others look for.
        assert_eq!(answer.errors()[0]["message"], "PersistedQueryNotFound");
        assert_eq!(answer.errors().len(), 1);
        assert_eq!(client.post(with_hash(&query)).await.body, ada());
        let mut again = by_hash(&query);
        again["operationName"] = "Mine".into();
        // Some clients say so.
        again["query"] = "".into();
        assert_eq!(client.post(again).await.body, ada());
        let appendix = json!({"documentId": format!("sha256:{}", sha256(&query))});
        assert_eq!(client.post(appendix).await.body, ada());
    }
}

#[tokio::test]
async fn a_hash_comes_by_get_too() {
    let world = World::start().await;
    let client = world.client().header("apollo-require-preflight", "1");
    let get = async |text: &str, query: Option<&str>| {
        let extensions = extensions(text).to_string();
        let mut pairs = vec![("extensions", extensions.as_str())];
        pairs.extend(query.map(|query| ("query", query)));
        client.get(&pairs).await
    };
    assert_eq!(get(QUERY, None).await.code(), "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(get(QUERY, Some(QUERY)).await.body, ada());
    assert_eq!(get(QUERY, None).await.body, ada());
    let mutation = "mutation { productsStep(step: 1) }";
    let refused = get(mutation, Some(mutation)).await;
    assert_eq!((refused.status, refused.code()), (405, "MUTATION_BY_GET"));
    assert_eq!(world.journal.read(), [] as [i32; 0]);
}

#[tokio::test]
async fn what_is_refused_is_not_kept() {
    let world = World::start().await;
    for query in ["{ nobody }", "{ me {", "{ me { name } } extend"] {
        let answer = world.client().post(with_hash(query)).await;
        assert!(!answer.code().starts_with("PERSISTED"), "{answer:?}");
        let answer = world.client().post(by_hash(query)).await;
        assert_eq!(answer.code(), "PERSISTED_QUERY_NOT_FOUND", "{query}");
    }
}

#[tokio::test]
async fn every_misuse_has_its_code() {
    let world = World::start().await;
    let query = |extension: Value| json!({"query": QUERY, "extensions": {"persistedQuery": extension}});
    let hash = sha256(QUERY);
    for (body, code) in [
        (
            query(json!({"version": 1, "sha256Hash": sha256("other")})),
            "PERSISTED_QUERY_HASH_MISMATCH",
        ),
        (
            query(json!({"version": 1, "sha256Hash": "abc"})),
            "PERSISTED_QUERY_HASH_MISMATCH",
        ),
        (
            query(json!({"version": 2, "sha256Hash": hash})),
            "PERSISTED_QUERY_INVALID",
        ),
        (query(json!({"sha256Hash": hash})), "PERSISTED_QUERY_INVALID"),
        (query(json!({"version": 1})), "PERSISTED_QUERY_INVALID"),
        (query(json!("x")), "PERSISTED_QUERY_INVALID"),
        (
            json!({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "abc"}}}),
            "PERSISTED_QUERY_NOT_FOUND",
        ),
        (json!({"documentId": "abc"}), "PERSISTED_DOCUMENT_NOT_FOUND"),
        (json!({"documentId": ""}), "PERSISTED_QUERY_INVALID"),
        (
            json!({"documentId": "abc", "extensions": extensions(QUERY)}),
            "PERSISTED_QUERY_INVALID",
        ),
    ] {
        let answer = world.client().post(body.clone()).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{body}");
    }
    // Nothing of it was kept.
    let answer = world.client().post(by_hash(QUERY)).await;
    assert_eq!(answer.code(), "PERSISTED_QUERY_NOT_FOUND");
}

#[tokio::test]
async fn switched_off_clients_are_told_so() {
    let world = World::with(|config| config.apq.enabled = false).await;
    let answer = world.client().post(by_hash(QUERY)).await;
    assert_eq!(answer.code(), "PERSISTED_QUERY_NOT_SUPPORTED");
    assert_eq!(answer.errors()[0]["message"], "PersistedQueryNotSupported");
    assert_eq!(world.client().post(with_hash(QUERY)).await.body, ada());
    let answer = world.client().post(by_hash(QUERY)).await;
    assert_eq!(answer.code(), "PERSISTED_QUERY_NOT_SUPPORTED");
}

#[tokio::test]
async fn it_works_over_a_socket_and_in_a_batch() {
    let world = World::with(|config| config.batching.enabled = true).await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    let subscription = "subscription { sold { upc } }";
    for (id, payload, code) in [
        ("1", by_hash(subscription), Some("PERSISTED_QUERY_NOT_FOUND")),
        ("2", with_hash(subscription), None),
        ("3", by_hash(subscription), None),
        (
            "4",
            json!({"extensions": {"persistedQuery": 1}}),
            Some("PERSISTED_QUERY_INVALID"),
        ),
        ("5", by_hash(subscription), None),
    ] {
        socket
            .say(json!({"id": id, "type": "subscribe", "payload": payload}))
            .await;
        let message = socket.message().await;
        assert_eq!(message["id"], id);
        match code {
            Some(code) => assert_eq!(message["payload"][0]["extensions"]["code"], code, "{message}"),
            None => {
                assert_eq!(message["payload"]["data"]["sold"]["upc"], "top-1", "{message}");
                while socket.message().await["type"] != "complete" {}
            }
        }
    }
    let batch = json!([with_hash(QUERY), by_hash("{ nobody }")]);
    let answer = world.client().post(batch).await;
    assert_eq!(answer.body[0], ada());
    assert_eq!(
        answer.body[1]["errors"][0]["extensions"]["code"],
        "PERSISTED_QUERY_NOT_FOUND"
    );
    let events = world.client().header("accept", "text/event-stream");
    let answer = events.post(by_hash(QUERY)).await;
    let text = answer.body.as_str().expect("a stream");
    assert!(
        text.contains("event: next\ndata: {\"data\":{\"me\":{\"name\":\"Ada\"}}}"),
        "{text}"
    );
}

/// Of a gateway that has no subgraphs of its own.
pub fn client(gateway: &Running) -> Client {
    Client::new(gateway.url())
}

/// Another gateway before the same subgraphs.
pub async fn neighbour(world: &World, change: impl FnOnce(&mut baedal_router::Config)) -> Running {
    let mut config = config_of(&[&world.accounts, &world.products, &world.reviews]);
    change(&mut config);
    baedal_router::start(config).await.expect("the gateway starts")
}

/// Asks by hash alone.
pub async fn ask(client: &Client, query: &str) -> Answer {
    client.post(by_hash(query)).await
}

/// Asks by hash and query.
pub async fn tell(client: &Client, query: &str) -> Answer {
    client.post(with_hash(query)).await
}
