//! Stage 2: is each subgraph right on its own? One rule per file.
//!
//! The codes: <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/errors>

mod access;
mod context_selection;
mod contexts;
mod cost;
mod defaults;
mod external;
mod field_sets;
mod interface_keys;
mod interface_objects;
mod keys;
mod overrides;
mod provides;
mod requires;
mod selection;
mod shareable;

use crate::diagnostics::Diagnostic;
use crate::model::{Model, Place};

/// Checks all subgraphs; all errors at once.
pub(crate) fn validate_all(models: &[Model]) -> Vec<Diagnostic> {
    models.iter().flat_map(validate).collect()
}

fn validate(model: &Model) -> Vec<Diagnostic> {
    let mut report = Report {
        model,
        errors: Vec::new(),
    };
    let rules = [
        keys::check,
        requires::check,
        provides::check,
        external::check,
        shareable::check,
        overrides::check,
        interface_keys::check,
        interface_objects::check,
        access::check,
        cost::check,
        defaults::check,
        contexts::check,
    ];
    for rule in rules {
        rule(&mut report);
    }
    report.errors
}

/// One subgraph and what is wrong with it.
struct Report<'m> {
    model: &'m Model,
    errors: Vec<Diagnostic>,
}

impl Report<'_> {
    fn error(&mut self, code: &str, place: Place, message: impl AsRef<str>) {
        let message = format!("[{}] {}", self.model.name, message.as_ref());
        self.errors.push(self.model.report(code, place, message));
    }
}
