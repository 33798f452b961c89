//! A server of bytes, not of HTTP: it answers each request as it was told, however wrong that is.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How a request is answered.
#[derive(Debug, Clone)]
pub enum Manner {
    /// With these bytes.
    Bytes(Vec<u8>),
    /// With these bytes, then the connection is reset.
    Resets(Vec<u8>),
    /// With these bytes, one at a time, with a pause after each.
    Drips(Vec<u8>, Duration),
    /// With as many chunks as anyone reads.
    Endless,
    /// Never.
    Hangs,
}

impl Manner {
    /// An HTTP answer with this status and body, and more head lines if any.
    pub fn http(status: u16, lines: &str, body: &str) -> Manner {
        let length = body.len();
        let text = format!("HTTP/1.1 {status} X\r\n{lines}content-length: {length}\r\n\r\n{body}");
        Manner::Bytes(text.into_bytes())
    }

    /// A GraphQL answer.
    pub fn json(body: &str) -> Manner {
        Manner::http(200, "content-type: application/json\r\n", body)
    }
}

/// A running one.
pub struct Rogue {
    pub addr: SocketAddr,
    state: Arc<Mutex<State>>,
    server: JoinHandle<()>,
}

struct State {
    /// The manners of the next requests.
    next: VecDeque<Manner>,
    /// The manner of all after them.
    usual: Manner,
    requests: Vec<String>,
}

impl Drop for Rogue {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Rogue {
    pub async fn start(usual: Manner) -> Rogue {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(State {
            next: VecDeque::new(),
            usual,
            requests: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Rogue { addr, state, server }
    }

    pub fn url(&self) -> url::Url {
        format!("http://{}/graphql", self.addr).parse().expect("a URL")
    }

    /// From now on.
    pub fn be(&self, usual: Manner) {
        lock(&self.state).usual = usual;
    }

    /// At the next request, before the usual ones.
    pub fn next(&self, manner: Manner) {
        lock(&self.state).next.push_back(manner);
    }

    /// The requests since the last call, head and body.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.state).requests)
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut bytes = Vec::new();
    while let Some(request) = read(&mut stream, &mut bytes).await {
        let manner = {
            let mut state = lock(&state);
            state.requests.push(request);
            state.next.pop_front().unwrap_or_else(|| state.usual.clone())
        };
        if act(&mut stream, manner).await.is_err() {
            return;
        }
    }
}

/// A request, as its head says how long it is.
async fn read(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<String> {
    loop {
        let text = String::from_utf8_lossy(bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.trim().parse().expect("a number"));
            if body.len() >= length {
                bytes.drain(..head.len() + 4 + length);
                return Some(text);
            }
        }
        if stream.read_buf(bytes).await.ok()? == 0 {
            return None;
        }
    }
}

async fn act(stream: &mut TcpStream, manner: Manner) -> std::io::Result<()> {
    match manner {
        Manner::Bytes(bytes) => stream.write_all(&bytes).await,
        Manner::Resets(bytes) => {
            stream.write_all(&bytes).await?;
            stream.set_zero_linger()?;
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
        Manner::Drips(bytes, pause) => {
            for byte in bytes {
                stream.write_all(&[byte]).await?;
                tokio::time::sleep(pause).await;
            }
            Ok(())
        }
        Manner::Endless => {
            let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            stream.write_all(head).await?;
            let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
            for _ in 0..2_000 {
                stream.write_all(chunk.as_bytes()).await?;
            }
            Ok(())
        }
        Manner::Hangs => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok(())
        }
    }
}
