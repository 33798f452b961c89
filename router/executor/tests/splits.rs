//! One data set, its fields split at random over fetches: the answer is that of the whole.
//!
//! Entities are few and meet each other often, so that most of them are found at many places; at each place the same slot
//! may hold a field with another argument. Nothing may run from one place into another.
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use baedal_executor::{CallError, Inputs, Program, SubgraphCall, Subgraphs, execute};
use baedal_planner::plan::{Entry, Keep, Plan, Shape};
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::plans::Builder;
use crate::properties::Dice;
use crate::script::block_on;

fn hash(id: u64, field: &str) -> u64 {
    Dice(field.bytes().fold(id, |seed, byte| {
        seed.wrapping_mul(31).wrapping_add(u64::from(byte))
    }))
    .roll(1 << 32)
}

/// The other entity of a field: few, and now and then none.
fn one(id: u64, field: &str) -> Option<u64> {
    let hash = hash(id, field);
    (!hash.is_multiple_of(6)).then_some(hash % 5)
}

fn many(id: u64, field: &str) -> Vec<Option<u64>> {
    (0..hash(id, field) % 4)
        .map(|index| one(id + 10 * index, field))
        .collect()
}

/// What is selected at a place: leaves with their arguments, and fields of entities.
#[derive(Default)]
struct Place {
    leaves: Vec<(String, u64)>,
    entities: Vec<&'static str>,
}

/// Fields at some places that a fetch of its own brings.
struct Pending {
    paths: Vec<String>,
    after: usize,
    leaves: Vec<&'static str>,
    entities: Vec<&'static str>,
}

struct Split<'d> {
    dice: &'d mut Dice,
    places: BTreeMap<String, Place>,
    pending: Vec<Pending>,
}

impl Split<'_> {
    fn leaf(&mut self, name: &str, paths: &[String], shape: &mut String) {
        let argument = self.dice.roll(3);
        if paths
            .iter()
            .any(|path| self.places[path].leaves.iter().any(|(known, _)| known == name))
        {
            return;
        }
        write!(shape, "{name}_{argument}={name} ").unwrap();
        for path in paths {
            self.places
                .get_mut(path)
                .unwrap()
                .leaves
                .push((name.into(), argument));
        }
    }

    fn entity(&mut self, name: &'static str, paths: &[String], fetch: usize, shape: &mut String) {
        write!(shape, "{name}{{id ").unwrap();
        let below: Vec<String> = paths.iter().map(|path| format!("{path}.{name}")).collect();
        for (path, below) in paths.iter().zip(&below) {
            let place = self.places.get_mut(path).unwrap();
            if !place.entities.contains(&name) {
                place.entities.push(name);
            }
            self.places.entry(below.clone()).or_default();
        }
        self.place(&below, fetch, shape);
        shape.push('}');
    }

    /// Selects fields at places that are alike; what this fetch does not bring, others will.
    fn place(&mut self, paths: &[String], fetch: usize, shape: &mut String) {
        let (mut leaves, mut entities) = (Vec::new(), Vec::new());
        for name in ["p0", "p1", "p2"] {
            match self.dice.roll(4) {
                0 => self.leaf(name, paths, shape),
                1 => leaves.push(name),
                _ => {}
            }
        }
        let deep = paths[0].matches('.').count() >= 3;
        for name in ["k0", "k1", "m0"].iter().filter(|_| !deep) {
            match self.dice.roll(7) {
                0 | 1 => self.entity(name, paths, fetch, shape),
                2 | 3 => entities.push(*name),
                // Several fetches meet in one object.
                4 => {
                    self.entity(name, paths, fetch, shape);
                    entities.push(*name);
                }
                _ => {}
            }
        }
        if leaves.is_empty() && entities.is_empty() || self.pending.len() > 12 {
            return;
        }
        let pending = |paths: &[String]| Pending {
            paths: paths.to_vec(),
            after: fetch,
            leaves: leaves.clone(),
            entities: entities.clone(),
        };
        if self.dice.once_in(2) {
            self.pending.push(pending(paths));
        } else {
            self.pending.extend(paths.chunks(1).map(pending));
        }
    }
}

/// A plan, and what it selects at each place.
fn split(seed: u64) -> (Plan, BTreeMap<String, Place>) {
    let dice = &mut Dice(seed);
    let mut split = Split {
        dice,
        places: BTreeMap::new(),
        pending: Vec::new(),
    };
    let roots = ["k0", "k1", "m0"];
    let paths: Vec<String> = roots.map(String::from).into();
    for path in &paths {
        split.places.insert(path.clone(), Place::default());
    }
    let mut inner = String::from("id ");
    split.place(&paths, 0, &mut inner);
    let shape: String = roots.iter().map(|root| format!("{root}{{{inner}}} ")).collect();
    let mut builder = Builder::new().root("s", &[], &shape);
    let mut fetch = 0;
    while let Some(pending) = split.pending.pop() {
        fetch += 1;
        let mut shape = String::new();
        for name in pending.leaves {
            split.leaf(name, &pending.paths, &mut shape);
        }
        for name in pending.entities {
            split.entity(name, &pending.paths, fetch, &mut shape);
        }
        builder = builder.entities(
            "s",
            &[pending.after],
            (&pending.paths.join(" "), "E", "id"),
            &shape,
        );
        if fetch > 60 {
            break;
        }
    }
    let projection: String = roots
        .iter()
        .map(|root| projection(&split.places, root, root))
        .collect();
    (builder.answer(&projection), split.places)
}

fn projection(places: &BTreeMap<String, Place>, path: &str, name: &str) -> String {
    let place = &places[path];
    let leaves: String = place
        .leaves
        .iter()
        .rev()
        .map(|(name, _)| format!("{name}:Int "))
        .collect();
    let below: String = place
        .entities
        .iter()
        .map(|name| projection(places, &format!("{path}.{name}"), name))
        .collect();
    let kind = if name.starts_with('m') { "[E]" } else { "E" };
    format!("{name}:{kind}{{{leaves}{below}}} ")
}

/// The answer of the whole.
fn whole(places: &BTreeMap<String, Place>, path: &str, id: u64) -> Value {
    let place = &places[path];
    let mut object = Map::new();
    for (name, argument) in &place.leaves {
        object.insert(name.clone(), json!(hash(id, &format!("{name}_{argument}")) >> 2));
    }
    for name in &place.entities {
        object.insert(
            (*name).into(),
            field(id, name, &|id| whole(places, &format!("{path}.{name}"), id)),
        );
    }
    Value::Object(object)
}

fn field(id: u64, name: &str, of: &dyn Fn(u64) -> Value) -> Value {
    if name.starts_with('m') {
        many(id, name)
            .into_iter()
            .map(|id| id.map_or(Value::Null, of))
            .collect()
    } else {
        one(id, name).map_or(Value::Null, of)
    }
}

/// Answers any fetch of a plan from the data set.
struct Source<'p>(&'p Plan);

impl Source<'_> {
    fn object(&self, shape: &Shape, id: u64) -> Value {
        let value = |key: &str, keep: &Keep| match keep {
            Keep::Object(_, shape) => field(id, key, &|id| self.object(shape, id)),
            _ if key == "id" => json!(id),
            _ => json!(hash(id, key) >> 2),
        };
        let member = |key: &str, keep| (key.to_string(), value(key, keep));
        Value::Object(
            shape
                .fields
                .iter()
                .map(|field| member(&field.response_key, &field.keep))
                .collect(),
        )
    }
}

impl Subgraphs for Source<'_> {
    async fn call(&self, call: SubgraphCall<'_>) -> Result<Bytes, CallError> {
        let data = match &self.0.fetches[call.fetch].entry {
            Entry::Root(shape) => self.object(shape, 0),
            Entry::Entities(groups) => {
                let request: Value = serde_json::from_slice(&call.body).unwrap();
                let asked = request["variables"]["r"].as_array().unwrap();
                let ids: Vec<u64> = asked.iter().map(|one| one["id"].as_u64().unwrap()).collect();
                let unique: std::collections::BTreeSet<_> = ids.iter().collect();
                assert_eq!(unique.len(), ids.len(), "an entity is asked for once");
                let entities: Vec<Value> = ids.iter().map(|id| self.object(&groups[0].shape, *id)).collect();
                json!({"_entities": entities})
            }
            Entry::Queries(group) => self.object(&group.shape, 0),
        };
        Ok(json!({"data": data}).to_string().into())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn however_the_fields_are_split_the_answer_is_that_of_the_whole(seed: u64) {
        let (plan, places) = split(seed);
        let program = Program::compile(Arc::new(plan));
        let answer = block_on(execute(&program, &Inputs::default(), &Source(program.plan())));
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        let root = |name: &&str| (name.to_string(), field(0, name, &|id| whole(&places, name, id)));
        let expected = Value::Object(["k0", "k1", "m0"].iter().map(root).collect());
        prop_assert_eq!(&answer, &json!({"data": expected}));
    }
}
