//! Fragments that bear directives of the client's, printed around what is in them.
use std::collections::BTreeSet;
use std::fmt::Write as _;

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;

use super::text;
use crate::directed::{Around, Way};

/// The named fragments of one query: what they hold, and their names.
#[derive(Default)]
pub(super) struct Fragments(IndexMap<String, String, DefaultHashBuilder>);

/// The type of what is in a fragment.
#[derive(Clone, Copy)]
pub(super) struct Condition<'n> {
    /// Whether the type is a condition, and not that of what is around.
    pub is_needed: bool,
    pub name: &'n str,
}

impl Fragments {
    /// A selection in its fragments.
    pub fn around(
        &mut self,
        body: String,
        condition: Condition<'_>,
        way: &Way,
        used: &mut BTreeSet<String>,
    ) -> String {
        let Some(way) = way else {
            return match condition.is_needed {
                true => format!("...on {}{{{body}}}", condition.name),
                false => body,
            };
        };
        // From the inside; the type is told by the innermost.
        let inner = way.iter().rev();
        inner.fold(body, |body, around| self.one(&body, condition, around, used))
    }

    fn one(
        &mut self,
        body: &str,
        condition: Condition<'_>,
        around: &Around,
        used: &mut BTreeSet<String>,
    ) -> String {
        let name = condition.name;
        let mut out = match &around.definition {
            None if condition.is_needed => format!("...on {name}"),
            None => "...".to_owned(),
            Some(own) => {
                let mut definition = format!(" on {name}");
                text::directives(own.iter(), used, &mut definition);
                _ = write!(definition, "{{{body}}}");
                format!("...{}", self.name(definition))
            }
        };
        text::directives(around.directives.iter(), used, &mut out);
        if around.definition.is_none() {
            _ = write!(out, "{{{body}}}");
        }
        out
    }

    /// Equal fragments are one.
    fn name(&mut self, definition: String) -> &str {
        let next = self.0.len();
        self.0.entry(definition).or_insert_with(|| format!("f{next}"))
    }

    /// Their definitions, for the end of the query; there are none then.
    pub fn take(&mut self) -> String {
        let mut out = String::new();
        for (definition, name) in self.0.drain(..) {
            _ = write!(out, "fragment {name}{definition}");
        }
        out
    }
}
