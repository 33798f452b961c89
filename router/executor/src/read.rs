//! Reads a subgraph's body in one pass directed by the shape. What is read is attached nowhere yet:
//! only a body that is valid to its end becomes part of the tree (`merge`).
use baedal_planner::plan::TypeId;
use bytes::Bytes;

use crate::arena::{Arena, Entry, Leaf, ObjectId, Run, Value, index};
use crate::scan::{Fault, Form, MAX_DEPTH, Scanned, Scanner};
use crate::shape::{Keep, Shape};
use crate::types::{RuntimeType, TypeTable};

/// Why a body can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("it is not valid JSON (at byte {0})")]
    Json(usize),
    #[error("it is not UTF-8")]
    Utf8,
    #[error("it is nested too deeply")]
    Depth,
    #[error("it is not a GraphQL response")]
    Response,
    #[error("it is one of too many")]
    Number,
}

/// A subgraph's response, read.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) data: Data,
    /// The text of `errors`, when there is one that is not null.
    pub(crate) errors: Option<Bytes>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    /// Null or absent.
    None,
    Object(ObjectId),
}

struct Reader<'a, 'b> {
    arena: &'a mut Arena,
    types: &'a TypeTable,
    hint: TypeId,
    buffer: u16,
    body: &'b [u8],
}

/// An object being read.
struct Frame {
    /// Where its entries begin.
    base: usize,
    runtime: RuntimeType,
    /// The field expected next.
    expected: usize,
    /// One more than the highest field met: what comes from there on came in order.
    passed: usize,
    /// Whether a key may have come twice.
    repeated: bool,
}

/// Reads `body` by the shape of its `data`.
pub(crate) fn read(
    arena: &mut Arena,
    types: &TypeTable,
    shape: &Shape,
    body: &Bytes,
) -> Result<Response, Malformed> {
    simdutf8::basic::from_utf8(body).map_err(|_| Malformed::Utf8)?;
    arena.clear_open();
    let mut reader = Reader {
        buffer: arena.keep(body.clone()).ok_or(Malformed::Number)?,
        arena,
        types,
        hint: TypeId(0),
        body,
    };
    let response = reader.response(shape, body).map_err(|fault| match fault {
        Fault::Json(left) => Malformed::Json(body.len().saturating_sub(left as usize)),
        Fault::Depth => Malformed::Depth,
    })?;
    response.ok_or(Malformed::Response)
}

impl<'b> Reader<'_, 'b> {
    /// Reads the whole body; `None` if it is JSON, but no response.
    fn response(&mut self, shape: &Shape, body: &'b Bytes) -> Scanned<Option<Response>> {
        let mut response = Response {
            data: Data::None,
            errors: None,
        };
        let mut known = false;
        let (mut more, mut scan) = Scanner::new(body).open(b'{', b'}')?;
        while more {
            let (key, value) = scan.key(&mut true)?;
            match plainest(key).as_deref().unwrap_or(key) {
                b"\"data\"" => {
                    known = true;
                    let (data, end) = self.data(value.trim(), shape)?;
                    let Some(data) = data else { return Ok(None) };
                    (response.data, scan) = (data, end);
                }
                b"\"errors\"" => {
                    known = true;
                    let value = value.trim();
                    let (form, end) = value.value(1)?;
                    response.errors = (form != Form::Null).then(|| body.slice_ref(value.until(end)));
                    scan = end;
                }
                _ => (_, scan) = value.trim().value(1)?,
            }
            (more, scan) = scan.more(b'}')?;
        }
        scan.end()?;
        Ok(known.then_some(response))
    }

    /// An object or null.
    fn data(&mut self, scan: Scanner<'b>, shape: &Shape) -> Scanned<(Option<Data>, Scanner<'b>)> {
        if scan.first() == Some(b'{') {
            let (object, end) = self.object(scan, shape, 1)?;
            return Ok((Some(Data::Object(object)), end));
        }
        let (form, end) = scan.value(1)?;
        Ok(((form == Form::Null).then_some(Data::None), end))
    }

    fn object(&mut self, scan: Scanner<'b>, shape: &Shape, depth: u32) -> Scanned<(ObjectId, Scanner<'b>)> {
        if depth >= MAX_DEPTH {
            return Err(Fault::Depth);
        }
        let start = self.at(scan);
        let mut look = shape.alike && self.arena.twins.pays();
        let mut vacancy = None;
        let (mut more, mut scan) = scan.open(b'{', b'}')?;
        let mut frame = Frame {
            base: self.stack(shape).len(),
            runtime: RuntimeType::Unknown,
            expected: 0,
            passed: 0,
            repeated: false,
        };
        while more {
            let (field, value) = self.key(scan, shape, &mut frame)?;
            let value = value.trim();
            let keep = field.map(|at| &shape.fields[at].keep);
            let end = match keep {
                Some(keep) => self.field(value, keep, shape, &mut frame, depth + 1)?,
                None => value.value(depth + 1)?.1,
            };
            if look && let Some(Keep::Leaf(_)) = keep {
                look = false;
                match self.arena.twins.find(self.body, start, self.at(end), shape) {
                    Ok((object, len)) => return Ok(self.seen(object, start + len, shape, &frame)),
                    Err(place) => vacancy = Some(place),
                }
            }
            (more, scan) = end.more(b'}')?;
        }
        let run = self.close(shape, &frame);
        let object = self.arena.add_object(frame.runtime, run);
        if let Some(vacancy) = vacancy {
            let len = self.at(scan) - start;
            self.arena.twins.keep(vacancy, shape, start, len, object);
        }
        Ok((object, scan))
    }

    /// The entries of an object that is read to its end.
    #[inline(always)]
    fn close(&mut self, shape: &Shape, frame: &Frame) -> Run {
        if frame.repeated {
            keep_last(self.stack(shape), frame.base);
        }
        if shape.flat {
            self.arena.run_from(frame.base)
        } else {
            self.arena.close_entries(frame.base)
        }
    }

    /// Where in the body a scanner is.
    #[inline(always)]
    fn at(&self, scan: Scanner<'b>) -> usize {
        self.body.len() - scan.left()
    }

    /// An object that was read before, and what is behind it here; nothing is left of what was read of it again.
    fn seen(
        &mut self,
        object: ObjectId,
        behind: usize,
        shape: &Shape,
        frame: &Frame,
    ) -> (ObjectId, Scanner<'b>) {
        self.stack(shape).truncate(frame.base);
        self.arena.shared = true;
        (object, Scanner::new(&self.body[behind..]))
    }

    /// Where the entries of an object go while it is open: to their place at once if nothing can come between them.
    #[inline(always)]
    fn stack(&mut self, shape: &Shape) -> &mut Vec<Entry> {
        if shape.flat {
            &mut self.arena.entries
        } else {
            &mut self.arena.open_entries
        }
    }

    /// Reads a key and its colon: which field of the shape it is, and what follows.
    #[inline(always)]
    fn key(
        &mut self,
        scan: Scanner<'b>,
        shape: &Shape,
        frame: &mut Frame,
    ) -> Scanned<(Option<usize>, Scanner<'b>)> {
        let scan = scan.trim();
        let expected = frame.expected;
        let taken = shape.fields.get(expected).and_then(|field| scan.take(&field.key));
        let (found, value) = match taken {
            Some(value) => (Some(expected), value),
            None => unexpected_key(scan, shape, expected)?,
        };
        if let Some(at) = found {
            frame.expected = at + 1;
            if at < frame.passed {
                frame.repeated = frame.repeated || self.may_repeat(shape, at, frame.base);
            } else {
                frame.passed = at + 1;
            }
        }
        Ok((found, value))
    }

    /// Whether a field that did not come in order may have come before.
    fn may_repeat(&mut self, shape: &Shape, at: usize, base: usize) -> bool {
        let open = &self.stack(shape)[base..];
        match &shape.fields[at].keep {
            Keep::Leaf(slot) | Keep::Object(slot, _) => {
                !shape.is_narrow() || open.iter().any(|entry| entry.slot == *slot)
            }
            Keep::Typename => false,
        }
    }

    #[inline(always)]
    fn field(
        &mut self,
        scan: Scanner<'b>,
        keep: &Keep,
        shape: &Shape,
        frame: &mut Frame,
        depth: u32,
    ) -> Scanned<Scanner<'b>> {
        let (slot, (value, end)) = match keep {
            Keep::Leaf(slot) => (*slot, self.leaf(scan, depth)?),
            Keep::Object(slot, nested) => (*slot, self.composite(scan, nested, depth)?),
            Keep::Typename => {
                let (form, end) = scan.value(depth)?;
                frame.runtime = match form {
                    Form::String => self.types.find(scan.until(end), &mut self.hint),
                    Form::Null => RuntimeType::Unknown,
                    _ => RuntimeType::Foreign,
                };
                return Ok(end);
            }
        };
        self.stack(shape).push(Entry { slot, value });
        Ok(end)
    }

    #[inline(always)]
    fn leaf(&mut self, scan: Scanner<'b>, depth: u32) -> Scanned<(Value, Scanner<'b>)> {
        let (form, end) = scan.value(depth)?;
        let value = match form {
            Form::Null => Value::Null,
            Form::Unfit => Value::Unfit,
            _ => Value::Leaf(Leaf {
                start: index(self.at(scan)),
                len: index(scan.left() - end.left()),
                buffer: self.buffer,
                form,
            }),
        };
        Ok((value, end))
    }

    /// An object, a list of them (of any nesting), null, or a wrong value: kept as it is, and found wrong when written.
    #[inline(always)]
    fn composite(&mut self, scan: Scanner<'b>, shape: &Shape, depth: u32) -> Scanned<(Value, Scanner<'b>)> {
        match scan.first() {
            Some(b'{') => {
                let (object, end) = self.object(scan, shape, depth)?;
                Ok((Value::Object(object), end))
            }
            Some(b'[') => self.list(scan, shape, depth),
            _ => self.leaf(scan, depth),
        }
    }

    fn list(&mut self, scan: Scanner<'b>, shape: &Shape, depth: u32) -> Scanned<(Value, Scanner<'b>)> {
        if depth >= MAX_DEPTH {
            return Err(Fault::Depth);
        }
        let base = self.arena.open_items.len();
        let (mut more, mut scan) = scan.open(b'[', b']')?;
        while more {
            let (item, end) = self.composite(scan.trim(), shape, depth + 1)?;
            self.arena.open_items.push(item);
            (more, scan) = end.more(b']')?;
        }
        Ok((Value::List(self.arena.close_items(base)), scan))
    }
}

fn unexpected_key<'b>(
    scan: Scanner<'b>,
    shape: &Shape,
    expected: usize,
) -> Scanned<(Option<usize>, Scanner<'b>)> {
    let (key, value) = scan.key(&mut true)?;
    let found = shape.find(key, expected);
    let found = found.or_else(|| plainest(key).and_then(|plain| shape.find(&plain, expected)));
    Ok((found, value))
}

/// Of several entries of one slot the last stays, as with any JSON reader.
fn keep_last(stack: &mut Vec<Entry>, base: usize) {
    let mut entries = stack.split_off(base);
    entries.sort_by_key(|entry| entry.slot);
    for (at, entry) in entries.iter().enumerate() {
        if entries.get(at + 1).is_none_or(|next| next.slot != entry.slot) {
            stack.push(*entry);
        }
    }
}

/// A JSON string that has escapes in it, in its plainest form.
fn plainest(raw: &[u8]) -> Option<Vec<u8>> {
    if !raw.contains(&b'\\') {
        return None;
    }
    let text: String = serde_json::from_slice(raw).ok()?;
    serde_json::to_vec(&text).ok()
}

#[cfg(test)]
mod tests {
    use baedal_planner::plan::{self, Slot};
    use bytes::Bytes;

    use super::read;
    use crate::arena::Arena;
    use crate::places::{Places, WriterId};
    use crate::shape::Shape;
    use crate::types::TypeTable;

    /// The shape `{l{i s}}`.
    fn shape() -> Shape {
        let field = |key: &str, keep| plan::ShapeField {
            response_key: key.into(),
            keep,
        };
        let inner = plan::Shape {
            fields: vec![
                field("i", plan::Keep::Leaf(Slot(1))),
                field("s", plan::Keep::Leaf(Slot(2))),
            ],
        };
        let outer = plan::Shape {
            fields: vec![field("l", plan::Keep::Object(Slot(0), inner))],
        };
        let plan = plan::Plan {
            kind: plan::OperationKind::Query,
            slots: Vec::new(),
            types: Vec::new(),
            fetches: Vec::new(),
            answer: plan::Projection::default(),
            errors: Vec::new(),
            incremental: None,
        };
        Shape::compile(&outer, &mut Places::of(&plan), &[Places::ROOT], WriterId(0))
    }

    /// Bytes of tree for each byte received, when the list is 10 000 times `item`.
    fn ratio(item: &str) -> f64 {
        let body = format!("{{\"data\":{{\"l\":[{}]}}}}", vec![item; 10_000].join(","));
        let body = Bytes::from(body);
        let (mut arena, _) = Arena::new();
        let response = read(&mut arena, &TypeTable::new(&[]), &shape(), &body);
        assert!(response.is_ok(), "{item}");
        arena.size() as f64 / body.len() as f64
    }

    #[test]
    fn the_tree_is_proportional_to_what_was_received() {
        let usual = ratio(r#"{"i":4711,"s":"what people write is longer than this, mostly"}"#);
        assert!(usual < 3.0, "{usual}");
        for item in [
            "{}",
            "[]",
            "0",
            "null",
            "\"\"",
            r#"{"i":1}"#,
            r#"{"i":1,"s":2}"#,
            r#"{"i":1,"i":1}"#,
            "[[{}]]",
        ] {
            // An empty object in a list is the worst: two or three bytes, and an object and an item in the tree,
            // of which half may be room that is not used yet.
            assert!(ratio(item) < 40.0, "{item}: {}", ratio(item));
        }
    }
}
