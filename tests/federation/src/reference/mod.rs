//! A plan executed slowly and simply on JSON trees, with what subgraphs answered in a real run.
//!
//! It shares nothing with the executor but the plan. What it makes of failed calls and nulls is what the
//! specification's [null rules](https://spec.graphql.org/October2021/#sec-Handling-Field-Errors) make of them.
mod answer;
mod represent;
mod told;
mod tree;

use baedal_planner::Plan;
use baedal_planner::plan::{EntityGroup, Entry, Fetch, FetchId, Known, QueryGroup};
use serde_json::Value;

use crate::world::{Call, parts};
pub use answer::{Completed, complete};
use represent::represent;
pub use told::told;
pub use tree::{Node, Object, Place};
use tree::{at_mut, find, get, merge, read};

/// Why the executor's calls are not what the plan asks for.
pub type Deviation = String;

/// What a plan's calls bring together.
#[derive(Debug)]
pub struct Gathered {
    /// The tree.
    pub root: Node,
    /// For which objects each call was made.
    pub asked: Vec<Asked>,
}

/// An object for which a fetch was made.
#[derive(Debug)]
pub struct Asked {
    /// Index in the plan.
    pub fetch: FetchId,
    /// The text that was sent: a fetch has two forms.
    pub query: Box<str>,
    /// Of an entity: the field it comes in, and its number there.
    pub entity: Option<(Box<str>, usize)>,
    /// Where it is.
    pub place: Place,
}

/// The tree that a plan's calls bring together.
///
/// # Errors
/// Calls that the plan does not ask for, or that are missing.
pub fn gather(plan: &Plan, calls: &[Call]) -> Result<Gathered, Deviation> {
    let mut run = Run {
        plan,
        calls,
        root: Node::Object(Object::default()),
        asked: Vec::new(),
    };
    for (id, fetch) in plan.fetches.iter().enumerate() {
        run.fetch(id, fetch)?;
    }
    Ok(Gathered {
        root: run.root,
        asked: run.asked,
    })
}

/// Whether a plan uses what this does not know: arguments filled from enclosing objects.
pub fn is_supported(plan: &Plan) -> bool {
    let contextual = |fetch: &Fetch| match &fetch.entry {
        Entry::Root(_) | Entry::Queries(_) => false,
        Entry::Entities(groups) => groups.iter().any(|group| !group.context.is_empty()),
    };
    !plan.fetches.iter().any(contextual)
}

struct Run<'r> {
    plan: &'r Plan,
    calls: &'r [Call],
    root: Node,
    asked: Vec<Asked>,
}

impl Run<'_> {
    fn fetch(&mut self, id: FetchId, fetch: &Fetch) -> Result<(), Deviation> {
        let mut left_out = Vec::new();
        self.sent(id, fetch, None, &mut left_out)?;
        if let Some(fallback) = &fetch.fallback {
            self.sent(id, fallback, Some(&left_out), &mut Vec::new())?;
        }
        Ok(())
    }

    /// One of a fetch's two forms; places that have no representation are added to `left_out`.
    fn sent(
        &mut self,
        id: FetchId,
        fetch: &Fetch,
        only: Option<&[Place]>,
        left_out: &mut Vec<Place>,
    ) -> Result<(), Deviation> {
        let made = |call: &&Call| call.fetch == id && call.request["query"] == *fetch.query;
        let call = self.calls.iter().find(made);
        let body: Value = call
            .and_then(|call| serde_json::from_str(call.response.as_deref()?).ok())
            .unwrap_or_default();
        match &fetch.entry {
            Entry::Root(shape) => {
                if call.is_none() {
                    return Err(format!("fetch {id} was not sent"));
                }
                if let Node::Object(mut object) = read(self.plan, shape, &body["data"]) {
                    object.runtime = None;
                    merge(&mut self.root, Node::Object(object));
                }
                Ok(())
            }
            Entry::Queries(group) => self.queries((id, &fetch.query), group, call.is_some(), &body["data"]),
            Entry::Entities(groups) => {
                let mut sent = 0;
                for group in groups {
                    sent += self.group((id, &fetch.query), group, (call, &body["data"]), only, left_out)?;
                }
                match (sent, call) {
                    (0, Some(_)) => Err(format!("fetch {id} was sent for nothing")),
                    (1.., None) => Err(format!("fetch {id} was not sent")),
                    _ => Ok(()),
                }
            }
        }
    }

    /// Reads what came into each object of the query type.
    fn queries(
        &mut self,
        (id, query): (FetchId, &str),
        group: &QueryGroup,
        sent: bool,
        data: &Value,
    ) -> Result<(), Deviation> {
        let mut places: Vec<Place> = Vec::new();
        for target in &group.targets {
            let found = find(self.plan, &self.root, &target.path).into_iter();
            let meant = |place: &Place| {
                represent(self.plan, get(&self.root, place), &target.representations).is_some()
            };
            places.extend(found.filter(meant));
        }
        if sent == places.is_empty() {
            return Err(format!(
                "fetch {id} was sent: {sent}, for {} objects",
                places.len()
            ));
        }
        let came = read(self.plan, &group.shape, data);
        for place in places {
            if let Node::Object(object) = &came {
                let object = Object {
                    runtime: None,
                    ..object.clone()
                };
                merge(at_mut(&mut self.root, &place), Node::Object(object));
            }
            self.asked.push(Asked {
                fetch: id,
                query: query.into(),
                entity: None,
                place,
            });
        }
        Ok(())
    }

    /// Reads the entities of a group; gives how many representations there are to send.
    fn group(
        &mut self,
        (id, query): (FetchId, &str),
        group: &EntityGroup,
        (call, data): (Option<&Call>, &Value),
        only: Option<&[Place]>,
        left_out: &mut Vec<Place>,
    ) -> Result<usize, Deviation> {
        let mut wanted: Vec<Value> = Vec::new();
        let mut news: Vec<(Place, Node)> = Vec::new();
        for target in &group.targets {
            let places = find(self.plan, &self.root, &target.path).into_iter();
            for place in places.filter(|place| only.is_none_or(|only| only.contains(place))) {
                let Some(representation) =
                    represent(self.plan, get(&self.root, &place), &target.representations)
                else {
                    left_out.push(place);
                    continue;
                };
                if let Some(copy) = self.known(group, &representation) {
                    news.push((place, copy));
                    continue;
                }
                let number = wanted
                    .iter()
                    .position(|one| *one == representation)
                    .unwrap_or_else(|| {
                        wanted.push(representation);
                        wanted.len() - 1
                    });
                self.asked.push(Asked {
                    fetch: id,
                    query: query.into(),
                    entity: Some((group.response_key.clone(), number)),
                    place: place.clone(),
                });
                let entity = &data[&*group.response_key][number];
                if entity.is_object() {
                    news.push((place, read(self.plan, &group.shape, entity)));
                }
            }
        }
        let sent = call.map(|call| call.request["variables"][&*group.variable].clone());
        let sent = sent.unwrap_or(Value::Array(Vec::new()));
        if call.is_some() && sent != Value::Array(wanted.clone()) {
            let wanted = Value::Array(wanted);
            return Err(format!(
                "fetch {id} was sent with {sent}, where {wanted} was to be sent"
            ));
        }
        for (place, new) in news {
            merge(at_mut(&mut self.root, &place), new);
        }
        Ok(wanted.len())
    }

    /// An entity that the same subgraph gave before.
    fn known(&self, group: &EntityGroup, representation: &Value) -> Option<Node> {
        let usable = |known: &&Known| {
            let mut calls = self.calls.iter().filter(|call| call.fetch == known.fetch);
            calls.all(|call| {
                let errors = call.response.as_deref().map(|body| parts(body).1);
                errors.is_some_and(|errors| errors.is_empty())
            })
        };
        group.known.iter().filter(usable).find_map(|known| {
            let places = find(self.plan, &self.root, &known.target.path).into_iter();
            let mut entities = places.map(|place| get(&self.root, &place));
            let entity = entities.find(|entity| {
                let whole = known
                    .copies
                    .iter()
                    .all(|copied| entity.slot(copied.from).is_some());
                whole
                    && represent(self.plan, entity, &known.target.representations).as_ref()
                        == Some(representation)
            })?;
            Some(entity.copied(&known.copies))
        })
    }
}
