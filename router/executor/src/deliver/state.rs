//! What the client knows of, and what waits.
use baedal_planner::plan::{FragmentId, Incremental, PartId};
use hashbrown::HashMap;

use crate::errors::Segment;
use crate::program::Program;
use crate::view::{Found, What};

/// A deferred fragment at an object of the answer, or a streamed list.
pub(super) struct Instance<'p> {
    pub(super) fragment: FragmentId,
    pub(super) label: Option<&'p str>,
    pub(super) place: Found<'p>,
    pub(super) stage: Stage,
    /// How much of what waits belongs to it.
    pub(super) open: usize,
    /// Those that come after it.
    within: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The fragment around it is not told yet.
    Hidden,
    /// The client waits for it, under this id.
    Pending(u32),
    /// Nothing can stand there: why (`,"errors":[…]`). The client is not told yet.
    Failed(u32, Vec<u8>),
    /// The client has all of it.
    Done,
    /// There is none.
    Dropped,
}

/// An object of which a part is to be written, or the rest of a list.
pub(super) struct Waiting<'p> {
    pub(super) part: PartId,
    pub(super) place: Found<'p>,
    /// The instances it belongs to.
    pub(super) holders: Vec<usize>,
}

/// Everything that comes later.
pub(super) struct State<'p> {
    incremental: Option<&'p Incremental>,
    /// For each fragment the nearest around it that defers anything; it comes after that.
    parents: Vec<Option<FragmentId>>,
    /// Whether it defers anything.
    used: Vec<bool>,
    pub(super) instances: Vec<Instance<'p>>,
    by_path: HashMap<Vec<Segment>, Vec<usize>>,
    pub(super) waiting: Vec<Waiting<'p>>,
    /// How many the client waits for.
    pending: usize,
    ids: u32,
}

impl<'p> State<'p> {
    pub(super) fn new(program: &'p Program) -> State<'p> {
        let incremental = program.incremental();
        let fragments = incremental.map_or(&[][..], |all| &all.fragments);
        let mut used = vec![false; fragments.len()];
        for part in incremental.iter().flat_map(|all| &all.parts) {
            part.fragments.iter().for_each(|one| used[one.0 as usize] = true);
        }
        let parent = |of: &FragmentId| fragments[of.0 as usize].parent;
        let nearest = |at: usize| {
            let mut around = std::iter::successors(fragments[at].parent, parent);
            around.find(|one| used[one.0 as usize])
        };
        State {
            parents: (0..fragments.len()).map(nearest).collect(),
            incremental,
            used,
            instances: Vec::new(),
            by_path: HashMap::new(),
            waiting: Vec::new(),
            pending: 0,
            ids: 0,
        }
    }

    pub(super) fn parents(&self) -> &[Option<FragmentId>] {
        &self.parents
    }

    /// Takes note of what was found in what was written, and gives what the client is to know of it now.
    pub(super) fn note(&mut self, found: Vec<Found<'p>>) -> Vec<usize> {
        let (fragments, fields): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|place| matches!(place.what, What::Fragment(_)));
        let mut announced = Vec::new();
        for place in fragments {
            match place.what {
                What::Fragment(fragment) if self.used.get(fragment.0 as usize) == Some(&true) => {
                    announced.extend(self.add(fragment, place));
                }
                _ => {}
            }
        }
        for place in fields {
            if let What::Fields(part) = place.what {
                let holders = self.holders(part, &place.path);
                holders.iter().for_each(|at| self.instances[*at].open += 1);
                self.waiting.push(Waiting { part, place, holders });
            }
        }
        announced
    }

    /// One more instance, if the client is to know of it now.
    fn add(&mut self, fragment: FragmentId, place: Found<'p>) -> Option<usize> {
        let at = self.instances.len();
        let around = self.parents[fragment.0 as usize].and_then(|parent| self.find(parent, &place.path));
        let known = self.incremental.map(|all| &all.fragments[fragment.0 as usize]);
        self.by_path.entry(place.path.clone()).or_default().push(at);
        self.instances.push(Instance {
            fragment,
            label: known.and_then(|known| known.label.as_deref()),
            place,
            stage: Stage::Hidden,
            open: 0,
            within: Vec::new(),
        });
        match around {
            Some(around) if self.instances[around].stage != Stage::Done => {
                self.instances[around].within.push(at);
                None
            }
            _ => {
                self.announce(at);
                Some(at)
            }
        }
    }

    fn announce(&mut self, at: usize) {
        self.instances[at].stage = Stage::Pending(self.ids);
        self.ids += 1;
        self.pending += 1;
    }

    /// The instance of a fragment around a place, or at it.
    fn find(&self, fragment: FragmentId, path: &[Segment]) -> Option<usize> {
        let at = |length: usize| self.by_path.get(&path[..length]);
        let mut around = (0..=path.len()).rev().filter_map(at).flatten().copied();
        around.find(|at| self.instances[*at].fragment == fragment)
    }

    /// The instances that a part of an object belongs to.
    fn holders(&self, part: PartId, path: &[Segment]) -> Vec<usize> {
        let fragments = self
            .incremental
            .map_or(&[][..], |all| &all.parts[part.0 as usize].fragments);
        let found = fragments.iter().filter_map(|fragment| self.find(*fragment, path));
        found.collect()
    }

    /// The client has all of an instance; what it is to know of now.
    pub(super) fn done(&mut self, at: usize) -> Vec<usize> {
        self.instances[at].stage = Stage::Done;
        self.pending -= 1;
        let mut within = std::mem::take(&mut self.instances[at].within);
        within.retain(|one| self.instances[*one].stage == Stage::Hidden);
        within.iter().for_each(|one| self.announce(*one));
        within
    }

    /// Nothing comes of an instance, nor of what waited for it.
    pub(super) fn dropped(&mut self, at: usize) {
        self.pending -= 1;
        let mut open = vec![at];
        while let Some(at) = open.pop() {
            self.instances[at].stage = Stage::Dropped;
            open.append(&mut self.instances[at].within);
        }
    }

    /// Whether the client waits for anything.
    pub(super) fn goes_on(&self) -> bool {
        self.pending > 0
    }
}
