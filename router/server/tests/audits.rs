//! The audits of the npm package `graphql-http` (MIT), by the authors of
//! [GraphQL over HTTP](https://graphql.github.io/graphql-over-http/draft/), against the binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::{Journal, graphs};

/// How many there are of each level: when the package has others, somebody must look at them.
const LEVELS: [(&str, usize); 3] = [("MUST", 13), ("SHOULD", 23), ("MAY", 25)];

#[derive(Debug, Deserialize)]
struct Audited {
    id: String,
    name: String,
    status: String,
    reason: Option<String>,
}

/// The binary, serving one subgraph; killed when it is dropped.
struct Served {
    url: String,
    _child: Child,
    _folder: tempfile::TempDir,
}

async fn serve(subgraph: &url::Url, more: &str) -> Served {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("router.yaml");
    let text = format!("listen: 127.0.0.1:0\nsubgraphs:\n  accounts: {{ url: \"{subgraph}\" }}\n{more}");
    fs::write(&config, text).expect("written");
    let mut child = Command::new(env!("CARGO_BIN_EXE_baedal-router"))
        .args(["serve", "--config"])
        .arg(&config)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let line = lines.next_line().await.expect("a line").expect("it listens");
    let url = line
        .strip_prefix("baedal-router: GraphQL at ")
        .expect("where it listens")
        .to_owned();
    Served {
        url,
        _child: child,
        _folder: folder,
    }
}

/// The audits with their package installed, below the build folder.
async fn installed() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/graphql-http");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("graphql-http");
    fs::create_dir_all(&folder).expect("a folder for the audits");
    for name in ["package.json", "package-lock.json", ".npmrc", "audit.mjs"] {
        fs::copy(source.join(name), folder.join(name)).expect("a file of the audits");
    }
    let output = Command::new("npm")
        .current_dir(&folder)
        .args(["ci", "--silent", "--ignore-scripts"])
        .output()
        .await
        .expect("this test needs npm");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "npm ci: {told}");
    folder
}

async fn audit(folder: &Path, url: &str, header: Option<&str>) -> Vec<Audited> {
    let output = Command::new("node")
        .current_dir(folder)
        .args(["audit.mjs", url])
        .args(header)
        .output()
        .await
        .expect("this test needs Node 18 or later");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    serde_json::from_slice(&output.stdout).expect("the audits print JSON")
}

fn assert_all_pass(audited: &[Audited]) {
    let failed: Vec<_> = audited.iter().filter(|audit| audit.status != "ok").collect();
    assert!(failed.is_empty(), "{failed:#?}");
    for (level, count) in LEVELS {
        let of_level = audited.iter().filter(|audit| audit.name.starts_with(level));
        assert_eq!(of_level.count(), count, "audits of level {level}");
    }
}

#[tokio::test]
async fn every_audit_of_graphql_over_http_passes() {
    let accounts = graphs::accounts(&Journal::default()).await;
    let folder = installed().await;
    // By default a GET needs a header that no web page can send unasked.
    let guarded = serve(&accounts.url(), "").await;
    assert_all_pass(&audit(&folder, &guarded.url, Some("graphql-require-preflight")).await);
    let open = serve(&accounts.url(), "csrf: { enabled: false }\n").await;
    assert_all_pass(&audit(&folder, &open.url, None).await);
    // The audits see a difference: without the header the guard refuses what they send by GET.
    let refused = audit(&folder, &guarded.url, None).await;
    let refused: Vec<_> = refused.iter().filter(|audit| audit.status != "ok").collect();
    let told = refused.iter().all(|audit| audit.reason.is_some());
    let ids: Vec<&str> = refused.iter().map(|audit| audit.id.as_str()).collect();
    assert!(
        told && ["5A70", "6A70", "D6D5"].iter().all(|id| ids.contains(id)),
        "{refused:#?}"
    );
}
