//! Load: connections that send the next request when they have the answer to the last, and compare each answer.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

/// Eight digits in an operation's name that stand for a number no other request has.
pub const COUNTER: &str = "00000000";

/// A request and what must come back.
#[derive(Debug, Clone)]
pub struct Exchange {
    request: Vec<u8>,
    counter: Option<usize>,
    expected: Vec<u8>,
}

impl Exchange {
    /// A POST of `body`, to be answered with `expected`.
    pub fn new(body: &[u8], expected: Vec<u8>) -> Exchange {
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: gateway.example\r\ncontent-type: application/json\r\n\
             accept: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let request = [head.as_bytes(), body].concat();
        let counter = find(&request, COUNTER.as_bytes());
        Exchange {
            request,
            counter,
            expected,
        }
    }

    /// The same with another expectation.
    pub fn expecting(mut self, expected: Vec<u8>) -> Exchange {
        self.expected = expected;
        self
    }
}

/// What a load has measured.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// From sending to the last byte, ascending, in nanoseconds.
    pub latencies: Vec<u64>,
    /// How long it took in all.
    pub time: Duration,
}

impl Measured {
    /// A latency that `share` of the requests were faster than, in milliseconds.
    pub fn percentile(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let at = (last as f64 * share).round() as usize;
        self.latencies
            .get(at)
            .map_or(f64::NAN, |latency| *latency as f64 / 1e6)
    }

    /// How many requests were answered.
    pub fn requests(&self) -> usize {
        self.latencies.len()
    }

    /// Requests in a second.
    pub fn rate(&self) -> f64 {
        self.requests() as f64 / self.time.as_secs_f64()
    }
}

struct Shared {
    exchanges: Vec<Exchange>,
    next: Cell<usize>,
    latencies: RefCell<Vec<u64>>,
    until: Instant,
}

/// Keeps `connections` busy for `time`. A wrong answer ends it with an error that shows it.
pub fn drive(
    address: SocketAddr,
    exchanges: &[Exchange],
    connections: usize,
    time: Duration,
    first: usize,
) -> Result<Measured> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let started = Instant::now();
    let shared = Rc::new(Shared {
        exchanges: exchanges.to_vec(),
        next: Cell::new(first),
        latencies: RefCell::default(),
        until: started + time,
    });
    let local = LocalSet::new();
    let all: Vec<_> = (0..connections)
        .map(|_| local.spawn_local(connection(address, Rc::clone(&shared))))
        .collect();
    runtime.block_on(local.run_until(async {
        for one in all {
            one.await.context("a connection panicked")??;
        }
        anyhow::Ok(())
    }))?;
    let mut latencies = shared.latencies.take();
    ensure!(!latencies.is_empty(), "nothing was answered");
    latencies.sort_unstable();
    Ok(Measured {
        latencies,
        time: started.elapsed(),
    })
}

/// Asks once, and gives the answer whatever it is.
pub fn ask(address: SocketAddr, exchange: &Exchange) -> Result<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut connection = Connection::open(address).await?;
        let answer = connection.exchange(&exchange.request).await?;
        Ok(connection.buffer[answer].to_vec())
    })
}

async fn connection(address: SocketAddr, shared: Rc<Shared>) -> Result<()> {
    let mut connection = Connection::open(address).await?;
    let mut request = Vec::new();
    loop {
        let started = Instant::now();
        if started >= shared.until {
            return Ok(());
        }
        let number = shared.next.get();
        shared.next.set(number + 1);
        let exchange = &shared.exchanges[number % shared.exchanges.len()];
        let answer = match exchange.counter {
            None => connection.exchange(&exchange.request).await?,
            Some(at) => {
                request.clone_from(&exchange.request);
                let digits = format!("{number:08}");
                request[at..at + COUNTER.len()].copy_from_slice(&digits.as_bytes()[..COUNTER.len()]);
                connection.exchange(&request).await?
            }
        };
        let latency = started.elapsed();
        let answer = &connection.buffer[answer];
        if answer != exchange.expected {
            bail!("a wrong answer: {}", difference(answer, &exchange.expected));
        }
        shared.latencies.borrow_mut().push(latency.as_nanos() as u64);
    }
}

/// A connection of HTTP/1.1.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection {
            stream,
            buffer: Vec::with_capacity(256 * 1024),
        })
    }

    /// Sends a request, and refuses another answer than is expected.
    pub(crate) async fn compare(&mut self, exchange: &Exchange) -> Result<()> {
        let answer = self.exchange(&exchange.request).await?;
        let answer = &self.buffer[answer];
        if answer != exchange.expected {
            bail!("a wrong answer: {}", difference(answer, &exchange.expected));
        }
        Ok(())
    }

    /// Sends a request and gives the place of the answer's body.
    async fn exchange(&mut self, request: &[u8]) -> Result<std::ops::Range<usize>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut body = None;
        loop {
            ensure!(
                self.stream.read_buf(&mut self.buffer).await? > 0,
                "the connection was closed"
            );
            if body.is_none() {
                body = head(&self.buffer)?;
            }
            match &body {
                Some(body) if self.buffer.len() >= body.end => return Ok(body.clone()),
                _ => {}
            }
        }
    }
}

/// Where the body will be, when the head is there: 200 with a length is all that is understood.
fn head(buffer: &[u8]) -> Result<Option<std::ops::Range<usize>>> {
    let Some(end) = find(buffer, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&buffer[..end])?;
    ensure!(head.starts_with("HTTP/1.1 200 "), "not a success: {head}");
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    let start = end + 4;
    Ok(Some(start..start + length.context("an answer without a length")?))
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn difference(got: &[u8], wanted: &[u8]) -> String {
    let same = got
        .iter()
        .zip(wanted)
        .take_while(|(one, other)| one == other)
        .count();
    let around = |text: &[u8]| {
        let (from, to) = (same.saturating_sub(80), (same + 80).min(text.len()));
        String::from_utf8_lossy(&text[from.min(to)..to]).into_owned()
    };
    format!(
        "{} bytes, {} wanted; they differ at {same}: …{}… instead of …{}…",
        got.len(),
        wanted.len(),
        around(got),
        around(wanted)
    )
}
