//! Paths of errors, from the tree's terms and from subgraphs' terms to the client's.
use baedal_planner::plan::Wrapping;
use hashbrown::HashMap;

use crate::arena::{Arena, ObjectId, Value};
use crate::errors::Segment;
use crate::program::{Group, Program};
use crate::projection::{Field, Projection, Source};
use crate::request::SentGroup;
use crate::shape::{Keep, Shape};
use crate::types::{RuntimeType, quoted};
use crate::walk::{At, walk};

/// The part of a place's path that the client knows: it is cut where the client selected nothing.
pub(crate) fn client_path(program: &Program, arena: &Arena, root: ObjectId, place: &[At]) -> Vec<Segment> {
    let mut path = Vec::with_capacity(place.len());
    let mut selection = Some(&program.answer);
    let mut lists: Option<&Wrapping> = None;
    let mut value = Some(Value::Object(root));
    for step in place {
        match step {
            At::Slot(slot) => {
                let object = if let Some(Value::Object(object)) = value {
                    Some(object)
                } else {
                    None
                };
                let runtime = object.map_or(RuntimeType::Unknown, |object| arena.runtime(object));
                let found = selection.and_then(|selection| field_of(selection, *slot, runtime));
                let Some((field, wrapping)) = found else {
                    return path;
                };
                path.push(Segment::Key(field.response_key.clone()));
                value = object.and_then(|object| arena.find(object, *slot));
                lists = wrapping.item.as_deref();
                selection = match &field.source {
                    Source::Object(_, _, composite) => Some(&composite.projection),
                    _ => None,
                };
            }
            At::Index(index) => {
                let Some(inner) = lists else { return path };
                path.push(Segment::Index(*index));
                lists = inner.item.as_deref();
                value = match value {
                    Some(Value::List(run)) => arena.items(run).get(*index).copied(),
                    _ => None,
                };
            }
        }
    }
    path
}

/// The client's field that shows a slot of an object of this type.
fn field_of(
    selection: &Projection,
    slot: baedal_planner::plan::Slot,
    runtime: RuntimeType,
) -> Option<(&Field, &Wrapping)> {
    let of_slot = |field: &&Field| field.source.slot().is_some_and(|(other, _)| other == slot);
    let fits = |field: &&Field| runtime == RuntimeType::Unknown || field.on.matches(runtime);
    let field = selection.fields.iter().filter(of_slot).find(fits)?;
    field.source.slot().map(|(_, wrapping)| (field, wrapping))
}

/// Appends the steps of a subgraph's path below a place of this shape; what is not in the shape cuts it.
pub(crate) fn below(shape: &Shape, path: &[serde_json::Value], place: &mut Vec<At>) {
    let mut shape = Some(shape);
    for step in path {
        if let Some(index) = step.as_u64() {
            place.push(At::Index(usize::try_from(index).unwrap_or(usize::MAX)));
            continue;
        }
        let (Some(key), Some(here)) = (step.as_str(), shape) else {
            return;
        };
        match here.find(&quoted(key), 0).map(|at| &here.fields[at].keep) {
            Some(Keep::Leaf(slot)) => {
                place.push(At::Slot(*slot));
                shape = None;
            }
            Some(Keep::Object(slot, nested)) => {
                place.push(At::Slot(*slot));
                shape = Some(nested);
            }
            Some(Keep::Typename) | None => return,
        }
    }
}

/// Where the entities of a group are: objects that were asked for, with their representation's number and place.
pub(crate) fn asked_places(
    arena: &Arena,
    root: ObjectId,
    group: &Group,
    sent: &SentGroup,
) -> Vec<(u32, ObjectId, Vec<At>)> {
    let asked: HashMap<ObjectId, u32> = sent
        .asked
        .iter()
        .map(|one| (one.object, one.representation))
        .collect();
    let mut places = Vec::with_capacity(asked.len());
    for target in &group.targets {
        walk(
            arena,
            Value::Object(root),
            &target.path,
            &mut Vec::new(),
            &mut |object, trail: &Vec<At>| {
                if let Some(&representation) = asked.get(&object) {
                    places.push((representation, object, trail.clone()));
                }
            },
        );
    }
    places
}
