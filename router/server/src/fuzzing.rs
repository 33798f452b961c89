//! Readers of what strangers send, as functions of bytes: for `tests/fuzz` only, and no part of the API.

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, stream};
use http_body_util::StreamBody;
use hyper::body::Frame;

use crate::config::LimitsConfig;
use crate::request;
use crate::subgraphs::framing::Head;
use crate::subgraphs::stream::reader::{Read, Reader};
use crate::upload::{Files, Parts};
use crate::ws::message::{Dialect, Incoming, PROTOCOLS};

/// What a message of a WebSocket is read as, in each dialect; of a request that it holds, whether it is one.
pub fn message(text: &str) -> Vec<String> {
    let read = |protocol: &&str| match Dialect::of_name(protocol).read(text) {
        Ok(Incoming::Subscribe(id, payload)) => {
            let request = request::from_json(payload.as_bytes(), &LimitsConfig::default());
            format!("{id}: {}", request.is_ok())
        }
        Ok(other) => format!("{other:?}"),
        Err(_) => "closed".to_owned(),
    };
    PROTOCOLS.iter().map(read).collect()
}

/// The items of a subgraph's event stream that comes in pieces of this size, up to what makes no sense.
pub fn events(bytes: &[u8], piece: usize) -> Vec<String> {
    items(Reader::events(), bytes, piece)
}

/// The same of parts between boundaries `--b`.
pub fn parts(bytes: &[u8], piece: usize) -> Vec<String> {
    items(Reader::parts("b"), bytes, piece)
}

fn items(mut reader: Reader, bytes: &[u8], piece: usize) -> Vec<String> {
    let (mut found, mut buffer) = (Vec::new(), BytesMut::new());
    for piece in bytes.chunks(piece.max(1)) {
        buffer.extend_from_slice(piece);
        loop {
            match reader.read(&mut buffer) {
                Ok(Read::Item(item)) => {
                    let item = format!("{item:?}");
                    let over = item == "Complete";
                    found.push(item);
                    if over {
                        return found;
                    }
                }
                Ok(Read::More) => break,
                Err(_) => return found,
            }
        }
    }
    found
}

/// The head of a subgraph's answer: its length and how the body ends; `None` if there is no whole head.
pub fn head(bytes: &[u8]) -> Option<(usize, String)> {
    let head = Head::read(bytes, &[]).ok()??;
    Some((head.length, format!("{:?} {}", head.framing, head.keep_alive)))
}

/// The parts of a form with the boundary `b` that comes in pieces of this size, each as its name and its data, up to what
/// makes no sense: the name of that is last.
pub fn form(bytes: &[u8], piece: usize) -> Vec<(String, Vec<u8>)> {
    let pieces: Vec<_> = bytes
        .chunks(piece.max(1))
        .map(|piece| Ok::<_, std::convert::Infallible>(Frame::data(Bytes::copy_from_slice(piece))))
        .collect();
    let mut form = Parts::new(StreamBody::new(stream::iter(pieces)), "b");
    let reading = async {
        let mut found = Vec::new();
        loop {
            let part = match form.next().await {
                Ok(Some(part)) => part,
                Ok(None) => return found,
                Err(why) => {
                    found.push((why.to_string(), Vec::new()));
                    return found;
                }
            };
            let mut whole = Vec::new();
            loop {
                match form.data().await {
                    Ok(Some(data)) => whole.extend_from_slice(&data),
                    Ok(None) => break,
                    Err(why) => {
                        found.push((why.to_string(), Vec::new()));
                        return found;
                    }
                }
            }
            found.push((part.name, whole));
        }
    };
    reading.now_or_never().expect("all of it is there")
}

/// Whether these bytes say which file belongs where.
pub fn map(bytes: &[u8]) -> bool {
    Files::read(bytes, 10, "file".to_owned()).is_ok()
}
