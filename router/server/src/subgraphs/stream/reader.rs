//! Items in the bytes of an answer that goes on. Each byte is looked at once, whatever pieces they come in.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>
//! <https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol>

use bytes::{Buf, Bytes, BytesMut};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::UpstreamItem;

/// What kind of bytes they are.
pub enum Reader {
    /// Server-sent events.
    Events(Lines),
    /// Parts between boundaries.
    Parts(Box<Parts>),
    /// One answer, which is no stream: it is the only event.
    Answer,
    /// All was said.
    Over,
}

/// What was found.
#[derive(Debug, PartialEq)]
pub enum Read {
    /// An item; the bytes are gone from the buffer.
    Item(UpstreamItem),
    /// More bytes are needed.
    More,
}

/// Looks for an empty line.
#[derive(Debug, Default)]
pub struct Lines {
    /// Before this there is none.
    seen: usize,
}

/// Looks for parts, each with `--` before its boundary.
#[derive(Debug)]
pub struct Parts {
    boundary: Box<[u8]>,
    head: Lines,
    /// Where the JSON of the part begins, once its head was read, and what is known of it.
    value: Option<(usize, Value)>,
}

/// Looks for the end of a JSON object.
#[derive(Debug, Default)]
struct Value {
    /// Bytes that were looked at.
    seen: usize,
    depth: usize,
    in_text: bool,
    escaped: bool,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
}

impl Reader {
    /// For server-sent events.
    pub fn events() -> Reader {
        Reader::Events(Lines::default())
    }

    /// For parts between these boundaries.
    pub fn parts(boundary: &str) -> Reader {
        Reader::Parts(Box::new(Parts {
            boundary: format!("--{boundary}").into_bytes().into(),
            head: Lines::default(),
            value: None,
        }))
    }

    /// The next item in `bytes`, which are those of the last time and perhaps more. The error is what makes no sense in
    /// them.
    pub fn read(&mut self, bytes: &mut BytesMut) -> Result<Read, String> {
        match self {
            Reader::Events(lines) => Ok(lines.read_event(bytes)),
            Reader::Parts(parts) => parts.read(bytes),
            Reader::Answer => Ok(Read::More),
            Reader::Over => Ok(Read::Item(UpstreamItem::Complete)),
        }
    }

    /// What the end of the answer means.
    pub fn end(&mut self, bytes: &mut BytesMut) -> UpstreamItem {
        match std::mem::replace(self, Reader::Over) {
            Reader::Answer => UpstreamItem::Event(std::mem::take(bytes).freeze()),
            Reader::Over => UpstreamItem::Complete,
            _ => UpstreamItem::Lost("the answer ended before the stream did".to_owned()),
        }
    }
}

impl Lines {
    /// Where the next empty line is: the length of what is before it with the end of its last line, and the length of
    /// both together.
    fn empty(&mut self, bytes: &[u8]) -> Option<(usize, usize)> {
        for at in memchr::memchr_iter(b'\n', &bytes[self.seen..]) {
            let end = self.seen + at;
            let rest = &bytes[end + 1..];
            let length = match rest {
                [b'\n', ..] => 1,
                [b'\r', b'\n', ..] => 2,
                [] | [b'\r'] => {
                    self.seen = end;
                    return None;
                }
                _ => continue,
            };
            self.seen = 0;
            return Some((end, end + 1 + length));
        }
        self.seen = bytes.len();
        None
    }

    /// An event ends with an empty line. `next` (or no name) is an answer, `complete` the end, others are not ours.
    fn read_event(&mut self, bytes: &mut BytesMut) -> Read {
        loop {
            let Some((length, whole)) = self.empty(bytes) else {
                return Read::More;
            };
            let event = bytes.split_to(length);
            bytes.advance(whole - length);
            let (mut name, mut data) = (&b""[..], Vec::new());
            for line in event[..].split(|byte| *byte == b'\n') {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                if let Some(value) = field(line, b"event") {
                    name = value;
                } else if let Some(value) = field(line, b"data") {
                    data.extend_from_slice(value);
                    data.push(b'\n');
                }
            }
            match name {
                b"complete" => return Read::Item(UpstreamItem::Complete),
                b"next" | b"" if !data.is_empty() => {
                    return Read::Item(UpstreamItem::Event(Bytes::from(data)));
                }
                _ => {}
            }
        }
    }
}

fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let value = line.strip_prefix(name)?.strip_prefix(b":")?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

impl Parts {
    /// A part is whole with the JSON in it: some servers write the next boundary only when there is a next part.
    fn read(&mut self, bytes: &mut BytesMut) -> Result<Read, String> {
        loop {
            if self.value.is_none() {
                let blank = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                bytes.advance(blank);
                if bytes.len() < self.boundary.len() + 2 {
                    return Ok(Read::More);
                }
                let Some(rest) = bytes.strip_prefix(&*self.boundary) else {
                    return Err("a part without its boundary".to_owned());
                };
                if rest.starts_with(b"--") {
                    return Ok(Read::Item(UpstreamItem::Complete));
                }
                let Some((_, begin)) = self.head.empty(bytes) else {
                    return Ok(Read::More);
                };
                self.value = Some((begin, Value::default()));
            }
            let Some((begin, value)) = &mut self.value else {
                return Ok(Read::More);
            };
            let begin = *begin;
            let Some(length) = value.end(&bytes[begin..])? else {
                return Ok(Read::More);
            };
            self.value = None;
            let part = bytes.split_to(begin + length).freeze();
            if let Some(item) = item(&part.slice(begin..))? {
                return Ok(Read::Item(item));
            }
        }
    }
}

impl Value {
    /// How long the object is that `bytes` begin with; `None` if it goes on.
    fn end(&mut self, bytes: &[u8]) -> Result<Option<usize>, String> {
        for (at, byte) in bytes.iter().enumerate().skip(self.seen) {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_text => self.escaped = true,
                b'"' => self.in_text = !self.in_text,
                _ if self.in_text => {}
                b'{' => self.depth += 1,
                b'[' if self.depth > 0 => self.depth += 1,
                b'}' | b']' if self.depth > 1 => self.depth -= 1,
                b'}' if self.depth == 1 => return Ok(Some(at + 1)),
                _ if self.depth > 0 || byte.is_ascii_whitespace() => {}
                _ => return Err("a part that is not JSON".to_owned()),
            }
        }
        self.seen = bytes.len();
        Ok(None)
    }
}

/// `None` is a sign of life.
fn item(part: &Bytes) -> Result<Option<UpstreamItem>, String> {
    let read: Part<'_> =
        serde_json::from_slice(part).map_err(|error| format!("a part that is no message: {error}"))?;
    let own = |raw: &RawValue| part.slice_ref(raw.get().as_bytes());
    Ok(match (read.payload, read.errors) {
        (Some(payload), _) => Some(UpstreamItem::Event(own(payload))),
        (None, Some(errors)) => Some(UpstreamItem::Refused(own(errors))),
        (None, None) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All items, whatever pieces the bytes come in.
    fn items(reader: fn() -> Reader, text: &str) -> Vec<Vec<UpstreamItem>> {
        let of = |size: usize| {
            let (mut reader, mut found, mut bytes) = (reader(), Vec::new(), BytesMut::new());
            for piece in text.as_bytes().chunks(size) {
                bytes.extend_from_slice(piece);
                while let Read::Item(item) = reader.read(&mut bytes).expect("makes sense") {
                    let over = item == UpstreamItem::Complete;
                    found.push(item);
                    if over {
                        return found;
                    }
                }
            }
            found
        };
        [1, 7, 4096].map(of).into()
    }

    fn event(text: &'static str) -> UpstreamItem {
        UpstreamItem::Event(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn events_are_read_in_any_pieces() {
        let text = ":\n\nevent: next\ndata: {\"a\":\ndata: 1}\n\nid: 3\n\ndata:{}\r\n\r\nevent: other\ndata: 1\n\n\
                    event: complete\ndata:\n\n";
        for found in items(Reader::events, text) {
            let wanted = [event("{\"a\":\n1}\n"), event("{}\n"), UpstreamItem::Complete];
            assert_eq!(found, wanted);
        }
    }

    #[test]
    fn parts_are_read_in_any_pieces() {
        let text = "\r\n--b\r\ncontent-type: application/json\r\n\r\n{}\r\n--b\r\n\r\n{\"payload\":{\"data\":null}}\r\n\
                    --b\r\nx: y\r\n\r\n{\"payload\":null,\"errors\":[1]}\r\n--b--\r\n";
        for found in items(|| Reader::parts("b"), text) {
            let wanted = [
                event("{\"data\":null}"),
                UpstreamItem::Refused(Bytes::from_static(b"[1]")),
                UpstreamItem::Complete,
            ];
            assert_eq!(found, wanted);
        }
    }

    #[test]
    fn what_is_no_part_is_an_error_and_an_early_end_a_loss() {
        for bad in [
            "--c\r\n\r\n{}",
            "--b\r\n\r\nnonsense",
            "--b\r\n\r\n[]",
            "--b\r\n\r\n{]}",
        ] {
            let read = Reader::parts("b").read(&mut BytesMut::from(bad));
            assert!(read.is_err(), "{bad}: {read:?}");
        }
        let lost = Reader::parts("b").end(&mut BytesMut::new());
        assert!(matches!(lost, UpstreamItem::Lost(_)), "{lost:?}");
        let mut answer = Reader::Answer;
        let mut bytes = BytesMut::from("{\"errors\":[]}");
        assert_eq!(answer.end(&mut bytes), event("{\"errors\":[]}"));
        assert_eq!(answer.read(&mut bytes), Ok(Read::Item(UpstreamItem::Complete)));
    }

    #[test]
    fn lines_may_end_in_two_ways() {
        for found in items(Reader::events, "data: 1\n\r\ndata: 2\r\n\ndata: 3\r\n\r\n") {
            assert_eq!(found, [event("1\n"), event("2\n"), event("3\n")]);
        }
    }

    #[test]
    fn braces_in_texts_are_texts() {
        let part = r#"--b

{"payload":{"data":{"a":"}\\\"}{","b":[[{}]]}}}"#;
        for found in items(|| Reader::parts("b"), part) {
            let wanted = r#"{"data":{"a":"}\\\"}{","b":[[{}]]}}"#;
            assert_eq!(found, [event(wanted)]);
        }
    }

    /// A quadratic reader would look at some hundred billion bytes here.
    #[test]
    fn what_drips_is_looked_at_once() {
        let begun = [
            "data: ",
            "--b\r\nx: ",
            "--b\r\n\r\n{\"payload\": \"",
            "--b\r\n\r\n",
        ];
        let readers = [
            Reader::events,
            || Reader::parts("b"),
            || Reader::parts("b"),
            || Reader::parts("b"),
        ];
        for ((begun, reader), filler) in begun.into_iter().zip(readers).zip([b'x', b'x', b'x', b' ']) {
            let (mut reader, mut bytes) = (reader(), BytesMut::from(begun));
            let start = std::time::Instant::now();
            while bytes.len() < 10_000_000 {
                assert!(start.elapsed().as_secs() < 60, "after {} bytes", bytes.len());
                bytes.extend_from_slice(&[filler; 64]);
                assert_eq!(reader.read(&mut bytes), Ok(Read::More));
            }
        }
    }
}
