//! Stage 2: is each subgraph right on its own? One rule per file.

use crate::diagnostics::Diagnostic;
use crate::model::Model;

/// Checks all subgraphs; all errors at once.
pub(crate) fn validate_all(models: &[Model]) -> Result<(), Vec<Diagnostic>> {
    let errors: Vec<Diagnostic> = models.iter().flat_map(validate).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn validate(_model: &Model) -> Vec<Diagnostic> {
    Vec::new()
}
