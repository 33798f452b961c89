//! `baedal-router dev`, run as a process while its subgraphs change.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::support::graphs::{self, Journal};
use crate::support::subgraph::free_address;
use crate::support::{Client, Subgraph};

/// It looks every second; a slow machine may take longer.
const PATIENCE: Duration = Duration::from_secs(20);

struct Dev {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Dev {
    fn start(subgraphs: &[String]) -> Dev {
        let named = subgraphs.iter().flat_map(|subgraph| ["--subgraph", subgraph]);
        let mut process = Command::new(env!("CARGO_BIN_EXE_baedal-router"))
            .args(["dev", "--listen", "127.0.0.1:0"])
            .args(named)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("starts");
        let stdout = process.stdout.take().expect("its output");
        let lines = BufReader::new(stdout).lines();
        Dev { process, lines }
    }

    /// The lines up to one that holds `wanted`.
    async fn until(&mut self, wanted: &str) -> Vec<String> {
        let mut told = Vec::new();
        let reading = async {
            while let Some(line) = self.lines.next_line().await.expect("text") {
                told.push(line);
                if told.last().is_some_and(|line| line.contains(wanted)) {
                    return true;
                }
            }
            false
        };
        let found = tokio::time::timeout(PATIENCE, reading).await;
        assert!(found == Ok(true), "`{wanted}` was not told, but {told:#?}");
        told
    }

    async fn url(&mut self) -> String {
        let told = self.until("GraphQL at http://").await;
        let line = told.last().expect("a line");
        line.split("at ").last().expect("an address").to_owned()
    }

    /// Nothing more is told for a while.
    async fn is_silent(&mut self) {
        let next = tokio::time::timeout(Duration::from_millis(2500), self.lines.next_line()).await;
        assert!(next.is_err(), "{next:?}");
    }
}

#[tokio::test]
async fn a_graph_grows_while_its_subgraphs_are_written() {
    let journal = Journal::default();
    let accounts = graphs::accounts(&journal).await;
    let products = graphs::products(&journal).await;
    let mut dev = Dev::start(&[
        format!("accounts={}", accounts.url()),
        format!("products={}", products.url()),
    ]);
    let url = dev.url().await;
    dev.until("✓ composed accounts, products").await;
    let client = Client::new(url.clone());
    assert_eq!(client.query("{ me { name } }").await.data()["me"]["name"], "Ada");
    let page = reqwest::Client::new()
        .get(&url)
        .header("accept", "text/html")
        .send()
        .await;
    let page = page.expect("an answer").text().await.expect("a page");
    assert!(page.contains(r#""plan":true"#), "{page}");

    // A change that does not compose is told with its place, once; the graph stays.
    let good = accounts.sdl();
    accounts.set_sdl(good.replace("name: String!", "name: Strng!"));
    let told = dev.until("^").await.join("\n");
    assert!(
        told.contains("✗ this does not compose; the last good graph is served on"),
        "{told}"
    );
    assert!(
        told.contains("--> subgraph accounts, line") && told.contains("name: Strng!"),
        "{told}"
    );
    assert_eq!(client.query("{ me { name } }").await.data()["me"]["name"], "Ada");
    dev.is_silent().await;

    // One that does is served, and what it means for clients is told.
    accounts.set_sdl(good.replace("name: String!", "name: String! nick: String"));
    let told = dev.until("1 safe").await.join("\n");
    assert!(
        told.contains("✓ composed accounts, products; for clients:") && told.contains("nick"),
        "{told}"
    );
    let introspected = client
        .query(r#"{ __type(name: "User") { fields { name } } }"#)
        .await;
    assert!(introspected.body.to_string().contains("nick"), "{introspected:?}");
    dev.process.kill().await.expect("it runs to the end of the test");
}

#[tokio::test]
async fn files_and_subgraphs_that_are_not_there_yet_are_waited_for() {
    let journal = Journal::default();
    let (schema, sdl) = graphs::products_schema(&journal);
    let later = free_address().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("reviews.graphql");
    let mut dev = Dev::start(&[
        format!("reviews={}", file.display()),
        format!("products=http://{later}/graphql"),
    ]);
    let url = dev.url().await;
    let told = dev.until("reviews does not tell").await.join("\n");
    assert!(told.contains("a schema only"), "{told}");
    std::fs::write(&file, "type Query { latest: [Stars] }\n").expect("written");
    dev.until("there is nothing to serve yet").await;
    std::fs::write(&file, "type Query { stars: Int }\n").expect("written");
    dev.until("✓ composed reviews").await;
    let _products = Subgraph::start_at("products", later, schema, sdl).await;
    let told = dev.until("safe").await.join("\n");
    assert!(
        told.contains("✓ composed products, reviews; for clients:"),
        "{told}"
    );
    let client = Client::new(url);
    let answer = client.query("{ topProducts { name } stars }").await;
    assert_eq!(answer.body["data"]["topProducts"][0]["name"], "Table");
    assert_eq!(answer.code(), "SUBGRAPH_UNREACHABLE");
    dev.process.kill().await.expect("it runs to the end of the test");
}
