//! Errors that subgraphs report: where they belong in the client's terms, and what of them clients see.
use serde::Deserialize;
use serde_json::Value as Json;

use crate::arena::ObjectId;
use crate::errors::{Extensions, Problem, Segment};
use crate::inputs::ErrorPolicy;
use crate::leaf::for_each_item;
use crate::paths::{asked_places, below};
use crate::program::{Entry, Fetch, Group};
use crate::read::Data;
use crate::request::SentGroup;
use crate::schedule::Run;
use crate::shape::Shape;
use crate::walk::At;

/// A message of a subgraph is cut after this many bytes.
const MAX_MESSAGE: usize = 8 << 10;

/// Extensions of a subgraph's error that are longer than this do not pass.
const MAX_EXTENSIONS: usize = 8 << 10;

/// Where servers put what is for their developers: passed on only if asked for by name.
const INTERNAL: [&str; 2] = ["stacktrace", "exception"];

/// A subgraph's error, as far as it is looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reported {
    message: Json,
    path: Json,
    extensions: Json,
}

impl Run<'_> {
    /// Passes on the errors a subgraph reported.
    pub(crate) fn report(&mut self, fetch: &Fetch, sent: &[SentGroup], errors: &[u8], data: Data) {
        let mut list: Vec<Reported> = Vec::new();
        let mut more = 0;
        let max = self.inputs.max_errors;
        let is_list = for_each_item(errors, &mut |_, raw| {
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
            if self.errors.is_full() {
                more += 1;
                continue;
            }
            for path in self.reported_paths(fetch, &places, &reported.path, data) {
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
            Entry::Queries(group) => {
                let places = |sent| asked_places(&self.arena, self.root, group, sent);
                sent.iter().map(places).collect()
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
            Entry::Queries(_) => self.paths_at(places.iter().flatten(), &fetch.shape, path),
        };
        if found.iter().any(|path| !path.is_empty()) {
            return found;
        }
        match (data, &fetch.entry) {
            (Data::Object(_), _) => vec![Vec::new()],
            (Data::None, Entry::Root) => self.root_paths(fetch),
            (Data::None, Entry::Entities(_) | Entry::Queries(_)) => places
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
        self.paths_at(places[position].iter().filter(wanted), shape, rest)
    }

    /// A subgraph's path, read by the shape of what came, at each of some places.
    fn paths_at<'p>(
        &self,
        places: impl Iterator<Item = &'p (u32, ObjectId, Vec<At>)>,
        shape: &Shape,
        path: &[Json],
    ) -> Vec<Vec<Segment>> {
        let full = |(_, _, place): &(u32, ObjectId, Vec<At>)| {
            let mut place = place.clone();
            below(shape, path, &mut place);
            self.client_path(&place)
        };
        places.map(full).collect()
    }

    fn push_reported(&mut self, fetch: &Fetch, reported: &Reported, path: Vec<Segment>) {
        let allowed = match &self.inputs.error_policy {
            ErrorPolicy::Mask => {
                return self.errors.push(|| Problem {
                    message: "A subgraph reported an error.".into(),
                    path,
                    extensions: masked(self.inputs.reference.as_deref()),
                });
            }
            ErrorPolicy::Pass => None,
            ErrorPolicy::PassOnly(names) => Some(&**names),
        };
        let service = self.service(fetch);
        self.errors.push(|| Problem {
            message: shortened(
                reported
                    .message
                    .as_str()
                    .unwrap_or("The subgraph reported an error without a message."),
            ),
            path,
            extensions: extensions(&reported.extensions, allowed, service),
        });
    }

    /// The name of a fetch's subgraph, if clients may know it.
    pub(crate) fn service(&self, fetch: &Fetch) -> Option<Box<str>> {
        self.inputs.name_subgraphs.then(|| fetch.subgraph.clone())
    }
}

/// What takes the place of a subgraph's extensions.
fn masked(reference: Option<&str>) -> Extensions {
    let mut extensions = Extensions::code("SUBGRAPH_ERROR");
    if let Some(id) = reference {
        extensions.others.insert("requestId".to_owned(), id.into());
    }
    extensions
}

/// What passes of a subgraph's extensions: the code, and those `allowed` (`None`: all) unless they are too much.
fn extensions(reported: &Json, allowed: Option<&[String]>, service: Option<Box<str>>) -> Extensions {
    let mut others = reported.as_object().cloned().unwrap_or_default();
    let code = match others.remove("code") {
        Some(Json::String(code)) => Some(shortened(&code)),
        _ => None,
    };
    others.retain(|name, _| match allowed {
        _ if name == "service" => false,
        Some(names) => names.contains(name),
        None => !INTERNAL.contains(&name.as_str()),
    });
    if serde_json::to_vec(&others).is_ok_and(|text| text.len() > MAX_EXTENSIONS) {
        others.clear();
    }
    Extensions {
        code,
        service,
        others,
    }
}

fn shortened(text: &str) -> Box<str> {
    text[..text.floor_char_boundary(MAX_MESSAGE)].into()
}
