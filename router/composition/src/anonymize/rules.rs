//! What the strings in arguments of the specifications' directives mean.

/// What a string means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Words of people: only whether two are the same matters.
    Text,
    /// Names, as in a selection: `id organization { id }`, `$context { id }`, `[Type!]`, `@directive`.
    Names,
    /// The name of a subgraph.
    Subgraph,
    /// The address of a subgraph.
    Address,
    /// Words with a grammar: tags, labels, `percent(5)`.
    Label,
    /// Text with holes: `product-{$key.id}`.
    Format,
    /// Where a feature is defined.
    Url,
    /// The name of a directive.
    Directive,
    /// A word of the specification.
    Keep,
}

/// The rule of an argument of a directive, both by their names in the specification.
pub fn rule(directive: &str, argument: &str) -> Rule {
    match (directive, argument) {
        ("key" | "requires" | "provides", "fields") => Rule::Names,
        ("fromContext", "field") | ("context", "name") | ("composeDirective", "name") => Rule::Names,
        ("listSize", "slicingArguments" | "sizedFields") => Rule::Names,
        ("link", "as" | "import") => Rule::Names,
        ("join__type", "key") | ("join__implements", "interface") | ("join__unionMember", "member") => {
            Rule::Names
        }
        ("join__field", "requires" | "provides" | "type" | "contextArguments") => Rule::Names,
        ("join__field", "override") | ("override", "from") | ("join__graph", "name") => Rule::Subgraph,
        ("join__graph", "url") => Rule::Address,
        ("override" | "join__field", "label" | "overrideLabel") | ("tag", "name") => Rule::Label,
        ("cacheTag", "format") => Rule::Format,
        ("link" | "core", "url" | "feature") => Rule::Url,
        ("link" | "core", "for") => Rule::Keep,
        _ => Rule::Text,
    }
}
