//! Rules of the specification's validation that the compiler does not check, or not to their end. One rule per file;
//! [`values`] goes to every value of a document, with the type that is expected there.
//! <https://spec.graphql.org/September2025/#sec-Validation>
mod input_fields;
mod merging;
mod one_of;
mod usages;
mod values;

use std::collections::HashSet;

use apollo_compiler::parser::SourceSpan;
use apollo_compiler::{ExecutableDocument, Schema};

use super::{OperationError, RequestError, invalid};

/// Refuses a document that is valid for the compiler, but not for the specification.
pub(super) fn check(schema: &Schema, document: &ExecutableDocument) -> Result<(), OperationError> {
    let mut errors = Errors {
        document,
        all: Vec::new(),
        seen: HashSet::new(),
    };
    let parts = values::parts(schema, document, &mut |position, value| {
        input_fields::check(value, &mut errors);
        one_of::check(schema, position, value, &mut errors);
    });
    usages::check(document, &parts, &mut errors);
    merging::check(schema, document, &mut errors);
    match errors.all.is_empty() {
        true => Ok(()),
        false => Err(OperationError { errors: errors.all }),
    }
}

/// What was found, each thing once, though fragments are looked at for each operation.
struct Errors<'a> {
    document: &'a ExecutableDocument,
    all: Vec<RequestError>,
    seen: HashSet<(Option<SourceSpan>, String)>,
}

impl Errors<'_> {
    fn report(&mut self, at: Option<SourceSpan>, message: String) {
        if self.seen.insert((at, message.clone())) {
            self.all.push(invalid(self.document, at, message));
        }
    }
}
