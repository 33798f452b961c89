//! Where the errors of a call belong in the client's answer: at the path that the client asked for.
use baedal_planner::Plan;
use baedal_planner::plan::{
    Entry, Fetch, Keep, Named, ProjectedField, Projection, Shape, Slot, Source, Wrapping,
};
use serde_json::Value;

use super::Gathered;
use super::tree::{At, Node, Path, Place, applies};
use crate::world::Call;

/// The paths of the errors that a call leaves: those that the subgraph reports, and all of the call if it has no data.
pub fn told(plan: &Plan, gathered: &Gathered, call: &Call) -> Vec<Path> {
    let all = || at(plan, gathered, call, None);
    let body = call.response.as_deref().map(serde_json::from_str::<Value>);
    let Some(Ok(body)) = body else { return all() };
    let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    if errors.is_empty() {
        return if body["data"].is_null() { all() } else { Vec::new() };
    }
    let mut told = Vec::new();
    for error in errors {
        let path = error["path"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut found = match path {
            [] => Vec::new(),
            path => at(plan, gathered, call, Some(path)),
        };
        if !found.iter().any(|path| !path.is_empty()) {
            found = if body["data"].is_null() {
                all()
            } else {
                vec![Path::new()]
            };
        }
        told.extend(found);
    }
    told
}

/// The client's paths of a call: of a path of its answer, or of all of it.
///
/// An object for which the call was made stands for what it would have brought. What the client did not select cuts
/// a path. What is nowhere in the client's answer has no path.
fn at(plan: &Plan, gathered: &Gathered, call: &Call, path: Option<&[Value]>) -> Vec<Path> {
    let fetch = &plan.fetches[call.fetch];
    let sent = |form: &&Fetch| call.request["query"] == *form.query;
    let form = fetch.fallback.as_deref().filter(sent).unwrap_or(fetch);
    let places = match &form.entry {
        Entry::Root(shape) => of_root(shape, path),
        Entry::Queries(group) => of_objects(gathered, call, &|_| Some(&group.shape), path),
        Entry::Entities(groups) => {
            let shape = |key: Option<&str>| {
                let group = groups.iter().find(|group| Some(&*group.response_key) == key);
                group.map(|group| &group.shape)
            };
            of_objects(gathered, call, &shape, path)
        }
    };
    let mut told: Vec<Path> = Vec::new();
    for place in places {
        let path = client_path(plan, &gathered.root, &place);
        if !told.contains(&path) {
            told.push(path);
        }
    }
    let root = matches!(form.entry, Entry::Root(_));
    if told.iter().any(|path| !path.is_empty()) && (root && path.is_none()) {
        told.retain(|path| !path.is_empty());
    }
    told
}

fn of_root(shape: &Shape, path: Option<&[Value]>) -> Vec<Place> {
    if let Some(path) = path {
        let mut place = Place::new();
        below(shape, path, &mut place);
        return vec![place];
    }
    let slot = |keep: &Keep| match keep {
        Keep::Leaf(slot) | Keep::Object(slot, _) => Some(vec![At::Slot(*slot)]),
        Keep::Typename => None,
    };
    shape
        .fields
        .iter()
        .filter_map(|field| slot(&field.keep))
        .collect()
}

/// The objects of a call, or those that a path of its answer is about, and the rest of the path below them.
fn of_objects<'s>(
    gathered: &Gathered,
    call: &Call,
    shape: &dyn Fn(Option<&str>) -> Option<&'s Shape>,
    path: Option<&[Value]>,
) -> Vec<Place> {
    let mut places = Vec::new();
    let made = |query: &str| call.request["query"] == query;
    let asked = gathered.asked.iter();
    for asked in asked.filter(|asked| asked.fetch == call.fetch && made(&asked.query)) {
        let mut place = asked.place.clone();
        let mut rest = path.unwrap_or_default();
        let key = asked.entity.as_ref().map(|(key, _)| &**key);
        if let (Some((key, number)), [first, second, below @ ..]) = (&asked.entity, rest) {
            if *first != **key || second.as_u64() != Some(*number as u64) {
                continue;
            }
            rest = below;
        } else if let (Some((key, _)), [first]) = (&asked.entity, rest)
            && *first != **key
        {
            continue;
        } else if asked.entity.is_some() {
            rest = &[];
        }
        if let Some(shape) = shape(key) {
            below(shape, rest, &mut place);
        }
        places.push(place);
    }
    places
}

/// Adds the steps of a subgraph's path; what its query does not have cuts it.
fn below(shape: &Shape, path: &[Value], place: &mut Place) {
    let mut shape = Some(shape);
    for step in path {
        if let Some(index) = step.as_u64() {
            place.push(At::Index(usize::try_from(index).unwrap_or(usize::MAX)));
            continue;
        }
        let field = shape.and_then(|shape| shape.fields.iter().find(|field| *step == *field.response_key));
        match field.map(|field| &field.keep) {
            Some(Keep::Leaf(slot)) => {
                place.push(At::Slot(*slot));
                shape = None;
            }
            Some(Keep::Object(slot, inner)) => {
                place.push(At::Slot(*slot));
                shape = Some(inner);
            }
            Some(Keep::Typename) | None => return,
        }
    }
}

/// A place in the client's terms.
fn client_path(plan: &Plan, root: &Node, place: &[At]) -> Path {
    let mut path = Path::new();
    let mut selection = Some(&plan.answer);
    let mut wrapping: Option<&Wrapping> = None;
    let mut node = Some(root);
    for step in place {
        match step {
            At::Slot(slot) => {
                let shown = selection.and_then(|selection| shown(selection, *slot, node));
                let Some((field, of)) = shown else { return path };
                path.push((*field.response_key).into());
                node = node.and_then(|node| node.slot(*slot));
                wrapping = of.wrapping.item.as_deref();
                selection = match &of.named {
                    Named::Object { projection, .. } => Some(projection),
                    _ => None,
                };
            }
            At::Index(index) => {
                let Some(item) = wrapping else { return path };
                path.push((*index).into());
                wrapping = item.item.as_deref();
                node = match node {
                    Some(Node::List(items)) => items.get(*index),
                    _ => None,
                };
            }
        }
    }
    path
}

/// The client's field that shows a slot of an object.
fn shown<'p>(
    selection: &'p Projection,
    slot: Slot,
    node: Option<&Node>,
) -> Option<(&'p ProjectedField, &'p baedal_planner::plan::FieldType)> {
    let runtime = match node {
        Some(Node::Object(object)) => object.runtime,
        _ => None,
    };
    let of_slot = |field: &'p ProjectedField| match &field.source {
        Source::Field(other, of) if *other == slot => Some((field, of)),
        _ => None,
    };
    let fits = |(field, _): &(&ProjectedField, _)| runtime.is_none() || applies(field.on.as_ref(), runtime);
    selection.fields.iter().filter_map(of_slot).find(fits)
}
