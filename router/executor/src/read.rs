//! Reads a subgraph's body in one pass directed by the shape. What is read is attached nowhere yet:
//! only a body that is valid to its end becomes part of the tree (`merge`).
use baedal_planner::plan::TypeId;
use bytes::Bytes;

use crate::arena::{Arena, Entry, Leaf, ObjectId, Value, index};
use crate::scan::{MAX_DEPTH, Malformed, Scanned, Scanner};
use crate::shape::{Keep, Shape};
use crate::types::{RuntimeType, TypeTable};

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

struct Reader<'a> {
    scan: Scanner<'a>,
    arena: &'a mut Arena,
    types: &'a TypeTable,
    hint: TypeId,
    buffer: u32,
}

/// An object being read.
struct Frame {
    /// Where its entries begin in `Arena::open_entries`.
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
pub(crate) fn read(arena: &mut Arena, types: &TypeTable, shape: &Shape, body: &Bytes) -> Scanned<Response> {
    std::str::from_utf8(body).map_err(|_| Malformed::Utf8)?;
    arena.clear_open();
    let buffer = arena.keep(body.clone());
    let scan = Scanner::new(body);
    let mut reader = Reader {
        scan,
        arena,
        types,
        hint: TypeId(0),
        buffer,
    };
    let mut response = Response {
        data: Data::None,
        errors: None,
    };
    let mut known = false;
    reader.scan.expect(b'{')?;
    let mut more = !reader.scan.eat(b'}');
    while more {
        let key = reader.scan.string()?;
        reader.scan.expect(b':')?;
        known |= reader.response_member(key, shape, body, &mut response)?;
        more = reader.scan.more(b'}')?;
    }
    reader.scan.end()?;
    if known {
        Ok(response)
    } else {
        Err(Malformed::Response)
    }
}

impl Reader<'_> {
    /// Reads a member of the response; false if it is none that a GraphQL response must have.
    fn response_member(
        &mut self,
        key: &[u8],
        shape: &Shape,
        body: &Bytes,
        to: &mut Response,
    ) -> Scanned<bool> {
        let plain = if key.contains(&b'\\') {
            unescaped(key)
        } else {
            None
        };
        match plain.as_deref().unwrap_or(key) {
            b"\"data\"" => {
                to.data = match self.scan.peek() {
                    Some(b'{') => Data::Object(self.object(shape, 1)?),
                    Some(b'n') => {
                        self.scan.value(1)?;
                        Data::None
                    }
                    _ => return Err(Malformed::Response),
                };
                Ok(true)
            }
            b"\"errors\"" => {
                let opening = self.scan.peek();
                let start = self.scan.position();
                self.scan.value(1)?;
                to.errors = (opening != Some(b'n')).then(|| body.slice(start..self.scan.position()));
                Ok(true)
            }
            _ => self.scan.value(1).map(|()| false),
        }
    }

    fn object(&mut self, shape: &Shape, depth: u32) -> Scanned<ObjectId> {
        if depth >= MAX_DEPTH {
            return Err(Malformed::Depth);
        }
        self.scan.expect(b'{')?;
        let base = self.arena.open_entries.len();
        let mut frame = Frame {
            base,
            runtime: RuntimeType::Unknown,
            expected: 0,
            passed: 0,
            repeated: false,
        };
        let mut more = !self.scan.eat(b'}');
        while more {
            match self.key(shape, &mut frame)? {
                Some(at) => self.field(&shape.fields[at].keep, &mut frame, depth + 1)?,
                None => self.scan.value(depth + 1)?,
            }
            more = self.scan.more(b'}')?;
        }
        if frame.repeated {
            self.keep_last(base);
        }
        let run = self.arena.close_entries(base);
        Ok(self.arena.add_object(frame.runtime, run))
    }

    /// Reads a key and its colon; which field of the shape it is.
    #[inline]
    fn key(&mut self, shape: &Shape, frame: &mut Frame) -> Scanned<Option<usize>> {
        self.scan.peek();
        let found = match shape.fields.get(frame.expected) {
            Some(field) if self.scan.take_key(&field.key) => Some(frame.expected),
            _ => self.unexpected_key(shape, frame.expected)?,
        };
        if let Some(at) = found {
            frame.expected = at + 1;
            if at < frame.passed {
                frame.repeated = frame.repeated || self.may_repeat(shape, at, frame.base);
            } else {
                frame.passed = at + 1;
            }
        }
        Ok(found)
    }

    fn unexpected_key(&mut self, shape: &Shape, expected: usize) -> Scanned<Option<usize>> {
        let key = self.scan.string()?;
        self.scan.expect(b':')?;
        let found = shape.find(key, expected);
        if found.is_some() || !key.contains(&b'\\') {
            return Ok(found);
        }
        Ok(unescaped(key).and_then(|plain| shape.find(&plain, expected)))
    }

    /// Whether a field that did not come in order may have come before.
    fn may_repeat(&self, shape: &Shape, at: usize, base: usize) -> bool {
        let open = &self.arena.open_entries[base..];
        match &shape.fields[at].keep {
            Keep::Leaf(slot) | Keep::Object(slot, _) => {
                !shape.is_narrow() || open.iter().any(|entry| entry.slot == *slot)
            }
            Keep::Typename => false,
        }
    }

    fn field(&mut self, keep: &Keep, frame: &mut Frame, depth: u32) -> Scanned<()> {
        let (slot, value) = match keep {
            Keep::Leaf(slot) => (*slot, self.leaf(depth)?),
            Keep::Object(slot, shape) => (*slot, self.composite(shape, depth)?),
            Keep::Typename => {
                frame.runtime = self.typename(depth)?;
                return Ok(());
            }
        };
        self.arena.open_entries.push(Entry { slot, value });
        Ok(())
    }

    fn typename(&mut self, depth: u32) -> Scanned<RuntimeType> {
        match self.scan.peek() {
            Some(b'"') => {
                let name = self.scan.string()?;
                Ok(self.types.find(name, &mut self.hint))
            }
            Some(b'n') => self.scan.value(depth).map(|()| RuntimeType::Unknown),
            _ => self.scan.value(depth).map(|()| RuntimeType::Foreign),
        }
    }

    fn leaf(&mut self, depth: u32) -> Scanned<Value> {
        let opening = self.scan.peek();
        let start = self.scan.position();
        self.scan.fit = true;
        if opening == Some(b'"') {
            self.scan.string()?;
        } else {
            self.scan.value(depth)?;
        }
        if !self.scan.fit {
            return Ok(Value::Unfit);
        }
        if opening == Some(b'n') {
            return Ok(Value::Null);
        }
        let len = index(self.scan.position() - start);
        Ok(Value::Leaf(Leaf {
            buffer: self.buffer,
            start: index(start),
            len,
        }))
    }

    /// An object, a list of them (of any nesting), null, or a wrong value: kept as it is, and found wrong when written.
    fn composite(&mut self, shape: &Shape, depth: u32) -> Scanned<Value> {
        match self.scan.peek() {
            Some(b'{') => self.object(shape, depth).map(Value::Object),
            Some(b'[') => self.list(shape, depth),
            _ => self.leaf(depth),
        }
    }

    fn list(&mut self, shape: &Shape, depth: u32) -> Scanned<Value> {
        if depth >= MAX_DEPTH {
            return Err(Malformed::Depth);
        }
        self.scan.expect(b'[')?;
        let base = self.arena.open_items.len();
        let mut more = !self.scan.eat(b']');
        while more {
            let item = self.composite(shape, depth + 1)?;
            self.arena.open_items.push(item);
            more = self.scan.more(b']')?;
        }
        Ok(Value::List(self.arena.close_items(base)))
    }

    /// Of several entries of one slot the last stays, as with any JSON reader.
    fn keep_last(&mut self, base: usize) {
        let mut entries = self.arena.open_entries.split_off(base);
        entries.sort_by_key(|entry| entry.slot);
        for (at, entry) in entries.iter().enumerate() {
            if entries.get(at + 1).is_none_or(|next| next.slot != entry.slot) {
                self.arena.open_entries.push(*entry);
            }
        }
    }
}

/// A JSON string in its plainest form.
fn unescaped(raw: &[u8]) -> Option<Vec<u8>> {
    let text: String = serde_json::from_slice(raw).ok()?;
    serde_json::to_vec(&text).ok()
}
