//! What becomes of a subgraph's answer: data goes into the tree, whatever went wrong into the errors.
use baedal_planner::plan::{FetchId, Slot};
use bytes::Bytes;
use serde_json::Value as Json;

use crate::arena::{ObjectId, Run as Items, Value};
use crate::errors::{Extensions, Problem, Segment};
use crate::merge::Unattached;
use crate::paths::{asked_places, client_path};
use crate::port::CallError;
use crate::program::{Entry, Fetch, Group};
use crate::read::{Data, read};
use crate::request::{Asked, Request, SentGroup};
use crate::schedule::Run;
use crate::shape::{Keep, Shape};
use crate::types::RuntimeType;
use crate::walk::At;

/// `extensions.code` of an answer that is not what was asked for.
const MALFORMED: &str = "SUBREQUEST_MALFORMED_RESPONSE";
const DISAGREEMENT: &str = "SUBGRAPHS_DISAGREE";
/// `extensions.code` of an answer, or a part of it, that was cut.
pub(crate) const ANSWER_TOO_LARGE: &str = "ANSWER_TOO_LARGE";
const TOO_LARGE: &str = "SUBREQUEST_RESPONSE_TOO_LARGE";

/// What came for a group's objects.
#[derive(Clone, Copy)]
enum Came {
    /// One entity for each representation.
    Each(Items),
    /// The same for all.
    One(ObjectId),
}

impl Run<'_> {
    /// Takes in the result of a fetch's call.
    pub fn receive(&mut self, id: FetchId, request: &Request, result: Result<Bytes, CallError>) {
        let sent = &request.sent;
        let fetch = &self.program.fetches[id];
        let fallback = fetch.fallback.as_deref().filter(|_| request.fallback);
        let fetch = fallback.unwrap_or(fetch);
        let body = match result {
            Ok(body) => body,
            Err(error) => return self.fail(fetch, sent, &error),
        };
        let room = (u32::MAX as usize).saturating_sub(self.arena.received());
        if body.len() > self.inputs.max_body.min(room) {
            return self.fail(
                fetch,
                sent,
                &CallError::new(TOO_LARGE, "The subgraph's answer is too large."),
            );
        }
        let response = match read(&mut self.arena, &self.program.types, &fetch.shape, &body) {
            Ok(response) => response,
            Err(malformed) => {
                self.unusable.push(id);
                let message = format!("The subgraph's answer can't be read: {malformed}.");
                return self.fail(fetch, sent, &CallError::new(MALFORMED, message));
            }
        };
        match (response.data, &response.errors) {
            (Data::None, None) => {
                self.unusable.push(id);
                self.fail(
                    fetch,
                    sent,
                    &CallError::new(MALFORMED, "The subgraph answered without data."),
                );
            }
            (Data::None, Some(_)) => {
                // One field's error emptied the whole answer; the others have none of their own.
                let emptied = match &fetch.entry {
                    Entry::Root => self.root_paths(fetch),
                    Entry::Queries(group) => self.group_paths(group, &sent[0], |_| true),
                    Entry::Entities(_) => Vec::new(),
                };
                emptied.into_iter().for_each(|path| self.errors.excuse(path));
            }
            (Data::Object(data), errors) => {
                self.attach_data(fetch, sent, data, errors.is_some());
            }
        }
        if let Some(errors) = response.errors {
            self.report(fetch, sent, &errors, response.data);
        }
    }

    fn attach_data(&mut self, fetch: &Fetch, sent: &[SentGroup], data: ObjectId, has_errors: bool) {
        match &fetch.entry {
            Entry::Root => {
                // The type of the root is certain; a subgraph may name its own differently.
                self.arena.set_runtime(data, RuntimeType::Unknown);
                let attached = self
                    .arena
                    .attach(self.root, data, &fetch.shape, false, usize::MAX);
                debug_assert!(attached.is_ok(), "an unknown type is never wrong");
                for slot in std::mem::take(&mut self.arena.disputed) {
                    self.push_failure(fetch, self.client_path(&[At::Slot(slot)]), &disagreement());
                }
            }
            Entry::Entities(groups) => {
                for (((_, shape), group), (sent, slot)) in
                    fetch.shape.objects().zip(groups).zip(sent.iter().zip(0..))
                {
                    let message = match self.arena.find(data, Slot(slot)) {
                        Some(Value::List(run)) if run.len == sent.count => {
                            self.attach_entities(fetch, shape, (group, sent), Came::Each(run));
                            continue;
                        }
                        Some(Value::List(_)) => {
                            "The subgraph answered with another number of entities than asked for."
                        }
                        None | Some(Value::Null) if sent.count == 0 || has_errors => continue,
                        None | Some(Value::Null) => "The subgraph answered without entities.",
                        Some(_) => "The subgraph answered with something else than entities.",
                    };
                    self.fail_group(fetch, group, sent, |_| true, &CallError::new(MALFORMED, message));
                }
            }
            Entry::Queries(group) => {
                self.arena.set_runtime(data, RuntimeType::Unknown);
                self.attach_entities(fetch, &fetch.shape, (group, &sent[0]), Came::One(data));
            }
        }
    }

    fn attach_entities(
        &mut self,
        fetch: &Fetch,
        shape: &Shape,
        (group, sent): (&Group, &SentGroup),
        came: Came,
    ) {
        let mut used = vec![false; sent.count as usize];
        let mut failed: Vec<(ObjectId, Unattached)> = Vec::new();
        let mut disputed: Vec<(ObjectId, Slot)> = Vec::new();
        for asked in &sent.asked {
            let number = asked.representation as usize;
            let value = match came {
                Came::Each(run) => self.arena.items(run)[number],
                Came::One(object) => Value::Object(object),
            };
            match value {
                Value::Null => {}
                Value::Object(entity) if self.is_the_one(group, asked, entity) => {
                    let room = self.inputs.max_answer;
                    match self.arena.attach(asked.object, entity, shape, used[number], room) {
                        Ok(()) => used[number] = true,
                        Err(why) => failed.push((asked.object, why)),
                    }
                    if !self.arena.disputed.is_empty() {
                        let slots = self.arena.disputed.drain(..);
                        disputed.extend(slots.map(|slot| (asked.object, slot)));
                    }
                }
                _ => failed.push((asked.object, Unattached::WrongType)),
            }
        }
        for why in [Unattached::WrongType, Unattached::TooMuch] {
            let of_these = failed.iter().filter(|(_, other)| *other == why);
            let mut objects: Vec<u32> = of_these.map(|(object, _)| object.0).collect();
            objects.sort_unstable();
            let among = |object: ObjectId| objects.binary_search(&object.0).is_ok();
            if !objects.is_empty() {
                self.fail_group(fetch, group, sent, among, &unattached(why));
            }
        }
        if !disputed.is_empty() {
            self.report_disputed(fetch, group, sent, &disputed);
        }
    }

    /// An error at each place where what came contradicts what another subgraph gave.
    fn report_disputed(
        &mut self,
        fetch: &Fetch,
        group: &Group,
        sent: &SentGroup,
        disputed: &[(ObjectId, Slot)],
    ) {
        for (_, object, mut place) in asked_places(&self.arena, self.root, group, sent) {
            for (_, slot) in disputed.iter().filter(|(other, _)| *other == object) {
                place.push(At::Slot(*slot));
                self.push_failure(fetch, self.client_path(&place), &disagreement());
                place.pop();
            }
        }
    }

    /// Whether an entity that came can be the one asked for: its type is, and the keys it repeats are the same.
    fn is_the_one(&self, group: &Group, asked: &Asked, entity: ObjectId) -> bool {
        let typename = self.arena.runtime(entity);
        let typed = asked.typename == RuntimeType::Unknown
            || typename == RuntimeType::Unknown
            || typename == asked.typename;
        typed
            && group.echo.iter().all(|&key| {
                match (self.arena.find(asked.object, key), self.arena.find(entity, key)) {
                    (Some(Value::Leaf(sent)), Some(Value::Leaf(came))) => {
                        same_key(self.arena.raw(sent), self.arena.raw(came))
                    }
                    _ => true,
                }
            })
    }

    /// A fetch that brought nothing: an error at each place it would have filled.
    fn fail(&mut self, fetch: &Fetch, sent: &[SentGroup], error: &CallError) {
        match &fetch.entry {
            Entry::Root => {
                for path in self.root_paths(fetch) {
                    self.push_failure(fetch, path, error);
                }
            }
            Entry::Entities(groups) => {
                for (group, sent) in groups.iter().zip(sent) {
                    self.fail_group(fetch, group, sent, |_| true, error);
                }
            }
            Entry::Queries(group) => self.fail_group(fetch, group, &sent[0], |_| true, error),
        }
    }

    fn fail_group(
        &mut self,
        fetch: &Fetch,
        group: &Group,
        sent: &SentGroup,
        wanted: impl Fn(ObjectId) -> bool,
        error: &CallError,
    ) {
        for path in self.group_paths(group, sent, wanted) {
            self.push_failure(fetch, path, error);
        }
    }

    /// Where the objects of a group are, in the client's terms.
    fn group_paths(
        &self,
        group: &Group,
        sent: &SentGroup,
        wanted: impl Fn(ObjectId) -> bool,
    ) -> Vec<Vec<Segment>> {
        let places = asked_places(&self.arena, self.root, group, sent);
        let places = places.iter().filter(|(_, object, _)| wanted(*object));
        let mut paths: Vec<_> = places.map(|(_, _, place)| self.client_path(place)).collect();
        paths.dedup();
        paths
    }

    pub(crate) fn push_failure(&mut self, fetch: &Fetch, path: Vec<Segment>, error: &CallError) {
        let service = self.service(fetch);
        self.errors.push(|| Problem {
            message: error.message.as_str().into(),
            path,
            extensions: Extensions {
                code: Some(error.code.as_str().into()),
                service,
                ..Extensions::default()
            },
        });
    }

    /// The root fields a fetch fills, in the client's terms; one empty path if the client sees none of them.
    pub(crate) fn root_paths(&self, fetch: &Fetch) -> Vec<Vec<Segment>> {
        let slot = |keep: &Keep| match keep {
            Keep::Leaf(slot) | Keep::Object(slot, _) => Some(At::Slot(*slot)),
            Keep::Typename => None,
        };
        let slots = fetch.shape.fields.iter().filter_map(|field| slot(&field.keep));
        let mut paths: Vec<_> = slots
            .map(|slot| self.client_path(&[slot]))
            .filter(|path| !path.is_empty())
            .collect();
        if paths.is_empty() {
            paths.push(Vec::new());
        }
        paths
    }

    pub(crate) fn client_path(&self, place: &[At]) -> Vec<Segment> {
        client_path(self.program, &self.arena, self.root, place)
    }
}

fn disagreement() -> CallError {
    let message = "The subgraph's answer contradicts another's: lists of different lengths or values of different kinds.";
    CallError::new(DISAGREEMENT, message)
}

pub(crate) fn unattached(why: Unattached) -> CallError {
    match why {
        Unattached::WrongType => CallError::new(
            MALFORMED,
            "The subgraph answered with something else than the entity asked for.",
        ),
        Unattached::TooMuch => CallError::new(
            ANSWER_TOO_LARGE,
            "One entity is at so many places that the answer would be too large.",
        ),
    }
}

/// Whether two keys are the same, however they are written: a string as an ID may come as a number.
fn same_key(one: &[u8], other: &[u8]) -> bool {
    let plain = |raw: &[u8]| match serde_json::from_slice(raw) {
        Ok(Json::String(text)) => Some(text),
        Ok(Json::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    one == other || plain(one).is_none_or(|text| plain(other).is_none_or(|other| other == text))
}
