//! The graph, and its changes: an odd one is of a subgraph's schema, an even one of the configuration.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::process::Process;
use crate::serve;

/// What is asked again and again.
pub const QUERY: &str = r#"{"query":"{ goods { name price } }"}"#;
/// What must come back.
pub const ANSWER: &str = r#"{"data":{"goods":[{"name":"Table","price":899},{"name":"Couch","price":1299}]}}"#;
/// How long a change may take to be served.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often is looked whether it is.
const LOOK: Duration = Duration::from_millis(20);
/// `limits.operations` is told when it is exceeded, so a change of it can be seen from outside.
const OPERATIONS: usize = 20;
/// Values that it takes in turn.
const VALUES: usize = 50;

/// Where the graph is, and its files.
pub struct Graph {
    folder: PathBuf,
    feed: SocketAddr,
    goods: SocketAddr,
}

impl Graph {
    /// Starts the subgraph of goods, and writes all files. `feed`: where the one with streams listens.
    pub async fn start(folder: &Path, feed: SocketAddr) -> Result<Graph> {
        let listener = serve::listener(([127, 0, 0, 1], 0).into())?;
        let goods = listener.local_addr()?;
        let answer = |_| async { Bytes::from_static(ANSWER.as_bytes()) };
        tokio::spawn(serve::serve(listener, answer));
        let graph = Graph {
            folder: folder.to_owned(),
            feed,
            goods,
        };
        graph.write("feed.graphql", FEED)?;
        graph.write("goods.graphql", &goods_sdl(0))?;
        graph.write("router.yaml", &graph.config(0))?;
        Ok(graph)
    }

    /// The gateway's configuration.
    pub fn config_file(&self) -> PathBuf {
        self.folder.join("router.yaml")
    }

    /// Makes a change, and waits until it is served.
    pub async fn change(&self, gateway: &Process, number: usize) -> Result<()> {
        let (question, wanted) = match number % 2 {
            1 => {
                self.write("goods.graphql", &goods_sdl(number))?;
                (FIELDS.to_owned(), format!("\"change{number}\""))
            }
            _ => {
                self.write("router.yaml", &self.config(number))?;
                gateway.hang_up()?;
                (
                    many_operations(),
                    format!("more than {} operations", operations(number)),
                )
            }
        };
        let looking = async {
            while !ask(gateway.address(), &question).await?.contains(&wanted) {
                tokio::time::sleep(LOOK).await;
            }
            anyhow::Ok(())
        };
        match tokio::time::timeout(PATIENCE, looking).await {
            Ok(seen) => seen,
            Err(_) => bail!("change {number} was not served in time"),
        }
    }

    fn config(&self, change: usize) -> String {
        let Graph { feed, goods, .. } = self;
        let operations = operations(change);
        format!(
            "listen: 127.0.0.1:0\nsupergraph: {{ poll_interval: 100ms }}\nlimits: {{ operations: {operations} }}\nsubgraphs:\n  \
             feed: {{ url: \"http://{feed}/graphql\", sdl: feed.graphql }}\n  \
             goods: {{ url: \"http://{goods}/graphql\", sdl: goods.graphql }}\n"
        )
    }

    /// Renamed into its place, so that no half of it is read.
    fn write(&self, name: &str, text: &str) -> Result<()> {
        let file = self.folder.join(name);
        let beside = file.with_extension("new");
        std::fs::write(&beside, text)?;
        Ok(std::fs::rename(&beside, file)?)
    }
}

const FEED: &str = "type Query { topics: Int } type Subscription { feed(topic: String!): Item }
  type Item { cursor: String! at: String! padding: String! }";
const FIELDS: &str = r#"{"query":"{ __type(name: \"Good\") { fields { name } } }"}"#;

fn goods_sdl(change: usize) -> String {
    format!("type Query {{ goods: [Good!] }} type Good {{ name: String price: Int change{change}: Int }}")
}

fn operations(change: usize) -> usize {
    OPERATIONS + change % VALUES
}

/// More of them than there may ever be.
fn many_operations() -> String {
    let query = "query A { __typename } ".repeat(OPERATIONS + VALUES);
    format!(r#"{{"query":"{query}"}}"#)
}

/// Asks on a connection of its own, and gives the whole answer.
pub async fn ask(gateway: SocketAddr, body: &str) -> Result<String> {
    let request = format!(
        "POST /graphql HTTP/1.1\r\nHost: {gateway}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(gateway).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
