//! The tree of a request, as JSON-like values.
use std::collections::BTreeMap;

use baedal_planner::Plan;
use baedal_planner::plan::{Copied, Keep, PathStep, Shape, Slot, TypeId, TypeSet};
use serde_json::Value;

/// A value of the tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Null.
    Null,
    /// A leaf, or a list of leaves.
    Leaf(Value),
    /// A list of objects, or of lists of them.
    List(Vec<Node>),
    /// An object.
    Object(Object),
}

/// An object of the tree.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object {
    /// Its type, where a subgraph said it.
    pub runtime: Option<TypeId>,
    /// What was fetched.
    pub slots: BTreeMap<u32, Node>,
}

/// A step down the tree.
#[derive(Clone, Debug, PartialEq)]
pub enum At {
    /// Into a slot.
    Slot(Slot),
    /// Into a list.
    Index(usize),
}

/// Steps from the root.
pub type Place = Vec<At>;

/// Steps as a response has them.
pub type Path = Vec<Value>;

/// Whether a type condition holds for what is known of an object's type.
pub fn applies(on: Option<&TypeSet>, runtime: Option<TypeId>) -> bool {
    match (on, runtime) {
        (None, _) => true,
        (Some(on), Some(runtime)) => on.contains(&runtime),
        (Some(_), None) => false,
    }
}

impl Node {
    /// What an object has in a slot.
    pub fn slot(&self, slot: Slot) -> Option<&Node> {
        match self {
            Node::Object(object) => object.slots.get(&slot.0),
            _ => None,
        }
    }

    /// A copy of some slots, under other names.
    pub fn copied(&self, copies: &[Copied]) -> Node {
        match self {
            Node::Object(object) => {
                let mut copy = Object {
                    runtime: object.runtime,
                    slots: BTreeMap::new(),
                };
                for copied in copies {
                    if let Some(node) = object.slots.get(&copied.from.0) {
                        let node = copied
                            .fields
                            .as_ref()
                            .map_or_else(|| node.clone(), |fields| node.copied(fields));
                        copy.slots.insert(copied.to.0, node);
                    }
                }
                Node::Object(copy)
            }
            Node::List(items) => Node::List(items.iter().map(|item| item.copied(copies)).collect()),
            other => other.clone(),
        }
    }
}

/// Reads an object of a subgraph's answer; null if it is none.
pub fn read(plan: &Plan, shape: &Shape, value: &Value) -> Node {
    let Value::Object(fields) = value else {
        return Node::Null;
    };
    let mut object = Object::default();
    for field in &shape.fields {
        let Some(value) = fields.get(&*field.response_key) else {
            continue;
        };
        match &field.keep {
            Keep::Typename => {
                let index = plan.types.iter().position(|name| value == &**name);
                object.runtime = index.and_then(|index| u32::try_from(index).ok()).map(TypeId);
            }
            Keep::Leaf(slot) if value.is_null() => drop(object.slots.insert(slot.0, Node::Null)),
            Keep::Leaf(slot) => drop(object.slots.insert(slot.0, Node::Leaf(value.clone()))),
            Keep::Object(slot, shape) => drop(object.slots.insert(slot.0, below(plan, shape, value))),
        }
    }
    Node::Object(object)
}

fn below(plan: &Plan, shape: &Shape, value: &Value) -> Node {
    match value {
        Value::Array(items) => Node::List(items.iter().map(|item| below(plan, shape, item)).collect()),
        value => read(plan, shape, value),
    }
}

/// Joins what came later with what is there: null gives way, objects and lists are joined part by part.
pub fn merge(old: &mut Node, new: Node) {
    match (old, new) {
        (Node::Object(old), Node::Object(new)) => {
            old.runtime = old.runtime.or(new.runtime);
            for (slot, node) in new.slots {
                match old.slots.get_mut(&slot) {
                    Some(old) => merge(old, node),
                    None => drop(old.slots.insert(slot, node)),
                }
            }
        }
        (Node::List(old), Node::List(new)) if old.len() == new.len() => {
            old.iter_mut().zip(new).for_each(|(old, new)| merge(old, new));
        }
        (old @ Node::Null, new) => *old = new,
        _ => {}
    }
}

/// The objects at the end of a path.
pub fn find(plan: &Plan, root: &Node, path: &[PathStep]) -> Vec<Place> {
    let mut found = Vec::new();
    walk(plan, root, path, &mut Vec::new(), &mut found);
    found
}

fn walk(plan: &Plan, node: &Node, path: &[PathStep], place: &mut Place, found: &mut Vec<Place>) {
    let Some((step, rest)) = path.split_first() else {
        return found.push(place.clone());
    };
    if let Some(node) = node.slot(step.slot) {
        place.push(At::Slot(step.slot));
        enter(plan, node, (step, rest), place, found);
        place.pop();
    }
}

fn enter(
    plan: &Plan,
    node: &Node,
    path: (&PathStep, &[PathStep]),
    place: &mut Place,
    found: &mut Vec<Place>,
) {
    match node {
        Node::Object(object) if applies(path.0.on.as_ref(), object.runtime) => {
            walk(plan, node, path.1, place, found);
        }
        Node::List(items) => {
            for (index, item) in items.iter().enumerate() {
                place.push(At::Index(index));
                enter(plan, item, path, place, found);
                place.pop();
            }
        }
        _ => {}
    }
}

/// What is at a place that was found.
pub fn get<'n>(root: &'n Node, place: &[At]) -> &'n Node {
    place.iter().fold(root, |node, at| match (node, at) {
        (Node::Object(object), At::Slot(slot)) => &object.slots[&slot.0],
        (Node::List(items), At::Index(index)) => &items[*index],
        _ => unreachable!("the place was found"),
    })
}

/// What is at a place that was found.
pub fn at_mut<'n>(root: &'n mut Node, place: &[At]) -> &'n mut Node {
    place.iter().fold(root, |node, at| match (node, at) {
        (Node::Object(object), At::Slot(slot)) => object.slots.get_mut(&slot.0).expect("the place was found"),
        (Node::List(items), At::Index(index)) => &mut items[*index],
        _ => unreachable!("the place was found"),
    })
}
