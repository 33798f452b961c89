//! The `traceparent` header ([section 3.2](https://www.w3.org/TR/trace-context/#traceparent-header)).

use std::fmt;

/// Which trace something belongs to, and which span is its parent there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    sampled: bool,
}

impl TraceContext {
    /// The name of the header that carries it.
    pub const HEADER: &'static str = "traceparent";

    /// The first of a trace, from random numbers; those that must not be zero are made to be something else.
    pub fn root(trace: u128, span: u64, sampled: bool) -> TraceContext {
        TraceContext {
            trace: trace.max(1),
            span: span.max(1),
            sampled,
        }
    }

    /// The next in the same trace.
    #[must_use]
    pub fn child(self, span: u64) -> TraceContext {
        TraceContext {
            span: span.max(1),
            ..self
        }
    }

    /// The same, kept or not.
    #[must_use]
    pub fn with_sampled(self, sampled: bool) -> TraceContext {
        TraceContext { sampled, ..self }
    }

    /// Reads a header. Versions to come begin like version 0, and must be taken for that.
    pub fn parse(header: &str) -> Option<TraceContext> {
        let (version, trace, span, flags) = (
            part(header, 0, 2)?,
            part(header, 3, 35)?,
            part(header, 36, 52)?,
            part(header, 53, 55)?,
        );
        let bytes = header.as_bytes();
        let dashed = [2, 35, 52].iter().all(|at| bytes[*at] == b'-');
        let ended = match version {
            "00" => header.len() == 55,
            "ff" => false,
            _ => header.len() == 55 || bytes[55] == b'-',
        };
        u8::from_str_radix(version, 16).ok()?;
        let context = TraceContext {
            trace: u128::from_str_radix(trace, 16).ok()?,
            span: u64::from_str_radix(span, 16).ok()?,
            sampled: u8::from_str_radix(flags, 16).ok()? & 1 == 1,
        };
        (dashed && ended && context.trace != 0 && context.span != 0).then_some(context)
    }

    /// The header's value.
    pub fn header(self) -> [u8; 55] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut out = *b"00-________________________________-________________-00";
        for (at, digit) in out[3..35].iter_mut().enumerate() {
            *digit = DIGITS[(self.trace >> (124 - 4 * at)) as usize & 15];
        }
        for (at, digit) in out[36..52].iter_mut().enumerate() {
            *digit = DIGITS[(self.span >> (60 - 4 * at)) as usize & 15];
        }
        out[54] = DIGITS[usize::from(self.sampled)];
        out
    }

    /// The trace's id.
    pub fn trace(self) -> u128 {
        self.trace
    }

    /// The span's id.
    pub fn span(self) -> u64 {
        self.span
    }

    /// Whether its spans are kept.
    pub fn sampled(self) -> bool {
        self.sampled
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = self.header();
        out.write_str(std::str::from_utf8(&header).expect("hexadecimal digits and dashes"))
    }
}

/// A part of lower-case hexadecimal digits.
fn part(header: &str, from: usize, to: usize) -> Option<&str> {
    let part = header.get(from..to)?;
    let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    part.bytes().all(digit).then_some(part)
}
