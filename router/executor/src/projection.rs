//! The client's selection compiled for writing.
use baedal_planner::plan::{self, Deferral, FragmentId, Named, PartId, Slot, StreamedList, TypeId, Wrapping};

use crate::leaf::LeafKind;
use crate::literal::Literal;
use crate::types::{TypeMask, quoted};

/// A selection.
#[derive(Debug)]
pub(crate) struct Projection {
    pub(crate) fields: Vec<Field>,
    /// Deferred fragments that begin here, each for some types.
    pub(crate) spreads: Vec<(FragmentId, TypeMask)>,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) response_key: Box<str>,
    /// `{"key":`
    pub(crate) first: Literal,
    /// `,"key":`
    pub(crate) next: Literal,
    pub(crate) on: TypeMask,
    pub(crate) source: Source,
    pub(crate) deferral: Option<Box<Deferral>>,
}

#[derive(Debug)]
pub(crate) enum Source {
    /// `__typename`, with the name (as JSON text) where the runtime type is unknown.
    Typename(Option<Box<[u8]>>),
    Given,
    Withheld(Wrapping),
    Leaf(Slot, Wrapping, LeafKind),
    Object(Slot, Wrapping, Composite),
}

/// An object, interface or union.
#[derive(Debug)]
pub(crate) struct Composite {
    pub(crate) certain: Option<TypeId>,
    pub(crate) possible: TypeMask,
    pub(crate) projection: Projection,
}

impl Projection {
    pub(crate) fn compile(projection: &plan::Projection) -> Projection {
        let field = |field: &plan::ProjectedField| Field {
            response_key: field.response_key.clone(),
            first: Literal::key("{", &field.response_key),
            next: Literal::key(",", &field.response_key),
            on: TypeMask::of_condition(&field.on),
            source: Source::compile(&field.source),
            deferral: field.deferral.clone(),
        };
        let spread = |spread: &plan::Spread| (spread.fragment, TypeMask::of_condition(&spread.on));
        Projection {
            fields: projection.fields.iter().map(field).collect(),
            spreads: projection.spreads.iter().map(spread).collect(),
        }
    }
}

impl Field {
    /// With which part of the answer it comes.
    pub(crate) fn part(&self) -> PartId {
        self.deferral
            .as_ref()
            .map_or(PartId::FIRST, |deferral| deferral.part)
    }

    /// That of a list only the first items come with it.
    #[inline]
    pub(crate) fn stream(&self) -> Option<&StreamedList> {
        self.deferral.as_ref()?.stream.as_ref()
    }
}

impl Source {
    fn compile(source: &plan::Source) -> Source {
        match source {
            plan::Source::Typename(certain) => Source::Typename(certain.as_deref().map(quoted)),
            plan::Source::Given => Source::Given,
            plan::Source::Withheld(wrapping) => Source::Withheld(wrapping.clone()),
            plan::Source::Field(slot, field) => match &field.named {
                Named::Object {
                    certain,
                    possible,
                    projection,
                } => {
                    let composite = Composite {
                        certain: *certain,
                        possible: TypeMask::of(possible),
                        projection: Projection::compile(projection),
                    };
                    Source::Object(*slot, field.wrapping.clone(), composite)
                }
                leaf => Source::Leaf(*slot, field.wrapping.clone(), LeafKind::compile(leaf)),
            },
        }
    }

    /// The slot it is read from, and the lists around it.
    pub(crate) fn slot(&self) -> Option<(Slot, &Wrapping)> {
        match self {
            Source::Leaf(slot, wrapping, _) | Source::Object(slot, wrapping, _) => Some((*slot, wrapping)),
            _ => None,
        }
    }
}
