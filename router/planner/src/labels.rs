//! Labels of `@override(label:)`: which of them are active for a request.
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/directives#override>
use std::collections::BTreeSet;

use crate::supergraph::Supergraph;

impl Supergraph {
    /// The labels that are active for a request: `named` ones, and of the form `percent(n)` those whose share holds
    /// `draw`, a random number of the request in 0..100. One draw decides all: what moves 5 % of the requests moves
    /// the same requests as what moves 50 %, and few sets of labels make few plans.
    pub fn active_labels(&self, named: &BTreeSet<String>, draw: f64) -> BTreeSet<String> {
        let active =
            |label: &&String| named.contains(*label) || percent(label).is_some_and(|share| draw < share);
        self.override_labels().iter().filter(active).cloned().collect()
    }

    /// Whether any label depends on chance.
    pub fn has_percent_labels(&self) -> bool {
        self.override_labels()
            .iter()
            .any(|label| percent(label).is_some())
    }
}

/// The share of `percent(n)`.
fn percent(label: &str) -> Option<f64> {
    let number = label.strip_prefix("percent(")?.strip_suffix(')')?;
    number
        .trim()
        .parse()
        .ok()
        .filter(|share| (0.0..=100.0).contains(share))
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn shares_are_read() {
        assert_eq!(percent("percent(5)"), Some(5.0));
        assert_eq!(percent("percent(0.25)"), Some(0.25));
        assert_eq!(percent("percent(100)"), Some(100.0));
        for label in [
            "percent(101)",
            "percent(-1)",
            "percent(x)",
            "percent(5",
            "percent",
            "later",
        ] {
            assert_eq!(percent(label), None, "{label}");
        }
    }
}
