//! Documents of a manifest (`persisted_documents`).

use std::path::{Path, PathBuf};

use baedal_router::Config;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::persisted_queries::{extensions, sha256};
use crate::support::socket::Socket;
use crate::support::{Answer, World, config_of, eventually, graphs};

const MINE: &str = "query Mine { me { name } }";
const SOLD: &str = "subscription Sold { sold { upc } }";
const STEP: &str = "mutation Step { productsStep(step: 3) }";

struct Folder {
    folder: TempDir,
}

impl Folder {
    fn new() -> Folder {
        Folder {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.file(name);
        std::fs::write(&file, text).expect("written");
        file
    }
}

fn apollo(bodies: &[(&str, &str)]) -> String {
    let operation = |(name, body): &(&str, &str)| json!({"id": sha256(body), "name": name, "type": "query", "body": body});
    let operations: Vec<Value> = bodies.iter().map(operation).collect();
    json!({"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}).to_string()
}

fn usual() -> String {
    apollo(&[("Mine", MINE), ("Sold", SOLD), ("Step", STEP)])
}

async fn world(manifest: &Path, change: impl FnOnce(&mut Config)) -> World {
    World::with(|config| {
        config.persisted_documents.manifest = Some(manifest.to_owned());
        config.metrics.listen = Some(([127, 0, 0, 1], 0).into());
        change(config);
    })
    .await
}

async fn post(world: &World, body: Value) -> Answer {
    world.client().post(body).await
}

async fn readiness(world: &World) -> Value {
    let url = format!("http://{}/health/ready", world.gateway.addr());
    let answer = reqwest::get(url).await.expect("sent");
    answer.json().await.expect("JSON")
}

async fn metric(world: &World, line: &str) -> Option<f64> {
    let addr = world.gateway.metrics_addr().expect("metrics are served");
    let page = reqwest::get(format!("http://{addr}/metrics"))
        .await
        .expect("sent");
    let page = page.text().await.expect("a page");
    let found = page.lines().find_map(|each| each.strip_prefix(line))?;
    found.trim().parse().ok()
}

#[tokio::test]
async fn a_document_is_named_in_each_form() {
    let folder = Folder::new();
    let manifest = folder.write("manifest.json", &usual());
    let world = world(&manifest, |_| ()).await;
    let hash = sha256(MINE);
    for body in [
        json!({"documentId": hash}),
        json!({"documentId": format!("sha256:{hash}"), "operationName": "Mine"}),
        json!({"doc_id": hash, "variables": {}}),
        json!({"extensions": extensions(MINE)}),
        json!({"extensions": extensions(MINE), "query": MINE}),
        json!({"query": MINE}),
    ] {
        let answer = post(&world, body.clone()).await;
        assert_eq!(answer.body, json!({"data": {"me": {"name": "Ada"}}}), "{body}");
    }
    let get = world.client().header("apollo-require-preflight", "1");
    get.get(&[("documentId", &hash)]).await.data();
    let refused = get.get(&[("documentId", &sha256(STEP))]).await;
    assert_eq!((refused.status, refused.code()), (405, "MUTATION_BY_GET"));
    for (body, code) in [
        (json!({"documentId": "x"}), "PERSISTED_DOCUMENT_NOT_FOUND"),
        (
            json!({"extensions": extensions("{ users { id } }")}),
            "PERSISTED_QUERY_NOT_FOUND",
        ),
        (
            json!({"extensions": extensions(MINE), "query": "{ users { id } }"}),
            "PERSISTED_QUERY_HASH_MISMATCH",
        ),
        (
            json!({"documentId": hash, "operationName": "Other"}),
            "OPERATION_RESOLUTION_FAILURE",
        ),
    ] {
        assert_eq!(post(&world, body.clone()).await.code(), code, "{body}");
    }
}

#[tokio::test]
async fn relays_manifests_and_folders_of_them_are_read() {
    let folder = Folder::new();
    folder.write("web.json", &usual());
    folder.write(
        "app.json",
        &json!({"d41d8c": "query App { users { id } }"}).to_string(),
    );
    folder.write("notes.txt", "not a manifest");
    let world = world(folder.folder.path(), |_| ()).await;
    for id in ["d41d8c", &sha256(MINE)] {
        post(&world, json!({"doc_id": id})).await.data();
    }
    let loaded = metric(&world, "baedal_router_persisted_documents{state=\"loaded\"}").await;
    assert_eq!(loaded, Some(4.0));
}

#[tokio::test]
async fn nothing_else_is_taken_where_nothing_else_may() {
    let folder = Folder::new();
    let manifest = folder.write("manifest.json", &usual());
    let world = world(&manifest, |config| {
        config.persisted_documents.only = true;
        config.batching.enabled = true;
    })
    .await;
    post(&world, json!({"documentId": sha256(MINE)})).await.data();
    post(&world, json!({"query": MINE})).await.data();
    let other = "{ users { id } }";
    for (body, code) in [
        (json!({"query": other}), "PERSISTED_DOCUMENT_REQUIRED"),
        (
            json!({"query": format!("{MINE} ")}),
            "PERSISTED_DOCUMENT_REQUIRED",
        ),
        (json!({"query": "{ __typename }"}), "PERSISTED_DOCUMENT_REQUIRED"),
        (
            json!({"query": other, "extensions": extensions(other)}),
            "PERSISTED_DOCUMENT_REQUIRED",
        ),
        (
            json!({"query": other, "documentId": "x"}),
            "PERSISTED_DOCUMENT_REQUIRED",
        ),
        // No client may be told to send its query then.
        (
            json!({"extensions": extensions(other)}),
            "PERSISTED_DOCUMENT_NOT_FOUND",
        ),
        (json!({"documentId": "x"}), "PERSISTED_DOCUMENT_NOT_FOUND"),
    ] {
        let answer = post(&world, body.clone()).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{body}");
    }
    let batch = post(&world, json!([{"query": other}, {"documentId": sha256(MINE)}])).await;
    assert_eq!(
        batch.body[0]["errors"][0]["extensions"]["code"],
        "PERSISTED_DOCUMENT_REQUIRED"
    );
    assert_eq!(batch.body[1]["data"]["me"]["name"], "Ada");
    let get = world.client().header("apollo-require-preflight", "1");
    assert_eq!(
        get.get(&[("query", other)]).await.code(),
        "PERSISTED_DOCUMENT_REQUIRED"
    );
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket.subscribe("1", "subscription { sold { name } }").await;
    let message = socket.message().await;
    assert_eq!(
        message["payload"][0]["extensions"]["code"], "PERSISTED_DOCUMENT_REQUIRED",
        "{message}"
    );
    socket
        .say(json!({"id": "2", "type": "subscribe", "payload": {"documentId": sha256(SOLD)}}))
        .await;
    assert_eq!(socket.message().await["payload"]["data"]["sold"]["upc"], "top-1");
    let events = world.client().header("accept", "text/event-stream");
    let answer = events.post(json!({"query": other})).await;
    let text = answer.body.as_str().expect("a stream");
    assert!(text.contains("PERSISTED_DOCUMENT_REQUIRED"), "{text}");
    assert_eq!(
        world.accounts.requests().len(),
        3,
        "of what was refused nothing came through"
    );
}

#[tokio::test]
async fn a_dry_run_counts_what_would_be_refused() {
    let folder = Folder::new();
    let manifest = folder.write("manifest.json", &usual());
    let world = world(&manifest, |config| config.persisted_documents.log_unknown = true).await;
    world.query(MINE).await.data();
    world.query("{ users { id } }").await.data();
    let automatic = "{ me { id } }";
    post(
        &world,
        json!({"query": automatic, "extensions": extensions(automatic)}),
    )
    .await
    .data();
    post(&world, json!({"extensions": extensions(automatic)}))
        .await
        .data();
    assert_eq!(
        metric(&world, "baedal_router_unknown_documents_total").await,
        Some(3.0)
    );
}

#[tokio::test]
async fn a_changed_manifest_is_taken_and_a_bad_one_is_told_of() {
    let folder = Folder::new();
    let manifest = folder.write("manifest.json", &usual());
    let world = world(&manifest, |config| config.persisted_documents.only = true).await;
    assert_eq!(readiness(&world).await["status"], "ready");
    folder.write("manifest.json", "{\"format\": \"mine\"}");
    eventually("it is told of", || async {
        let readiness = readiness(&world).await;
        readiness["status"] == "degraded"
            && readiness["reasons"][0]
                .as_str()
                .is_some_and(|why| why.contains("format"))
    })
    .await;
    let refused = metric(&world, "baedal_router_persisted_documents{state=\"refused\"}").await;
    assert_eq!(refused, Some(1.0));
    // What was known is known.
    post(&world, json!({"documentId": sha256(MINE)})).await.data();
    std::fs::remove_file(folder.file("manifest.json")).expect("removed");
    let other = "query Other { users { id } }";
    folder.write("manifest.json", &apollo(&[("Other", other)]));
    eventually("the new one is known", || async {
        post(&world, json!({"documentId": sha256(other)})).await.status == 200
    })
    .await;
    let gone = post(&world, json!({"documentId": sha256(MINE)})).await;
    assert_eq!(gone.code(), "PERSISTED_DOCUMENT_NOT_FOUND");
    eventually("all is well again", || async {
        readiness(&world).await["status"] == "ready"
    })
    .await;
}

#[tokio::test]
async fn documents_are_planned_ahead_and_one_that_does_not_fit_is_told_of() {
    let folder = Folder::new();
    let bodies = [
        ("Mine", MINE),
        ("Bad", "query Bad { nobody }"),
        (
            "Shown",
            "query Shown($x: Boolean!) { me { name @include(if: $x) id } }",
        ),
        ("Worse", "query Worse {"),
    ];
    let manifest = folder.write("manifest.json", &apollo(&bodies));
    let world = world(&manifest, |_| ()).await;
    eventually("two do not fit", || async {
        metric(&world, "baedal_router_persisted_documents{state=\"unfit\"}").await == Some(2.0)
    })
    .await;
    let readiness = readiness(&world).await;
    let told = readiness["reasons"][0].as_str().expect("a reason").to_owned();
    assert!(
        told.starts_with("2 persisted documents do not fit") && told.contains(": "),
        "{told}"
    );
    let misses = "baedal_router_cache_lookups_total{cache=\"programs\",outcome=\"miss\"}";
    let before = metric(&world, misses).await;
    post(
        &world,
        json!({"documentId": sha256(MINE), "operationName": "Mine"}),
    )
    .await
    .data();
    let shown = json!({"documentId": sha256(bodies[2].1), "variables": {"x": false}});
    post(&world, shown).await.data();
    assert_eq!(metric(&world, misses).await, before, "both plans were there");
    // Another schema, to which it fits.
    world.products.set_sdl(
        world
            .products
            .sdl()
            .replace("topProducts(", "nobody: Int topProducts("),
    );
    eventually("one does not fit", || async {
        metric(&world, "baedal_router_persisted_documents{state=\"unfit\"}").await == Some(1.0)
    })
    .await;
}

#[tokio::test]
async fn a_gateway_does_not_start_with_a_manifest_that_cannot_be_read() {
    let folder = Folder::new();
    let accounts = graphs::accounts(&Default::default()).await;
    let start = async |change: &dyn Fn(&mut Config)| {
        let mut config = config_of(&[&accounts]);
        change(&mut config);
        let started = baedal_router::start(config).await;
        started.err().expect("refused").to_string()
    };
    let absent = folder.file("absent.json");
    let text = start(&|config| config.persisted_documents.manifest = Some(absent.clone())).await;
    assert!(text.contains("absent.json"), "{text}");
    let broken = folder.write("broken.json", "{");
    let text = start(&|config| config.persisted_documents.manifest = Some(broken.clone())).await;
    assert!(text.contains("broken.json") && text.contains("JSON"), "{text}");
    let text = start(&|config| config.persisted_documents.only = true).await;
    assert!(text.contains("persisted_documents.manifest"), "{text}");
}
