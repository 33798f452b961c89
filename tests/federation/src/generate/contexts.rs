//! `@context` and `@fromContext`: an entity that is met only below objects that set the context.
use std::collections::BTreeMap;

use super::build::{Builder, KeyValue};
use super::graph::{At, Field, Graph, Home, Kind, Pick, Role, Ty, Type};

/// Name of the type with the contextual field.
const BELOW: &str = "C0";

/// Adds an entity type below another, and a field of it that needs a leaf of that.
pub fn add(builder: &mut Builder) {
    if builder.features.contexts {
        let owners = builder.entities();
        let owner = builder.numbers.pick(&owners);
        _ = owner.and_then(|owner| below(builder, &owner));
    }
}

fn below(builder: &mut Builder, owner: &str) -> Option<()> {
    let ty = builder.graph.ty(owner).clone();
    let seats = builder.seats(owner);
    let at = builder.numbers.pick(&seats)?;
    let leaves: Vec<&Field> = ty
        .fields
        .iter()
        .filter(|field| is_plain(&ty, field, at))
        .collect();
    let leaf = builder.numbers.pick(&leaves)?.clone();
    let kind = Kind::Object {
        keys: vec![vec![Pick::leaf("id")]],
        implements: Vec::new(),
    };
    builder.add_type(BELOW.to_owned(), kind);
    builder.add_field(BELOW, "id", Ty::non_null("ID"));
    let key = (BELOW.to_owned(), "id".to_owned());
    builder.key_values.insert(key, KeyValue::Unique);
    builder.seat(BELOW, at);
    let field = Home {
        context: Some((leaf.name.clone(), Ty::named(&leaf.ty.named))),
        ..Home::owner(Ty::named("String"))
    };
    add_field(builder, BELOW, "f", at, field);
    let seats_of_owner = builder.numbers.some(&seats);
    for home in seats_of_owner {
        builder.seat(BELOW, home);
        let field = builder.fresh(&[owner.to_owned()]);
        let of = builder.wrapped(BELOW);
        add_field(builder, owner, &field, home, Home::owner(of));
        let field = builder.fresh(&[BELOW.to_owned()]);
        let named = builder.numbers.pick(&["String", "Int", owner])?.to_owned();
        let of = builder.wrapped(&named);
        add_field(builder, BELOW, &field, home, Home::owner(of));
    }
    settle(builder, owner, &leaf, at)
}

/// Sets the context, and makes the leaf known where it is needed.
fn settle(builder: &mut Builder, owner: &str, leaf: &Field, at: At) -> Option<()> {
    let ty = builder.graph.ty_mut(owner);
    ty.seats.get_mut(&at)?.context = true;
    let external = Home {
        role: Role::External,
        ..Home::owner(leaf.ty.clone())
    };
    ty.field_mut(&leaf.name)?.homes.entry(at).or_insert(external);
    Some(())
}

fn add_field(builder: &mut Builder, ty: &str, name: &str, at: At, home: Home) {
    builder.add_field(ty, name, home.ty.clone());
    if let Some(field) = builder.graph.ty_mut(ty).field_mut(name) {
        field.homes = BTreeMap::from([(at, home)]);
    }
}

/// Whether a field is a leaf that can be read around others.
fn is_plain(ty: &Type, field: &Field, at: At) -> bool {
    let scalar = ["String", "Int", "Boolean", "ID"].contains(&field.ty.named.as_str());
    let moved = |home: &Home| matches!(home.role, Role::Lost | Role::Override { .. } | Role::Provided);
    let homes = !field.homes.is_empty() && !field.homes.values().any(moved);
    let enters = ty.seats[&at].keys.iter().any(|key| key.resolvable);
    scalar && field.ty.lists.is_empty() && field.arguments.is_empty() && homes && enters
}

/// The type and the field that fill an argument of a field.
pub fn source(graph: &Graph, field: &Field) -> Option<(String, String)> {
    let (around, _) = field.homes.values().find_map(|home| home.context.clone())?;
    let sets = |ty: &&Type| ty.seats.values().any(|seat| seat.context);
    let owner = graph.types.iter().find(sets)?;
    Some((owner.name.clone(), around))
}
