//! The bytes of a connection, watched: heads that do not come, and clients that do not read what waits for them.
//!
//! hyper bounds how long it waits between requests and for a head together; here is what it does not: that a connection
//! says something at all, that a head which has begun ends soon, and that writing goes on.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_rustls::server::TlsStream;

use super::head::Head;
use crate::config::ConnectionsConfig;

/// TCP, with or without TLS.
pub enum Stream {
    /// As it is.
    Plain(TcpStream),
    /// With TLS.
    Secured(Box<TlsStream<TcpStream>>),
}

/// What goes on on a connection, told by those who answer its requests.
#[derive(Debug, Default)]
pub struct Pulse {
    state: AtomicU8,
    /// As it came.
    head: Head,
}

/// A request is expected at once: the connection was just opened, or a head has begun.
const HURRIED: u8 = 0;
/// A request is being answered.
const BUSY: u8 = 1;
/// Nothing is expected.
const IDLE: u8 = 2;
/// No heads come here that could be slow: HTTP/2 has begun, or another protocol.
const FREE: u8 = 3;

impl Pulse {
    /// A request has come, whole but for its body. `multiplexed`: others may come while it is answered.
    pub fn begin(&self, multiplexed: bool) {
        if multiplexed {
            self.head.end();
        }
        self.set(if multiplexed { FREE } else { BUSY });
    }

    /// It is answered. `switched`: what follows is of another protocol.
    pub fn end(&self, switched: bool) {
        if switched {
            self.head.end();
        }
        if self.get() == BUSY {
            self.set(if switched { FREE } else { IDLE });
        }
    }

    /// Whether the request that has begun tells in two ways where it ends.
    pub fn has_two_lengths(&self) -> bool {
        self.head.has_two_lengths()
    }

    /// Notes what came.
    fn hear(&self, bytes: &[u8]) {
        if self.get() == IDLE && !bytes.is_empty() {
            self.head.begin();
            self.set(HURRIED);
        }
        if self.get() == HURRIED {
            self.head.hear(bytes);
        }
    }

    fn get(&self) -> u8 {
        self.state.load(Ordering::Relaxed)
    }

    fn set(&self, state: u8) {
        self.state.store(state, Ordering::Relaxed);
    }
}

/// A watched connection.
pub struct Wire {
    stream: Stream,
    pulse: Arc<Pulse>,
    head_timeout: Duration,
    write_timeout: Duration,
    /// Runs while a head is waited for.
    head: Option<Pin<Box<Sleep>>>,
    /// Runs while nothing can be written.
    write: Option<Pin<Box<Sleep>>>,
}

impl Wire {
    /// Watches `stream`.
    pub fn new(stream: Stream, pulse: Arc<Pulse>, config: &ConnectionsConfig) -> Wire {
        Wire {
            stream,
            pulse,
            head_timeout: config.head_timeout,
            write_timeout: config.write_timeout,
            head: None,
            write: None,
        }
    }

    /// Nothing has come: an error if that takes too long.
    fn waited_for_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.pulse.get() != HURRIED {
            self.head = None;
            return Poll::Pending;
        }
        let told = "the head of a request did not come in time (connections.head_timeout)";
        overdue(&mut self.head, self.head_timeout, cx, told)
    }

    /// What came of writing: an error if nothing could be written for too long.
    fn written<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.write = None;
            return outcome;
        }
        let told = "the client does not read what is sent to it (connections.write_timeout)";
        overdue(&mut self.write, self.write_timeout, cx, told)
    }
}

/// Starts a timer, or looks how it is.
fn overdue<T>(
    timer: &mut Option<Pin<Box<Sleep>>>,
    limit: Duration,
    cx: &mut Context<'_>,
    told: &str,
) -> Poll<io::Result<T>> {
    let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
    timer
        .as_mut()
        .poll(cx)
        .map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, told.to_owned())))
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Secured(stream) => Pin::new(stream).poll_read(cx, buffer),
        };
        if read.is_pending() {
            return self.waited_for_head(cx);
        }
        if self.pulse.get() == IDLE && buffer.filled().len() > before {
            // The first bytes of the next head; a timer of the one before does not count.
            self.head = None;
        }
        self.pulse.hear(&buffer.filled()[before..]);
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Secured(stream) => Pin::new(stream).poll_write(cx, bytes),
        };
        self.written(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Stream::Secured(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        };
        self.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Secured(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Secured(stream) => Pin::new(stream).poll_flush(cx),
        };
        self.written(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Secured(stream) => Pin::new(stream).poll_shutdown(cx),
        };
        self.written(cx, shut)
    }
}
