//! Who writes where: the places of the tree, and the entity groups and root fetches that write in them.
//!
//! An entity found at several places is read once. Whether its data may then be *shared* by these places, or must be
//! copied for each, depends on whether anything else is ever merged into it; that is known when a plan is compiled.
//! So is whether objects that come with the same text may be one object.
use baedal_planner::plan::{Entry, Keep, PathStep, Plan, Shape, Slot};
use hashbrown::HashMap;

/// A root fetch or an entity group, numbered in plan order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WriterId(pub(crate) u32);

impl WriterId {
    /// A writer that is registered nowhere: it must not take for granted that it writes alone.
    pub(crate) fn unknown() -> WriterId {
        WriterId(u32::MAX / 2)
    }
}

/// Index of a place in [`Places`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlaceId(usize);

/// Where an object's runtime type is written.
const TYPE_SLOT: Slot = Slot(u32::MAX);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Writers {
    #[default]
    Nobody,
    One(WriterId),
    Many,
}

#[derive(Debug, Default)]
struct Place {
    children: HashMap<Slot, PlaceId>,
    writers: Writers,
    /// Whether some group's entities here depend on the types of objects above.
    conditional: bool,
}

#[derive(Debug)]
pub(crate) struct Places {
    places: Vec<Place>,
    /// Whether what is fetched of an entity may depend on the objects around it.
    contextual: bool,
}

impl Places {
    pub(crate) const ROOT: PlaceId = PlaceId(0);

    pub(crate) fn of(plan: &Plan) -> Places {
        let mut places = Places {
            places: vec![Place::default()],
            contextual: false,
        };
        let mut writers = (0..).map(WriterId);
        let mut next = || writers.next().expect("numbers do not end");
        for fetch in &plan.fetches {
            match &fetch.entry {
                Entry::Root(shape) => places.register(Places::ROOT, shape, next()),
                Entry::Entities(groups) => {
                    for group in groups {
                        let writer = next();
                        places.contextual |= !group.context.is_empty();
                        for target in &group.targets {
                            let place = places.walk(&target.path);
                            places.register(place, &group.shape, writer);
                            places.condition(&target.path);
                        }
                    }
                }
                Entry::Queries(group) => {
                    let writer = next();
                    for target in &group.targets {
                        let place = places.walk(&target.path);
                        places.register(place, &group.shape, writer);
                        places.condition(&target.path);
                    }
                }
            }
        }
        places
    }

    /// The place a path leads to.
    pub(crate) fn walk(&mut self, path: &[PathStep]) -> PlaceId {
        path.iter()
            .fold(Places::ROOT, |place, step| self.enter(place, step.slot))
    }

    /// The place of a slot of the objects at `place`.
    pub(crate) fn enter(&mut self, place: PlaceId, slot: Slot) -> PlaceId {
        let fresh = PlaceId(self.places.len());
        let child = *self.places[place.0].children.entry(slot).or_insert(fresh);
        if child == fresh {
            self.places.push(Place::default());
        }
        child
    }

    /// Below a step for some types only, an object's place decides what becomes of it, and not the object alone.
    fn condition(&mut self, path: &[PathStep]) {
        let (mut place, mut below) = (Places::ROOT, false);
        for step in path {
            place = self.enter(place, step.slot);
            self.places[place.0].conditional |= below;
            below |= step.on.is_some();
        }
    }

    fn register(&mut self, place: PlaceId, shape: &Shape, writer: WriterId) {
        for field in &shape.fields {
            let slot = match &field.keep {
                Keep::Typename => TYPE_SLOT,
                Keep::Leaf(slot) | Keep::Object(slot, _) => *slot,
            };
            let child = self.enter(place, slot);
            let known = &mut self.places[child.0].writers;
            *known = match *known {
                Writers::Nobody => Writers::One(writer),
                Writers::One(other) if other == writer => Writers::One(writer),
                _ => Writers::Many,
            };
            if let Keep::Object(_, nested) = &field.keep {
                self.register(child, nested, writer);
            }
        }
    }

    /// Whether only `writer` ever writes this place.
    pub(crate) fn only(&self, place: PlaceId, writer: WriterId) -> bool {
        self.places[place.0].writers == Writers::One(writer)
    }

    /// Whether two objects that `writer` reads with the same text into these places are one object for good: they are at
    /// one place, nobody else brings objects there, and who completes them asks for them by what is in them. (What
    /// another fetch brings along with an object *above* would depend on that one.)
    pub(crate) fn alike(&self, at: &[PlaceId], writer: WriterId) -> bool {
        let one = at.iter().all(|place| *place == at[0]);
        let ours = |place: &PlaceId| self.only(*place, writer) && !self.places[place.0].conditional;
        one && !self.contextual && at.iter().all(ours)
    }

    /// Whether only `writer` ever writes in the objects at this place, at any depth.
    pub(crate) fn only_within(&self, place: PlaceId, writer: WriterId) -> bool {
        let mut children = self.places[place.0].children.values();
        children.all(|&child| self.only(child, writer) && self.only_within(child, writer))
    }
}
