//! The GraphQL specification's completion of values on `serde_json` data: slow, simple, and nothing of the executor's.
use baedal_planner::plan::*;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// JSON with its keys in order.
#[derive(Clone, Debug)]
pub enum Tree {
    Leaf(Value),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

impl Tree {
    pub fn plain(&self) -> Value {
        match self {
            Tree::Leaf(value) => value.clone(),
            Tree::List(items) => items.iter().map(Tree::plain).collect(),
            Tree::Map(members) => Value::Object(
                members
                    .iter()
                    .map(|(key, value)| (key.clone(), value.plain()))
                    .collect(),
            ),
        }
    }

    pub fn get(&self, key: &str) -> Option<&Tree> {
        let Tree::Map(members) = self else { return None };
        members
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }
}

/// Whether they are the same, the order of keys included (except in custom scalars).
pub fn same(expected: &Tree, actual: &Tree) -> bool {
    match (expected, actual) {
        (Tree::Leaf(leaf), actual) => *leaf == actual.plain(),
        (Tree::List(one), Tree::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Tree::Map(one), Tree::Map(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| one.0 == other.0 && same(&one.1, &other.1))
        }
        _ => false,
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Leaf(Value::Null))
    }
    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.into()))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.into()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.into()))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.into()))
    }
    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.into()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Tree::Map(members))
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

/// A null where none may be.
pub struct Bubble;

/// The data a client must get, when `data` is all that subgraphs gave (every slot named as its response key).
pub fn complete(plan: &Plan, data: &Map<String, Value>) -> Tree {
    object(plan, &plan.answer, data, None).unwrap_or(Tree::Leaf(Value::Null))
}

fn object(
    plan: &Plan,
    projection: &Projection,
    data: &Map<String, Value>,
    runtime: Option<TypeId>,
) -> Result<Tree, Bubble> {
    let mut members = Vec::new();
    for field in &projection.fields {
        if let Some(on) = &field.on
            && runtime.is_none_or(|id| !on.contains(&id))
        {
            continue;
        }
        let value = match &field.source {
            Source::Typename(certain) => match (runtime, certain) {
                (Some(id), _) => Tree::Leaf(Value::from(&*plan.types[id.0 as usize])),
                (None, Some(name)) => Tree::Leaf(Value::from(&**name)),
                (None, None) => return Err(Bubble),
            },
            Source::Field(_, of) => value(
                plan,
                data.get(&*field.response_key).unwrap_or(&Value::Null),
                &of.wrapping,
                &of.named,
            )?,
            Source::Given | Source::Withheld(_) => unreachable!("not in these plans"),
        };
        members.push((field.response_key.to_string(), value));
    }
    Ok(Tree::Map(members))
}

fn value(plan: &Plan, data: &Value, wrapping: &Wrapping, named: &Named) -> Result<Tree, Bubble> {
    let completed = match (data, &wrapping.item) {
        (Value::Null, _) => Err(Bubble),
        (Value::Array(items), Some(item)) => items
            .iter()
            .map(|data| value(plan, data, item, named))
            .collect::<Result<_, _>>()
            .map(Tree::List),
        (_, Some(_)) => Err(Bubble),
        (data, None) => name(plan, data, named),
    };
    if completed.is_err() && wrapping.nullable {
        Ok(Tree::Leaf(Value::Null))
    } else {
        completed
    }
}

fn name(plan: &Plan, data: &Value, named: &Named) -> Result<Tree, Bubble> {
    if let Named::Object {
        certain,
        possible,
        projection,
    } = named
    {
        let Value::Object(data) = data else {
            return Err(Bubble);
        };
        let runtime = match data.get("__typename") {
            None | Some(Value::Null) => *certain,
            Some(name) => {
                let id = plan
                    .types
                    .iter()
                    .position(|known| name == &**known)
                    .ok_or(Bubble)?;
                Some(TypeId(id as u32))
            }
        };
        if runtime.is_some_and(|id| !possible.contains(&id)) {
            return Err(Bubble);
        }
        return object(plan, projection, data, runtime);
    }
    if is_leaf_of(data, named) {
        Ok(Tree::Leaf(data.clone()))
    } else {
        Err(Bubble)
    }
}

fn is_leaf_of(data: &Value, named: &Named) -> bool {
    match named {
        Named::Int => data.as_i64().is_some_and(|value| i32::try_from(value).is_ok()),
        Named::Float => data.is_number(),
        Named::String => data.is_string(),
        Named::Boolean => data.is_boolean(),
        Named::Id => data.is_string() || data.is_i64() || data.is_u64(),
        Named::Scalar => true,
        Named::Enum { values, .. } => data
            .as_str()
            .is_some_and(|value| values.iter().any(|known| **known == *value)),
        Named::Object { .. } => false,
    }
}

/// Whether some data of subgraphs could have given this answer.
pub fn fits(plan: &Plan, data: &Tree) -> bool {
    matches!(data, Tree::Leaf(Value::Null)) || fits_object(plan, data, &plan.answer, &[None])
}

fn fits_object(plan: &Plan, data: &Tree, projection: &Projection, runtimes: &[Option<TypeId>]) -> bool {
    let Tree::Map(members) = data else { return false };
    runtimes.iter().any(|runtime| {
        let applies = |field: &&ProjectedField| match (&field.on, runtime) {
            (None, _) => true,
            (Some(on), Some(id)) => on.contains(id),
            (Some(_), None) => false,
        };
        let fields: Vec<_> = projection.fields.iter().filter(applies).collect();
        let fits = |(field, (key, data)): (&&ProjectedField, &(String, Tree))| {
            *field.response_key == **key
                && match &field.source {
                    Source::Typename(_) => matches!(data, Tree::Leaf(Value::String(_))),
                    Source::Field(_, of) => fits_value(plan, data, &of.wrapping, &of.named),
                    Source::Given | Source::Withheld(_) => true,
                }
        };
        fields.len() == members.len() && fields.iter().zip(members).all(fits)
    })
}

fn fits_value(plan: &Plan, data: &Tree, wrapping: &Wrapping, named: &Named) -> bool {
    match (data, &wrapping.item) {
        (Tree::Leaf(Value::Null), _) => wrapping.nullable,
        (Tree::List(items), Some(item)) => items.iter().all(|data| fits_value(plan, data, item, named)),
        (_, Some(_)) => false,
        (data, None) => match named {
            Named::Object {
                possible, projection, ..
            } => {
                let runtimes: Vec<_> = possible.iter().copied().map(Some).chain([None]).collect();
                fits_object(plan, data, projection, &runtimes)
            }
            leaf => is_leaf_of(&data.plain(), leaf),
        },
    }
}
