//! What a change of the public schema means for its clients.
//!
//! Two public schemas in, a list of [`Change`]s out: what breaks operations that are valid today, what is dangerous
//! because clients may meet values they did not know, and what is safe. With the operations at hand, [`Usage`] says
//! which of the changes any of them notices.

mod directives;
mod enums;
mod fields;
mod inputs;
mod types;
mod usage;

use apollo_compiler::Schema;
use serde::Serialize;

pub use usage::{Unfit, Usage};

/// How bad a change is for clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// An operation that was valid is refused, or its answer no longer has the promised type.
    Breaking,
    /// All operations stay valid, but clients may meet what they have not met, or something else is done.
    Dangerous,
    /// No operation notices.
    Safe,
}

/// One difference between two public schemas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it means for clients.
    pub level: Level,
    /// Its kind, as `FIELD_REMOVED`.
    pub code: &'static str,
    /// What changed, as a schema coordinate: `Product.name`, `Query.products(first:)`, `@cached`.
    pub coordinate: String,
    /// The change in words.
    pub message: String,
    /// The operations that notice, where operations were given: `file: name`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<String>,
    /// An operation that uses this notices the change.
    #[serde(skip)]
    needs: String,
}

/// All differences, breaking ones first, then by coordinate.
pub fn compare(before: &Schema, after: &Schema) -> Vec<Change> {
    let mut changes = Changes {
        before,
        after,
        found: Vec::new(),
    };
    types::compare(&mut changes);
    directives::compare(&mut changes);
    let mut found = changes.found;
    found.sort_by(|a, b| (a.level, &a.coordinate, a.code).cmp(&(b.level, &b.coordinate, b.code)));
    found
}

/// Two schemas and how they differ.
struct Changes<'s> {
    before: &'s Schema,
    after: &'s Schema,
    found: Vec<Change>,
}

impl Changes<'_> {
    /// A change that whoever uses the coordinate notices.
    fn add(&mut self, level: Level, code: &'static str, coordinate: String, message: String) {
        let needs = coordinate.clone();
        self.add_for(level, code, coordinate, message, needs);
    }

    /// A change that only those notice who use `needs`.
    fn add_for(
        &mut self,
        level: Level,
        code: &'static str,
        coordinate: String,
        message: String,
        needs: String,
    ) {
        self.found.push(Change {
            level,
            code,
            coordinate,
            message,
            operations: Vec::new(),
            needs,
        });
    }
}

/// How usage calls a fragment on `object` where an `abstraction` stands.
fn narrowing(abstraction: &str, object: &str) -> String {
    format!("{abstraction} > {object}")
}
