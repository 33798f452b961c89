//! Shapes compiled for reading.
use baedal_planner::plan::{self, Slot};
use hashbrown::HashMap;

use crate::literal::Literal;
use crate::places::{PlaceId, Places, WriterId};

/// With more fields than this an unexpected key is looked up by hash.
const NARROW: usize = 16;

/// What may come back at one place.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) fields: Vec<Field>,
    by_key: Option<HashMap<Box<[u8]>, usize>>,
    /// It has no objects in it.
    pub(crate) flat: bool,
    /// No other fetch writes the slots of this shape, wherever it is read: entries can be linked unseen.
    pub(crate) exclusive: bool,
    /// No other fetch writes anything at or below the objects of this shape: they can be shared as they are.
    pub(crate) pure: bool,
    /// Objects of this shape that come with the same text are one object.
    pub(crate) alike: bool,
}

#[derive(Debug)]
pub(crate) struct Field {
    /// `"name":`
    pub(crate) key: Literal,
    pub(crate) keep: Keep,
}

#[derive(Debug)]
pub(crate) enum Keep {
    Typename,
    Leaf(Slot),
    Object(Slot, Box<Shape>),
}

impl Field {
    /// The key without its colon.
    fn quoted(&self) -> &[u8] {
        self.key.text().strip_suffix(b":").unwrap_or_default()
    }
}

impl Shape {
    /// `at`: every place this shape is read into by `writer`.
    pub(crate) fn compile(
        shape: &plan::Shape,
        places: &mut Places,
        at: &[PlaceId],
        writer: WriterId,
    ) -> Shape {
        let mut exclusive = true;
        let fields = shape.fields.iter().map(|field| {
            let keep = match &field.keep {
                plan::Keep::Typename => Keep::Typename,
                plan::Keep::Leaf(slot) => {
                    exclusive &= at.iter().all(|&place| enter_only(places, place, *slot, writer));
                    Keep::Leaf(*slot)
                }
                plan::Keep::Object(slot, nested) => {
                    exclusive &= at.iter().all(|&place| enter_only(places, place, *slot, writer));
                    let below: Vec<_> = at.iter().map(|&place| places.enter(place, *slot)).collect();
                    Keep::Object(*slot, Box::new(Shape::compile(nested, places, &below, writer)))
                }
            };
            Field {
                key: Literal::key("", &field.response_key),
                keep,
            }
        });
        let fields: Vec<Field> = fields.collect();
        let pure = at
            .iter()
            .all(|&place| places.only(place, writer) && places.only_within(place, writer));
        Shape {
            by_key: by_key(&fields),
            flat: flat(&fields),
            fields,
            exclusive,
            pure,
            alike: pure || places.alike(at, writer),
        }
    }

    /// A shape around shapes: one object field for each, its slot the index.
    pub(crate) fn envelope(shapes: impl Iterator<Item = (Box<str>, Shape)>) -> Shape {
        let field = |(index, (key, shape)): (u32, (Box<str>, Shape))| Field {
            key: Literal::key("", &key),
            keep: Keep::Object(Slot(index), Box::new(shape)),
        };
        let fields: Vec<Field> = (0..).zip(shapes).map(field).collect();
        Shape {
            by_key: by_key(&fields),
            flat: flat(&fields),
            fields,
            exclusive: true,
            pure: true,
            alike: false,
        }
    }

    /// The field of a key (as JSON text), looked for from `from` on and around.
    pub(crate) fn find(&self, key: &[u8], from: usize) -> Option<usize> {
        if let Some(by_key) = &self.by_key {
            return by_key.get(key).copied();
        }
        let (before, after) = self.fields.split_at(from.min(self.fields.len()));
        let position = |fields: &[Field]| fields.iter().position(|field| field.quoted() == key);
        position(after)
            .map(|offset| before.len() + offset)
            .or_else(|| position(before))
    }

    /// Whether looking through an object's entries one by one is no work.
    pub(crate) fn is_narrow(&self) -> bool {
        self.by_key.is_none()
    }

    /// The nested shapes of its objects, by slot.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (Slot, &Shape)> {
        self.fields.iter().filter_map(|field| match &field.keep {
            Keep::Object(slot, shape) => Some((*slot, &**shape)),
            _ => None,
        })
    }

    /// Whether many objects may link one and the same entries of this shape.
    pub(crate) fn shareable(&self) -> bool {
        self.objects().all(|(_, shape)| shape.pure)
    }
}

fn enter_only(places: &mut Places, place: PlaceId, slot: Slot, writer: WriterId) -> bool {
    let child = places.enter(place, slot);
    places.only(child, writer)
}

fn flat(fields: &[Field]) -> bool {
    !fields.iter().any(|field| matches!(field.keep, Keep::Object(..)))
}

fn by_key(fields: &[Field]) -> Option<HashMap<Box<[u8]>, usize>> {
    let key = |(index, field): (usize, &Field)| (field.quoted().into(), index);
    (fields.len() > NARROW).then(|| fields.iter().enumerate().map(key).collect())
}
