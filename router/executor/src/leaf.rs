//! Whether a leaf value is one of its type: result coercion of the GraphQL specification, section 3.5,
//! <https://spec.graphql.org/October2021/#sec-Scalars>, on JSON text and without any conversion.
use baedal_planner::plan::{Named, Wrapping};

use crate::scan::Scanner;
use crate::types::quoted;

/// A leaf type.
#[derive(Debug)]
pub(crate) enum LeafKind {
    Int,
    Float,
    String,
    Boolean,
    Id,
    /// A custom scalar: any value.
    Any,
    /// Values as JSON text, sorted.
    Enum(Box<[Box<[u8]>]>),
}

impl LeafKind {
    pub(crate) fn compile(named: &Named) -> LeafKind {
        match named {
            Named::Int => LeafKind::Int,
            Named::Float => LeafKind::Float,
            Named::String => LeafKind::String,
            Named::Boolean => LeafKind::Boolean,
            Named::Id => LeafKind::Id,
            Named::Scalar | Named::Object { .. } => LeafKind::Any,
            Named::Enum(values) => {
                let mut values: Vec<Box<[u8]>> = values.iter().map(|value| quoted(value)).collect();
                values.sort_unstable();
                LeafKind::Enum(values.into())
            }
        }
    }

    /// What a client would call it.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            LeafKind::Int => "an Int",
            LeafKind::Float => "a Float",
            LeafKind::String => "a String",
            LeafKind::Boolean => "a Boolean",
            LeafKind::Id => "an ID",
            LeafKind::Any => "a value",
            LeafKind::Enum(_) => "a value of its enum",
        }
    }

    /// Whether valid JSON that is not null is a value of this type.
    #[inline]
    pub(crate) fn fits(&self, raw: &[u8]) -> bool {
        match self {
            LeafKind::Int => is_int(raw),
            LeafKind::Float => matches!(raw.first(), Some(b'-' | b'0'..=b'9')),
            LeafKind::String => raw.first() == Some(&b'"'),
            LeafKind::Boolean => matches!(raw.first(), Some(b't' | b'f')),
            LeafKind::Id => raw.first() == Some(&b'"') || is_integer(raw),
            LeafKind::Any => true,
            LeafKind::Enum(values) => is_enum_value(raw, values),
        }
    }

    /// Whether every item of a list (or the value itself) fits, nulls included.
    pub(crate) fn fits_all(&self, raw: &[u8], wrapping: &Wrapping) -> bool {
        if raw == b"null" {
            return wrapping.nullable;
        }
        let Some(item) = &wrapping.item else {
            return self.fits(raw);
        };
        let mut all = true;
        let is_list = for_each_item(raw, &mut |raw| all = all && self.fits_all(raw, item));
        is_list && all
    }
}

/// Calls `f` with the text of each item of a list; false if `raw` (valid JSON) is no list.
pub(crate) fn for_each_item(raw: &[u8], f: &mut dyn FnMut(&[u8])) -> bool {
    let mut scan = Scanner::new(raw);
    if !scan.eat(b'[') {
        return false;
    }
    let mut more = !scan.eat(b']');
    while more {
        scan.peek();
        let start = scan.position();
        if scan.value(1).is_err() {
            return false;
        }
        f(scan.since(start));
        more = scan.more(b']').unwrap_or(false);
    }
    true
}

fn is_integer(raw: &[u8]) -> bool {
    raw.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-')
}

fn is_int(raw: &[u8]) -> bool {
    let (negative, digits) = match raw {
        [b'-', digits @ ..] => (1, digits),
        digits => (0, digits),
    };
    if digits.is_empty() || digits.len() > 10 {
        return false;
    }
    let value = digits.iter().try_fold(0_i64, |value, digit| {
        digit
            .is_ascii_digit()
            .then(|| value * 10 + i64::from(digit - b'0'))
    });
    value.is_some_and(|value| value <= i64::from(i32::MAX) + negative)
}

fn is_enum_value(raw: &[u8], values: &[Box<[u8]>]) -> bool {
    let known = |text: &[u8]| values.binary_search_by(|value| (**value).cmp(text)).is_ok();
    if known(raw) {
        return true;
    }
    let plain = |raw: &[u8]| serde_json::from_slice::<String>(raw).ok();
    raw.first() == Some(&b'"')
        && raw.contains(&b'\\')
        && plain(raw).is_some_and(|plain| known(&quoted(&plain)))
}
