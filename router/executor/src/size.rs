//! About how much memory a program takes: near enough to bound a cache of them.
use baedal_planner::plan::{
    Copied, Entry, Fetch, Keep, Named, Plan, Projection, Representation, RepresentationField, Shape, Source,
    Target,
};

use crate::program::{self, Program};
use crate::{known, projection, represent, shape, walk};

/// What a text takes besides its letters: its pointer, or what rounding up adds.
const TEXT: usize = 16;
/// A member of a representation, with its two texts and the usual one choice.
const MEMBER: usize = 320;

/// Bytes of the program of a plan, and of the plan, which has as many parts and texts.
pub(crate) fn of_program(plan: &Plan) -> usize {
    2 * compiled(plan)
}

fn compiled(plan: &Plan) -> usize {
    let types = plan.types.iter().map(|name| 4 * (name.len() + TEXT));
    size_of::<Program>()
        + types.sum::<usize>()
        + plan.fetches.iter().map(of_fetch).sum::<usize>()
        + of_projection(&plan.answer)
}

fn of_fetch(fetch: &Fetch) -> usize {
    let variables = fetch.variables.iter().map(|name| 4 * TEXT + 2 * name.len());
    let entry = match &fetch.entry {
        Entry::Root(shape) => of_shape(shape),
        Entry::Entities(groups) => groups
            .iter()
            .map(|group| {
                let known = group.known.iter().map(|known| {
                    size_of::<known::Known>() + of_target(&known.target) + of_copies(&known.copies)
                });
                size_of::<program::Group>()
                    + size_of::<shape::Field>()
                    + size_of::<shape::Shape>()
                    + 8 * TEXT
                    + of_shape(&group.shape)
                    + group.targets.iter().map(of_target).sum::<usize>()
                    + known.sum::<usize>()
            })
            .sum(),
        Entry::Queries(group) => of_shape(&group.shape) + group.targets.iter().map(of_target).sum::<usize>(),
    };
    let fallback = fetch.fallback.as_deref().map_or(0, of_fetch);
    fallback + size_of::<program::Fetch>() + fetch.query.len() + 4 * TEXT + variables.sum::<usize>() + entry
}

fn of_target(target: &Target) -> usize {
    let representation = |one: &Representation| {
        size_of::<represent::Representation>() + one.typename.len() + 2 * TEXT + of_members(&one.fields)
    };
    size_of::<program::Target>()
        + target.path.len() * size_of::<walk::Step>()
        + target.representations.iter().map(representation).sum::<usize>()
}

fn of_members(fields: &[RepresentationField]) -> usize {
    let member = |field: &RepresentationField| {
        MEMBER + 2 * field.name.len() + field.fields.as_deref().map_or(0, of_members)
    };
    fields.iter().map(member).sum()
}

fn of_copies(copies: &[Copied]) -> usize {
    let copied = |one: &Copied| size_of::<Copied>() + one.fields.as_deref().map_or(0, of_copies);
    copies.iter().map(copied).sum()
}

fn of_shape(shape: &Shape) -> usize {
    let field = |field: &baedal_planner::plan::ShapeField| {
        let nested = match &field.keep {
            Keep::Object(_, nested) => size_of::<shape::Shape>() + of_shape(nested),
            Keep::Typename | Keep::Leaf(_) => 0,
        };
        size_of::<shape::Field>() + field.response_key.len() + TEXT + nested
    };
    shape.fields.iter().map(field).sum()
}

fn of_projection(projection: &Projection) -> usize {
    let field = |field: &baedal_planner::plan::ProjectedField| {
        let nested = match &field.source {
            Source::Field(_, of) => match &of.named {
                Named::Object { projection, .. } => of_projection(projection),
                Named::Enum { values, hidden } => (values.len() + hidden.len()) * 3 * TEXT,
                _ => 0,
            },
            _ => 0,
        };
        size_of::<projection::Field>() + 3 * (field.response_key.len() + TEXT) + nested
    };
    projection.fields.iter().map(field).sum()
}
