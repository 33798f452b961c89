//! A call taken apart into what is kept one by one.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde_json::Value;

use super::backing::{Backing, Found, Look};
use super::graph::Subgraph;
use super::key::{Hasher, Key};
use super::lens::Lens;
use super::question::{Asked, Group, Question};
use super::splice::{self, Place, Representations};
use super::store::{Kept, MARK, Moment};

/// A call, taken apart.
pub struct Reading<'a> {
    pub(super) lens: &'a Lens<'a>,
    pub(super) name: &'a str,
    pub(super) subgraph: &'a Subgraph,
    pub(super) asked: Asked<'a>,
    pub(super) question: Arc<Question>,
    /// Of each group; empty where the call is one part.
    pub(super) representations: Representations<'a>,
    /// The parts, in the order of the request.
    pub parts: Vec<Part>,
    /// What was found at the last look.
    found: Option<Found<'a>>,
    /// What came, and is kept where it has to be brought.
    came: Mutex<Vec<(Key, Kept)>>,
    pub(super) errors: Vec<Value>,
}

/// What is kept by itself.
pub struct Part {
    pub(super) place: Place,
    hasher: Hasher,
    pub(super) shared: Key,
    /// What is known of it.
    pub state: State,
}

/// What is known of a part.
pub enum State {
    /// Nothing of use.
    Missing {
        /// Under which key others ask for the same; `None` if everyone asks alone.
        board: Option<Key>,
        /// What is better than an error.
        stale: Option<Arc<Kept>>,
    },
    /// It was kept.
    Kept(Arc<Kept>),
    /// It came now.
    Came(Bytes),
}

impl<'a> Reading<'a> {
    /// Takes a call apart; `None` if nothing of it can be kept.
    pub fn begin(lens: &'a Lens<'a>, name: &'a str, body: &'a [u8]) -> Option<Reading<'a>> {
        let subgraph = lens.graph.subgraph(name)?;
        let asked: Asked<'a> = serde_json::from_slice(body).ok()?;
        let question = lens.graph.question(subgraph, &asked)?;
        let mut hasher = Hasher::of("answer");
        hasher.add(&subgraph.version);
        hasher.add(&lens.caller.headers);
        let mut reading = Reading {
            found: None,
            came: Mutex::default(),
            lens,
            name,
            subgraph,
            asked,
            representations: Vec::new(),
            parts: Vec::new(),
            errors: Vec::new(),
            question: Arc::clone(&question),
        };
        match &*question {
            Question::Whole(whole) => {
                hasher.add(whole.text.as_bytes());
                for (name, value) in &reading.asked.variables {
                    hasher.add(name.as_bytes());
                    hasher.add(value.get().as_bytes());
                }
                reading
                    .parts
                    .push(Part::new(Place { group: 0, index: 0 }, hasher));
            }
            Question::Entities(groups) => {
                reading.representations = splice::representations(&reading.asked, groups)?;
                for (number, group) in groups.iter().enumerate() {
                    let hasher = reading.hasher_of(hasher.clone(), group);
                    for (index, one) in reading.representations[number].iter().enumerate() {
                        let place = Place { group: number, index };
                        let hasher = hasher.with(one.get().as_bytes());
                        reading.parts.push(Part::new(place, hasher));
                    }
                }
            }
        }
        Some(reading)
    }

    /// What entities of a group depend on, besides which they are.
    fn hasher_of(&self, mut hasher: Hasher, group: &Group) -> Hasher {
        hasher.add(group.text.as_bytes());
        for name in &group.variables {
            // A variable without a value is another than one that is null.
            if let Some(value) = self.asked.variables.get(name.as_str()) {
                hasher.add(name.as_bytes());
                hasher.add(value.get().as_bytes());
            }
        }
        hasher.with(b"of")
    }

    /// Looks up what is missing. Gives how many parts there were, and how many there were not.
    pub async fn look(&mut self) -> (u64, u64) {
        let (responses, look) = (self.lens.responses, self.asks());
        let found = responses.store.look(look, || self.keys(), responses.now()).await;
        let fence = found.fence(&self.asks());
        let (mut hits, mut misses) = (0, 0);
        for number in 0..self.parts.len() {
            if !matches!(self.parts[number].state, State::Missing { .. }) {
                continue;
            }
            let state = self.find(&self.parts[number], &found, fence);
            match &state {
                State::Kept(kept) => {
                    hits += 1;
                    self.tell(kept);
                }
                _ => misses += 1,
            }
            self.parts[number].state = state;
        }
        self.found = Some(found);
        (hits, misses)
    }

    fn asks(&self) -> Look<'a> {
        Look {
            who: self.lens.who(),
            subgraph: self.name,
        }
    }

    /// Keys of what is missing: for everyone, and for this caller.
    fn keys(&self) -> Vec<Key> {
        let missing = self.missing();
        let parts = missing.iter().map(|number| &self.parts[*number]);
        parts.flat_map(|part| [part.shared, self.own_key(part)]).collect()
    }

    /// The moment at which what is missing is asked for; `None` where nothing can be kept.
    pub fn moment(&self) -> Option<Moment> {
        self.found.as_ref()?.moment(self.lens.responses.now())
    }

    /// Keeps something, now or with all that came.
    pub(super) fn put_entry(&self, key: Key, kept: Kept) {
        match &self.lens.responses.store {
            Backing::Here(store) => drop(store.put(key, kept)),
            // A poisoned lock holds whole entries.
            Backing::There(_) => {
                let mut came = self.came.lock().unwrap_or_else(PoisonError::into_inner);
                came.push((key, kept));
            }
        }
    }

    /// Keeps what came, where it has to be brought.
    pub async fn keep_taken(&self) {
        if let (Backing::There(shared), Some(Found::There(Some(seen)))) =
            (&self.lens.responses.store, &self.found)
        {
            let came = std::mem::take(&mut *self.came.lock().unwrap_or_else(PoisonError::into_inner));
            shared.put(seen, self.name, came, self.lens.responses.now()).await;
        }
    }

    /// A part that was kept: of those for everyone, or for this caller.
    fn find(&self, part: &Part, found: &Found<'_>, fence: u64) -> State {
        let now = self.lens.responses.now();
        let shared = found.get(&part.shared);
        let is_recent = |since: &Moment| now.saturating_duration_since(since.at) < MARK;
        let board = match shared.as_deref() {
            Some(Kept::Never(since)) if is_recent(since) => {
                return State::Missing {
                    board: None,
                    stale: None,
                };
            }
            Some(Kept::EachTheirOwn(since)) if is_recent(since) => self.own_key(part),
            _ => part.shared,
        };
        let own = || found.get(&self.own_key(part));
        let mut stale = None;
        for kept in std::iter::once(shared).chain(std::iter::once_with(own)).flatten() {
            match &*kept {
                Kept::Answer(answer) if answer.asked.drops >= fence => {
                    if answer.is_fresh(now) {
                        return State::Kept(kept);
                    }
                    if answer.is_of_use(now) {
                        stale = stale.or(Some(Arc::clone(&kept)));
                    }
                }
                _ => {}
            }
        }
        State::Missing {
            board: Some(board),
            stale,
        }
    }

    /// The key of what is this caller's own.
    pub(super) fn own_key(&self, part: &Part) -> Key {
        part.hasher.with(b"own").with(&self.lens.caller.identity).key()
    }

    fn tell(&self, kept: &Kept) {
        if let Kept::Answer(answer) = kept {
            let elapsed = self
                .lens
                .responses
                .now()
                .saturating_duration_since(answer.asked.at);
            let left = answer.fresh.saturating_sub(elapsed);
            self.lens
                .parts
                .fresh(true, left, answer.age + elapsed, answer.own);
        }
    }

    /// The parts that are missing.
    pub fn missing(&self) -> Vec<usize> {
        let missing = |number: &usize| matches!(self.parts[*number].state, State::Missing { .. });
        (0..self.parts.len()).filter(missing).collect()
    }

    /// Takes stale answers for these parts, if there is one for each.
    pub fn use_stale(&mut self, wanted: &[usize]) -> bool {
        let has_one =
            |number: &usize| matches!(self.parts[*number].state, State::Missing { stale: Some(_), .. });
        if !wanted.iter().all(has_one) {
            return false;
        }
        for number in wanted {
            if let State::Missing {
                stale: Some(stale), ..
            } = &self.parts[*number].state
            {
                self.lens.parts.passing(true);
                self.parts[*number].state = State::Kept(Arc::clone(stale));
            }
        }
        self.lens.responses.meters.stale(self.name, wanted.len());
        true
    }

    /// The request for these parts only.
    pub fn request(&self, wanted: &[usize]) -> Bytes {
        splice::request(
            &self.asked,
            self.groups(),
            &self.representations,
            &self.places(wanted),
        )
    }

    fn groups(&self) -> &[Group] {
        match &*self.question {
            Question::Entities(groups) => groups,
            Question::Whole(_) => &[],
        }
    }

    pub(super) fn places(&self, wanted: &[usize]) -> Vec<Place> {
        wanted.iter().map(|number| self.parts[*number].place).collect()
    }

    /// The answer, once nothing is missing.
    pub fn answer(&self) -> Bytes {
        let body = |part: &'_ Part| match &part.state {
            State::Kept(kept) => match &**kept {
                Kept::Answer(answer) => answer.body.clone(),
                Kept::EachTheirOwn(_) | Kept::Never(_) => Bytes::from_static(b"null"),
            },
            State::Came(body) => body.clone(),
            State::Missing { .. } => Bytes::from_static(b"null"),
        };
        if let Question::Whole(_) = &*self.question {
            return body(&self.parts[0]);
        }
        let bodies: Vec<(Place, Bytes)> = self.parts.iter().map(|part| (part.place, body(part))).collect();
        let entities: Vec<(Place, &[u8])> = bodies.iter().map(|(place, body)| (*place, &**body)).collect();
        splice::answer(self.groups(), &entities, &self.errors)
    }
}

impl Part {
    fn new(place: Place, hasher: Hasher) -> Part {
        Part {
            place,
            shared: hasher.with(b"shared").key(),
            hasher,
            state: State::Missing {
                board: None,
                stale: None,
            },
        }
    }
}
