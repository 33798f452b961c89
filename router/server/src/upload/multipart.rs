//! The parts of a `multipart/form-data` body as they come ([RFC 7578](https://www.rfc-editor.org/rfc/rfc7578), [RFC
//! 2046](https://www.rfc-editor.org/rfc/rfc2046#section-5.1)): no more of it is held than what came last.

use std::pin::Pin;

use axum::body::HttpBody;
use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;

/// Bytes before the first boundary, and of a part's header fields.
const HEAD_BYTES: usize = 8 * 1024;
/// Header fields of a part.
const FIELDS: usize = 16;
/// The longest boundary (RFC 2046).
const LONGEST_BOUNDARY: usize = 70;

/// Why a body is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The connection ended, or what came is no HTTP.
    #[error("the body broke off")]
    BrokeOff,
    /// There is no boundary where one must be.
    #[error("there is no boundary where a part begins")]
    NoBoundary,
    /// The header of a part is too large, or none.
    #[error("the header of a part is malformed or too large")]
    Header,
    /// A part does not say which field it is.
    #[error("a part has no `Content-Disposition: form-data; name=\"…\"`")]
    NoName,
}

/// A part, without its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The field.
    pub name: String,
    /// The file, as its sender calls it.
    pub file_name: Option<String>,
    /// What it is, as its sender says.
    pub content_type: Option<String>,
}

/// A body that is read part by part.
pub struct Parts<B> {
    body: Pin<Box<B>>,
    /// A line break comes before it, also before the first.
    delimiter: Vec<u8>,
    buffer: BytesMut,
    state: State,
}

#[derive(PartialEq)]
enum State {
    /// Data, up to the next delimiter.
    Data,
    /// Right behind a delimiter.
    Delimited,
    /// Behind the last.
    Over,
}

/// The boundary that a content type names.
pub fn boundary(content_type: &str) -> Option<&str> {
    let (media, parameters) = content_type.split_once(';')?;
    if !media.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let named = parameters
        .split(';')
        .filter_map(|parameter| parameter.split_once('='));
    let (_, boundary) = named
        .into_iter()
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
    let boundary = boundary.trim().trim_matches('"');
    let plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    let good = (1..=LONGEST_BOUNDARY).contains(&boundary.len()) && boundary.bytes().all(plain);
    good.then_some(boundary)
}

impl<B: HttpBody<Data = Bytes>> Parts<B> {
    /// A body with this boundary.
    pub fn new(body: B, boundary: &str) -> Parts<B> {
        Parts {
            body: Box::pin(body),
            delimiter: [b"\r\n--", boundary.as_bytes()].concat(),
            buffer: BytesMut::from(&b"\r\n"[..]),
            state: State::Data,
        }
    }

    /// The next part; its data follows. Data of the part before that was not read is skipped.
    pub async fn next(&mut self) -> Result<Option<Part>, Malformed> {
        let mut skipped = 0;
        while let Some(data) = self.data().await? {
            skipped += data.len();
            if skipped > HEAD_BYTES {
                return Err(Malformed::NoBoundary);
            }
        }
        if self.state == State::Over {
            return Ok(None);
        }
        while self.buffer.len() < 2 {
            self.more().await?;
        }
        if self.buffer.starts_with(b"--") {
            self.state = State::Over;
            return Ok(None);
        }
        let head = self.head().await?;
        self.state = State::Data;
        Part::read(&head).map(Some)
    }

    /// More data of the part; `None` at its end.
    pub async fn data(&mut self) -> Result<Option<Bytes>, Malformed> {
        while self.state == State::Data {
            if let Some(at) = memchr::memmem::find(&self.buffer, &self.delimiter) {
                let data = self.buffer.split_to(at).freeze();
                self.buffer.advance(self.delimiter.len());
                self.state = State::Delimited;
                return Ok(Some(data).filter(|data| !data.is_empty()));
            }
            // Of what is left, the end may be the beginning of a delimiter.
            let safe = self.buffer.len().saturating_sub(self.delimiter.len() - 1);
            if safe > 0 {
                return Ok(Some(self.buffer.split_to(safe).freeze()));
            }
            self.more().await?;
        }
        Ok(None)
    }

    /// Everything of a part, if it is not larger.
    pub async fn whole(&mut self, limit: usize) -> Result<Option<Bytes>, Malformed> {
        let mut whole = BytesMut::new();
        while let Some(data) = self.data().await? {
            if whole.len() + data.len() > limit {
                return Ok(None);
            }
            whole.extend_from_slice(&data);
        }
        Ok(Some(whole.freeze()))
    }

    /// The rest of the body, for whoever drops it.
    pub fn rest(self) -> Pin<Box<B>> {
        self.body
    }

    /// The lines behind a delimiter, up to the empty one.
    async fn head(&mut self) -> Result<Bytes, Malformed> {
        loop {
            // The delimiter's own line ends with white space at most.
            let line = self.buffer.iter().position(|byte| !b" \t".contains(byte));
            if let Some(rest) = line.map(|at| &self.buffer[at..])
                && rest.len() >= 2
                && !rest.starts_with(b"\r\n")
            {
                return Err(Malformed::NoBoundary);
            }
            let end = memchr::memmem::find(&self.buffer, b"\r\n\r\n");
            if end.unwrap_or(self.buffer.len()) > HEAD_BYTES {
                return Err(Malformed::Header);
            }
            if let Some(end) = end {
                let mut head = self.buffer.split_to(end + 4).freeze();
                let line = memchr::memmem::find(&head, b"\r\n").ok_or(Malformed::Header)?;
                head.advance(line + 2);
                return Ok(head);
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Result<(), Malformed> {
        match self.body.frame().await {
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    self.buffer.extend_from_slice(&data);
                }
                Ok(())
            }
            Some(Err(_)) | None => Err(Malformed::BrokeOff),
        }
    }
}

impl Part {
    fn read(head: &[u8]) -> Result<Part, Malformed> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let parsed = httparse::parse_headers(head, &mut fields).map_err(|_| Malformed::Header)?;
        let httparse::Status::Complete((_, fields)) = parsed else {
            return Err(Malformed::Header);
        };
        let field = |name: &str| {
            let found = fields
                .iter()
                .find(|field| field.name.eq_ignore_ascii_case(name))?;
            std::str::from_utf8(found.value).ok()
        };
        let disposition = field("content-disposition").ok_or(Malformed::NoName)?;
        let parameters = parameters(disposition).ok_or(Malformed::NoName)?;
        let parameter = |name: &str| {
            let found = parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        };
        Ok(Part {
            name: parameter("name").ok_or(Malformed::NoName)?,
            file_name: parameter("filename"),
            content_type: field("content-type").map(str::to_owned),
        })
    }
}

/// `form-data; name="…"; …`: what is behind `form-data`.
fn parameters(disposition: &str) -> Option<Vec<(String, String)>> {
    let mut rest = disposition.trim();
    let (kind, after) = rest.split_once(';')?;
    rest = after;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    let mut parameters = Vec::new();
    while !rest.trim().is_empty() {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = value(after.trim_start())?;
        parameters.push((name.trim().to_owned(), value));
        let after = after.trim_start();
        rest = match after.strip_prefix(';') {
            Some(next) => next,
            None if after.is_empty() => after,
            None => return None,
        };
    }
    Some(parameters)
}

/// A token or a quoted string, and what is behind it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return Some((text[..end].trim().to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &quoted[at + 1..])),
            // Browsers write %22; others, and old ones for paths of Windows, do not.
            '\\' if quoted[at + 1..].starts_with('"') => value.extend(letters.next().map(|(_, quote)| quote)),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body_util::StreamBody;
    use hyper::body::Frame;

    use super::*;

    /// The parts of a body that comes in pieces of so many bytes, each with its data.
    async fn read(body: &str, piece: usize) -> Result<Vec<(Part, String)>, Malformed> {
        let pieces: Vec<Bytes> = body
            .as_bytes()
            .chunks(piece)
            .map(Bytes::copy_from_slice)
            .collect();
        let frames = pieces
            .into_iter()
            .map(|piece| Ok::<_, Infallible>(Frame::data(piece)));
        let mut parts = Parts::new(StreamBody::new(stream::iter(frames)), "X");
        let mut read = Vec::new();
        while let Some(part) = parts.next().await? {
            let data = parts.whole(usize::MAX).await?.expect("there is no limit");
            read.push((part, String::from_utf8(data.to_vec()).expect("UTF-8")));
        }
        Ok(read)
    }

    #[tokio::test]
    async fn parts_are_the_same_in_whatever_pieces_they_come() {
        let body = "--X \t\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n--x\r\n--\r\n-X\r\r\n--X\r\n\
                    content-type: image/png\r\ncontent-disposition: FORM-DATA; filename=\"C:\\x;\\\"y%22.png\" ; name=b\r\n\
                    \r\n\r\n--X--\r\nwhat follows";
        let part = |name: &str, file_name: Option<&str>, content_type: Option<&str>| Part {
            name: name.to_owned(),
            file_name: file_name.map(str::to_owned),
            content_type: content_type.map(str::to_owned),
        };
        let wanted = vec![
            (part("a", None, None), "\r\n--x\r\n--\r\n-X\r".to_owned()),
            (
                part("b", Some("C:\\x;\"y%22.png"), Some("image/png")),
                String::new(),
            ),
        ];
        for piece in 1..=body.len() {
            assert_eq!(read(body, piece).await, Ok(wanted.clone()), "by {piece}");
        }
        // What comes before the first boundary is nothing.
        assert_eq!(read(&format!("preamble\r\n{body}"), 7).await, Ok(wanted));
        assert_eq!(read("--X--", 1).await, Ok(Vec::new()));
    }

    #[tokio::test]
    async fn broken_bodies_are_refused() {
        use Malformed::{BrokeOff, Header, NoBoundary, NoName};
        let part = |head: &str| format!("--X\r\n{head}\r\n\r\n\r\n--X--");
        for (body, wanted) in [
            (String::new(), BrokeOff),
            ("--X".to_owned(), BrokeOff),
            ("--X\r\ncontent-".to_owned(), BrokeOff),
            (
                part("content-disposition: form-data; name=a").replace("--X--", "--X-"),
                BrokeOff,
            ),
            ("x".repeat(HEAD_BYTES + 100), NoBoundary),
            ("--Xyz\r\n\r\n".to_owned(), NoBoundary),
            (part(&format!("x: {}", "x".repeat(HEAD_BYTES))), Header),
            (format!("--X\r\n{}", "x: y\r\n".repeat(HEAD_BYTES)), Header),
            (part(&"x: y\r\n".repeat(FIELDS + 1)), Header),
            (part("no field"), Header),
            (part(""), NoName),
            (part("content-type: text/plain"), NoName),
            (part("content-disposition: form-data"), NoName),
            (part("content-disposition: form-data; filename=a"), NoName),
            (part("content-disposition: form-data; name=\"a"), NoName),
            (part("content-disposition: form-data; name=\"a\"x"), NoName),
            (part("content-disposition: attachment; name=a"), NoName),
        ] {
            for piece in [1, 7, 100_000] {
                let told = &body[..body.len().min(80)];
                assert_eq!(read(&body, piece).await, Err(wanted), "{told} by {piece}");
            }
        }
    }

    #[test]
    fn a_boundary_is_read() {
        for (kind, wanted) in [
            ("multipart/form-data; boundary=X", Some("X")),
            ("Multipart/Form-Data;charset=utf-8; Boundary=\"a b\"", Some("a b")),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/mixed; boundary=X", None),
        ] {
            assert_eq!(boundary(kind), wanted, "{kind}");
        }
        assert_eq!(
            boundary(&format!("multipart/form-data; boundary={}", "x".repeat(71))),
            None
        );
    }
}
