//! What a fetch sends, and as what.
use apollo_compiler::ast::{Definition, Document, Selection};

use super::{Path, Role};
use crate::plan::{EntityGroup, Entry, Fetch, Representation, RepresentationField};
use crate::supergraph::field_set::FieldSet;
use crate::supergraph::model::{Model, SubId};

/// Each value a fetch sends, with its place.
pub(super) fn needs(model: &Model, fetch: &Fetch) -> Vec<(Path, Role)> {
    let Entry::Entities(groups) = &fetch.entry else {
        return Vec::new();
    };
    let sub = model
        .all_subgraphs()
        .find(|s| *model.subgraphs[s.ix()].name == *fetch.subgraph);
    let Some(sub) = sub else { return Vec::new() };
    let mut found = Vec::new();
    for group in groups {
        let asked = asked(fetch, group);
        for target in &group.targets {
            let path: Path = target.path.iter().map(|step| step.slot).collect();
            for representation in &target.representations {
                for field in &representation.fields {
                    let role = role(model, sub, representation, field, &asked);
                    leaves(field, &mut path.clone(), &role, &mut found);
                }
            }
        }
        context(group, &mut found);
    }
    let mut unique = Vec::with_capacity(found.len());
    for need in found {
        if !unique.contains(&need) {
            unique.push(need);
        }
    }
    unique
}

fn context(group: &EntityGroup, found: &mut Vec<(Path, Role)>) {
    for variable in &group.context {
        let role = Role::Context(variable.name.clone());
        for (target, sources) in group.targets.iter().zip(&variable.sources) {
            for source in sources {
                let around = &target.path[..source.depth];
                let mut path: Path = around.iter().map(|step| step.slot).collect();
                source
                    .fields
                    .iter()
                    .for_each(|field| leaves(field, &mut path, &role, found));
            }
        }
    }
}

fn leaves(field: &RepresentationField, path: &mut Path, role: &Role, found: &mut Vec<(Path, Role)>) {
    path.push(field.slot);
    match &field.fields {
        None => found.push((path.clone(), role.clone())),
        Some(inner) => inner.iter().for_each(|field| leaves(field, path, role, found)),
    }
    path.pop();
}

/// A key's field, or the input of requirements of what is asked.
fn role(
    model: &Model,
    sub: SubId,
    representation: &Representation,
    field: &RepresentationField,
    asked: &[String],
) -> Role {
    let key = || Role::Key(representation.typename.clone());
    let Some(here) = model
        .named(&representation.typename)
        .and_then(|t| model.sub(sub, t))
    else {
        return key();
    };
    let sent = |name: &str| representation.fields.iter().any(|f| *f.name == *name);
    let has = |set: &FieldSet| set.0.iter().any(|item| *item.name.as_str() == *field.name);
    let whole = |set: &FieldSet| set.0.iter().all(|item| sent(&item.name));
    let keys = here
        .keys
        .iter()
        .filter(|key| key.resolvable && whole(&key.fields));
    if keys.into_iter().any(|key| has(&key.fields)) {
        return key();
    }
    let requires = |name: &&String| {
        let known = here.fields.get(name.as_str()).and_then(|f| f.requires.as_ref());
        known.is_some_and(has)
    };
    let of = asked.iter().filter(requires);
    Role::Requires(
        of.map(|name| format!("{}.{name}", representation.typename))
            .collect(),
    )
}

/// Names of the fields a group asks of its entities, read from the query.
fn asked(fetch: &Fetch, group: &EntityGroup) -> Vec<String> {
    let Ok(document) = Document::parse(&*fetch.query, "fetch") else {
        return Vec::new();
    };
    let operations = document
        .definitions
        .iter()
        .filter_map(|definition| match definition {
            Definition::OperationDefinition(operation) => Some(&operation.selection_set),
            _ => None,
        });
    let of_group = operations.flatten().filter_map(|selection| match selection {
        Selection::Field(field) if *field.response_name().as_str() == *group.response_key => Some(field),
        _ => None,
    });
    let mut names = Vec::new();
    of_group.for_each(|field| fields(&field.selection_set, &mut names));
    names
}

fn fields(selections: &[Selection], names: &mut Vec<String>) {
    for selection in selections {
        match selection {
            Selection::Field(field) if names.contains(&field.name.to_string()) => {}
            Selection::Field(field) => names.push(field.name.to_string()),
            Selection::InlineFragment(fragment) => fields(&fragment.selection_set, names),
            Selection::FragmentSpread(_) => {}
        }
    }
}
