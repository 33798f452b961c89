//! What becomes of a subgraph's answer: data goes into the tree, whatever went wrong into the errors.
use baedal_planner::plan::{FetchId, Slot};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::arena::{ObjectId, Run as Items, Value};
use crate::errors::{Extensions, Problem, Segment};
use crate::inputs::ErrorPolicy;
use crate::leaf::for_each_item;
use crate::paths::{asked_places, below, client_path};
use crate::port::CallError;
use crate::program::{Entry, Fetch, Group};
use crate::read::{Data, read};
use crate::request::{Asked, SentGroup};
use crate::schedule::Run;
use crate::shape::{Keep, Shape};
use crate::types::RuntimeType;
use crate::walk::At;

/// `extensions.code` of an answer that is not what was asked for.
const MALFORMED: &str = "SUBREQUEST_MALFORMED_RESPONSE";
const TOO_LARGE: &str = "SUBREQUEST_RESPONSE_TOO_LARGE";
/// A message of a subgraph is cut after this many bytes.
const MAX_MESSAGE: usize = 8 << 10;

/// A subgraph's error, as far as it is looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reported {
    message: Json,
    path: Json,
    extensions: Json,
}

impl Run<'_> {
    /// Takes in the result of a fetch's call. `sent`: what was asked for, by entity group.
    pub(crate) fn receive(&mut self, id: FetchId, sent: &[SentGroup], result: Result<Bytes, CallError>) {
        let fetch = &self.program.fetches[id];
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
                let message = format!("The subgraph's answer can't be read: {malformed}.");
                return self.fail(fetch, sent, &CallError::new(MALFORMED, message));
            }
        };
        match (response.data, &response.errors) {
            (Data::None, None) => self.fail(
                fetch,
                sent,
                &CallError::new(MALFORMED, "The subgraph answered without data."),
            ),
            (Data::None, Some(_)) => {}
            (Data::Object(data), errors) => self.attach_data(fetch, sent, data, errors.is_some()),
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
                let attached = self.arena.attach(self.root, data, &fetch.shape, false);
                debug_assert!(attached.is_ok(), "an unknown type is never wrong");
            }
            Entry::Entities(groups) => {
                for (((_, shape), group), (sent, slot)) in
                    fetch.shape.objects().zip(groups).zip(sent.iter().zip(0..))
                {
                    let message = match self.arena.find(data, Slot(slot)) {
                        Some(Value::List(run)) if run.len == sent.count => {
                            self.attach_entities(fetch, shape, group, sent, run);
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
        }
    }

    fn attach_entities(&mut self, fetch: &Fetch, shape: &Shape, group: &Group, sent: &SentGroup, run: Items) {
        let mut used = vec![false; run.len as usize];
        let mut wrong: Vec<ObjectId> = Vec::new();
        for asked in &sent.asked {
            let number = asked.representation as usize;
            match self.arena.items(run)[number] {
                Value::Null => {}
                Value::Object(entity) if self.is_the_one(group, asked, entity) => {
                    match self.arena.attach(asked.object, entity, shape, used[number]) {
                        Ok(()) => used[number] = true,
                        Err(_) => wrong.push(asked.object),
                    }
                }
                _ => wrong.push(asked.object),
            }
        }
        if !wrong.is_empty() {
            wrong.sort_unstable_by_key(|object| object.0);
            let error = CallError::new(
                MALFORMED,
                "The subgraph answered with something else than the entity asked for.",
            );
            self.fail_group(
                fetch,
                group,
                sent,
                |object| wrong.binary_search_by_key(&object.0, |one| one.0).is_ok(),
                &error,
            );
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
        let places = asked_places(&self.arena, self.root, group, sent);
        let places = places.iter().filter(|(_, object, _)| wanted(*object));
        let mut paths: Vec<_> = places.map(|(_, _, place)| self.client_path(place)).collect();
        paths.dedup();
        for path in paths {
            self.push_failure(fetch, path, error);
        }
    }

    fn push_failure(&mut self, fetch: &Fetch, path: Vec<Segment>, error: &CallError) {
        self.errors.push(|| Problem {
            message: error.message.as_str().into(),
            path,
            extensions: Extensions {
                code: Some(error.code.as_str().into()),
                service: Some(fetch.subgraph.clone()),
            },
        });
    }

    /// The root fields a fetch fills, in the client's terms; one empty path if the client sees none of them.
    fn root_paths(&self, fetch: &Fetch) -> Vec<Vec<Segment>> {
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

    fn client_path(&self, place: &[At]) -> Vec<Segment> {
        client_path(self.program, &self.arena, self.root, place)
    }

    /// Passes on the errors a subgraph reported.
    fn report(&mut self, fetch: &Fetch, sent: &[SentGroup], errors: &[u8], data: Data) {
        let mut list: Vec<Reported> = Vec::new();
        let mut more = 0;
        let max = self.inputs.max_errors;
        let is_list = for_each_item(errors, &mut |raw| {
            if list.len() < max {
                list.push(serde_json::from_slice(raw).unwrap_or_default());
            } else {
                more += 1;
            }
        });
        if !is_list || (list.is_empty() && data == Data::None && more == 0) {
            list.push(Reported::default());
        }
        let places = self.entity_places(fetch, sent);
        for reported in list {
            let paths = self.reported_paths(fetch, &places, &reported.path, data);
            for path in paths {
                self.push_reported(fetch, &reported, path);
            }
        }
        for _ in 0..more {
            self.push_reported(fetch, &Reported::default(), Vec::new());
        }
    }

    /// For each entity group of the fetch, the places asked for.
    fn entity_places(&self, fetch: &Fetch, sent: &[SentGroup]) -> Vec<Vec<(u32, ObjectId, Vec<At>)>> {
        match &fetch.entry {
            Entry::Root => Vec::new(),
            Entry::Entities(groups) => {
                let places = |(group, sent)| asked_places(&self.arena, self.root, group, sent);
                groups.iter().zip(sent).map(places).collect()
            }
        }
    }

    /// Where a subgraph's error belongs. Without a usable path: nowhere if there is data, else to all the fetch would have filled.
    fn reported_paths(
        &self,
        fetch: &Fetch,
        places: &[Vec<(u32, ObjectId, Vec<At>)>],
        path: &Json,
        data: Data,
    ) -> Vec<Vec<Segment>> {
        let path = path.as_array().map_or(&[][..], Vec::as_slice);
        let found = match &fetch.entry {
            Entry::Root => {
                let mut place = Vec::new();
                below(&fetch.shape, path, &mut place);
                vec![self.client_path(&place)]
            }
            Entry::Entities(groups) => self.entity_paths(fetch, groups, places, path),
        };
        if found.iter().any(|path| !path.is_empty()) {
            return found;
        }
        match (data, &fetch.entry) {
            (Data::Object(_), _) => vec![Vec::new()],
            (Data::None, Entry::Root) => self.root_paths(fetch),
            (Data::None, Entry::Entities(_)) => places
                .iter()
                .flatten()
                .map(|(_, _, place)| self.client_path(place))
                .collect(),
        }
    }

    /// `["_entities", 3, "a"]` at each place of the entity; without an index, at each place of the group.
    fn entity_paths(
        &self,
        fetch: &Fetch,
        groups: &[Group],
        places: &[Vec<(u32, ObjectId, Vec<At>)>],
        path: &[Json],
    ) -> Vec<Vec<Segment>> {
        let Some((Json::String(key), rest)) = path.split_first() else {
            return Vec::new();
        };
        let Some(position) = groups.iter().position(|group| *group.response_key == **key) else {
            return Vec::new();
        };
        let Some((_, shape)) = fetch.shape.objects().nth(position) else {
            return Vec::new();
        };
        let (number, rest) = match rest.split_first() {
            Some((index, rest)) => (index.as_u64(), rest),
            None => (None, rest),
        };
        let wanted = |&&(other, _, _): &&(u32, ObjectId, Vec<At>)| {
            number.is_none_or(|number| number == u64::from(other))
        };
        let full = |(_, _, place): &(u32, ObjectId, Vec<At>)| {
            let mut place = place.clone();
            below(shape, rest, &mut place);
            self.client_path(&place)
        };
        places[position].iter().filter(wanted).map(full).collect()
    }

    fn push_reported(&mut self, fetch: &Fetch, reported: &Reported, path: Vec<Segment>) {
        let policy = self.inputs.error_policy;
        self.errors.push(|| match policy {
            ErrorPolicy::Mask => Problem {
                message: "A subgraph reported an error.".into(),
                path,
                extensions: Extensions::code("SUBGRAPH_ERROR"),
            },
            ErrorPolicy::Pass => Problem {
                message: shortened(
                    reported
                        .message
                        .as_str()
                        .unwrap_or("The subgraph reported an error without a message."),
                ),
                path,
                extensions: Extensions {
                    code: reported
                        .extensions
                        .get("code")
                        .and_then(Json::as_str)
                        .map(shortened),
                    service: Some(fetch.subgraph.clone()),
                },
            },
        });
    }
}

fn shortened(text: &str) -> Box<str> {
    text[..text.floor_char_boundary(MAX_MESSAGE)].into()
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
