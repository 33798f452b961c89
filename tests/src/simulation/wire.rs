//! Requests between hosts: one connection each, a length and JSON there, a length and JSON back.
use std::cell::Cell;
use std::future::Future;
use std::io::{Error, Result};
use std::net::Ipv4Addr;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use turmoil::net::{TcpListener, TcpStream};

/// The port every host serves on.
const PORT: u16 = 80;

thread_local! {
    /// A host of this thread's simulation is crashing.
    static CRASHING: Cell<bool> = const { Cell::new(false) };
}

/// Lets a host crash as by a power cut: its connections say no last word.
///
/// A crash drops the host's tasks in an order that hangs on how many tasks the whole process has begun, other threads'
/// too. Did their connections say good-bye, each word would take the dice of the simulation in that order, and a seed
/// would not be one run.
pub fn crash(crash: impl FnOnce()) {
    CRASHING.set(true);
    crash();
    CRASHING.set(false);
}

/// A connection.
struct Line(Option<TcpStream>);

impl Line {
    fn new(stream: TcpStream) -> Line {
        Line(Some(stream))
    }

    fn stream(&mut self) -> &mut TcpStream {
        self.0.as_mut().expect("it is there until it is dropped")
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if CRASHING.get() {
            std::mem::forget(self.0.take());
        }
    }
}

/// Asks `host`, and waits so long for its answer.
pub async fn ask<Q: Serialize, A: DeserializeOwned>(
    host: &str,
    question: &Q,
    patience: Duration,
) -> Result<A> {
    let question = serde_json::to_string(question)?;
    super::note(format!(
        "{host} is asked {}",
        question.get(..60).unwrap_or(&question)
    ));
    let asking = async {
        let mut line = Line::new(TcpStream::connect((host, PORT)).await?);
        write(line.stream(), question.into_bytes()).await?;
        read(line.stream()).await
    };
    timeout(patience, asking).await?
}

/// Answers every question until the host dies.
pub async fn serve<Q, A, F, R>(answer: F) -> Result<()>
where
    Q: DeserializeOwned + Send + 'static,
    A: Serialize + Send + 'static,
    F: Fn(Q) -> R + Clone + Send + 'static,
    R: Future<Output = A> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
    loop {
        let mut line = Line::new(listener.accept().await?.0);
        let answer = answer.clone();
        tokio::spawn(async move {
            let question = read(line.stream()).await?;
            let answer = serde_json::to_vec(&answer(question).await)?;
            // Whoever asked may be gone.
            write(line.stream(), answer).await
        });
    }
}

async fn write(stream: &mut TcpStream, bytes: Vec<u8>) -> Result<()> {
    let length = u32::try_from(bytes.len()).map_err(Error::other)?;
    let mut message = length.to_be_bytes().to_vec();
    message.extend(bytes);
    stream.write_all(&message).await
}

async fn read<T: DeserializeOwned>(stream: &mut TcpStream) -> Result<T> {
    let length = stream.read_u32().await?;
    let mut bytes = vec![0; usize::try_from(length).map_err(Error::other)?];
    stream.read_exact(&mut bytes).await?;
    Ok(serde_json::from_slice(&bytes)?)
}
