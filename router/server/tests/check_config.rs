//! `check-config`, `config schema` and `config print`, and configurations of several files.

use std::process::Stdio;

use baedal_router::config::{ConfigError, Layers};
use serde_json::Value;
use tokio::process::Command;

use crate::support::graphs::{self, Journal};

struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

async fn run(folder: &tempfile::TempDir, args: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_baedal-router"))
        .args(args)
        .current_dir(folder.path())
        .env("CHECK_CONFIG_SECRET", "hunter2")
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

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::write(file, text).expect("written");
    }
    folder
}

#[tokio::test]
async fn every_mistake_is_told_at_once_with_its_place() {
    let text = "\
lisen: 127.0.0.1:1
path: g
limits:
  dept: 3
  aliases: many
  height: 1000
subgraphs:
  a:
    url: http://a.example/
    timeout: soon
  b: {}
cors: { origins: ['*'] }
auth:
  issuers:
    - issuer: https://a.example
      audience: x
    - issuer: https://b.example
";
    let folder = folder(&[("router.yaml", text)]);
    let ran = run(&folder, &["check-config", "router.yaml"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{}", ran.stderr);
    for wanted in [
        "router.yaml:1:1: unknown key `lisen` at the top level; did you mean `listen`?",
        "router.yaml:2:1: configuration key `path` must start with /",
        "router.yaml:4:3: unknown key `dept` in `limits`; did you mean `depth`?",
        "router.yaml:5:3: `limits.aliases`: found string \"many\", expected a whole number",
        "router.yaml:6:3: configuration key `limits.height` must be at most 200",
        "router.yaml:10:5: `subgraphs.a.timeout`: `soon` is not a length of time",
        "router.yaml:11:3: configuration key `subgraphs.b.url` is missing",
        "router.yaml:12:9: configuration key `cors.origins` holds `*`",
        "router.yaml:17:7: `auth.issuers[1]`: the key `audience` is missing",
    ] {
        assert!(
            ran.stderr.contains(wanted),
            "{wanted}\nis not in:\n{}",
            ran.stderr
        );
    }
    assert_eq!(ran.stderr.lines().count(), 9, "{}", ran.stderr);
    // A gateway that is started with it says the same.
    let served = run(&folder, &["serve", "--config", "router.yaml"]).await;
    assert_eq!(served.code, Some(1));
    assert!(served.stderr.contains("router.yaml:17:7"), "{}", served.stderr);
}

#[tokio::test]
async fn a_mistake_is_told_in_the_file_it_stands_in() {
    let folder = folder(&[
        (
            "a.yaml",
            "subgraphs: { a: { url: 'http://a.example/' } }\nlimits:\n  depth: 5\n",
        ),
        ("more/b.yaml", "# over it\nlimits:\n  tokens: 1000000000\n"),
    ]);
    let ran = run(&folder, &["check-config", "a.yaml", "more/b.yaml"]).await;
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr
            .starts_with("more/b.yaml:3:3: configuration key `limits.tokens`"),
        "{}",
        ran.stderr
    );
}

#[tokio::test]
async fn a_file_that_is_named_must_be_there() {
    let good = "subgraphs: { a: { url: 'http://a.example/', sdl: a.graphql } }\n";
    let folder = folder(&[("router.yaml", good)]);
    let ran = run(&folder, &["check-config", "router.yaml"]).await;
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains("`subgraphs.a.sdl` names") && ran.stderr.contains("cannot be read"),
        "{}",
        ran.stderr
    );
    std::fs::write(folder.path().join("a.graphql"), "type Query { a: Int }").expect("written");
    let ran = run(&folder, &["check-config", "router.yaml", "--with-graph"]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{}", ran.stderr);
    assert_eq!(ran.stdout, "router.yaml: no problem found\n");
    std::fs::write(folder.path().join("a.graphql"), "type Query { a: Nothing }").expect("written");
    let ran = run(&folder, &["check-config", "router.yaml", "--with-graph"]).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("Nothing"), "{}", ran.stderr);
}

#[tokio::test]
async fn live_subgraphs_are_asked_when_the_graph_is_to_be_tried() {
    let accounts = graphs::accounts(&Journal::default()).await;
    let text = format!("subgraphs: {{ accounts: {{ url: \"{}\" }} }}\n", accounts.url());
    let folder = folder(&[("router.yaml", &text)]);
    let args = ["check-config", "router.yaml", "--with-graph"];
    let ran = run(&folder, &args).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    drop(accounts);
    std::fs::write(
        folder.path().join("router.yaml"),
        "subgraphs: { gone: { url: 'http://127.0.0.1:9/graphql' } }\n",
    )
    .expect("written");
    let ran = run(&folder, &args).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("subgraph 'gone'"), "{}", ran.stderr);
}

#[tokio::test]
async fn what_is_printed_is_what_would_be_used() {
    let folder = folder(&[
        (
            "a.yaml",
            "subgraphs: { a: { url: 'http://me:${env.CHECK_CONFIG_SECRET}@a.example/', timeout: 60s } }\nlimits: { depth: 5 }\n",
        ),
        (
            "b.yaml",
            "limits: { aliases: 7 }\nheaders: { propagate: [x-b] }\n",
        ),
    ]);
    let args = [
        "config", "print", "--config", "a.yaml", "--config", "b.yaml", "--path", "/g", "--json",
    ];
    let ran = run(&folder, &args).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let shown: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(shown["limits"]["depth"], 5);
    assert_eq!(shown["limits"]["aliases"], 7);
    assert_eq!(shown["limits"]["tokens"], 15_000, "a default");
    assert_eq!(shown["path"], "/g");
    assert_eq!(shown["subgraphs"]["a"]["timeout"], "1m");
    assert_eq!(shown["subgraphs"]["a"]["url"], "http://me:***@a.example/");
    let ran = run(&folder, &args[..args.len() - 1]).await;
    assert_eq!(ran.code, Some(0));
    assert!(!ran.stdout.contains("hunter2"), "{}", ran.stdout);
    let again = baedal_router::config::parse(&ran.stdout, &|_| None).expect("it is a configuration itself");
    assert_eq!(again.shown(), shown);
}

#[tokio::test]
async fn the_schema_is_printed() {
    let ran = run(&folder(&[]), &["config", "schema"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let schema: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(&schema, baedal_router::config::schema());
    let depth = &schema["$defs"]["LimitsConfig"]["properties"]["depth"];
    assert_eq!(depth["default"], 15);
    assert!(
        depth["description"]
            .as_str()
            .expect("it is described")
            .contains("fragments")
    );
}

#[test]
fn later_files_are_merged_over_earlier_ones() {
    let folder = folder(&[
        (
            "a.yaml",
            "
subgraphs:
  a: { url: 'http://a.example/', sdl: a.graphql, timeout: 1s }
  b: { url: 'http://b.example/' }
headers: { propagate: [x-a] }
limits: { depth: 5, aliases: 6 }
",
        ),
        (
            "over/b.yaml",
            "
subgraphs:
  a: { timeout: 2s }
  c: { url: 'http://c.example/', sdl: c.graphql }
headers: { propagate: [x-b, x-c] }
limits: { depth: 7, aliases: }
",
        ),
    ]);
    let at = |name: &str| folder.path().join(name);
    let layers = Layers::of(vec![at("a.yaml"), at("over/b.yaml")]);
    let config = layers.load().expect("they are good");
    let names: Vec<&String> = config.subgraphs.keys().collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(config.subgraphs["a"].sdl, Some(at("a.graphql")), "its own folder");
    assert_eq!(config.subgraphs["c"].sdl, Some(at("over/c.graphql")));
    assert_eq!(
        config.subgraphs["a"].timeout,
        Some(std::time::Duration::from_secs(2))
    );
    assert_eq!(
        config.headers.propagate,
        ["x-b".into(), "x-c".into()],
        "a list is replaced"
    );
    let usual = baedal_router::Config::default().limits.aliases;
    assert_eq!((config.limits.depth, config.limits.aliases), (7, usual));
    assert_eq!(config.followed, Some(layers));
    std::fs::write(at("a.yaml"), "limits: { dept: ${env.NOT_SET_A} }\nlimits: 1\n").expect("written");
    std::fs::write(at("over/b.yaml"), "a: ${env.NOT_SET_B}\n").expect("written");
    let Err(ConfigError::Problems(problems)) = Layers::of(vec![at("a.yaml"), at("over/b.yaml")]).load()
    else {
        panic!("both are wrong");
    };
    assert_eq!(problems.len(), 2, "{problems:?}");
}
