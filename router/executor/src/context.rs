//! Arguments from the context (`@fromContext`): entities are asked for in one request for each set of values
//! that the objects around them give. <https://specs.apollo.dev/context/v0.1/>
use std::collections::HashMap;

use baedal_planner::plan::{self, Slot};

use crate::arena::{Arena, ObjectId, Value};
use crate::inputs::Inputs;
use crate::program::{Body, Fetch, Group, member_key};
use crate::request::{Batch, Request, Tree, separate, write_variables};
use crate::types::TypeMask;
use crate::walk::{Trail, walk};

/// A variable whose value is in an object around the entity.
#[derive(Debug)]
pub(crate) struct ContextVariable {
    /// `"name":`
    key: Box<[u8]>,
    nullable: bool,
    /// By target; nearest first.
    sources: Vec<Vec<Source>>,
}

#[derive(Debug)]
struct Source {
    /// How many steps of the target's path lead to the object.
    depth: usize,
    on: TypeMask,
    value: Vec<Pick>,
}

/// A field on the way to the value.
#[derive(Debug)]
struct Pick {
    slot: Slot,
    on: TypeMask,
    inner: Option<Vec<Pick>>,
}

/// The value was never fetched, or is null where null is not allowed.
struct Missing;

impl ContextVariable {
    pub(crate) fn compile(variable: &plan::ContextVariable) -> ContextVariable {
        let source = |source: &plan::ContextSource| Source {
            depth: source.depth,
            on: TypeMask::of_condition(&source.on),
            value: picks(&source.fields),
        };
        let sources = variable.sources.iter();
        ContextVariable {
            key: member_key(&variable.name),
            nullable: variable.nullable,
            sources: sources
                .map(|sources| sources.iter().map(source).collect())
                .collect(),
        }
    }

    /// Appends `"name":value`.
    fn write(
        &self,
        target: usize,
        arena: &Arena,
        around: &[ObjectId],
        out: &mut Vec<u8>,
    ) -> Result<(), Missing> {
        out.extend_from_slice(&self.key);
        let start = out.len();
        let sources = self.sources.get(target).map_or(&[][..], Vec::as_slice);
        let found = sources.iter().find_map(|source| {
            let object = around.get(source.depth).copied()?;
            let fits = source.on.matches(arena.runtime(object));
            fits.then_some((source, object))
        });
        let (source, object) = found.ok_or(Missing)?;
        write_object(arena, object, &source.value, out)?;
        if !self.nullable && out[start..] == *b"null" {
            return Err(Missing);
        }
        Ok(())
    }
}

fn picks(fields: &[plan::RepresentationField]) -> Vec<Pick> {
    let pick = |field: &plan::RepresentationField| Pick {
        slot: field.slot,
        on: TypeMask::of_condition(&field.on),
        inner: field.fields.as_deref().map(picks),
    };
    fields.iter().map(pick).collect()
}

fn write_object(arena: &Arena, object: ObjectId, picks: &[Pick], out: &mut Vec<u8>) -> Result<(), Missing> {
    let runtime = arena.runtime(object);
    let Some(pick) = picks.iter().find(|pick| pick.on.matches(runtime)) else {
        out.extend_from_slice(b"null");
        return Ok(());
    };
    let value = arena.find(object, pick.slot).ok_or(Missing)?;
    write_value(arena, value, pick.inner.as_deref(), out)
}

fn write_value(
    arena: &Arena,
    value: Value,
    inner: Option<&[Pick]>,
    out: &mut Vec<u8>,
) -> Result<(), Missing> {
    match (value, inner) {
        (Value::Null, _) => out.extend_from_slice(b"null"),
        (Value::Leaf(leaf), None) => out.extend_from_slice(arena.raw(leaf)),
        (Value::Object(object), Some(inner)) => write_object(arena, object, inner, out)?,
        (Value::List(run), Some(_)) => {
            out.push(b'[');
            for (index, &item) in arena.items(run).iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(arena, item, inner, out)?;
            }
            out.push(b']');
        }
        _ => return Err(Missing),
    }
    Ok(())
}

/// The objects around what a walk has reached: the n-th after n steps of the path.
#[derive(Default)]
struct Around(Vec<ObjectId>);

impl Trail for Around {
    fn inside(&mut self, object: ObjectId) {
        self.0.push(object);
    }
    fn outside(&mut self) {
        self.0.pop();
    }
}

/// Entities with equal values, and their representations in `out`.
#[derive(Default)]
struct Part {
    out: Vec<u8>,
    batch: Batch,
}

/// The requests of a fetch with contextual arguments: one for each set of values, in the order of the tree; and
/// the objects that were left out.
pub(crate) fn requests(
    fetch: &Fetch,
    group: &Group,
    inputs: &Inputs,
    tree: Tree<'_>,
) -> (Vec<Request>, Vec<ObjectId>) {
    let Body::Open { head, variables } = &fetch.body else {
        unreachable!("an entity fetch has variables")
    };
    let mut start = head.to_vec();
    write_variables(variables, inputs, &mut start);
    let finish = |(values, part): (Vec<u8>, Part)| {
        let sent = part.batch.sent();
        if sent.count == 0 {
            return None;
        }
        let mut body = start.clone();
        separate(&mut body);
        body.extend_from_slice(&values);
        body.extend_from_slice(&group.variable);
        body.push(b'[');
        body.extend_from_slice(&part.out);
        body.extend_from_slice(b"]}}");
        Some(Request {
            body: body.into(),
            sent: vec![sent],
            fallback: false,
        })
    };
    let mut left_out = Vec::new();
    let parts = parts(group, tree, &mut left_out).into_iter();
    (parts.filter_map(finish).collect(), left_out)
}

/// Entities by the values of their variables (`"name":value,` for each).
fn parts(group: &Group, tree: Tree<'_>, left_out: &mut Vec<ObjectId>) -> Vec<(Vec<u8>, Part)> {
    let Tree { arena, root, .. } = tree;
    let mut parts: Vec<(Vec<u8>, Part)> = Vec::new();
    let mut numbers: HashMap<Vec<u8>, usize> = HashMap::new();
    for (index, target) in group.targets.iter().enumerate() {
        let found = &mut |object: ObjectId, around: &Around| {
            let mut values = Vec::new();
            for variable in &group.context {
                if variable.write(index, arena, &around.0, &mut values).is_err() {
                    return left_out.push(object);
                }
                values.push(b',');
            }
            let number = *numbers.entry(values).or_insert_with_key(|values| {
                parts.push((values.clone(), Part::default()));
                parts.len() - 1
            });
            let Part { out, batch } = &mut parts[number].1;
            if !batch.add(arena, object, &target.representations, out) {
                left_out.push(object);
            }
        };
        walk(
            arena,
            Value::Object(root),
            &target.path,
            &mut Around::default(),
            found,
        );
    }
    parts
}
