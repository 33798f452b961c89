//! HTTP/1.1 by hand: exactly these bytes, and whatever comes back.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// No case waits longer for its answer.
const LONGEST: Duration = Duration::from_secs(20);

/// What came back.
#[derive(Debug)]
pub struct Heard {
    /// 0 if the connection was closed without a word.
    pub status: u16,
    pub code: String,
    pub text: String,
    pub bytes: usize,
    pub took: Duration,
}

/// A POST of a body, after which the connection closes.
pub fn post(body: &[u8]) -> Vec<u8> {
    post_with("", body)
}

/// The same with more lines of headers, each with its end.
pub fn post_with(lines: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n\
         accept: application/graphql-response+json\r\nconnection: close\r\n{lines}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Sends these bytes and reads to the end.
pub async fn exchange(addr: SocketAddr, sent: &[u8]) -> Heard {
    let start = Instant::now();
    let mut received = Vec::new();
    let talk = async {
        let Ok(mut stream) = TcpStream::connect(addr).await else {
            return;
        };
        let (mut reader, mut writer) = stream.split();
        let writing = async {
            // Who is refused may be cut off before all is sent.
            let _ = writer.write_all(sent).await;
        };
        let reading = async {
            let mut room = vec![0; 64 << 10];
            while let Ok(count @ 1..) = reader.read(&mut room).await {
                received.extend_from_slice(&room[..count]);
                if is_whole(&received) {
                    break;
                }
            }
        };
        tokio::pin!(writing);
        tokio::pin!(reading);
        tokio::select! {
            () = &mut reading => {}
            () = &mut writing => reading.await,
        }
    };
    let _ = tokio::time::timeout(LONGEST, talk).await;
    heard(&received, start.elapsed())
}

/// Whether a response with a length is complete.
fn is_whole(received: &[u8]) -> bool {
    let Some((head, body)) = split(received) else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    length.is_some_and(|length| body.len() >= length)
}

fn split(received: &[u8]) -> Option<(String, &[u8])> {
    let at = received.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some((
        String::from_utf8_lossy(&received[..at]).into_owned(),
        &received[at + 4..],
    ))
}

fn heard(received: &[u8], took: Duration) -> Heard {
    let (head, body) = split(received).unwrap_or_default();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let text = String::from_utf8_lossy(body).into_owned();
    let json: Value = serde_json::from_str(&text).unwrap_or_default();
    let code = json["errors"][0]["extensions"]["code"].as_str();
    Heard {
        status: status.unwrap_or(0),
        code: code.unwrap_or_default().to_owned(),
        bytes: body.len(),
        text,
        took,
    }
}
