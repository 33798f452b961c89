//! Supergraph SDL → the planner's [`Supergraph`], with syntax errors told in a few lines.

use apollo_compiler::Schema;
use baedal_planner::{Supergraph, SupergraphError};

/// Syntax errors shown; a file that is something else altogether has thousands.
const SHOWN: usize = 5;

/// Why a text cannot be served as a supergraph.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is not GraphQL SDL.
    #[error("the supergraph is not valid GraphQL SDL{}:\n{}", more(*.total), .first.join("\n"))]
    Syntax {
        /// How many errors there are.
        total: usize,
        /// The first of them: place and message.
        first: Vec<String>,
    },
    /// It is, but the planner cannot use it.
    #[error(transparent)]
    Refused(SupergraphError),
}

fn more(total: usize) -> String {
    if total > SHOWN {
        format!(" ({total} errors, the first {SHOWN})")
    } else {
        String::new()
    }
}

/// Reads a supergraph.
pub fn read(text: &str) -> Result<Supergraph, Unreadable> {
    Supergraph::parse(text).map_err(|error| match error {
        SupergraphError::Syntax(_) => syntax(text).unwrap_or(Unreadable::Refused(error)),
        other => Unreadable::Refused(other),
    })
}

fn syntax(text: &str) -> Option<Unreadable> {
    let errors = Schema::parse(text, "supergraph.graphql").err()?.errors;
    let told = errors.iter().take(SHOWN).map(|error| {
        let place = error.line_column_range().map_or_else(String::new, |place| {
            format!("{}:{}: ", place.start.line, place.start.column)
        });
        format!("  {place}{}", error.error)
    });
    Some(Unreadable::Syntax {
        total: errors.len(),
        first: told.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        read(text).map(drop).expect_err(text).to_string()
    }

    #[test]
    fn a_file_of_another_kind_is_refused_in_a_few_lines() {
        let many = told(&"{\"a\": [1, 2, {\"b\": \"c\"}] }\n".repeat(200));
        assert_eq!(many.lines().count(), 1 + SHOWN, "{many}");
        assert!(many.contains("errors, the first 5):\n  1:"), "{many}");
        let one = told("type Query {\n  a: Int\n  b Int\n}");
        assert!(one.contains("SDL:\n  3:"), "{one}");
        assert!(told("type Query { a: Int }").contains("not a supergraph"));
    }
}
