//! Fields that merge have equal arguments, also where these are lists of different lengths, and the same `@stream` or
//! none (the compiler compares lists as far as the shorter one goes, and does not know `@stream`).
//! <https://spec.graphql.org/September2025/#sec-Field-Selection-Merging>
use std::collections::{HashMap, HashSet};

use apollo_compiler::ast::{Argument, Directive, Value};
use apollo_compiler::executable::{Field, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{ExecutableDocument, Name, Node, Schema};

use super::Errors;

/// Refuses fields that cannot merge.
pub(super) fn check(schema: &Schema, document: &ExecutableDocument, errors: &mut Errors<'_>) {
    if !is_suspicious(document) {
        return;
    }
    let mut merging = Merging {
        schema,
        document,
        seen: HashSet::new(),
        errors,
    };
    for operation in document.operations.iter() {
        merging.sets(vec![&operation.selection_set]);
    }
}

/// Whether two fields of one response key anywhere in the document differ in what is compared here. They seldom do.
fn is_suspicious(document: &ExecutableDocument) -> bool {
    let mut first: HashMap<&Name, &Field> = HashMap::new();
    let operations = document.operations.iter().map(|one| &one.selection_set);
    let fragments = document.fragments.values().map(|one| &one.selection_set);
    let mut pending: Vec<&SelectionSet> = operations.chain(fragments).collect();
    while let Some(set) = pending.pop() {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    let known = *first.entry(field.response_key()).or_insert(field);
                    if !is_same(known, field) {
                        return true;
                    }
                    pending.push(&field.selection_set);
                }
                Selection::InlineFragment(fragment) => pending.push(&fragment.selection_set),
                Selection::FragmentSpread(_) => {}
            }
        }
    }
    false
}

struct Merging<'e, 'd, 'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    /// Sets that were merged before, by their addresses.
    seen: HashSet<Vec<usize>>,
    errors: &'e mut Errors<'d>,
}

/// A field, and the type of the set it is in.
type Found<'a> = (&'a Name, &'a Node<Field>);

impl<'a> Merging<'_, '_, 'a> {
    /// The compiler has bounded how deep fields are.
    fn sets(&mut self, sets: Vec<&'a SelectionSet>) {
        let mut key: Vec<usize> = sets.iter().map(|set| std::ptr::from_ref(*set).addr()).collect();
        key.sort_unstable();
        key.dedup();
        if !self.seen.insert(key) {
            return;
        }
        for fields in self.by_key(sets).into_values() {
            for group in self.overlapping(&fields) {
                self.compare(&group);
                let below = group.iter().map(|(_, field)| &field.selection_set);
                let below: Vec<_> = below.filter(|set| !set.selections.is_empty()).collect();
                if !below.is_empty() {
                    self.sets(below);
                }
            }
        }
    }

    fn by_key(&self, mut pending: Vec<&'a SelectionSet>) -> HashMap<&'a Name, Vec<Found<'a>>> {
        let (mut found, mut seen) = (HashMap::<_, Vec<_>>::new(), HashSet::new());
        while let Some(set) = pending.pop() {
            for selection in &set.selections {
                match selection {
                    Selection::Field(field) => {
                        found
                            .entry(field.response_key())
                            .or_default()
                            .push((&set.ty, field));
                    }
                    Selection::InlineFragment(fragment) => pending.push(&fragment.selection_set),
                    Selection::FragmentSpread(spread) if seen.insert(&spread.fragment_name) => {
                        let fragment = self.document.fragments.get(&spread.fragment_name);
                        pending.extend(fragment.map(|fragment| &fragment.selection_set));
                    }
                    Selection::FragmentSpread(_) => {}
                }
            }
        }
        found
    }

    /// Those that may be of one object: of the same object type, or of an abstract type.
    fn overlapping(&self, fields: &[Found<'a>]) -> Vec<Vec<Found<'a>>> {
        let is_object = |ty: &Name| matches!(self.schema.types.get(ty), Some(ExtendedType::Object(_)));
        let (concrete, anywhere): (Vec<_>, Vec<_>) = fields.iter().partition(|(ty, _)| is_object(ty));
        let mut groups: HashMap<&Name, Vec<Found<'a>>> = HashMap::new();
        for (ty, field) in concrete {
            groups.entry(ty).or_default().push((ty, field));
        }
        if groups.is_empty() {
            return vec![anywhere];
        }
        let with_any = |mut group: Vec<Found<'a>>| {
            group.extend(&anywhere);
            group
        };
        groups.into_values().map(with_any).collect()
    }

    fn compare(&mut self, group: &[Found<'a>]) {
        let Some(((_, first), rest)) = group.split_first() else {
            return;
        };
        for (_, other) in rest.iter().filter(|(_, other)| !is_same(first, other)) {
            let key = other.response_key();
            let message =
                format!("the fields \"{key}\" differ in their arguments or in @stream: give one an alias");
            self.errors.report(other.location(), message);
        }
    }
}

fn is_same(one: &Field, other: &Field) -> bool {
    let stream = |field: &'_ Field| field.directives.get("stream").cloned();
    same_arguments(&one.arguments, &other.arguments) && same_directive(stream(one), stream(other))
}

fn same_directive(one: Option<Node<Directive>>, other: Option<Node<Directive>>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => same_arguments(&one.arguments, &other.arguments),
        _ => false,
    }
}

fn same_arguments(one: &[Node<Argument>], other: &[Node<Argument>]) -> bool {
    let find = |name: &Name| other.iter().find(|argument| argument.name == *name);
    one.len() == other.len()
        && one
            .iter()
            .all(|argument| find(&argument.name).is_some_and(|found| same(&argument.value, &found.value)))
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let find = |name: &Name| other.iter().find(|(known, _)| known == name);
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, value)| find(name).is_some_and(|(_, found)| same(value, found)))
        }
        _ => one == other,
    }
}
