//! `@defer` and `@stream` as clients see them. <https://github.com/graphql/graphql-spec/pull/1110>, section 3.13
use apollo_compiler::Schema;
use apollo_compiler::validation::Valid;

use super::SupergraphError;

const DEFINITIONS: &str = r#"
"Lets the fragment come later than what is around it."
directive @defer("Whether it does." if: Boolean! = true, "A name for it, that comes back with it." label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT

"Lets the items of a list come later than the first."
directive @stream("Whether they do." if: Boolean! = true, "A name for them, that comes back with them." label: String, "How many come at once." initialCount: Int = 0) on FIELD

type Query { none: Int }
"#;

/// Adds them; what a supergraph calls so is replaced.
pub(super) fn with_directives(api: Valid<Schema>) -> Result<Valid<Schema>, SupergraphError> {
    let unreadable = |error: String| SupergraphError::PublicSchema(error);
    let ours =
        Schema::parse(DEFINITIONS, "incremental.graphql").map_err(|e| unreadable(e.errors.to_string()))?;
    let mut api = api.into_inner();
    for name in ["defer", "stream"] {
        let definition = ours.directive_definitions.get(name).cloned();
        api.directive_definitions
            .extend(definition.map(|definition| (definition.name.clone(), definition)));
    }
    api.validate().map_err(|e| unreadable(e.errors.to_string()))
}
