//! Directives of the client's that are for the subgraphs: on fields, and on the fragments around them.
//!
//! Fragments are expanded when an operation is normalized. What stands on one goes with each field that is in it, to
//! whichever subgraph the field goes, and is printed around it there.
use std::sync::Arc;

use apollo_compiler::Node;
use apollo_compiler::ast::{Directive, DirectiveList};
use apollo_compiler::executable::Field;

use crate::operation::conditions::passed_on;

/// A fragment that bears directives.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Around {
    /// Where it stands: on a spread or an inline fragment.
    pub directives: Vec<Node<Directive>>,
    /// For a named fragment: those of its definition.
    pub definition: Option<Vec<Node<Directive>>>,
}

/// The fragments with directives around a selection, from the outside; `None`: there are none.
pub(crate) type Way = Option<Arc<[Around]>>;

/// What bears on one field.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Directed {
    /// On the field itself.
    pub field: Vec<Node<Directive>>,
    /// Around it, for each way in which it is selected, if any of them has directives.
    pub ways: Vec<Way>,
}

/// The way into an inline fragment.
pub(crate) fn inline(way: &Way, directives: &DirectiveList) -> Way {
    let directives = owned(directives);
    if directives.is_empty() {
        return way.clone();
    }
    into(
        way,
        Around {
            directives,
            definition: None,
        },
    )
}

/// The way into a named fragment, by what stands on its spread and on its definition.
pub(crate) fn spread(way: &Way, spread: &DirectiveList, definition: &DirectiveList) -> Way {
    let (directives, definition) = (owned(spread), owned(definition));
    if directives.is_empty() && definition.is_empty() {
        return way.clone();
    }
    into(
        way,
        Around {
            directives,
            definition: Some(definition),
        },
    )
}

fn owned(directives: &DirectiveList) -> Vec<Node<Directive>> {
    passed_on(directives).cloned().collect()
}

fn into(way: &Way, around: Around) -> Way {
    let outer = way.iter().flat_map(|way| way.iter().cloned());
    Some(outer.chain([around]).collect())
}

/// Whether anything bears on a selected field.
pub(crate) fn is_directed(node: &Field, way: &Way) -> bool {
    way.is_some() || passed_on(&node.directives).next().is_some()
}

/// What bears on merged fields, equal things once.
pub(crate) fn of<'a>(nodes: impl Iterator<Item = (&'a Node<Field>, &'a Way)>) -> Option<Arc<Directed>> {
    let mut all = Directed::default();
    for (node, way) in nodes {
        for directive in passed_on(&node.directives) {
            if !all.field.contains(directive) {
                all.field.push(directive.clone());
            }
        }
        if !all.ways.contains(way) {
            all.ways.push(way.clone());
        }
    }
    if all.ways.iter().all(Option::is_none) {
        all.ways.clear();
    }
    (!all.field.is_empty() || !all.ways.is_empty()).then(|| Arc::new(all))
}
