//! Items in the bytes of an answer that goes on.
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
    Events,
    /// Parts between boundaries, each with `--`.
    Parts(Box<[u8]>),
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

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
}

impl Reader {
    /// For parts between these boundaries.
    pub fn parts(boundary: &str) -> Reader {
        Reader::Parts(format!("--{boundary}").into_bytes().into())
    }

    /// The next item in `bytes`. The error is what makes no sense in them.
    pub fn read(&self, bytes: &mut BytesMut) -> Result<Read, String> {
        match self {
            Reader::Events => Ok(read_event(bytes)),
            Reader::Parts(boundary) => read_part(boundary, bytes),
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

/// An event ends with an empty line. `next` (or no name) is an answer, `complete` the end, others are not ours.
fn read_event(bytes: &mut BytesMut) -> Read {
    loop {
        let Some((length, end)) = empty_line(bytes) else {
            return Read::More;
        };
        let event = bytes.split_to(length);
        bytes.advance(end);
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

fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let value = line.strip_prefix(name)?.strip_prefix(b":")?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

/// Where the next empty line is: the length of what is before it, and of its own.
fn empty_line(bytes: &[u8]) -> Option<(usize, usize)> {
    let ends = [&b"\n\n"[..], b"\r\n\r\n"].into_iter().filter_map(|end| {
        let at = memchr::memmem::find(bytes, end)?;
        Some((at, end.len()))
    });
    ends.min()
}

/// A part is whole with the JSON in it: some servers write the next boundary only when there is a next part.
fn read_part(boundary: &[u8], bytes: &mut BytesMut) -> Result<Read, String> {
    loop {
        let blank = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        bytes.advance(blank);
        if bytes.len() < boundary.len() + 2 {
            return Ok(Read::More);
        }
        let Some(rest) = bytes.strip_prefix(boundary) else {
            return Err("a part without its boundary".to_owned());
        };
        if rest.starts_with(b"--") {
            return Ok(Read::Item(UpstreamItem::Complete));
        }
        let Some((head, line)) = empty_line(bytes) else {
            return Ok(Read::More);
        };
        let begin = head + line;
        let mut values = serde_json::Deserializer::from_slice(&bytes[begin..]).into_iter::<&RawValue>();
        let length = match values.next() {
            None => return Ok(Read::More),
            Some(Err(error)) if error.is_eof() => return Ok(Read::More),
            Some(Err(error)) => return Err(format!("a part that is not JSON: {error}")),
            Some(Ok(_)) => values.byte_offset(),
        };
        let part = bytes.split_to(begin + length).freeze();
        if let Some(item) = item(&part.slice(begin..))? {
            return Ok(Read::Item(item));
        }
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
    fn items(mut reader: Reader, text: &str) -> Vec<Vec<UpstreamItem>> {
        let of = |reader: &mut Reader, size: usize| {
            let (mut found, mut bytes) = (Vec::new(), BytesMut::new());
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
        [1, 7, 4096].map(|size| of(&mut reader, size)).into()
    }

    fn event(text: &'static str) -> UpstreamItem {
        UpstreamItem::Event(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn events_are_read_in_any_pieces() {
        let text = ":\n\nevent: next\ndata: {\"a\":\ndata: 1}\n\nid: 3\n\ndata:{}\r\n\r\nevent: other\ndata: 1\n\n\
                    event: complete\ndata:\n\n";
        for found in items(Reader::Events, text) {
            let wanted = [event("{\"a\":\n1}\n"), event("{}\n"), UpstreamItem::Complete];
            assert_eq!(found, wanted);
        }
    }

    #[test]
    fn parts_are_read_in_any_pieces() {
        let text = "\r\n--b\r\ncontent-type: application/json\r\n\r\n{}\r\n--b\r\n\r\n{\"payload\":{\"data\":null}}\r\n\
                    --b\r\nx: y\r\n\r\n{\"payload\":null,\"errors\":[1]}\r\n--b--\r\n";
        for found in items(Reader::parts("b"), text) {
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
        let mut reader = Reader::parts("b");
        assert!(reader.read(&mut BytesMut::from("--c\r\n\r\n{}")).is_err());
        assert!(reader.read(&mut BytesMut::from("--b\r\n\r\nnonsense")).is_err());
        let lost = reader.end(&mut BytesMut::new());
        assert!(matches!(lost, UpstreamItem::Lost(_)), "{lost:?}");
        let mut answer = Reader::Answer;
        let mut bytes = BytesMut::from("{\"errors\":[]}");
        assert_eq!(answer.end(&mut bytes), event("{\"errors\":[]}"));
        assert_eq!(answer.read(&mut bytes), Ok(Read::Item(UpstreamItem::Complete)));
    }
}
