//! A body that is packed as it goes out.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::HttpBody;
use bytes::Bytes;
use hyper::body::Frame;

use super::super::stream::Reply;
use crate::coding::{Coding, Packer};

/// Bytes that are packed before the connection is asked for room again.
const PIECE: usize = 32 * 1024;

/// A packed body.
pub struct Packed {
    source: Reply,
    /// What came of the source and is not packed yet.
    rest: Bytes,
    /// `None` after the end.
    packer: Option<Packer>,
    /// Whether what came is to be read at once, and not when there is more of it.
    streams: bool,
}

impl Packed {
    /// The body `source`, packed.
    pub fn new(coding: Coding, source: Reply) -> Packed {
        Packed {
            streams: matches!(source, Reply::Stream(_)),
            source,
            rest: Bytes::new(),
            packer: Some(Packer::new(coding)),
        }
    }

    /// The next bytes; `None` at the end.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        while let Some(packer) = &mut self.packer {
            if self.rest.is_empty() {
                match ready!(Pin::new(&mut self.source).poll_frame(cx)) {
                    Some(frame) => self.rest = data(frame),
                    None => {
                        let last = self.packer.take().map(Packer::finish).unwrap_or_default();
                        return Poll::Ready((!last.is_empty()).then(|| last.into()));
                    }
                }
                continue;
            }
            let piece = self.rest.split_to(self.rest.len().min(PIECE));
            packer.write(&piece);
            if self.streams && self.rest.is_empty() {
                packer.flush();
            }
            let out = packer.take();
            if !out.is_empty() {
                return Poll::Ready(Some(out.into()));
            }
        }
        Poll::Ready(None)
    }
}

fn data(frame: Result<Frame<Bytes>, Infallible>) -> Bytes {
    match frame {
        Ok(frame) => frame.into_data().unwrap_or_default(),
        Err(never) => match never {},
    }
}
