//! What the client lets come later (`@defer`, `@stream`): which fragments defer a field, and which fields so come
//! together. Collecting fields and building the plan of the execution are as in
//! <https://github.com/graphql/graphql-spec/pull/1110>: a field that is selected without `@defer`, too, comes at once; one
//! that is in a deferred fragment and in another within that one comes with the outer.
pub(crate) mod needs;

use apollo_compiler::Node;
use apollo_compiler::ast::{Directive, DirectiveList, Value};
use serde_json::Map;

use crate::plan::{Deferral, DeferredFragment, FragmentId, InitialCount, PartId, StreamedList};

/// Deferred fragments and streamed lists of one plan. What is deferred besides comes with what is around it, as the
/// specification allows: so a fragment that is spread in itself many times over stays one answer.
const MOST: usize = 64;

/// The parts of an answer in the making.
#[derive(Debug)]
pub(crate) struct Deferring {
    enabled: bool,
    pub fragments: Vec<DeferredFragment>,
    /// The fragments of each part; of the first answer none.
    pub parts: Vec<Vec<FragmentId>>,
    /// Parts that are later items of lists, each with the part of the first items.
    pub streams: Vec<(PartId, PartId)>,
}

impl Deferring {
    pub fn new(enabled: bool) -> Deferring {
        Deferring {
            enabled,
            fragments: Vec::new(),
            parts: vec![Vec::new()],
            streams: Vec::new(),
        }
    }

    /// What a fragment with these directives is, if it is deferred; `parent` is around it.
    pub fn fragment(
        &mut self,
        directives: &DirectiveList,
        variables: &Map<String, serde_json::Value>,
        parent: Option<FragmentId>,
    ) -> Option<FragmentId> {
        if !self.enabled {
            return None;
        }
        let defer = directives.get("defer")?;
        if !holds(defer, variables) || self.fragments.len() >= MOST {
            return None;
        }
        let label = label(defer);
        self.fragments.push(DeferredFragment { label, parent });
        Some(FragmentId(self.fragments.len() as u32 - 1))
    }

    /// When a field comes that these fragments select (`None`: it is selected outside of all).
    pub fn deferral(&mut self, selected: &[Option<FragmentId>]) -> Option<Box<Deferral>> {
        let fragments: Vec<FragmentId> = selected.iter().copied().flatten().collect();
        if fragments.is_empty() {
            return None;
        }
        let part = if selected.contains(&None) {
            PartId::FIRST
        } else {
            let outer = |one: &&FragmentId| !self.around(**one).any(|other| fragments.contains(&other));
            let outer: Vec<FragmentId> = fragments.iter().filter(outer).copied().collect();
            self.part(outer)
        };
        Some(Box::new(Deferral {
            part,
            fragments,
            stream: None,
        }))
    }

    /// What of a list comes later, whose field has these directives and comes so: the items after the first. A field that is
    /// selected in several fragments comes whole.
    pub fn stream(
        &mut self,
        directives: &DirectiveList,
        variables: &Map<String, serde_json::Value>,
        (deferral, selected): (Option<Box<Deferral>>, usize),
    ) -> Option<Box<Deferral>> {
        let stream = directives.get("stream").filter(|_| self.enabled && selected == 1);
        let Some(stream) = stream.filter(|stream| holds(stream, variables)) else {
            return deferral;
        };
        let first = initial_count(stream);
        if self.fragments.len() >= MOST {
            return deferral;
        }
        let mut deferral = deferral.unwrap_or_default();
        let parent = self.parts[deferral.part.0 as usize].first().copied();
        let label = label(stream);
        self.fragments.push(DeferredFragment { label, parent });
        let fragment = FragmentId(self.fragments.len() as u32 - 1);
        let part = self.part(vec![fragment]);
        self.streams.push((part, deferral.part));
        deferral.stream = Some(StreamedList {
            fragment,
            part,
            first,
        });
        Some(deferral)
    }

    fn part(&mut self, fragments: Vec<FragmentId>) -> PartId {
        let known = self.parts.iter().position(|part| *part == fragments);
        let at = known.unwrap_or_else(|| {
            self.parts.push(fragments);
            self.parts.len() - 1
        });
        PartId(at as u32)
    }

    /// The fragments around a fragment.
    fn around(&self, fragment: FragmentId) -> impl Iterator<Item = FragmentId> + '_ {
        let parent = |one: &FragmentId| self.fragments[one.0 as usize].parent;
        std::iter::successors(parent(&fragment), move |one| parent(one))
    }
}

/// All that select a field, in order, each once.
pub(crate) fn all(selected: impl Iterator<Item = Option<FragmentId>>) -> Vec<Option<FragmentId>> {
    let mut all: Vec<Option<FragmentId>> = selected.collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The value of `if`. A variable without value defers nothing: that is always allowed, and so a plan is fixed by which
/// of these variables are true.
fn holds(directive: &Node<Directive>, variables: &Map<String, serde_json::Value>) -> bool {
    match directive.specified_argument_by_name("if").map(|value| &**value) {
        Some(Value::Boolean(value)) => *value,
        Some(Value::Variable(name)) => variables.get(name.as_str()) == Some(&serde_json::Value::Bool(true)),
        _ => true,
    }
}

/// The value of `initialCount`.
fn initial_count(directive: &Node<Directive>) -> InitialCount {
    match directive
        .specified_argument_by_name("initialCount")
        .map(|value| &**value)
    {
        Some(Value::Variable(name)) => InitialCount::Variable(name.as_str().into()),
        Some(value) => InitialCount::Fixed(value.to_i32().and_then(|n| usize::try_from(n).ok()).unwrap_or(0)),
        None => InitialCount::Fixed(0),
    }
}

fn label(directive: &Node<Directive>) -> Option<Box<str>> {
    let label = directive.specified_argument_by_name("label")?;
    label.as_str().map(Into::into)
}
