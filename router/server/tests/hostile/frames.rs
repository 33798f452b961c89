//! WebSocket by hand (RFC 6455): frames as no library sends them.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// No case waits longer for the end of its connection.
const LONGEST: Duration = Duration::from_secs(5);

pub const TEXT: u8 = 0x81;
pub const CONTINUED: u8 = 0x01;
pub const MORE: u8 = 0x00;
pub const LAST: u8 = 0x80;
pub const BINARY: u8 = 0x82;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;

/// The upgrade of a client that knows how.
pub fn upgrade(protocol: &str) -> Vec<u8> {
    format!(
        "GET /graphql HTTP/1.1\r\nhost: gateway\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: {protocol}\r\n\r\n"
    )
    .into_bytes()
}

/// A masked frame; the first byte is flags and opcode.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = head(first, payload.len() as u64, true);
    frame.extend([0; 4]);
    frame.extend_from_slice(payload);
    frame
}

/// The head of a frame that says it has so many bytes.
pub fn head(first: u8, length: u64, masked: bool) -> Vec<u8> {
    let mask = if masked { 0x80 } else { 0 };
    let mut head = vec![first];
    match length {
        0..=125 => head.push(mask | length as u8),
        126..=0xffff => {
            head.push(mask | 126);
            head.extend((length as u16).to_be_bytes());
        }
        _ => {
            head.push(mask | 127);
            head.extend(length.to_be_bytes());
        }
    }
    head
}

pub fn text(message: &str) -> Vec<u8> {
    frame(TEXT, message.as_bytes())
}

pub fn init() -> Vec<u8> {
    text(r#"{"type":"connection_init"}"#)
}

/// Upgrades, sends all this, and says how it ended: `closed N`, a code of an error message, `silence`, `cut`, or the
/// status of a refused upgrade.
pub async fn ending(addr: SocketAddr, upgrade: &[u8], frames: &[u8]) -> String {
    let Ok(stream) = TcpStream::connect(addr).await else {
        return "no connection".to_owned();
    };
    let (mut reader, mut writer) = stream.into_split();
    let (upgrade, frames) = (upgrade.to_vec(), frames.to_vec());
    let writing = tokio::spawn(async move {
        if writer.write_all(&upgrade).await.is_ok() {
            let _ = writer.write_all(&frames).await;
        }
        // Kept open: it is the gateway's to close.
        tokio::time::sleep(LONGEST).await;
        drop(writer);
    });
    let mut received = Vec::new();
    let reading = async {
        let mut room = vec![0; 64 << 10];
        loop {
            match reader.read(&mut room).await {
                Ok(count @ 1..) => received.extend_from_slice(&room[..count]),
                _ => return "cut".to_owned(),
            }
            if let Some(ending) = read(&received) {
                return ending;
            }
        }
    };
    let ending = tokio::time::timeout(LONGEST, reading).await;
    writing.abort();
    ending.unwrap_or_else(|_| "silence".to_owned())
}

/// The first ending among what came.
fn read(received: &[u8]) -> Option<String> {
    let at = received.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&received[..at]);
    let status = head.split(' ').nth(1)?;
    if status != "101" {
        return Some(status.to_owned());
    }
    let mut rest = &received[at + 4..];
    while let [first, length, ..] = rest {
        let (skipped, length) = match length & 0x7f {
            126 => (
                4,
                usize::from(u16::from_be_bytes(rest.get(2..4)?.try_into().ok()?)),
            ),
            127 => (
                10,
                usize::try_from(u64::from_be_bytes(rest.get(2..10)?.try_into().ok()?)).ok()?,
            ),
            short => (2, usize::from(short)),
        };
        let payload = rest.get(skipped..skipped + length)?;
        match *first & 0x0f {
            8 => return Some(closed(payload)),
            1 => {
                if let Some(code) = code(payload) {
                    return Some(code);
                }
            }
            _ => {}
        }
        rest = &rest[skipped + length..];
    }
    None
}

fn closed(payload: &[u8]) -> String {
    match payload {
        [high, low, ..] => format!("closed {}", u16::from_be_bytes([*high, *low])),
        _ => "closed".to_owned(),
    }
}

/// The code of an `error` message, or `next`.
fn code(payload: &[u8]) -> Option<String> {
    let message: Value = serde_json::from_slice(payload).ok()?;
    match message["type"].as_str()? {
        "error" => Some(message["payload"][0]["extensions"]["code"].as_str()?.to_owned()),
        "next" => Some("next".to_owned()),
        _ => None,
    }
}
