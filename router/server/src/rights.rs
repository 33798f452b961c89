//! Which rights a supergraph asks for. A caller's other rights are forgotten before planning, so that callers who may
//! see the same share one plan.

use std::collections::BTreeSet;

use baedal_planner::{Access, AskedRights, Supergraph};

/// The rights that appear anywhere in a supergraph.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rights(AskedRights);

impl Rights {
    /// Those that a supergraph asks for.
    pub fn of(supergraph: &Supergraph) -> Rights {
        Rights(supergraph.asked_rights())
    }

    /// Whether there is any.
    pub fn any(&self) -> bool {
        *self != Rights::default()
    }

    /// The policies among them.
    pub fn policies(&self) -> &BTreeSet<String> {
        &self.0.policies
    }

    /// The caller's rights that make a difference here.
    pub fn narrow(&self, access: &Access) -> Access {
        if access.is_unrestricted() {
            return access.clone();
        }
        let mut narrowed = access.clone();
        narrowed.authenticated &= self.any();
        narrowed.scopes.retain(|scope| self.0.scopes.contains(scope));
        narrowed
            .policies
            .retain(|policy| self.0.policies.contains(policy));
        narrowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(scopes: &[&str]) -> Access {
        Access::new(
            true,
            scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            BTreeSet::new(),
        )
    }

    /// Links the specifications under names of their own.
    fn rights(query: &str) -> Rights {
        let sdl = format!(
            r#"schema
              @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
              @link(url: "https://specs.apollo.dev/authenticated/v0.1", as: "known", for: SECURITY)
              @link(url: "https://specs.apollo.dev/requiresScopes/v0.1", import: [{{name: "@requiresScopes", as: "@scopes"}}], for: SECURITY)
              {{ query: Query }}
              enum join__Graph {{ A @join__graph(name: "a", url: "") }}
              type Query @join__type(graph: A) {{ {query} }}"#
        );
        Rights::of(&Supergraph::parse(&sdl).expect("a supergraph"))
    }

    #[test]
    fn only_rights_that_the_schema_asks_for_are_kept() {
        let rights = rights(r#"a: Int @scopes(scopes: [["x", "y"], ["z"]]) b: Int @known"#);
        assert_eq!(rights.narrow(&access(&["x", "email"])), access(&["x"]));
    }

    #[test]
    fn an_open_schema_makes_all_callers_equal() {
        let rights = rights("a: Int");
        assert!(!rights.any());
        assert_eq!(rights.narrow(&access(&["x"])), Access::default());
    }
}
