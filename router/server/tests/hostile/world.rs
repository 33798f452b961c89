//! The gateway as a process of limited memory, subgraphs that answer anything, and a client beside the hostile one.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::post as on_post;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, OnceCell};
use tokio::task::JoinHandle;

use super::graph;
use super::raw::{self, Heard};
use crate::support::Issuer;

/// What the gateway may take.
const MEMORY: u64 = 512 << 20;
/// Pause between two requests of the client beside.
const PROBES: Duration = Duration::from_millis(20);

/// How long one answer may take.
pub fn patience() -> Duration {
    let asked = std::env::var("HOSTILE_MS")
        .ok()
        .and_then(|text| text.parse().ok());
    // A debug build, on a machine with more to do.
    asked.map_or(Duration::from_secs(2), Duration::from_millis)
}

pub struct World {
    pub addr: SocketAddr,
    pub issuer: Issuer,
    pid: u32,
    _folder: tempfile::TempDir,
    _gateway: Child,
    killed: Arc<AtomicBool>,
    took: Arc<Mutex<Vec<Duration>>>,
    beside: Vec<JoinHandle<()>>,
}

/// The graph, composed once.
static SUPERGRAPH: OnceCell<(String, SocketAddr)> = OnceCell::const_new();

async fn supergraph() -> String {
    let made = SUPERGRAPH.get_or_init(|| async {
        let addr = SocketAddr::from(([127, 0, 0, 1], 1));
        (graph::supergraph(addr), addr)
    });
    made.await.0.clone()
}

/// A subgraph that answers everything alike.
async fn subgraph() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let answer = || async { ([("content-type", "application/json")], r#"{"data":{"probe":1}}"#) };
    let app = Router::new().route("/graphql", on_post(answer));
    tokio::spawn(async move { axum::serve(listener, app).await.expect("serves") });
    addr
}

impl World {
    pub async fn start() -> World {
        let issuer = Issuer::start().await;
        let folder = tempfile::tempdir().expect("a folder");
        let answers = subgraph().await;
        let text = supergraph().await.replace("127.0.0.1:1/", &format!("{answers}/"));
        std::fs::write(folder.path().join("supergraph.graphql"), text).expect("written");
        let config = format!(
            "listen: 127.0.0.1:0\nsupergraph: {{ file: supergraph.graphql }}\nlimits: {{ body_timeout: 1s }}\n\
             traffic: {{ rate_limits: {{}} }}\nauth:\n  issuers:\n    - issuer: {}\n      jwks_url: {}\n      audience: baedal\n",
            issuer.name,
            issuer.jwks_url()
        );
        let file = folder.path().join("router.yaml");
        std::fs::write(&file, config).expect("written");
        let mut child = Command::new(env!("CARGO_BIN_EXE_baedal-router"))
            .args(["serve", "--config"])
            .arg(&file)
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("runs");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        let line = lines.next_line().await.expect("a line").expect("a line");
        let url = line
            .strip_prefix("baedal-router: GraphQL at http://")
            .expect("the announcement");
        let addr = url.trim_end_matches("/graphql").parse().expect("an address");
        let pid = child.id().expect("it runs");
        let mut world = World {
            addr,
            issuer,
            pid,
            _folder: folder,
            _gateway: child,
            killed: Arc::default(),
            took: Arc::default(),
            beside: Vec::new(),
        };
        world.probe().await.expect("it answers before all this");
        world.beside = vec![world.watch_memory(), world.ask_beside()];
        world
    }

    pub async fn send(&self, sent: &[u8]) -> Heard {
        raw::exchange(self.addr, sent).await
    }

    /// Somebody else's request.
    pub async fn probe(&self) -> Result<(), String> {
        probe(self.addr).await.map(drop)
    }

    /// Kills the gateway when it takes too much.
    fn watch_memory(&self) -> JoinHandle<()> {
        let (pid, killed) = (self.pid, Arc::clone(&self.killed));
        tokio::spawn(async move {
            while memory(pid, "VmRSS").is_some_and(|bytes| bytes <= MEMORY) {
                tokio::time::sleep(PROBES).await;
            }
            killed.store(true, Ordering::Relaxed);
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status().await;
        })
    }

    /// Asks the same small thing all the time.
    fn ask_beside(&self) -> JoinHandle<()> {
        let (addr, took) = (self.addr, Arc::clone(&self.took));
        tokio::spawn(async move {
            loop {
                let one = probe(addr).await.unwrap_or(raw_failure());
                took.lock().await.push(one);
                tokio::time::sleep(PROBES).await;
            }
        })
    }

    /// Ends all, and says what is wrong with how it went.
    pub async fn end(self, table: &str, cases: usize) -> Vec<String> {
        let highest = memory(self.pid, "VmHWM").unwrap_or(u64::MAX);
        for task in &self.beside {
            task.abort();
        }
        let mut took = self.took.lock().await.clone();
        took.sort();
        let p99 = took.get(took.len() * 99 / 100).copied().unwrap_or_default();
        println!(
            "{table}: {cases} cases; at most {} MiB; beside them {} requests, p99 {p99:?}",
            highest >> 20,
            took.len()
        );
        let mut wrong = Vec::new();
        if self.killed.load(Ordering::Relaxed) || highest > MEMORY {
            wrong.push(format!("{} MiB of memory", highest >> 20));
        }
        if p99 > patience() {
            wrong.push(format!("requests beside took {p99:?}"));
        }
        wrong
    }
}

/// As long as a request takes that is never answered.
fn raw_failure() -> Duration {
    Duration::from_secs(60)
}

async fn probe(addr: SocketAddr) -> Result<Duration, String> {
    let start = Instant::now();
    let heard = raw::exchange(addr, &raw::post(br#"{"query":"{ probe }"}"#)).await;
    match (heard.status, heard.text.as_str()) {
        (200, r#"{"data":{"probe":1}}"#) => Ok(start.elapsed()),
        (status, text) => Err(format!("the next request got {status} {text:.200}")),
    }
}

/// A figure of the process in bytes; `None` if it has ended.
fn memory(pid: u32, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes << 10)
}
