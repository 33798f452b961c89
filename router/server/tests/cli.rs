//! The commands other tools call, run as processes: exact output and exit code.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::support::graphs::{self, Journal};
use crate::support::{Client, World};

struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

async fn run(args: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_baedal-router"))
        .args(args)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ran {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

#[tokio::test]
async fn compose_prints_the_supergraph_of_urls_and_files() {
    let accounts = graphs::accounts(&Journal::default()).await;
    let products = graphs::products(&Journal::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("products.graphql");
    std::fs::write(&file, products.sdl()).expect("written");
    let live = format!("accounts={}", accounts.url());
    for second in [
        format!("products={}", file.display()),
        format!("products=file://{}", file.display()),
    ] {
        let ran = run(&["compose", "--subgraph", &live, "--subgraph", &second]).await;
        assert_eq!(ran.code, Some(0), "{} {}", ran.stdout, ran.stderr);
        assert!(
            ran.stdout.contains("enum join__Graph") && ran.stdout.contains(accounts.url().as_str()),
            "{}",
            ran.stdout
        );
        assert!(baedal_planner::Supergraph::parse(&ran.stdout).is_ok());
    }
}

#[tokio::test]
async fn compose_prints_errors_as_json_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, sdl: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, sdl).expect("written");
        format!("{name}={}", file.display())
    };
    let a = file("a", "type Query { x: Int }");
    let link = "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\", import: [\"@key\"])\n";
    let b = file("b", &format!("{link}type Query {{ y: Missing }}"));
    let absent = "c=http://127.0.0.1:1/graphql".to_owned();
    let unreadable = "d=/no/such/file.graphql".to_owned();
    for (subgraphs, code, blamed) in [
        (vec![&a, &b], None, "b"),
        (vec![&a, &absent], Some("SUBGRAPH_UNAVAILABLE"), "c"),
        (vec![&a, &unreadable], Some("SDL_FILE_UNREADABLE"), "d"),
    ] {
        let args: Vec<&str> = ["compose"]
            .into_iter()
            .chain(subgraphs.iter().flat_map(|s| ["--subgraph", s.as_str()]))
            .collect();
        let ran = run(&args).await;
        assert_eq!(ran.code, Some(1), "{}", ran.stdout);
        let errors: Value = serde_json::from_str(&ran.stdout).expect("stdout is one JSON value");
        let errors = errors.as_array().expect("an array");
        assert!(!errors.is_empty());
        for error in errors {
            let mut keys: Vec<&String> = error.as_object().expect("objects").keys().collect();
            keys.sort();
            assert_eq!(keys, ["code", "column", "line", "message", "subgraph"]);
            assert_eq!(error["subgraph"], blamed, "{error}");
        }
        assert!(code.is_none_or(|code| errors[0]["code"] == code), "{errors:?}");
    }
}

#[tokio::test]
async fn plan_prints_which_subgraph_is_asked_what() {
    let world = World::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let composed: Vec<String> = [&world.accounts, &world.products, &world.reviews]
        .into_iter()
        .flat_map(|s| ["--subgraph".to_owned(), format!("{}={}", s.name, s.url())])
        .collect();
    let args: Vec<&str> = ["compose"]
        .into_iter()
        .chain(composed.iter().map(String::as_str))
        .collect();
    let supergraph = folder.path().join("supergraph.graphql");
    std::fs::write(&supergraph, run(&args).await.stdout).expect("written");
    let query = folder.path().join("query.graphql");
    std::fs::write(
        &query,
        "query($n: Int!) { topProducts(first: $n) { name reviews { author { name } } } }",
    )
    .expect("written");
    let (supergraph, query) = (supergraph.display().to_string(), query.display().to_string());
    let ran = run(&["plan", "--supergraph", &supergraph, &query]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for subgraph in ["accounts", "products", "reviews"] {
        assert!(ran.stdout.contains(subgraph), "{}", ran.stdout);
    }
    let json = run(&["plan", "--supergraph", &supergraph, "--json", &query]).await;
    let plan: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(
        plan["fetches"].as_array().map(Vec::len),
        Some(3),
        "{}",
        ran.stdout
    );
    std::fs::write(&query, "{ nobody }").expect("written");
    let wrong = run(&["plan", "--supergraph", &supergraph, &query]).await;
    assert_eq!((wrong.code, wrong.stdout.as_str()), (Some(1), ""));
    assert!(wrong.stderr.contains("nobody"), "{}", wrong.stderr);
}

#[tokio::test]
async fn serve_serves_until_it_is_told_to_stop() {
    let accounts = graphs::accounts(&Journal::default()).await;
    let subgraph = format!("accounts={}", accounts.url());
    let mut child = Command::new(env!("CARGO_BIN_EXE_baedal-router"))
        .args([
            "serve",
            "--subgraph",
            &subgraph,
            "--listen",
            "127.0.0.1:0",
            "--path",
            "/g",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("runs");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let line = lines.next_line().await.expect("a line").expect("a line");
    let url = line
        .strip_prefix("baedal-router: GraphQL at ")
        .expect("the announcement")
        .to_owned();
    assert!(url.ends_with("/g"), "{url}");
    Client::new(url).query("{ me { name } }").await.data();
    let pid = child.id().expect("a process").to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .await
            .expect("kill")
            .success()
    );
    let output = tokio::time::timeout(std::time::Duration::from_secs(10), child.wait_with_output())
        .await
        .expect("it stops");
    let output = output.expect("an exit");
    assert_eq!(output.status.code(), Some(0));
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(log.contains("open to everyone"), "an open gateway says so: {log}");
}

#[tokio::test]
async fn a_wrong_command_line_says_what_to_do() {
    for (args, code, wanted) in [
        (vec!["serve"], 1, "no graph to serve"),
        (vec!["serve", "--subgraph", "a"], 2, "NAME=URL"),
        (
            vec!["serve", "--subgraph", "a=a.graphql"],
            1,
            "needs the subgraph's address",
        ),
        (
            vec![
                "serve",
                "--subgraph",
                "a=http://h/1",
                "--subgraph",
                "a=http://h/2",
            ],
            1,
            "given twice",
        ),
        (
            vec!["serve", "--subgraph", "a=http://h/1", "--supergraph", "x"],
            2,
            "cannot be used with",
        ),
        (vec!["serve", "--config", "/no/such.yaml"], 1, "/no/such.yaml"),
        (
            vec!["serve", "--subgraph", "a=http://h/1", "--listen", "here"],
            2,
            "--listen",
        ),
        (vec!["compose"], 2, "--subgraph"),
        (
            vec!["plan", "--supergraph", "/no/such.graphql", "q"],
            1,
            "/no/such.graphql",
        ),
        (vec!["dance"], 2, "dance"),
    ] {
        let ran = run(&args).await;
        assert_eq!(ran.code, Some(code), "{args:?}: {}", ran.stderr);
        assert!(
            ran.stderr.contains(wanted),
            "{args:?}: {wanted:?} is not in: {}",
            ran.stderr
        );
        assert_eq!(ran.stdout, "", "{args:?}");
    }
}

#[tokio::test]
async fn help_teaches_with_examples() {
    for args in [
        vec!["--help"],
        vec!["serve", "--help"],
        vec!["compose", "--help"],
        vec!["plan", "--help"],
    ] {
        let ran = run(&args).await;
        assert_eq!(ran.code, Some(0));
        assert!(ran.stdout.contains("baedal-router "), "{args:?}: {}", ran.stdout);
    }
}
