//! Whether a leaf value is one of its type: result coercion of the GraphQL specification, section 3.5,
//! <https://spec.graphql.org/October2021/#sec-Scalars>, on JSON text and without any conversion.
use baedal_planner::plan::{Named, Wrapping};

use crate::scan::{Form, Scanner};
use crate::types::quoted;

/// JSON texts, sorted.
type Texts = Box<[Box<[u8]>]>;

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
    /// Public and hidden values as JSON text, sorted.
    Enum(Texts, Texts),
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
            Named::Enum { values, hidden } => LeafKind::Enum(sorted(values), sorted(hidden)),
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
            LeafKind::Enum(..) => "a value of its enum",
        }
    }

    /// Whether valid JSON that is not null is a value of this type.
    #[inline]
    pub(crate) fn fits<'r>(&self, form: Form, raw: impl FnOnce() -> &'r [u8]) -> bool {
        match self {
            LeafKind::Int => form == Form::Int,
            LeafKind::Float => matches!(form, Form::Int | Form::Integer | Form::Float),
            LeafKind::String => form == Form::String,
            LeafKind::Boolean => form == Form::Boolean,
            LeafKind::Id => matches!(form, Form::String | Form::Int | Form::Integer),
            LeafKind::Any => true,
            LeafKind::Enum(values, _) => form == Form::String && is_enum_value(raw(), values),
        }
    }

    /// Whether it is an enum value that clients don't know of.
    pub(crate) fn hides(&self, raw: &[u8]) -> bool {
        matches!(self, LeafKind::Enum(_, hidden) if is_enum_value(raw, hidden))
    }

    /// Whether every item of a list (or the value itself) fits, nulls included.
    #[inline]
    pub(crate) fn fits_all<'r>(
        &self,
        form: Form,
        wrapping: &Wrapping,
        raw: impl FnOnce() -> &'r [u8],
    ) -> bool {
        match (&wrapping.item, form) {
            (_, Form::Null) => wrapping.nullable,
            (None, form) => self.fits(form, raw),
            (Some(item), Form::Compound) => self.items_fit(item, raw()),
            _ => false,
        }
    }

    fn items_fit(&self, item: &Wrapping, raw: &[u8]) -> bool {
        let mut all = true;
        let is_list = for_each_item(raw, &mut |form, raw| {
            all = all && self.fits_all(form, item, || raw);
        });
        is_list && all
    }
}

/// Calls `f` with each item of a list and what it is; false if `raw` (valid JSON) is no list.
pub(crate) fn for_each_item(raw: &[u8], f: &mut dyn FnMut(Form, &[u8])) -> bool {
    let Ok((mut more, mut scan)) = Scanner::new(raw).open(b'[', b']') else {
        return false;
    };
    while more {
        let start = scan.trim();
        let Ok((form, end)) = start.value(1) else {
            return false;
        };
        f(form, start.until(end));
        let Ok(next) = end.more(b']') else {
            return false;
        };
        (more, scan) = next;
    }
    true
}

fn sorted(values: &[Box<str>]) -> Texts {
    let mut texts: Vec<Box<[u8]>> = values.iter().map(|value| quoted(value)).collect();
    texts.sort_unstable();
    texts.into()
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
