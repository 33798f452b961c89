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

/// Files in a folder of their own.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Files {
        Files(tempfile::tempdir().expect("a folder"))
    }

    fn write(&self, name: &str, text: &str) -> String {
        let file = self.0.path().join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::write(&file, text).expect("written");
        file.display().to_string()
    }
}

const SHOP: &str =
    "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\", import: [\"@tag\"])
type Query { product: Product }
type Product { name: String! price: Int cost: Int @tag(name: \"internal\") }
";

/// The supergraph of one subgraph, in a file.
async fn composed(files: &Files, name: &str, sdl: &str, more: &[&str]) -> String {
    let subgraph = format!("shop={}", files.write(&format!("{name}-shop.graphql"), sdl));
    let args = [&["compose", "--subgraph", &subgraph], more].concat();
    let ran = run(&args).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    files.write(&format!("{name}.graphql"), &ran.stdout)
}

#[tokio::test]
async fn compose_prints_a_variant_by_tags() {
    let files = Files::new();
    let file = composed(&files, "variant", SHOP, &["--exclude-tag", "internal"]).await;
    let text = std::fs::read_to_string(file).expect("read");
    let supergraph = baedal_planner::Supergraph::parse(&text).expect("a supergraph");
    let api = supergraph.api_sdl();
    assert!(api.contains("price") && !api.contains("cost"), "{api}");
    let subgraph = format!("shop={}", files.write("shop.graphql", SHOP));
    let ran = run(&["compose", "--subgraph", &subgraph, "--include-tag", "nobody"]).await;
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stdout.contains("QUERY_ROOT_TYPE_INACCESSIBLE"),
        "{}",
        ran.stdout
    );
    let ran = run(&["compose", "--subgraph", &subgraph, "--exclude-tag", "interna"]).await;
    assert!(
        ran.stderr
            .contains("nothing in the supergraph bears the tag `interna`"),
        "{}",
        ran.stderr
    );
}

#[tokio::test]
async fn check_says_what_a_change_breaks() {
    let files = Files::new();
    let before = composed(&files, "before", SHOP, &[]).await;
    let subgraph = |name: &str, sdl: &str| format!("shop={}", files.write(name, sdl));
    let same = subgraph("same.graphql", SHOP);
    let ran = run(&["check", "--against", &before, "--subgraph", &same]).await;
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(0), "0 breaking, 0 dangerous, 0 safe\n")
    );

    let narrower = subgraph("narrower.graphql", &SHOP.replace("price: Int ", "note: String "));
    let ran = run(&["check", "--against", &before, "--subgraph", &narrower]).await;
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let wanted = "breaking   FIELD_REMOVED  Field \"Product.price\" was removed.\n\
        safe       FIELD_ADDED  Field \"Product.note\" was added.\n\
        1 breaking, 0 dangerous, 1 safe\n";
    assert_eq!(ran.stdout, wanted);

    let after = composed(&files, "after", &SHOP.replace("price: Int ", ""), &[]).await;
    let ran = run(&["check", "--against", &before, "--supergraph", &after, "--json"]).await;
    assert_eq!(ran.code, Some(1));
    let changes: Value = serde_json::from_str(&ran.stdout).expect("one JSON value");
    assert_eq!(
        changes,
        serde_json::json!([{
            "level": "breaking",
            "code": "FIELD_REMOVED",
            "coordinate": "Product.price",
            "message": "Field \"Product.price\" was removed.",
        }])
    );
}

#[tokio::test]
async fn check_counts_only_what_operations_notice() {
    let files = Files::new();
    let before = composed(&files, "before", SHOP, &[]).await;
    let after = composed(&files, "after", &SHOP.replace("price: Int ", ""), &[]).await;
    files.write("apps/web/names.graphql", "query Names { product { name } }");
    let folder = files.0.path().join("apps").display().to_string();
    let check = [
        "check",
        "--against",
        &before,
        "--supergraph",
        &after,
        "--operations",
        &folder,
    ];
    let ran = run(&check).await;
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(0), "0 breaking, 0 dangerous, 0 safe\n")
    );
    let file = files.write("apps/prices.gql", "query Prices { product { price } }");
    let ran = run(&check).await;
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(
        ran.stdout.contains(&format!("noticed by {file}: Prices")),
        "{}",
        ran.stdout
    );
    files.write("apps/old.graphql", "{ gone }");
    let ran = run(&check).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("old.graphql does not fit"), "{}", ran.stderr);
}

#[tokio::test]
async fn check_that_cannot_be_done_exits_with_2() {
    let files = Files::new();
    let before = composed(&files, "before", SHOP, &[]).await;
    let wrong = format!(
        "shop={}",
        files.write("wrong.graphql", &SHOP.replace("Int ", "Missing "))
    );
    let ran = run(&["check", "--against", &before, "--subgraph", &wrong, "--json"]).await;
    assert_eq!(ran.code, Some(2));
    let errors: Value = serde_json::from_str(&ran.stdout).expect("one JSON value");
    assert_eq!(errors[0]["code"], "INVALID_GRAPHQL");
    let ran = run(&["check", "--against", &before, "--subgraph", &wrong]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("subgraph shop, line 3"), "{}", ran.stderr);
    let ran = run(&["check", "--against", "/no/such/file", "--supergraph", &before]).await;
    assert_eq!(ran.code, Some(2));
    let ran = run(&["check", "--against", &before]).await;
    assert_eq!(ran.code, Some(2));
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

/// A supergraph with an override under a label and a field that asks for a scope, in a file, with a query.
fn labelled(folder: &std::path::Path) -> (String, String) {
    let subgraph = |name: &str, body: &str| baedal_composition::Subgraph {
        name: name.to_owned(),
        url: format!("http://{name}.example/graphql"),
        sdl: format!(
            "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.7\", import: [\"@key\", \"@override\", \"@requiresScopes\"])\n{body}"
        ),
    };
    let composed = baedal_composition::compose(&[
        subgraph(
            "old",
            "type Query { item: Item } type Item @key(fields: \"id\") { id: ID! name: String secret: String @requiresScopes(scopes: [[\"read:secret\"]]) }",
        ),
        subgraph(
            "new",
            "type Item @key(fields: \"id\") { id: ID! name: String @override(from: \"old\", label: \"percent(5)\") }",
        ),
    ]);
    let (supergraph, query) = (folder.join("supergraph.graphql"), folder.join("query.graphql"));
    std::fs::write(&supergraph, composed.expect("composes").supergraph_sdl).expect("written");
    std::fs::write(&query, "{ item { name secret } }").expect("written");
    (supergraph.display().to_string(), query.display().to_string())
}

#[tokio::test]
async fn plan_follows_labels_and_scopes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (supergraph, query) = labelled(folder.path());
    let with = async |flags: &[&str]| {
        let args = [&["plan", "--supergraph", &supergraph, &query], flags].concat();
        run(&args).await
    };
    let plain = with(&[]).await.stdout;
    assert_eq!(plain, "#0 old\n  {item{name secret}}\n");
    let moved = with(&["--label", "percent(5)"]).await.stdout;
    assert!(
        moved.contains("#1 new after #0") && moved.contains("{item{secret id}}"),
        "{moved}"
    );
    let known = with(&["--scope", "read:secret"]).await.stdout;
    assert_eq!(known, plain);
    for flags in [["--scope", "other"].as_slice(), &["--anonymous"]] {
        let withheld = with(flags).await.stdout;
        assert!(
            withheld.contains("withheld item.secret") && !withheld.contains("name secret"),
            "{withheld}"
        );
    }
    let unknown = with(&["--label", "soon"]).await;
    assert_eq!(unknown.code, Some(1));
    assert!(
        unknown.stderr.contains("has only the labels percent(5)"),
        "{}",
        unknown.stderr
    );
}

#[tokio::test]
async fn explain_says_why_each_fetch_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let (supergraph, query) = labelled(folder.path());
    let args = [
        "explain",
        "--supergraph",
        &supergraph,
        "--label",
        "percent(5)",
        &query,
    ];
    let ran = run(&args).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let wanted = "\
#0 old
  because the client selects item.secret
          #1 needs item.id (@key of Item)
  yields  item.secret, item.id
#1 new after #0
  because the client selects item.name
  needs   item.id (@key of Item) from #0
  yields  item.name
";
    assert_eq!(ran.stdout, wanted);
    let json = run(&[args.as_slice(), &["--json"]].concat()).await;
    let explanation: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let need = &explanation["fetches"][1]["needs"][0];
    assert_eq!(need["path"], "item.id");
    assert_eq!(need["role"]["key"], "Item");
    assert_eq!(need["from"], serde_json::json!([0]));
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

/// Starts `serve` with this configuration until it has announced itself, and gives its log.
async fn log_of(config: &str, files: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    files.iter().for_each(|(name, text)| write(name, text));
    write("router.yaml", config);
    let mut child = Command::new(env!("CARGO_BIN_EXE_baedal-router"))
        .args(["serve", "--listen", "127.0.0.1:0", "--config"])
        .arg(folder.path().join("router.yaml"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("runs");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let line = lines
        .next_line()
        .await
        .expect("a line")
        .expect("the announcement");
    assert!(line.starts_with("baedal-router: GraphQL at "), "{line}");
    child.start_kill().expect("killed");
    let output = child.wait_with_output().await.expect("an exit");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn fields_that_nobody_can_be_allowed_to_see_are_warned_of() {
    let link =
        "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.6\", import: [\"@policy\"])\n";
    let guarded = format!("{link}type Query {{ a: Int b: Int @policy(policies: [[\"adults\"]]) }}");
    let subgraphs = "subgraphs: { a: { url: \"http://127.0.0.1:9/graphql\", sdl: a.graphql } }\n";
    let auth = "auth: { issuers: [{ issuer: \"http://127.0.0.1:9\", audience: shop }] }\n";
    let warned = log_of(&format!("{subgraphs}{auth}"), &[("a.graphql", &guarded)]).await;
    assert!(
        warned.contains("adults") && warned.contains("withheld from everyone"),
        "{warned}"
    );
    let plain = log_of(
        &format!("{subgraphs}{auth}"),
        &[("a.graphql", "type Query { a: Int }")],
    )
    .await;
    assert!(!plain.contains("withheld from everyone"), "{plain}");
    let open = log_of(subgraphs, &[("a.graphql", &guarded)]).await;
    assert!(
        open.contains("everyone may read") && !open.contains("withheld from everyone"),
        "{open}"
    );
}

#[tokio::test]
async fn a_policy_that_comes_with_a_new_schema_is_warned_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    write("a.graphql", "type Query { a: Int }");
    write(
        "router.yaml",
        "
supergraph: { poll_interval: 100ms }
subgraphs: { a: { url: \"http://127.0.0.1:9/graphql\", sdl: a.graphql } }
auth: { issuers: [{ issuer: \"http://127.0.0.1:9\", audience: shop }] }
",
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_baedal-router"))
        .args(["serve", "--listen", "127.0.0.1:0", "--config"])
        .arg(folder.path().join("router.yaml"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("runs");
    let mut out = BufReader::new(child.stdout.take().expect("stdout")).lines();
    out.next_line().await.expect("a line").expect("the announcement");
    let link =
        "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.6\", import: [\"@policy\"])\n";
    write(
        "a.graphql",
        &format!("{link}type Query {{ a: Int b: Int @policy(policies: [[\"adults\"]]) }}"),
    );
    let mut log = BufReader::new(child.stderr.take().expect("stderr")).lines();
    let warned = async {
        while let Some(line) = log.next_line().await.expect("a line") {
            if line.contains("withheld from everyone") {
                return true;
            }
        }
        false
    };
    let limit = std::time::Duration::from_secs(10);
    assert_eq!(tokio::time::timeout(limit, warned).await, Ok(true));
}

#[tokio::test]
async fn plan_has_the_budget_of_serve() {
    use baedal_planner::{Access, Operation, PlanError, Settings, Supergraph};
    let subgraph = baedal_composition::Subgraph {
        name: "a".into(),
        url: "http://a.example/graphql".into(),
        sdl: "type Query { a: Query b: Int }".into(),
    };
    let sdl = baedal_composition::compose(&[subgraph])
        .expect("composes")
        .supergraph_sdl;
    let supergraph = Supergraph::parse(&sdl).expect("a supergraph");
    let within = |query: &str, work_budget: u64| {
        let operation = Operation::parse(&supergraph, query, None).expect("valid");
        let settings = Settings {
            work_budget,
            ..Settings::default()
        };
        let (none, access) = (serde_json::Map::new(), Access::unrestricted());
        match baedal_planner::plan(&supergraph, &operation, &none, &settings, &access) {
            Ok(_) => true,
            Err(PlanError::BudgetExceeded(_)) => false,
            Err(other) => panic!("{other}"),
        }
    };
    let budget = baedal_router::config::LimitsConfig::default().plan_budget;
    // Each level doubles the work, so that one of them is beyond half of the budget.
    let level = |n: usize| {
        format!(
            "fragment F{n} on Query {{ x: a {{ ...F{} }} y: a {{ ...F{} }} }}\n",
            n - 1,
            n - 1
        )
    };
    let query = |n: usize| {
        format!(
            "{{ ...F{n} }}\nfragment F0 on Query {{ b }}\n{}",
            (1..=n).map(level).collect::<String>()
        )
    };
    let n = (1..20)
        .find(|n| !within(&query(*n), budget / 2))
        .expect("something costs more than half");
    assert!(within(&query(n), budget), "level {n}");
    let folder = tempfile::tempdir().expect("a folder");
    let (file, text) = (folder.path().join("s.graphql"), folder.path().join("q.graphql"));
    std::fs::write(&file, sdl).expect("written");
    std::fs::write(&text, query(n)).expect("written");
    let ran = run(&[
        "plan",
        "--supergraph",
        &file.display().to_string(),
        &text.display().to_string(),
    ])
    .await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
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
async fn a_file_that_is_no_supergraph_is_refused_in_a_few_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("other.json");
    std::fs::write(&file, "{\"a\": [1, 2, {\"b\": \"c\"}] }\n".repeat(300)).expect("written");
    let file = file.display().to_string();
    for args in [
        vec!["plan", "--supergraph", &file, "-"],
        vec!["serve", "--supergraph", &file, "--listen", "127.0.0.1:0"],
    ] {
        let ran = run(&args).await;
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        let told = ran
            .stderr
            .lines()
            .skip_while(|line| !line.starts_with("error: "))
            .count();
        assert_eq!(told, 6, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("errors, the first 5"), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn help_says_how_flags_and_file_combine() {
    let ran = run(&["serve", "--help"]).await;
    assert!(!ran.stdout.contains("exactly one"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("Flags combine with the file"),
        "{}",
        ran.stdout
    );
}

#[tokio::test]
async fn help_teaches_with_examples() {
    for args in [
        vec!["--help"],
        vec!["serve", "--help"],
        vec!["compose", "--help"],
        vec!["check", "--help"],
        vec!["plan", "--help"],
        vec!["explain", "--help"],
        vec!["check-config", "--help"],
        vec!["config", "--help"],
        vec!["config", "schema", "--help"],
        vec!["config", "print", "--help"],
    ] {
        let ran = run(&args).await;
        assert_eq!(ran.code, Some(0));
        assert!(ran.stdout.contains("baedal-router "), "{args:?}: {}", ran.stdout);
    }
}
