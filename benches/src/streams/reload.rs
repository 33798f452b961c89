//! Changes of the schema while all clients are connected.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a change may take to be served.
const PATIENCE: u32 = 400;
/// How often is looked whether it is.
const LOOK: Duration = Duration::from_millis(50);

/// The subgraph's SDL with a field of this number.
pub fn sdl(change: usize) -> String {
    format!(
        "type Query {{ topics: Int change{change}: Int }} type Subscription {{ feed(topic: String!): Item }}
         type Item {{ cursor: String! at: String! padding: String! }}"
    )
}

/// Writes the SDL of a change, and waits until it is served.
pub async fn change(gateway: SocketAddr, file: &Path, change: usize) -> Result<()> {
    // Renamed, so that no half of it is read.
    let beside = file.with_extension("new");
    std::fs::write(&beside, sdl(change))?;
    std::fs::rename(&beside, file)?;
    let wanted = format!("\"change{change}\"");
    for _ in 0..PATIENCE {
        if fields(gateway).await?.contains(&wanted) {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
    bail!("change {change} was not served in time");
}

/// What the schema has now.
async fn fields(gateway: SocketAddr) -> Result<String> {
    let body = r#"{"query":"{ __type(name: \"Query\") { fields { name } } }"}"#;
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
