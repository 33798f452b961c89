//! Files on their way from a client to a subgraph, as the body of a request of the same kind: what has come goes on, and
//! the client is read no faster than the subgraph reads.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use serde_json::Value;
use tokio::sync::mpsc;

use super::map::Files;
use super::multipart::Part;

/// Pieces that wait for the subgraph at most.
const WAITING: usize = 2;

/// What is passed on.
#[derive(Debug)]
pub enum Piece {
    /// A file begins.
    Part(Part),
    /// Data of it.
    Data(Bytes),
    /// All files were there.
    End,
}

/// Where pieces go.
pub type Sender = mpsc::Sender<Piece>;

/// Files that are to come.
pub struct Coming {
    files: Files,
    pieces: mpsc::Receiver<Piece>,
}

/// A body of a request with files.
pub struct Outgoing {
    boundary: String,
    /// What is sent before anything that comes.
    first: Option<Bytes>,
    pieces: mpsc::Receiver<Piece>,
    /// Files that the subgraph is told of; others are dropped.
    known: BTreeMap<String, Vec<String>>,
    dropping: bool,
    within: bool,
    progress: Progress,
    over: bool,
}

/// Whether all of a body was sent.
#[derive(Clone, Default)]
pub struct Progress(Arc<AtomicBool>);

impl Progress {
    /// Whether it was.
    pub fn is_over(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Coming {
    /// Files, and where their pieces are to go.
    pub fn new(files: Files) -> (Sender, Coming) {
        let (sender, pieces) = mpsc::channel(WAITING);
        (sender, Coming { files, pieces })
    }

    /// The call with this body, as a request with files. `boundary`: what nobody can guess.
    pub fn request(self, body: &[u8], boundary: String) -> Outgoing {
        let (operations, map) = self.files.unmark(body);
        let text = |name: &str, value: &Value| {
            format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let places = serde_json::to_value(&map).expect("texts are JSON");
        let first = text("operations", &operations) + &text("map", &places);
        Outgoing {
            first: Some(first.into()),
            boundary,
            pieces: self.pieces,
            known: map,
            dropping: false,
            within: false,
            progress: Progress::default(),
            over: false,
        }
    }
}

impl Outgoing {
    /// The content type of the request.
    pub fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// What a piece is in the body, if anything.
    fn written(&mut self, piece: Piece) -> Option<Bytes> {
        match piece {
            Piece::Data(data) => (!self.dropping).then_some(data),
            Piece::Part(part) => {
                self.dropping = !self.known.contains_key(&part.name);
                if self.dropping {
                    return None;
                }
                let end = if std::mem::replace(&mut self.within, true) {
                    "\r\n"
                } else {
                    ""
                };
                Some(format!("{end}--{}\r\n{}", self.boundary, head(&part)).into())
            }
            Piece::End => {
                self.over = true;
                self.progress.0.store(true, Ordering::Release);
                let end = if self.within { "\r\n" } else { "" };
                Some(format!("{end}--{}--\r\n", self.boundary).into())
            }
        }
    }
}

/// The header fields of a part. Its texts hold no line break: they were read from header fields.
fn head(part: &Part) -> String {
    let quoted = |text: &str| text.replace('"', "%22");
    let mut head = format!("content-disposition: form-data; name=\"{}\"", quoted(&part.name));
    if let Some(file) = &part.file_name {
        head += &format!("; filename=\"{}\"", quoted(file));
    }
    if let Some(kind) = &part.content_type {
        head += &format!("\r\ncontent-type: {kind}");
    }
    head + "\r\n\r\n"
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        while !self.over {
            let Some(piece) = std::task::ready!(self.pieces.poll_recv(cx)) else {
                self.over = true;
                let error = io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the files did not come to their end",
                );
                return Poll::Ready(Some(Err(error)));
            };
            if let Some(data) = self.written(piece) {
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
        }
        Poll::Ready(None)
    }
}
