//! Interfaces that are an object type in a subgraph that has none of their implementers.
use super::build::Builder;
use super::graph::{At, Field, Home, Key, Kind, Pick, Role, Seat, Ty, Type};

/// Gives some interfaces a subgraph that adds fields to all their implementers.
pub fn add(builder: &mut Builder) {
    if builder.features.interface_objects {
        for name in builder.names(|ty| matches!(ty.kind, Kind::Interface { .. })) {
            _ = interface_object(builder, &name);
        }
    }
}

/// Makes sure that some subgraph has all implementers of each interface, by their `id`.
pub fn prepare(builder: &mut Builder) {
    if !builder.features.interface_objects {
        return;
    }
    for name in builder.names(|ty| matches!(ty.kind, Kind::Interface { .. })) {
        let implementers = builder.graph.implementers(&name);
        let seats = builder.seats(&name);
        let entities = implementers.iter().all(|ty| builder.graph.ty(ty).is_entity());
        let (Some(real), true) = (builder.numbers.pick(&seats), entities) else {
            continue;
        };
        for ty in implementers {
            builder.seat(&ty, real);
            builder.home(&ty, "id", real);
            let by_id = entered_by_id(builder, &ty, real);
            let seat = builder
                .graph
                .ty_mut(&ty)
                .seats
                .get_mut(&real)
                .expect("it was seated");
            seat.hides.remove(&name);
            if !by_id {
                // Not beside the same key that none enters by.
                seat.keys.retain(|key| key.picks != [Pick::leaf("id")]);
                seat.keys.push(Key {
                    picks: vec![Pick::leaf("id")],
                    resolvable: true,
                });
            }
        }
    }
}

fn interface_object(builder: &mut Builder, name: &str) -> Option<()> {
    let implementers = builder.graph.implementers(name);
    let seats = builder.seats(name);
    // A subgraph with a key of the interface must have all its implementers.
    let knows_all = |at: &At| {
        let all = builder.graph.parts(name, *at).len() == implementers.len();
        all && implementers.iter().all(|ty| entered_by_id(builder, ty, *at))
    };
    let real = seats.iter().copied().find(knows_all)?;
    // A subgraph of its own: it has none of the implementers.
    let at = builder.graph.subgraphs;
    builder.graph.subgraphs += 1;
    // Nor comes one in with the key of another type.
    let holds = |ty: &Type| ["owner", "members"].iter().any(|key| ty.field(key).is_some());
    let apart = |ty: &Type| !ty.implements().iter().any(|one| one == name) && !holds(ty);
    let others = builder.names(|ty| ty.is_entity() && apart(ty));
    if let Some(other) = builder.numbers.pick(&others) {
        builder.seat(&other, at);
    }
    seat(builder, name, real, at);
    for _ in 0..builder.numbers.between(1, 3) {
        field(builder, name, &implementers, at);
    }
    if builder.features.requires {
        _ = require(builder, name, &implementers, at);
    }
    let root = builder.fresh(&["Query".to_owned()]);
    let ty = builder.wrapped(name);
    builder.add_field("Query", &root, ty.clone());
    builder.seat("Query", at);
    builder
        .graph
        .ty_mut("Query")
        .field_mut(&root)?
        .homes
        .insert(at, Home::owner(ty));
    Some(())
}

/// Whether a subgraph has a type with the key `id`.
fn entered_by_id(builder: &Builder, ty: &str, at: At) -> bool {
    let seat = builder.graph.ty(ty).seats.get(&at);
    let by_id = |key: &Key| key.resolvable && key.picks == [Pick::leaf("id")];
    seat.is_some_and(|seat| seat.keys.iter().any(by_id))
}

fn seat(builder: &mut Builder, name: &str, real: At, at: At) {
    let key = Key {
        picks: vec![Pick::leaf("id")],
        resolvable: true,
    };
    builder.add_field(name, "id", Ty::non_null("ID"));
    let interface = builder.graph.ty_mut(name);
    interface.kind = Kind::Interface {
        keys: vec![key.picks.clone()],
    };
    if let Some(id) = interface.field_mut("id") {
        id.homes
            .extend([real, at].map(|at| (at, Home::owner(Ty::non_null("ID")))));
    }
    interface.seats.entry(real).or_default().keys.push(key.clone());
    let object = Seat {
        keys: vec![key],
        interface_object: true,
        ..Seat::default()
    };
    interface.seats.insert(at, object);
}

/// A field that the interface object adds, and for which it needs a leaf of the real interface.
fn require(builder: &mut Builder, name: &str, implementers: &[String], at: At) -> Option<()> {
    let of_interface = builder.graph.ty(name).clone();
    let known = |field: &&Field| {
        let named = &field.ty.named;
        let declared = builder
            .graph
            .get(named)
            .is_none_or(|ty| ty.seats.contains_key(&at));
        let elsewhere = !field.homes.is_empty() && !field.homes.contains_key(&at);
        elsewhere && declared && field.arguments.is_empty() && !builder.graph.is_composite(named)
    };
    let leaves: Vec<&Field> = of_interface.fields.iter().filter(known).collect();
    let leaf = builder.numbers.pick(&leaves)?.clone();
    let mut all = implementers.to_vec();
    all.push(name.to_owned());
    let added = builder.fresh(&all);
    for one in &all {
        builder.add_field(one, &added, Ty::named("String"));
    }
    let interface = builder.graph.ty_mut(name);
    let external = Home {
        role: Role::External,
        ..Home::owner(leaf.ty.clone())
    };
    interface.field_mut(&leaf.name)?.homes.insert(at, external);
    let home = Home {
        requires: vec![Pick::leaf(&leaf.name)],
        ..Home::owner(Ty::named("String"))
    };
    interface.field_mut(&added)?.homes.insert(at, home);
    Some(())
}

/// A field that the interface object adds: implementers have it, and no subgraph of theirs.
fn field(builder: &mut Builder, name: &str, implementers: &[String], at: At) {
    let mut all = implementers.to_vec();
    all.push(name.to_owned());
    let field = builder.fresh(&all);
    let entities = builder.names(|ty| ty.is_entity() && ty.seats.contains_key(&at));
    let named = match builder.numbers.pick(&entities) {
        Some(entity) if builder.numbers.percent(40) => entity,
        _ => builder
            .numbers
            .pick(&["String", "Int", "Boolean"])
            .unwrap_or("ID")
            .to_owned(),
    };
    let ty = builder.wrapped(&named);
    for one in &all {
        builder.add_field(one, &field, ty.clone());
    }
    if let Some(field) = builder.graph.ty_mut(name).field_mut(&field) {
        field.homes.insert(at, Home::owner(ty));
    }
}
