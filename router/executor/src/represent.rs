//! Representations: compiled, and written straight from raw slices of the tree.
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/subgraph-spec#query_entities>
use baedal_planner::plan::{self, Slot};

use crate::arena::{Arena, Leaf, ObjectId, Value};
use crate::literal::Literal;
use crate::types::{RuntimeType, TypeMask, TypeTable, quoted};

/// How an entity of certain types is written.
#[derive(Debug)]
pub(crate) struct Representation {
    on: TypeMask,
    /// `{"__typename":"…"`
    head: Box<[u8]>,
    /// The type of `head`, unless it is an interface.
    typename: RuntimeType,
    members: Vec<Member>,
}

/// A member and the fields it may be written from: the first whose condition holds.
#[derive(Debug)]
struct Member {
    /// `{"name":`
    first: Literal,
    /// `,"name":`
    next: Literal,
    choices: Vec<Choice>,
}

#[derive(Debug)]
struct Choice {
    slot: Slot,
    on: TypeMask,
    members: Option<Vec<Member>>,
    nullable: bool,
}

/// The entity can't be asked for: a key is null, or something was never fetched.
struct Incomplete;

impl Representation {
    pub(crate) fn compile(representation: &plan::Representation, types: &TypeTable) -> Representation {
        Representation {
            typename: types.known(&representation.typename),
            on: TypeMask::of_condition(&representation.on),
            head: [b"{\"__typename\":", &*quoted(&representation.typename)]
                .concat()
                .into(),
            members: members(&representation.fields),
        }
    }
}

fn members(fields: &[plan::RepresentationField]) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    for field in fields {
        let next = Literal::key(",", &field.name);
        let choice = Choice {
            slot: field.slot,
            on: TypeMask::of_condition(&field.on),
            members: field.fields.as_deref().map(crate::represent::members),
            nullable: field.nullable,
        };
        match members
            .iter_mut()
            .find(|member| member.next.text() == next.text())
        {
            Some(member) => member.choices.push(choice),
            None => members.push(Member {
                first: Literal::key("{", &field.name),
                next,
                choices: vec![choice],
            }),
        }
    }
    members
}

/// Appends the representation of an entity and gives the type sent; `None` if it has none (what was appended is of no use).
pub(crate) fn represent(
    arena: &Arena,
    entity: ObjectId,
    choices: &[Representation],
    out: &mut Vec<u8>,
) -> Option<RuntimeType> {
    let runtime = arena.runtime(entity);
    let choice = choices.iter().find(|choice| choice.on.matches(runtime))?;
    out.extend_from_slice(&choice.head);
    write_members(arena, entity, &choice.members, out, false).ok()?;
    Some(choice.typename)
}

/// Up to the closing brace. `empty`: whether nothing, not even the opening brace, is there yet.
fn write_members(
    arena: &Arena,
    object: ObjectId,
    members: &[Member],
    out: &mut Vec<u8>,
    mut empty: bool,
) -> Result<(), Incomplete> {
    let runtime = arena.runtime(object);
    let mut cursor = arena.cursor(object);
    for member in members {
        let Some(choice) = member.choices.iter().find(|choice| choice.on.matches(runtime)) else {
            continue;
        };
        let value = arena
            .find_next(object, choice.slot, &mut cursor)
            .ok_or(Incomplete)?;
        if value == Value::Null && !choice.nullable {
            return Err(Incomplete);
        }
        if empty { &member.first } else { &member.next }.append(out);
        empty = false;
        write_value(arena, value, choice.members.as_deref(), out)?;
    }
    if empty {
        out.push(b'{');
    }
    out.push(b'}');
    Ok(())
}

fn write_value(
    arena: &Arena,
    value: Value,
    members: Option<&[Member]>,
    out: &mut Vec<u8>,
) -> Result<(), Incomplete> {
    match (value, members) {
        (Value::Null, _) => out.extend_from_slice(b"null"),
        (Value::Leaf(leaf), None) => append(arena, leaf, out),
        (Value::Object(object), Some(members)) => write_members(arena, object, members, out, true)?,
        (Value::List(run), Some(members)) => {
            out.push(b'[');
            for (index, &item) in arena.items(run).iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(arena, item, Some(members), out)?;
            }
            out.push(b']');
        }
        _ => return Err(Incomplete),
    }
    Ok(())
}

/// Appends a leaf; a short one without a call.
#[inline]
fn append(arena: &Arena, leaf: Leaf, out: &mut Vec<u8>) {
    const WIDTH: usize = 16;
    let len = leaf.len as usize;
    match arena.from(leaf).first_chunk::<WIDTH>() {
        Some(chunk) if len <= WIDTH => {
            out.extend_from_slice(chunk);
            out.truncate(out.len() - WIDTH + len);
        }
        _ => out.extend_from_slice(arena.raw(leaf)),
    }
}
