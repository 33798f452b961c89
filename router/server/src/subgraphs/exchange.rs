//! One HTTP/1.1 connection to a subgraph: a request out, its answer in, in the task of whoever asks
//! ([RFC 9112](https://www.rfc-editor.org/rfc/rfc9112)).
//!
//! hyper's client runs each connection in a task of its own, and each answer passes through two queues; for the short
//! calls of a gateway that costs more than the calls. What is not needed here is left out: upgrades, pipelining, bodies
//! that are not known in advance.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderName, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::framing::{Coded, Framing, Head, chunk_size};
use crate::coding::UnpackError;
use crate::forward::Field;
use crate::responses::Fields;

/// Bytes of a head, of a chunk's first line, of a trailer.
const HEAD_BYTES: usize = 64 * 1024;
/// Room for what is read first.
const FIRST_ROOM: std::ops::Range<usize> = 2 * 1024..128 * 1024;
/// Room for each read after that.
const MORE_ROOM: usize = 8 * 1024;

/// A connection on which nothing is under way.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    /// How large an answer is expected to be.
    expected: usize,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body, whole.
    pub body: Bytes,
    /// When it is worth asking again, if the other side says so.
    pub retry_after: Option<Duration>,
    /// What its header says about keeping it.
    pub caching: Option<Box<Fields>>,
    /// Whether the connection can be used again.
    pub reusable: bool,
    /// The values of those header fields that were wanted.
    pub wanted: Vec<Field>,
}

/// What of an answer is taken.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'a> {
    /// The most bytes of its body, unpacked.
    pub limit: usize,
    /// Whether compressed bodies are: the request has asked for them.
    pub packed: bool,
    /// Which header fields are.
    pub wanted: &'a [HeaderName],
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The other side was gone before the first byte of an answer.
    #[error("the connection was closed before an answer: {0}")]
    Gone(io::Error),
    /// The connection broke in the middle of an answer.
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    /// It is not HTTP.
    #[error("not an HTTP answer: {0}")]
    Malformed(&'static str),
    /// The body is compressed or otherwise encoded.
    #[error("the body is encoded, which was not asked for")]
    Encoded,
    /// The body is compressed, but not as its head says.
    #[error("the body cannot be unpacked")]
    Packed,
    /// The body is larger than allowed.
    #[error("the body is too large")]
    TooLarge,
}

impl From<UnpackError> for ExchangeError {
    fn from(error: UnpackError) -> ExchangeError {
        match error {
            UnpackError::TooLarge => ExchangeError::TooLarge,
            UnpackError::Broken => ExchangeError::Packed,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// A connection just opened.
    pub fn new(stream: S) -> Connection<S> {
        Connection { stream, expected: 0 }
    }

    /// Whether the other side has, as far as is known, neither closed nor said anything unasked.
    pub fn is_idle(&mut self) -> bool {
        let mut byte = [0];
        let mut unasked = ReadBuf::new(&mut byte);
        let mut nobody = Context::from_waker(Waker::noop());
        matches!(
            Pin::new(&mut self.stream).poll_read(&mut nobody, &mut unasked),
            Poll::Pending
        )
    }

    /// Sends the parts of a request as they are, and reads an answer.
    ///
    /// Dropped before its end, the connection must not be used again.
    pub async fn exchange<const N: usize>(
        &mut self,
        request: [&[u8]; N],
        taken: Taken<'_>,
    ) -> Result<Answer, ExchangeError> {
        self.send(request).await.map_err(ExchangeError::Gone)?;
        let room = (self.expected + 512).clamp(FIRST_ROOM.start, FIRST_ROOM.end);
        let mut reader = Reader {
            stream: &mut self.stream,
            buffer: BytesMut::with_capacity(room),
        };
        let head = reader.head(taken.wanted).await?;
        let (body, whole) = match head.coded {
            Coded::Plain => reader.body(&head, taken.limit).await?,
            Coded::By(coding) if taken.packed => {
                let (packed, whole) = reader.body(&head, taken.limit).await?;
                (coding.unpack(&packed, taken.limit)?, whole)
            }
            _ if head.status.is_success() => return Err(ExchangeError::Encoded),
            // Its status says enough.
            _ => (Bytes::new(), false),
        };
        self.expected = head.length + body.len();
        Ok(Answer {
            status: head.status,
            body,
            retry_after: head.retry_after.map(Duration::from_secs),
            caching: head.caching,
            reusable: head.keep_alive && whole,
            wanted: head.wanted,
        })
    }

    async fn send<const N: usize>(&mut self, request: [&[u8]; N]) -> io::Result<()> {
        let mut parts = request.map(IoSlice::new);
        let mut rest = &mut parts[..];
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            let written = self.stream.write_vectored(rest).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            IoSlice::advance_slices(&mut rest, written);
        }
        self.stream.flush().await
    }
}

struct Reader<'a, S> {
    stream: &'a mut S,
    buffer: BytesMut,
}

impl<S: AsyncRead + Unpin> Reader<'_, S> {
    /// The head of the final answer, taken out of the buffer.
    async fn head(&mut self, wanted: &[HeaderName]) -> Result<Head, ExchangeError> {
        loop {
            match Head::read(&self.buffer, wanted).map_err(ExchangeError::Malformed)? {
                Some(head) => {
                    self.buffer.advance(head.length);
                    if !head.status.is_informational() {
                        return Ok(head);
                    }
                }
                None if self.buffer.len() > HEAD_BYTES => {
                    return Err(ExchangeError::Malformed("its head is too large"));
                }
                None => {
                    let silent = self.buffer.is_empty();
                    let more = self.more(MORE_ROOM).await;
                    more.map_err(|error| {
                        if silent {
                            ExchangeError::Gone(error)
                        } else {
                            error.into()
                        }
                    })?;
                }
            }
        }
    }

    /// The body, and whether it was all there was.
    async fn body(&mut self, head: &Head, limit: usize) -> Result<(Bytes, bool), ExchangeError> {
        match head.framing {
            Framing::Length(length) => {
                let length = usize::try_from(length).ok().filter(|length| *length <= limit);
                self.exactly(length.ok_or(ExchangeError::TooLarge)?).await
            }
            Framing::Chunked => self.chunks(limit).await,
            Framing::UntilClosed => self.until_closed(limit).await,
        }
    }

    async fn exactly(&mut self, length: usize) -> Result<(Bytes, bool), ExchangeError> {
        self.buffer.reserve(length.saturating_sub(self.buffer.len()));
        while self.buffer.len() < length {
            self.more(length - self.buffer.len()).await?;
        }
        let body = self.buffer.split_to(length).freeze();
        Ok((body, self.buffer.is_empty()))
    }

    async fn until_closed(&mut self, limit: usize) -> Result<(Bytes, bool), ExchangeError> {
        while self.buffer.len() <= limit {
            self.buffer.reserve(MORE_ROOM);
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok((self.buffer.split().freeze(), true));
            }
        }
        Err(ExchangeError::TooLarge)
    }

    /// RFC 9112, section 7.1. Extensions and trailers are skipped.
    async fn chunks(&mut self, limit: usize) -> Result<(Bytes, bool), ExchangeError> {
        let mut body = BytesMut::new();
        loop {
            let line = self.line().await?;
            let size = chunk_size(&line).ok_or(ExchangeError::Malformed("a chunk has no size"))?;
            let size = usize::try_from(size)
                .ok()
                .filter(|size| *size <= limit - body.len());
            let size = size.ok_or(ExchangeError::TooLarge)?;
            if size == 0 {
                break;
            }
            while self.buffer.len() < size + 2 {
                self.more(size + 2 - self.buffer.len()).await?;
            }
            body.extend_from_slice(&self.buffer[..size]);
            if &self.buffer[size..size + 2] != b"\r\n" {
                return Err(ExchangeError::Malformed("a chunk is longer than its size"));
            }
            self.buffer.advance(size + 2);
        }
        let mut trailers = 0;
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Ok((body.freeze(), self.buffer.is_empty()));
            }
            trailers += line.len();
            if trailers > HEAD_BYTES {
                return Err(ExchangeError::Malformed("its trailers are too large"));
            }
        }
    }

    /// A line, without its end.
    async fn line(&mut self) -> Result<Bytes, ExchangeError> {
        let mut looked_at = 0;
        loop {
            let unseen = &self.buffer[looked_at..];
            if let Some(end) = memchr::memmem::find(unseen, b"\r\n") {
                let line = self.buffer.split_to(looked_at + end).freeze();
                self.buffer.advance(2);
                return Ok(line);
            }
            if self.buffer.len() > HEAD_BYTES {
                return Err(ExchangeError::Malformed("a line is too long"));
            }
            looked_at = self.buffer.len().saturating_sub(1);
            self.more(MORE_ROOM).await?;
        }
    }

    /// Reads once, with room for `room` bytes at least.
    async fn more(&mut self, room: usize) -> io::Result<()> {
        if self.buffer.capacity() == self.buffer.len() {
            self.buffer.reserve(room);
        }
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    const TAKEN: Taken<'static> = Taken {
        limit: 100,
        packed: false,
        wanted: &[],
    };

    /// What comes of an answer that arrives in pieces of `piece` bytes, the connection closed after it if asked.
    async fn answered(text: &str, piece: usize, close: bool) -> Result<Answer, ExchangeError> {
        let (near, mut far) = duplex(1024);
        let text = text.as_bytes().to_vec();
        let server = tokio::spawn(async move {
            let mut asked = [0; 4];
            far.read_exact(&mut asked).await.expect("a request");
            assert_eq!(&asked, b"abcd");
            for piece in text.chunks(piece) {
                if far.write_all(piece).await.is_err() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            (!close).then_some(far)
        });
        let mut connection = Connection::new(near);
        let answer = connection.exchange([&b"ab"[..], b"", b"cd"], TAKEN).await;
        drop(connection);
        drop(server.await.expect("the server ends"));
        answer
    }

    #[tokio::test]
    async fn a_body_is_read_to_its_end_in_whatever_pieces_it_comes() {
        let long = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}",
            "x".repeat(100)
        );
        for (text, body, reusable, close) in [
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
                "hello",
                true,
                false,
            ),
            ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "", true, false),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nx: y\r\n\r\n",
                "hello",
                true,
                false,
            ),
            ("HTTP/1.1 200 OK\r\n\r\nhello", "hello", false, true),
            (
                "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
                "hello",
                true,
                false,
            ),
            (&long, &"x".repeat(100), true, false),
        ] {
            for piece in [1, 2, 3, 7, 1000] {
                let answer = answered(text, piece, close).await.expect(text);
                assert_eq!(answer.body, body.as_bytes(), "{text} by {piece}");
                assert_eq!(answer.reusable, reusable, "{text} by {piece}");
            }
        }
    }

    #[tokio::test]
    async fn what_follows_an_answer_makes_the_connection_unusable() {
        let text = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n";
        let answer = answered(text, 1000, false).await.expect("an answer");
        assert!(!answer.reusable);
    }

    #[tokio::test]
    async fn a_broken_answer_is_an_error() {
        use ExchangeError::{Broken, Encoded, Gone, Malformed, Packed, TooLarge};
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        for (text, wanted) in [
            (String::new(), "gone"),
            ("HTTP/1.1 2".to_owned(), "broken"),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell".to_owned(),
                "broken",
            ),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 101\r\n\r\n".to_owned(),
                "large",
            ),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551615\r\n\r\n".to_owned(),
                "large",
            ),
            (format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(101)), "large"),
            (format!("{chunked}65\r\n"), "large"),
            (format!("{chunked}ffffffffffffffff\r\n"), "large"),
            (format!("{chunked}60\r\n{}\r\n60\r\n", "x".repeat(96)), "large"),
            (format!("{chunked}5\r\nhello, there\r\n"), "malformed"),
            (format!("{chunked}5\r\nhell"), "broken"),
            (format!("{chunked}5\r\nhello\r\n0\r\n"), "broken"),
            (format!("{chunked}five\r\n"), "malformed"),
            ("not HTTP at all\r\n\r\n".to_owned(), "malformed"),
            (
                "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nxx".to_owned(),
                "encoded",
            ),
        ] {
            for piece in [1, 1000] {
                let error = answered(&text, piece, true).await.expect_err(&text);
                let told = match error {
                    Gone(_) => "gone",
                    Broken(_) => "broken",
                    Malformed(_) => "malformed",
                    Encoded | Packed => "encoded",
                    TooLarge => "large",
                };
                assert_eq!(told, wanted, "{text} by {piece}");
            }
        }
    }

    #[tokio::test]
    async fn a_head_without_end_is_cut() {
        let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "x".repeat(2 * HEAD_BYTES));
        let error = answered(&endless, 1000, true).await.expect_err("no head");
        assert!(matches!(error, ExchangeError::Malformed(_)), "{error}");
    }

    #[tokio::test]
    async fn a_connection_is_idle_until_the_other_side_acts() {
        let (near, mut far) = duplex(64);
        let mut connection = Connection::new(near);
        assert!(connection.is_idle());
        far.write_all(b"x").await.expect("written");
        assert!(!connection.is_idle());
        let (near, far) = duplex(64);
        let mut connection = Connection::new(near);
        drop(far);
        assert!(!connection.is_idle());
    }
}
