//! A validating JSON scanner over bytes that are UTF-8.
//! Grammar: RFC 8259, <https://www.rfc-editor.org/rfc/rfc8259>.
//!
//! A [`Scanner`] is what is left of the text, passed on by value: it lives in registers, and looks at 32 bytes at once.
mod number;
mod string;

use crate::literal::Literal;

/// Nesting beyond this is refused.
pub(crate) const MAX_DEPTH: u32 = 128;

/// Why scanning stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not JSON, with so many bytes left.
    Json(u32),
    Depth,
}

pub(crate) type Scanned<T> = Result<T, Fault>;

/// What a leaf is by its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Null,
    String,
    /// An integer of 32 bits.
    Int,
    /// Any other integer.
    Integer,
    /// A number with a fraction or exponent.
    Float,
    Boolean,
    /// An object or a list.
    Compound,
    /// JSON by its grammar, but of no use to a client: half a surrogate pair, a number beyond any range.
    Unfit,
}

/// What is left of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scanner<'b> {
    rest: &'b [u8],
}

impl<'b> Scanner<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Scanner<'b> {
        Scanner { rest: bytes }
    }

    /// How many bytes are left.
    #[inline(always)]
    pub(crate) fn left(self) -> usize {
        self.rest.len()
    }

    /// The text between here and `end`, which is further on.
    #[inline(always)]
    pub(crate) fn until(self, end: Scanner<'b>) -> &'b [u8] {
        &self.rest[..self.rest.len() - end.rest.len()]
    }

    #[inline(always)]
    fn skip(self, bytes: usize) -> Scanner<'b> {
        Scanner {
            rest: &self.rest[bytes..],
        }
    }

    #[cold]
    pub(crate) fn malformed<T>(self) -> Scanned<T> {
        Err(Fault::Json(u32::try_from(self.rest.len()).unwrap_or(u32::MAX)))
    }

    /// Without leading white space.
    #[inline(always)]
    pub(crate) fn trim(self) -> Scanner<'b> {
        match self.rest.first() {
            Some(0..=b' ') => self.trim_more(),
            _ => self,
        }
    }

    #[inline(never)]
    fn trim_more(self) -> Scanner<'b> {
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        let spaces = self.rest.iter().take_while(|byte| is_space(byte)).count();
        self.skip(spaces)
    }

    /// The next byte, whatever it is.
    #[inline(always)]
    pub(crate) fn first(self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Behind `byte`, after white space, if it is there.
    #[inline(always)]
    pub(crate) fn eat(self, byte: u8) -> Option<Scanner<'b>> {
        match self.trim().rest {
            [first, rest @ ..] if *first == byte => Some(Scanner { rest }),
            _ => None,
        }
    }

    /// Behind `byte`, after white space.
    #[inline(always)]
    pub(crate) fn expect(self, byte: u8) -> Scanned<Scanner<'b>> {
        match self.eat(byte) {
            Some(next) => Ok(next),
            None => self.malformed(),
        }
    }

    /// Behind a literal, if it is there, with no white space before or in it.
    #[inline(always)]
    pub(crate) fn take(self, literal: &Literal) -> Option<Scanner<'b>> {
        literal.begins(self.rest).then(|| self.skip(literal.len()))
    }

    /// Behind the brace or bracket that opens a container, and whether something is in it.
    #[inline(always)]
    pub(crate) fn open(self, open: u8, close: u8) -> Scanned<(bool, Scanner<'b>)> {
        let inside = self.expect(open)?;
        Ok(match inside.eat(close) {
            Some(end) => (false, end),
            None => (true, inside),
        })
    }

    /// After a member or item: whether another follows (`,`) or `close` ends the container.
    #[inline(always)]
    pub(crate) fn more(self, close: u8) -> Scanned<(bool, Scanner<'b>)> {
        match self.trim().rest {
            [b',', rest @ ..] => Ok((true, Scanner { rest })),
            [byte, rest @ ..] if *byte == close => Ok((false, Scanner { rest })),
            _ => self.malformed(),
        }
    }

    /// Nothing but white space may follow.
    pub(crate) fn end(self) -> Scanned<()> {
        if self.trim().rest.is_empty() {
            Ok(())
        } else {
            self.malformed()
        }
    }

    /// A member's key, with its quotes, and what follows its colon.
    pub(crate) fn key(self, fit: &mut bool) -> Scanned<(&'b [u8], Scanner<'b>)> {
        let start = self.trim();
        if start.first() != Some(b'"') {
            return start.malformed();
        }
        let end = start.string(fit)?;
        Ok((start.until(end), end.expect(b':')?))
    }

    fn word(self, word: &[u8], form: Form) -> Scanned<(Form, Scanner<'b>)> {
        match self.rest.strip_prefix(word) {
            Some(rest) => Ok((form, Scanner { rest })),
            None => self.malformed(),
        }
    }

    /// Any value, which begins here without white space, `depth` containers down: what it is, and what is behind it.
    #[inline(always)]
    pub(crate) fn value(self, depth: u32) -> Scanned<(Form, Scanner<'b>)> {
        match self.first() {
            Some(b'"') => {
                let mut fit = true;
                let end = self.string(&mut fit)?;
                Ok((if fit { Form::String } else { Form::Unfit }, end))
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true", Form::Boolean),
            Some(b'f') => self.word(b"false", Form::Boolean),
            Some(b'n') => self.word(b"null", Form::Null),
            _ => self.container(depth),
        }
    }

    /// Steps over an object or list without recursion: a bit of `objects` for each level, the innermost lowest.
    #[inline(never)]
    fn container(self, depth: u32) -> Scanned<(Form, Scanner<'b>)> {
        let room = MAX_DEPTH.saturating_sub(depth);
        let (mut objects, mut level) = (0_u128, 0);
        let mut fit = true;
        let mut scan = self;
        loop {
            scan = scan.trim();
            if let Some(open @ (b'{' | b'[')) = scan.first() {
                if level >= room {
                    return Err(Fault::Depth);
                }
                let close = if open == b'{' { b'}' } else { b']' };
                level += 1;
                objects = objects << 1 | u128::from(open == b'{');
                let (more, inside) = scan.open(open, close)?;
                scan = inside;
                if more {
                    scan = scan.member_key(objects, &mut fit)?;
                    continue;
                }
                level -= 1;
                objects >>= 1;
            } else {
                let (inner, behind) = scan.scalar()?;
                fit &= inner != Form::Unfit;
                scan = behind;
            }
            loop {
                if level == 0 {
                    let form = if fit { Form::Compound } else { Form::Unfit };
                    return Ok((form, scan));
                }
                let (more, behind) = scan.more(if objects & 1 == 1 { b'}' } else { b']' })?;
                scan = behind;
                if more {
                    break;
                }
                level -= 1;
                objects >>= 1;
            }
            scan = scan.member_key(objects, &mut fit)?;
        }
    }

    /// A value in a container that is none itself.
    fn scalar(self) -> Scanned<(Form, Scanner<'b>)> {
        match self.first() {
            Some(b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => self.value(MAX_DEPTH),
            _ => self.malformed(),
        }
    }

    fn member_key(self, objects: u128, fit: &mut bool) -> Scanned<Scanner<'b>> {
        if objects & 1 == 1 {
            Ok(self.key(fit)?.1)
        } else {
            Ok(self)
        }
    }
}
