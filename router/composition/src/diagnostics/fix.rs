//! What usually helps against each error.

/// What usually helps, in words; `None` where the message already says it all.
pub(super) fn fix(code: &str) -> Option<&'static str> {
    sharing(code)
        .or_else(|| field_sets(code))
        .or_else(|| merging(code))
}

fn sharing(code: &str) -> Option<&'static str> {
    Some(match code {
        "INVALID_FIELD_SHARING" => {
            "mark the field @shareable in every subgraph that resolves it, or keep it in one subgraph only (@external or @override in the others)"
        }
        "SATISFIABILITY_ERROR" => {
            "give the type a resolvable @key that the asking subgraph can fill, or let that subgraph resolve the field"
        }
        "EXTERNAL_UNUSED" => "remove the field, or use it in a @key, @requires or @provides",
        "EXTERNAL_MISSING_ON_BASE" => "define the field without @external in the subgraph that resolves it",
        "EXTERNAL_ON_INTERFACE" => "remove @external here; put it on the field of the implementing types",
        "TYPE_WITH_ONLY_UNUSED_EXTERNAL" => "remove the type from this subgraph, or use its fields",
        "INVALID_SHAREABLE_USAGE" => "put @shareable on the fields of the implementing types",
        "OVERRIDE_FROM_SELF_ERROR" => "name the subgraph that has the field now in @override(from:)",
        "OVERRIDE_SOURCE_HAS_OVERRIDE" => {
            "keep @override in the subgraph that shall resolve the field, remove the other"
        }
        "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE" => {
            "remove the other directive, or move the field without @override"
        }
        "OVERRIDE_ON_INTERFACE" => "put @override on the fields of the implementing types",
        "INTERFACE_KEY_NOT_ON_IMPLEMENTATION" => "give the implementing type the same @key, resolvable",
        "INTERFACE_OBJECT_USAGE_ERROR" => {
            "an interface object needs a @key, the interface itself in another subgraph, and none of its implementations beside it"
        }
        "MISSING_TRANSITIVE_AUTH_REQUIREMENTS" => {
            "put the same @authenticated, @requiresScopes or @policy on the field that uses the data"
        }
        _ => return None,
    })
}

fn field_sets(code: &str) -> Option<&'static str> {
    Some(match code {
        "KEY_INVALID_FIELDS" | "REQUIRES_INVALID_FIELDS" | "PROVIDES_INVALID_FIELDS" => {
            "name only fields that this subgraph defines, with a selection in braces below objects"
        }
        "KEY_INVALID_FIELDS_TYPE" | "REQUIRES_INVALID_FIELDS_TYPE" | "PROVIDES_INVALID_FIELDS_TYPE" => {
            "write the fields as one string, as in fields: \"id organization { id }\""
        }
        "REQUIRES_FIELDS_MISSING_EXTERNAL" | "PROVIDES_FIELDS_MISSING_EXTERNAL" => {
            "mark the named field @external in this subgraph, or drop it from the selection"
        }
        "KEY_FIELDS_HAS_ARGS" | "PROVIDES_FIELDS_HAS_ARGS" => "choose a field without arguments",
        "KEY_FIELDS_SELECT_INVALID_TYPE" => "choose fields of scalar, enum or object types",
        "KEY_DIRECTIVE_IN_FIELDS_ARG"
        | "REQUIRES_DIRECTIVE_IN_FIELDS_ARG"
        | "PROVIDES_DIRECTIVE_IN_FIELDS_ARG" => "remove the directives from the selection",
        "KEY_UNSUPPORTED_ON_INTERFACE" => {
            "link federation v2.3 or later, or put the @key on the implementing types"
        }
        "REQUIRES_UNSUPPORTED_ON_INTERFACE" | "PROVIDES_UNSUPPORTED_ON_INTERFACE" => {
            "put the directive on the fields of the implementing types"
        }
        "PROVIDES_ON_NON_OBJECT_FIELD" => "remove @provides: the field's type has no fields to provide",
        _ => return None,
    })
}

fn merging(code: &str) -> Option<&'static str> {
    Some(match code {
        "FIELD_TYPE_MISMATCH"
        | "FIELD_ARGUMENT_TYPE_MISMATCH"
        | "EXTERNAL_TYPE_MISMATCH"
        | "EXTERNAL_ARGUMENT_TYPE_MISMATCH" => {
            "declare the same type everywhere; it may differ only in nullability or be a subtype"
        }
        "FIELD_ARGUMENT_DEFAULT_MISMATCH"
        | "INPUT_FIELD_DEFAULT_MISMATCH"
        | "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH" => "give the same default value everywhere",
        "TYPE_KIND_MISMATCH" => "use one kind for the type in all subgraphs, or rename one of them",
        "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH" | "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH" => {
            "make it optional or give it a default, or add it to the other subgraphs"
        }
        "ENUM_VALUE_MISMATCH" => "add the value to the other subgraphs, or mark it @inaccessible",
        "EMPTY_MERGED_ENUM_TYPE" | "EMPTY_MERGED_INPUT_TYPE" => {
            "let the subgraphs agree on at least one member"
        }
        "UNKNOWN_FEDERATION_LINK_VERSION" => "link https://specs.apollo.dev/federation/v2.0 up to v2.12",
        "DIRECTIVE_DEFINITION_INVALID" => {
            "remove the definition: @link brings it, or copy it from the specification as it is"
        }
        "INVALID_LINK_IDENTIFIER" => {
            "end the URL with a version, as https://specs.apollo.dev/federation/v2.9 does"
        }
        "NO_QUERIES" => "let at least one subgraph define a field on Query",
        "ROOT_QUERY_USED" | "ROOT_MUTATION_USED" | "ROOT_SUBSCRIPTION_USED" => {
            "rename the type that has the root type's usual name"
        }
        "INTERFACE_FIELD_NO_IMPLEM" => {
            "add the field to the implementing type in a subgraph that can resolve it"
        }
        "COST_APPLIED_TO_INTERFACE_FIELD" => "put @cost on the fields of the implementing types",
        "LIST_SIZE_INVALID_ASSUMED_SIZE" => "give a size that is not negative",
        "LIST_SIZE_INVALID_SLICING_ARGUMENT" => {
            "name arguments of type Int that all subgraphs with the field have"
        }
        "LIST_SIZE_INVALID_SIZED_FIELD" => "name fields of the returned type that are lists",
        _ => return None,
    })
}
