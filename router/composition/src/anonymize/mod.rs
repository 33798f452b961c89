//! Makes a graph shareable: the same graph under other names.
//!
//! Names of types, fields, arguments, enum values, directives, variables and subgraphs are replaced, each by the same other
//! name everywhere, also within `@key` and its kind; descriptions, comments and what strings say are dropped. What the
//! specifications define keeps its name, and new names are in the order of the old ones, so that what depends on an order
//! comes out the same. So the result composes, or fails with the same codes, as the original does, and is planned alike.
//!
//! The story: [`tokens`] takes a text apart; [`links`] finds out what a schema calls the directives of the specifications;
//! [`rewrite`] goes through a text twice, first to collect, then to replace, and knows what each string means ([`rules`]);
//! [`names`] gives out new names. Texts need not be valid: a graph that does not compose is what this is for.

mod links;
mod names;
mod rewrite;
mod rules;
mod tokens;

use std::collections::BTreeSet;

use self::links::Links;
use self::names::{Collected, Names};
use self::rewrite::rewrite;

/// Replaces names in all texts of one graph.
pub struct Anonymizer {
    names: Names,
    /// Of all schemas together, for operations.
    links: Links,
}

impl Anonymizer {
    /// For these schemas (of subgraphs, or a supergraph), these names of subgraphs, and these operations. Texts that are not
    /// among them may have names that nothing was found for; they are then dropped to `unknown`.
    pub fn new<'a>(
        schemas: impl IntoIterator<Item = &'a str>,
        subgraphs: impl IntoIterator<Item = &'a str>,
        operations: impl IntoIterator<Item = &'a str>,
    ) -> Anonymizer {
        let (mut collected, mut links) = (Collected::default(), Links::default());
        for schema in schemas {
            let own = Links::of(schema);
            rewrite(schema, &own, &mut collected);
            links.add(own);
        }
        collected
            .subgraphs
            .extend(subgraphs.into_iter().map(str::to_owned));
        let mut introspects = false;
        for operation in operations {
            introspects |= operation.contains("__schema") || operation.contains("__type(");
            rewrite(operation, &links, &mut collected);
        }
        if introspects {
            collected.keep_introspection();
        }
        Anonymizer {
            names: Names::of(collected),
            links,
        }
    }

    /// A schema under other names.
    pub fn schema(&self, sdl: &str) -> String {
        rewrite(sdl, &Links::of(sdl), &mut &self.names)
    }

    /// A document with operations under other names.
    pub fn operations(&self, document: &str) -> String {
        rewrite(document, &self.links, &mut &self.names)
    }

    /// The other name of a subgraph.
    pub fn subgraph(&self, name: &str) -> String {
        self.names.subgraph(name)
    }

    /// All pairs of an old and its new name.
    pub fn pairs(&self) -> BTreeSet<(&str, &str)> {
        self.names.pairs()
    }
}
