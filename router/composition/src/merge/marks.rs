//! Directives that travel to the supergraph, each by its rule.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/directives>

use apollo_compiler::Node;
use apollo_compiler::ast::Directive;

use super::Context;
use super::merged::GraphId;
use crate::model::{ListSize, Marks, Place};

/// One subgraph's marks on an element.
pub(super) type Marked<'a> = (GraphId, Place, &'a Marks);

/// Joins the marks of all subgraphs on one element.
pub(super) fn merge(cx: &mut Context<'_>, element: &str, sources: &[Marked<'_>]) -> Marks {
    let mut merged = Marks::default();
    for (_, _, marks) in sources {
        merged.inaccessible |= marks.inaccessible;
        merged.authenticated |= marks.authenticated;
        merged.tags.extend(marks.tags.iter().cloned());
        merged.scopes = and(merged.scopes.take(), marks.scopes.as_ref());
        merged.policies = and(merged.policies.take(), marks.policies.as_ref());
        merged.cost = merged.cost.max(marks.cost);
        merged.list_size = join_list_size(merged.list_size.take(), marks.list_size.as_ref());
    }
    merged.custom = composed(cx, element, sources);
    merged.tags.sort();
    hint_combined(cx, element, sources, "cost", |marks| marks.cost);
    hint_combined(cx, element, sources, "listSize", |marks| marks.list_size.clone());
    merged.deprecated = commonest(cx, element, sources, |marks| marks.deprecated.clone());
    merged.specified_by = commonest(cx, element, sources, |marks| marks.specified_by.clone());
    merged
}

/// Applications of directives that `@composeDirective` asks for: each once; of one that is not repeatable, the commonest.
fn composed(cx: &mut Context<'_>, element: &str, sources: &[Marked<'_>]) -> Vec<Node<Directive>> {
    let mut all: Vec<Node<Directive>> = Vec::new();
    for (graph, _, marks) in sources {
        let asked = |directive: &&Node<Directive>| cx.models[*graph].composes(&directive.name);
        for directive in marks.custom.iter().filter(asked) {
            if !all.contains(directive) {
                all.push(directive.clone());
            }
        }
    }
    let mut kept: Vec<Node<Directive>> = Vec::new();
    for directive in &all {
        let same = all.iter().filter(|other| other.name == directive.name).count();
        if same == 1 || is_repeatable(cx, &directive.name) {
            kept.push(directive.clone());
        } else if !kept.iter().any(|other| other.name == directive.name) {
            let name = directive.name.clone();
            let pick = |marks: &Marks| marks.custom.iter().find(|own| own.name == name).cloned();
            kept.extend(commonest(cx, element, sources, pick));
        }
    }
    kept
}

fn is_repeatable(cx: &Context<'_>, directive: &str) -> bool {
    let mut definitions = cx
        .models
        .iter()
        .filter_map(|model| model.directives.get(directive));
    definitions.any(|definition| definition.repeatable)
}

/// Both conditions must hold: every alternative of one is joined with every alternative of the other.
pub(super) fn and(
    left: Option<Vec<Vec<String>>>,
    right: Option<&Vec<Vec<String>>>,
) -> Option<Vec<Vec<String>>> {
    let Some(right) = right else { return left };
    let Some(left) = left else {
        return Some(normalize(right.clone()));
    };
    let pairs = left
        .iter()
        .flat_map(|a| right.iter().map(move |b| [a.clone(), b.clone()].concat()));
    Some(normalize(pairs.collect()))
}

/// Sorted, without repetitions, and without alternatives that a weaker one makes needless.
fn normalize(mut alternatives: Vec<Vec<String>>) -> Vec<Vec<String>> {
    for alternative in &mut alternatives {
        alternative.sort();
        alternative.dedup();
    }
    alternatives.sort();
    alternatives.dedup();
    let weaker = |small: &Vec<String>, large: &Vec<String>| {
        small != large && small.iter().all(|one| large.contains(one))
    };
    let all = alternatives.clone();
    alternatives.retain(|large| !all.iter().any(|small| weaker(small, large)));
    alternatives
}

/// Says where different arguments of a directive were combined into one application.
fn hint_combined<T: PartialEq>(
    cx: &mut Context<'_>,
    element: &str,
    sources: &[Marked<'_>],
    name: &str,
    pick: impl Fn(&Marks) -> Option<T>,
) {
    let given: Vec<_> = sources
        .iter()
        .filter_map(|(graph, place, marks)| Some((*graph, *place, pick(marks)?)))
        .collect();
    let Some(first) = given.first() else { return };
    if let Some((graph, place, _)) = given.iter().find(|(_, _, value)| *value != first.2) {
        let message = format!(
            "@{name} is applied to {element} with different arguments across subgraphs; the supergraph combines them."
        );
        cx.hint(
            "MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS",
            *graph,
            *place,
            message,
        );
    }
}

/// The dearest estimate that any subgraph gives.
fn join_list_size(left: Option<ListSize>, right: Option<&ListSize>) -> Option<ListSize> {
    let Some(right) = right else { return left };
    let Some(left) = left else {
        return Some(right.clone());
    };
    let union = |a: Option<Vec<String>>, b: &Option<Vec<String>>| {
        let Some(mut a) = a else { return b.clone() };
        for item in b
            .iter()
            .flatten()
            .filter(|item| !a.contains(item))
            .cloned()
            .collect::<Vec<_>>()
        {
            a.push(item);
        }
        Some(a)
    };
    Some(ListSize {
        assumed: left.assumed.max(right.assumed),
        slicing: union(left.slicing, &right.slicing),
        sized: union(left.sized, &right.sized),
        require_one: match (left.require_one, right.require_one) {
            (Some(a), Some(b)) => Some(a && b),
            (a, b) => a.or(b),
        },
    })
}

/// A directive that stands once: the application that most subgraphs have.
fn commonest(
    cx: &mut Context<'_>,
    element: &str,
    sources: &[Marked<'_>],
    pick: impl Fn(&Marks) -> Option<Node<Directive>>,
) -> Option<Node<Directive>> {
    let mut counts: Vec<(Node<Directive>, usize)> = Vec::new();
    for directive in sources.iter().filter_map(|(_, _, marks)| pick(marks)) {
        match counts.iter_mut().find(|(known, _)| *known == directive) {
            Some((_, count)) => *count += 1,
            None => counts.push((directive, 1)),
        }
    }
    let best = counts.iter().map(|(_, count)| *count).max()?;
    let winner = counts
        .iter()
        .find(|(_, count)| *count == best)
        .map(|(directive, _)| directive.clone())?;
    let other = sources
        .iter()
        .find(|(_, _, marks)| pick(marks).is_some_and(|directive| directive != winner));
    if let Some((graph, place, _)) = other {
        let message = format!(
            "@{} is applied to {element} with different arguments across subgraphs; the supergraph uses {winner}.",
            winner.name
        );
        cx.hint(
            "INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS",
            *graph,
            *place,
            message,
        );
    }
    Some(winner)
}
