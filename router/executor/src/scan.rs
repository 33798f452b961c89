//! A validating JSON scanner over bytes that are UTF-8.
//! Grammar: RFC 8259, <https://www.rfc-editor.org/rfc/rfc8259>.

/// Nesting beyond this is refused.
pub(crate) const MAX_DEPTH: u32 = 128;

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
}

pub(crate) type Scanned<T> = Result<T, Malformed>;

#[derive(Debug)]
pub(crate) struct Scanner<'b> {
    bytes: &'b [u8],
    at: usize,
    /// Whether what was scanned since it was last set can be shown to any client: see [`crate::arena::Value::Unfit`].
    pub(crate) fit: bool,
}

/// A key that may be expected: `"name":`.
#[derive(Debug)]
pub(crate) struct Key {
    text: Box<[u8]>,
    /// The text as a little-endian number, and which bits of it count; no bits if it is longer than 16 bytes.
    word: u128,
    mask: u128,
}

impl Key {
    pub(crate) fn new(name: &str) -> Key {
        let text: Box<[u8]> = [&*crate::types::quoted(name), b":"].concat().into();
        let mut bytes = [0; 16];
        let mut mask = [0; 16];
        if text.len() <= 16 {
            bytes[..text.len()].copy_from_slice(&text);
            mask[..text.len()].fill(0xff);
        }
        Key {
            text,
            word: u128::from_le_bytes(bytes),
            mask: u128::from_le_bytes(mask),
        }
    }

    /// The key without its colon.
    pub(crate) fn quoted(&self) -> &[u8] {
        &self.text[..self.text.len() - 1]
    }
}

const ONES: u64 = u64::MAX / 255;
const HIGHS: u64 = ONES * 0x80;

/// High bits at bytes of `word` that end a plain run of a string: `"`, `\` or a control character.
/// The lowest one is exact, higher ones may be wrong.
#[inline]
fn special(word: u64) -> u64 {
    let zero = |x: u64| x.wrapping_sub(ONES) & !x;
    let quote = zero(word ^ (ONES * u64::from(b'"')));
    let backslash = zero(word ^ (ONES * u64::from(b'\\')));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & HIGHS
}

impl<'b> Scanner<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Scanner<'b> {
        Scanner {
            bytes,
            at: 0,
            fit: true,
        }
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn since(&self, start: usize) -> &'b [u8] {
        &self.bytes[start..self.at]
    }

    pub(crate) fn malformed<T>(&self) -> Scanned<T> {
        Err(Malformed::Json(self.at))
    }

    /// The next byte that is not white space.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    /// Steps over `byte`, after white space.
    #[inline]
    pub(crate) fn expect(&mut self, byte: u8) -> Scanned<()> {
        if self.eat(byte) { Ok(()) } else { self.malformed() }
    }

    /// Steps over `byte`, after white space, if it is there.
    #[inline]
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Steps over `text` if it is there.
    #[inline]
    pub(crate) fn take(&mut self, text: &[u8]) -> bool {
        let found = self.bytes[self.at..].starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// Steps over a key and its colon if they are there, with nothing between them.
    #[inline]
    pub(crate) fn take_key(&mut self, key: &Key) -> bool {
        let rest = &self.bytes[self.at..];
        let found = match rest.first_chunk::<16>() {
            Some(chunk) if key.mask != 0 => u128::from_le_bytes(*chunk) & key.mask == key.word,
            _ => rest.starts_with(&key.text),
        };
        if found {
            self.at += key.text.len();
        }
        found
    }

    /// After a member or item: whether another follows (`,`) or `close` ends the container.
    #[inline]
    pub(crate) fn more(&mut self, close: u8) -> Scanned<bool> {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => self.malformed(),
        }
    }

    /// Nothing but white space may follow.
    pub(crate) fn end(&mut self) -> Scanned<()> {
        if self.peek().is_none() {
            Ok(())
        } else {
            self.malformed()
        }
    }

    /// A string: what lies between, and with, its quotes.
    #[inline]
    pub(crate) fn string(&mut self) -> Scanned<&'b [u8]> {
        if self.peek() != Some(b'"') {
            return self.malformed();
        }
        let start = self.at;
        self.at += 1;
        loop {
            while let Some(chunk) = self.bytes[self.at..].first_chunk::<8>() {
                let stop = special(u64::from_le_bytes(*chunk));
                if stop != 0 {
                    self.at += stop.trailing_zeros() as usize / 8;
                    break;
                }
                self.at += 8;
            }
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(self.since(start));
                }
                Some(b'\\') => self.escape()?,
                Some(0x20..) => self.at += 1,
                _ => return self.malformed(),
            }
        }
    }

    fn escape(&mut self) -> Scanned<()> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let unit = self.code_unit()?;
                let paired = (0xD800..0xDC00).contains(&unit)
                    && self.bytes[self.at..].starts_with(b"\\u")
                    && (0xDC00..0xE000).contains(&self.peek_unit()?);
                if paired {
                    self.code_unit()?;
                } else if (0xD800..0xE000).contains(&unit) {
                    self.fit = false;
                }
            }
            _ => return self.malformed(),
        }
        Ok(())
    }

    /// The UTF-16 unit of a `\uXXXX` here, without stepping over it.
    fn peek_unit(&self) -> Scanned<u32> {
        let Some(digits) = self.bytes.get(self.at + 2..self.at + 6) else {
            return self.malformed();
        };
        digits
            .iter()
            .try_fold(0, |unit, &digit| match char::from(digit).to_digit(16) {
                Some(value) => Ok(unit * 16 + value),
                None => self.malformed(),
            })
    }

    fn code_unit(&mut self) -> Scanned<u32> {
        let unit = self.peek_unit()?;
        self.at += 6;
        Ok(unit)
    }

    fn digits(&mut self) -> Scanned<usize> {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == start {
            self.malformed()
        } else {
            Ok(self.at - start)
        }
    }

    fn number(&mut self) -> Scanned<()> {
        let start = self.at;
        self.take(b"-");
        let mut huge = false;
        if !self.take(b"0") {
            huge = self.digits()? > 300;
        }
        if self.take(b".") {
            self.digits()?;
        }
        if self.take(b"e") || self.take(b"E") {
            let _sign = self.take(b"+") || self.take(b"-");
            self.digits()?;
            huge = true;
        }
        if huge {
            let text = std::str::from_utf8(self.since(start)).unwrap_or_default();
            self.fit &= text.parse::<f64>().is_ok_and(f64::is_finite);
        }
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Scanned<()> {
        if self.take(word) { Ok(()) } else { self.malformed() }
    }

    /// Steps over any value, `depth` containers down.
    #[inline]
    pub(crate) fn value(&mut self, depth: u32) -> Scanned<()> {
        match self.peek() {
            Some(b'{' | b'[') => self.container(depth),
            _ => self.scalar(),
        }
    }

    #[inline]
    fn scalar(&mut self) -> Scanned<()> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => self.malformed(),
        }
    }

    /// Steps over an object or list without recursion: a bit of `objects` for each level, the innermost lowest.
    fn container(&mut self, depth: u32) -> Scanned<()> {
        let room = MAX_DEPTH.saturating_sub(depth);
        let mut objects: u128 = 0;
        let mut level = 0;
        loop {
            let opening = self.peek();
            if let Some(open @ (b'{' | b'[')) = opening {
                if level >= room {
                    return Err(Malformed::Depth);
                }
                self.at += 1;
                level += 1;
                objects = objects << 1 | u128::from(open == b'{');
                let close = if open == b'{' { b'}' } else { b']' };
                if self.peek() != Some(close) {
                    self.member_key(objects)?;
                    continue;
                }
                self.at += 1;
                level -= 1;
                objects >>= 1;
            } else {
                self.scalar()?;
            }
            while level > 0 && !self.more(if objects & 1 == 1 { b'}' } else { b']' })? {
                level -= 1;
                objects >>= 1;
            }
            if level == 0 {
                return Ok(());
            }
            self.member_key(objects)?;
        }
    }

    fn member_key(&mut self, objects: u128) -> Scanned<()> {
        if objects & 1 == 1 {
            self.string()?;
            self.expect(b':')?;
        }
        Ok(())
    }
}
