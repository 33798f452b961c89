//! The types: enums, input objects, types without identity, entities with their keys, interfaces, unions.
use super::build::{Builder, KeyValue};
use super::graph::{Argument, Kind, Pick, Ty};

/// Adds all types, and seats the entities.
pub fn add(builder: &mut Builder) {
    for root in ["Query", "Mutation"] {
        let kind = Kind::Object {
            keys: Vec::new(),
            implements: Vec::new(),
        };
        builder.add_type(root.to_owned(), kind);
    }
    if builder.features.enums {
        let values = ["RED", "GREEN", "BLUE"].map(str::to_owned).to_vec();
        builder.add_type("N0".to_owned(), Kind::Enum(values));
    }
    if builder.features.arguments {
        builder.add_type("X0".to_owned(), Kind::Input(input(builder)));
    }
    let interfaces = if builder.features.interfaces {
        builder.numbers.between(1, 2)
    } else {
        0
    };
    let entities = builder.numbers.between(1, 4);
    let values = if builder.features.values {
        builder.numbers.between(1, 2)
    } else {
        0
    };
    for number in 0..values {
        let chance = if builder.features.interface_objects { 0 } else { 25 };
        let implements = implements(builder, interfaces, chance);
        let keys = Vec::new();
        builder.add_type(format!("V{number}"), Kind::Object { keys, implements });
    }
    for number in 0..entities {
        entity(builder, number, interfaces);
    }
    for number in 0..interfaces {
        interface(builder, number);
    }
    if builder.features.unions {
        let objects = builder.names(|ty| matches!(ty.kind, Kind::Object { .. }) && ty.name.len() == 2);
        let members = builder.numbers.some(&objects);
        builder.add_type("U0".to_owned(), Kind::Union(members));
    }
}

/// Seats each entity in some subgraphs.
pub fn seat(builder: &mut Builder) {
    let subgraphs: Vec<usize> = (0..builder.graph.subgraphs).collect();
    for name in builder.entities() {
        for at in builder.numbers.some(&subgraphs) {
            builder.seat(&name, at);
        }
    }
    let entities = builder.entities();
    for at in subgraphs {
        let seated = entities
            .iter()
            .any(|name| builder.graph.ty(name).seats.contains_key(&at));
        if !seated && let Some(name) = builder.numbers.pick(&entities) {
            builder.seat(&name, at);
        }
    }
}

fn input(builder: &Builder) -> Vec<Argument> {
    let member = |name: &str, ty: Ty, default: Option<&str>| Argument {
        name: name.to_owned(),
        ty,
        default: default.map(str::to_owned),
    };
    let mut members = vec![
        member("n", Ty::non_null("Int"), None),
        member("s", Ty::named("String"), Some("\"x\"")),
        member(
            "l",
            Ty {
                named: "Boolean".to_owned(),
                non_null: true,
                lists: vec![false],
            },
            None,
        ),
    ];
    if builder.features.enums {
        members.push(member("e", Ty::named("N0"), Some("GREEN")));
    }
    members
}

fn implements(builder: &mut Builder, interfaces: usize, chance: usize) -> Vec<String> {
    let all = (0..interfaces).map(|number| format!("I{number}"));
    all.filter(|_| builder.numbers.percent(chance)).collect()
}

fn entity(builder: &mut Builder, number: usize, interfaces: usize) {
    let name = format!("T{number}");
    let implements = implements(builder, interfaces, 60);
    let keys = Vec::new();
    builder.add_type(name.clone(), Kind::Object { keys, implements });
    let mut keys = vec![unique(builder, &name, "id", "ID")];
    if builder.features.several_keys {
        let second = builder.numbers.pick(&["String", "Int"]).unwrap_or("ID");
        keys.push(unique(builder, &name, "code", second));
    }
    if builder.features.composite_keys {
        keys.push(composite(builder, &name));
    }
    // Now and then the simple key is not among them.
    if keys.len() > 1 && !builder.features.interface_objects && builder.numbers.percent(30) {
        keys.remove(0);
        builder.graph.ty_mut(&name).fields.remove(0);
        builder.key_values.remove(&(name.clone(), "id".to_owned()));
    }
    if let Kind::Object { keys: all, .. } = &mut builder.graph.ty_mut(&name).kind {
        *all = keys;
    }
}

fn unique(builder: &mut Builder, ty: &str, field: &str, scalar: &str) -> Vec<Pick> {
    key_field(builder, ty, field, Ty::non_null(scalar), KeyValue::Unique);
    vec![Pick::leaf(field)]
}

fn key_field(builder: &mut Builder, ty: &str, field: &str, of: Ty, value: KeyValue) {
    builder.add_field(ty, field, of);
    builder
        .key_values
        .insert((ty.to_owned(), field.to_owned()), value);
}

/// Two fields, an object, or an object and a field.
fn composite(builder: &mut Builder, ty: &str) -> Vec<Pick> {
    let inner = format!("{ty}Key");
    let others: Vec<String> = builder
        .entities()
        .into_iter()
        .filter(|other| builder.graph.ty(other).field("id").is_some())
        .collect();
    if builder.features.list_keys && builder.numbers.percent(60) {
        return list_key(builder, ty, &others);
    }
    match builder.numbers.below(4) {
        3 if !others.is_empty() => {
            let owner = builder.numbers.pick(&others).unwrap_or_default();
            key_field(builder, ty, "owner", Ty::non_null(&owner), KeyValue::Entity);
            key_field(builder, ty, "slot", Ty::non_null("Int"), KeyValue::Unique);
            vec![Pick::of("owner", vec![Pick::leaf("id")]), Pick::leaf("slot")]
        }
        0 => {
            key_field(builder, ty, "half", Ty::non_null("Int"), KeyValue::Half);
            key_field(builder, ty, "parity", Ty::non_null("String"), KeyValue::Parity);
            vec![Pick::leaf("half"), Pick::leaf("parity")]
        }
        with_field => {
            let kind = Kind::Object {
                keys: Vec::new(),
                implements: Vec::new(),
            };
            builder.add_type(inner.clone(), kind);
            let unique = if with_field == 2 {
                KeyValue::Half
            } else {
                KeyValue::Unique
            };
            key_field(builder, &inner, "x", Ty::non_null("Int"), unique);
            key_field(builder, &inner, "y", Ty::named("String"), KeyValue::Unique);
            key_field(builder, ty, "ref", Ty::non_null(&inner), KeyValue::Reference);
            let mut picks = vec![Pick::of("ref", vec![Pick::leaf("x")])];
            if with_field == 2 {
                key_field(builder, ty, "parity", Ty::non_null("String"), KeyValue::Parity);
                picks.push(Pick::leaf("parity"));
            }
            picks
        }
    }
}

/// A list of leaves, or a list of entities and a field.
fn list_key(builder: &mut Builder, ty: &str, others: &[String]) -> Vec<Pick> {
    let list = |named: &str| Ty {
        lists: vec![true],
        ..Ty::non_null(named)
    };
    let Some(other) = builder
        .numbers
        .pick(others)
        .filter(|_| builder.numbers.percent(60))
    else {
        key_field(builder, ty, "codes", list("Int"), KeyValue::Leaves);
        return vec![Pick::leaf("codes")];
    };
    key_field(builder, ty, "members", list(&other), KeyValue::Entities);
    key_field(builder, ty, "slot", Ty::non_null("Int"), KeyValue::Unique);
    vec![Pick::of("members", vec![Pick::leaf("id")]), Pick::leaf("slot")]
}

/// Drops an interface that nothing implements.
fn interface(builder: &mut Builder, number: usize) {
    let name = format!("I{number}");
    if !builder.graph.implementers(&name).is_empty() {
        builder.add_type(name, Kind::Interface { keys: Vec::new() });
    }
}
