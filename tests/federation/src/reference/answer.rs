//! The client's answer, by the specification's completion of values:
//! <https://spec.graphql.org/October2021/#sec-Value-Completion>.
use baedal_planner::Plan;
use baedal_planner::plan::{Named, Projection, Source, TypeId, Wrapping};
use serde_json::{Map, Value};

use super::tree::{Node, Object, applies};

/// The client's answer.
#[derive(Debug)]
pub struct Completed {
    /// `data`.
    pub data: Value,
    /// Where null met a non-null type first, as response paths.
    pub violations: Vec<Vec<Value>>,
}

/// Completes the tree of a plan.
pub fn complete(plan: &Plan, root: &Object) -> Completed {
    let mut completion = Completion {
        plan,
        path: Vec::new(),
        violations: Vec::new(),
    };
    let data = completion.object(root, None, &plan.answer);
    Completed {
        data: data.map_or(Value::Null, Value::Object),
        violations: completion.violations,
    }
}

/// Null where none may be: the place above becomes null.
struct Bubble;

struct Completion<'p> {
    plan: &'p Plan,
    path: Vec<Value>,
    violations: Vec<Vec<Value>>,
}

impl Completion<'_> {
    fn object(
        &mut self,
        object: &Object,
        runtime: Option<TypeId>,
        projection: &Projection,
    ) -> Result<Map<String, Value>, Bubble> {
        let mut fields = Map::new();
        for field in &projection.fields {
            if !applies(field.on.as_ref(), runtime) {
                continue;
            }
            self.path.push((*field.response_key).into());
            let value = match &field.source {
                Source::Typename(certain) => self.typename(runtime, certain.as_deref()),
                Source::Given => Ok(Value::Null),
                Source::Withheld(wrapping) => self.null(wrapping),
                Source::Field(slot, of) => {
                    let node = object.slots.get(&slot.0).unwrap_or(&Node::Null);
                    self.value(node, &of.wrapping, &of.named)
                }
            };
            self.path.pop();
            fields.insert(field.response_key.to_string(), value?);
        }
        Ok(fields)
    }

    fn typename(&mut self, runtime: Option<TypeId>, certain: Option<&str>) -> Result<Value, Bubble> {
        match runtime.map(|id| &*self.plan.types[id.0 as usize]).or(certain) {
            Some(name) => Ok(name.into()),
            None => self.violation(),
        }
    }

    fn violation<T>(&mut self) -> Result<T, Bubble> {
        self.violations.push(self.path.clone());
        Err(Bubble)
    }

    fn null(&mut self, wrapping: &Wrapping) -> Result<Value, Bubble> {
        if wrapping.nullable {
            Ok(Value::Null)
        } else {
            self.violation()
        }
    }

    fn value(&mut self, node: &Node, wrapping: &Wrapping, named: &Named) -> Result<Value, Bubble> {
        let completed = match (node, &wrapping.item) {
            (Node::Null | Node::Leaf(Value::Null), _) => return self.null(wrapping),
            (Node::List(items), Some(item)) => self.list(items.len(), |completion, index| {
                completion.value(&items[index], item, named)
            }),
            (Node::Leaf(Value::Array(items)), Some(item)) => self.list(items.len(), |completion, index| {
                completion.value(&Node::Leaf(items[index].clone()), item, named)
            }),
            (Node::Object(object), None) => self.typed(object, wrapping, named),
            (Node::Leaf(leaf), None) => self.leaf(leaf, wrapping, named),
            _ => self.violation(),
        };
        match completed {
            Err(Bubble) if wrapping.nullable => Ok(Value::Null),
            completed => completed,
        }
    }

    fn list(
        &mut self,
        length: usize,
        mut item: impl FnMut(&mut Self, usize) -> Result<Value, Bubble>,
    ) -> Result<Value, Bubble> {
        let mut items = Vec::new();
        for index in 0..length {
            self.path.push(index.into());
            let value = item(self, index);
            self.path.pop();
            items.push(value?);
        }
        Ok(items.into())
    }

    fn typed(&mut self, object: &Object, wrapping: &Wrapping, named: &Named) -> Result<Value, Bubble> {
        let Named::Object {
            certain,
            possible,
            projection,
        } = named
        else {
            return self.violation();
        };
        let runtime = object.runtime.or(*certain);
        if runtime.is_some_and(|id| !possible.contains(&id)) {
            return self.null(wrapping);
        }
        self.object(object, runtime, projection).map(Value::Object)
    }

    fn leaf(&mut self, leaf: &Value, wrapping: &Wrapping, named: &Named) -> Result<Value, Bubble> {
        let among = |values: &[Box<str>]| values.iter().any(|value| leaf == &**value);
        match named {
            Named::Enum { hidden, .. } if among(hidden) => self.null(wrapping),
            Named::Enum { values, .. } if !among(values) => self.violation(),
            _ => Ok(leaf.clone()),
        }
    }
}
