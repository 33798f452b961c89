//! A client of graphql-transport-ws that costs few bytes, so that ten thousand fit into one process beside what is
//! measured.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Longest time for a connection to be made and acknowledged.
const PATIENCE: Duration = Duration::from_secs(30);
/// Ports of one address do not suffice for all clients, and those of closed connections rest for a minute.
const ADDRESSES: usize = 8;

/// An acknowledged connection with one subscription.
pub struct Client {
    stream: TcpStream,
    read: Vec<u8>,
}

/// What comes.
#[derive(Debug, PartialEq)]
pub enum Came {
    /// A text message.
    Text(String),
    /// The end: its code and reason.
    Closed(u16, String),
}

impl Client {
    /// Connects to `gateway`, introduces itself, and subscribes to `topic`. `receive_buffer`: what the system keeps for a
    /// client that does not read.
    pub async fn subscribe(
        gateway: SocketAddr,
        number: usize,
        topic: &str,
        receive_buffer: Option<u32>,
    ) -> Result<Client> {
        let opening = Client::open(gateway, number, topic, receive_buffer);
        tokio::time::timeout(PATIENCE, opening)
            .await
            .context("no acknowledgement in time")?
    }

    async fn open(
        gateway: SocketAddr,
        number: usize,
        topic: &str,
        receive_buffer: Option<u32>,
    ) -> Result<Client> {
        let socket = TcpSocket::new_v4()?;
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        let own = Ipv4Addr::new(127, 0, 1, 1 + (number % ADDRESSES) as u8);
        socket.bind(SocketAddr::new(IpAddr::V4(own), 0))?;
        let stream = socket.connect(gateway).await?;
        stream.set_nodelay(true)?;
        let read = Vec::new();
        let mut client = Client { stream, read };
        client.shake_hands(gateway).await?;
        client.say(1, br#"{"type":"connection_init"}"#).await?;
        let ack = client.next().await?;
        ensure!(
            matches!(&ack, Came::Text(text) if text.contains("connection_ack")),
            "not acknowledged: {ack:?}"
        );
        let query = r#"subscription($t:String!){feed(topic:$t){cursor at padding}}"#;
        let payload = format!(r#"{{"query":"{query}","variables":{{"t":"{topic}"}}}}"#);
        let message = format!(r#"{{"id":"1","type":"subscribe","payload":{payload}}}"#);
        client.say(1, message.as_bytes()).await?;
        Ok(client)
    }

    async fn shake_hands(&mut self, gateway: SocketAddr) -> Result<()> {
        let request = format!(
            "GET /graphql HTTP/1.1\r\nHost: {gateway}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
             Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes()).await?;
        loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                ensure!(self.read.starts_with(b"HTTP/1.1 101"), "the upgrade was refused");
                self.read.drain(..end + 4);
                return Ok(());
            }
            self.more().await?;
        }
    }

    /// Sends a frame. Its mask is zero: what is masked is nobody's secret here.
    async fn say(&mut self, opcode: u8, payload: &[u8]) -> Result<()> {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            length @ 0..126 => frame.push(0x80 | length as u8),
            length => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&u16::try_from(length)?.to_be_bytes());
            }
        }
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(payload);
        Ok(self.stream.write_all(&frame).await?)
    }

    /// The next message. Questions for a sign of life are answered meanwhile.
    pub async fn next(&mut self) -> Result<Came> {
        loop {
            let Some((opcode, payload)) = self.frame() else {
                self.more().await?;
                continue;
            };
            match opcode {
                1 => return Ok(Came::Text(String::from_utf8(payload)?)),
                8 => {
                    let code = payload
                        .get(..2)
                        .map_or(1005, |code| u16::from_be_bytes([code[0], code[1]]));
                    let reason = payload.get(2..).unwrap_or_default();
                    return Ok(Came::Closed(code, String::from_utf8_lossy(reason).into_owned()));
                }
                9 => self.say(10, &payload).await?,
                _ => {}
            }
        }
    }

    /// A whole frame, if there is one.
    fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let (opcode, short) = (*self.read.first()? & 0x0f, *self.read.get(1)? & 0x7f);
        let (begin, length) = match short {
            126 => (
                4,
                usize::from(u16::from_be_bytes(self.read.get(2..4)?.try_into().ok()?)),
            ),
            127 => (
                10,
                u64::from_be_bytes(self.read.get(2..10)?.try_into().ok()?) as usize,
            ),
            length => (2, usize::from(length)),
        };
        let payload = self.read.get(begin..begin + length)?.to_vec();
        self.read.drain(..begin + length);
        if self.read.is_empty() {
            self.read = Vec::new();
        }
        Some((opcode, payload))
    }

    async fn more(&mut self) -> Result<()> {
        self.stream.readable().await?;
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer).await? {
            0 => bail!("the connection was closed"),
            length => self.read.extend_from_slice(&buffer[..length]),
        }
        Ok(())
    }
}

/// How late an event is, by the clock that the upstream wrote into it.
pub fn lateness(text: &str, epoch: Instant) -> Option<Duration> {
    let (_, rest) = text.split_once(r#""at":""#)?;
    let micros: u64 = rest.split('"').next()?.parse().ok()?;
    Some(epoch.elapsed().saturating_sub(Duration::from_micros(micros)))
}
