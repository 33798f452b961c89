//! What came for parts of a call: it goes into the answer, and is kept if it may be.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use serde_json::value::RawValue;

use super::fields::Fields;
use super::lens::Reply;
use super::policy::{Lease, Policy, Verdict};
use super::question::{Group, Question, Terms};
use super::reading::{Part, Reading, State};
use super::splice::{self, Answered};
use super::store::{Answer, Kept, Moment};
use super::tags::{Tag, Tags, Untagged};

/// What came for some parts.
struct Came<'a> {
    /// When; `None` where nothing can be kept.
    asked: Option<Moment>,
    reply: &'a Reply,
    answered: &'a Answered<'a>,
    /// Whether it may be kept at all: it is whole, and has no errors.
    keeps: bool,
}

impl Came<'_> {
    /// Tags that came with the answer: of all of it, and of one of its entities.
    fn named<'b>(&'b self, fields: &'b Fields, nth: Option<usize>) -> impl Iterator<Item = &'b str> {
        let extensions = self.answered.extensions.as_ref();
        let own = extensions.and_then(|extensions| extensions.entity_tags.get(nth?));
        let all = extensions.into_iter().flat_map(|extensions| &extensions.tags);
        let texts = all.chain(own.into_iter().flatten()).map(String::as_str);
        texts.chain(fields.tags.iter().map(|tag| &**tag))
    }
}

/// A part, and what came for it.
struct Item<'a> {
    part: &'a Part,
    terms: &'a Terms,
    body: Bytes,
    /// Which of the entities that came it is.
    nth: Option<usize>,
}

impl Reading<'_> {
    /// Takes what came for these parts, and keeps it if it may be. `false` if it is not what was asked for.
    pub fn take(
        &mut self,
        wanted: &[usize],
        asked: Option<Moment>,
        reply: &Reply,
        answered: &Answered<'_>,
    ) -> bool {
        let Some(data) = answered.data else { return false };
        let keeps = reply.is_success && !answered.has_errors();
        let question = Arc::clone(&self.question);
        let came = Came {
            asked,
            reply,
            answered,
            keeps,
        };
        match &*question {
            Question::Whole(whole) => {
                let tags = |tags: &mut Tags<'_>| {
                    let value = |name: &str| serde_json::from_str(self.asked.variables.get(name)?.get()).ok();
                    tags.add_root(&whole.selections, &value)?;
                    let data = serde_json::from_str(data.get()).map_err(|_| Untagged::Unfilled)?;
                    tags.add_inside(&whole.selections, self.lens.graph.query(), &data);
                    Ok(())
                };
                let body = [b"{\"data\":", data.get().as_bytes(), b"}"].concat();
                let item = Item {
                    part: &self.parts[wanted[0]],
                    terms: &whole.terms,
                    body: body.into(),
                    nth: None,
                };
                self.keep(item, &came, tags);
                true
            }
            Question::Entities(groups) => self.take_entities(groups, wanted, data, &came),
        }
    }

    fn take_entities(
        &mut self,
        groups: &[Group],
        wanted: &[usize],
        data: &RawValue,
        came: &Came<'_>,
    ) -> bool {
        let places = self.places(wanted);
        let Some(entities) = splice::entities(data, groups, &places) else {
            return false;
        };
        if let Some(raw) = came.answered.errors.filter(|_| came.answered.has_errors()) {
            let Some(errors) = splice::errors(raw, groups, &places) else {
                return false;
            };
            self.errors.extend(errors);
        }
        for (nth, (number, entity)) in wanted.iter().zip(entities).enumerate() {
            let body = Bytes::copy_from_slice(entity.get().as_bytes());
            self.take_entity(groups, *number, nth, &body, came);
            self.parts[*number].state = State::Came(body);
        }
        true
    }

    /// An entity that is not there is not kept: it may come into being.
    fn take_entity(&self, groups: &[Group], number: usize, nth: usize, body: &Bytes, came: &Came<'_>) {
        let part = &self.parts[number];
        let group = &groups[part.place.group];
        let representation = self.representations[part.place.group][part.place.index];
        let representation: Value = serde_json::from_str(representation.get()).unwrap_or_default();
        let ty = representation
            .get("__typename")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if **body == *b"null" {
            return self.lens.parts.passing(false);
        }
        let tags = |tags: &mut Tags<'_>| {
            tags.add_represented(&representation)?;
            let entity = serde_json::from_slice(body).map_err(|_| Untagged::Unfilled)?;
            tags.add_inside(&group.selections, ty, &entity);
            Ok(())
        };
        let item = Item {
            part,
            terms: &group.terms_of(ty),
            body: body.clone(),
            nth: Some(nth),
        };
        self.keep(item, came, tags);
    }

    /// Keeps a part if it may be kept.
    fn keep(
        &self,
        item: Item<'_>,
        came: &Came<'_>,
        add_tags: impl FnOnce(&mut Tags<'_>) -> Result<(), Untagged>,
    ) {
        let Some(asked) = came.asked.filter(|_| came.keeps) else {
            return self.lens.parts.passing(false);
        };
        let none = Fields::default();
        let fields = came.reply.fields.as_deref().unwrap_or(&none);
        let (responses, part) = (self.lens.responses, item.part);
        let lease = match self.policy().judge(fields, item.terms) {
            Verdict::Keep(lease) => lease,
            other => {
                let mark = match other {
                    Verdict::Nobodys => Kept::EachTheirOwn,
                    _ => Kept::Never,
                };
                self.put_entry(part.shared, mark(asked));
                return self.lens.parts.passing(false);
            }
        };
        let mut tags = Tags::new(
            self.lens.graph,
            self.subgraph,
            self.name,
            responses.config.max_tags,
        );
        let tagged = add_tags(&mut tags).and_then(|()| {
            let named = came.named(fields, item.nth);
            named.for_each(|name| tags.add(Tag::Named(name.into())));
            tags.finish()
        });
        let (Ok(tags), true) = (tagged, item.body.len() <= responses.config.entry_bytes) else {
            self.put_entry(part.shared, Kept::Never(asked));
            return self.lens.parts.passing(false);
        };
        self.put(item, lease, fields, asked, tags);
    }

    fn put(&self, item: Item<'_>, lease: Lease, fields: &Fields, asked: Moment, tags: Box<[Tag]>) {
        let age = Duration::from_secs(fields.age);
        self.lens.parts.fresh(false, lease.fresh, age, lease.own);
        let key = match lease.own {
            true => {
                self.put_entry(item.part.shared, Kept::EachTheirOwn(asked));
                self.own_key(item.part)
            }
            false => item.part.shared,
        };
        let answer = Answer {
            body: item.body,
            asked,
            fresh: lease.fresh,
            stale: lease.stale,
            own: lease.own,
            age,
            tags,
        };
        self.put_entry(key, Kept::Answer(answer));
    }

    fn policy(&self) -> Policy<'_> {
        Policy {
            config: &self.lens.responses.config,
            subgraph: self.name,
            is_named: self.lens.caller.is_named,
            callers_differ: self.lens.responses.callers_differ,
        }
    }
}
