//! The fields: of types without identity, of interfaces, of entities, of the root types.
use super::build::Builder;
use super::graph::{Argument, At, Home, Kind, Seat, Ty};

const SCALARS: [&str; 5] = ["String", "Int", "Float", "Boolean", "ID"];

/// Adds fields to all types.
pub fn add(builder: &mut Builder) {
    // What types without identity have comes first: it comes with them into each subgraph.
    for name in builder.names(|ty| ty.name.starts_with('V')) {
        for _ in 0..builder.numbers.between(1, 3) {
            let field = builder.fresh(std::slice::from_ref(&name));
            let named = simple(builder);
            let ty = builder.wrapped(&named);
            builder.add_field(&name, &field, ty);
            arguments(builder, &name, &field);
        }
    }
    let interfaces = builder.names(|ty| matches!(ty.kind, Kind::Interface { .. }));
    for name in &interfaces {
        of_interface(builder, name);
    }
    super::types::seat(builder);
    for name in &interfaces {
        homes_of_implementers(builder, name);
    }
    for name in builder.entities() {
        for _ in 0..builder.numbers.between(1, 4) {
            of_entity(builder, &name);
        }
    }
    roots(builder);
    if builder.features.split_values {
        for (number, name) in builder.entities().into_iter().enumerate() {
            split_value(builder, &name, number);
        }
    }
    super::interface_objects::prepare(builder);
    declare_interfaces(builder);
}

/// A scalar, an enum, an entity.
fn simple(builder: &mut Builder) -> String {
    let entities = builder.entities();
    match builder.numbers.below(10) {
        0..2 if builder.features.enums => "N0".to_owned(),
        2..5 => builder.numbers.pick(&entities).unwrap_or_default(),
        _ => scalar(builder),
    }
}

fn scalar(builder: &mut Builder) -> String {
    builder.numbers.pick(&SCALARS).unwrap_or("String").to_owned()
}

/// Anything.
fn any(builder: &mut Builder) -> String {
    let composite = builder.names(|ty| matches!(ty.name.as_bytes()[0], b'T' | b'V' | b'I' | b'U'));
    match builder.numbers.below(10) {
        0..6 => simple(builder),
        _ => builder.numbers.pick(&composite).unwrap_or_default(),
    }
}

/// Fields that all implementers have; the first is a leaf.
fn of_interface(builder: &mut Builder, name: &str) {
    let implementers = builder.graph.implementers(name);
    let mut all = implementers.clone();
    all.push(name.to_owned());
    for number in 0..builder.numbers.between(1, 3) {
        let field = builder.fresh(&all);
        let named = if number == 0 {
            scalar(builder)
        } else {
            simple(builder)
        };
        let ty = builder.wrapped(&named);
        for one in &all {
            builder.add_field(one, &field, ty.clone());
            builder.of_interfaces.insert((one.clone(), field.clone()));
        }
    }
}

fn homes_of_implementers(builder: &mut Builder, name: &str) {
    let fields: Vec<String> = builder
        .graph
        .ty(name)
        .fields
        .iter()
        .map(|field| field.name.clone())
        .collect();
    for ty in builder.graph.implementers(name) {
        if builder.graph.ty(&ty).is_entity() {
            for field in &fields {
                settle(builder, &ty, field);
            }
        }
    }
}

fn of_entity(builder: &mut Builder, name: &str) {
    let field = builder.fresh(&[name.to_owned()]);
    let named = any(builder);
    let ty = builder.wrapped(&named);
    builder.add_field(name, &field, ty);
    arguments(builder, name, &field);
    settle(builder, name, &field);
}

/// An object without identity whose fields are in different subgraphs: they are reached through the entity.
fn split_value(builder: &mut Builder, name: &str, number: usize) {
    let seats = builder.seats(name);
    if seats.len() < 2 || builder.numbers.percent(40) {
        return;
    }
    let value = format!("W{number}");
    let kind = Kind::Object {
        keys: Vec::new(),
        implements: Vec::new(),
    };
    builder.add_type(value.clone(), kind);
    let through = builder.fresh(&[name.to_owned()]);
    let ty = builder.wrapped(&value);
    builder.add_field(name, &through, ty.clone());
    for at in seats {
        let field = builder.fresh(std::slice::from_ref(&value));
        let named = scalar(builder);
        let of = builder.wrapped(&named);
        builder.add_field(&value, &field, of.clone());
        // Seated by hand: other types without identity are whole everywhere.
        let ty_here = builder.graph.ty_mut(&value);
        ty_here.seats.insert(at, Seat::default());
        if let Some(field) = ty_here.field_mut(&field) {
            field.homes.insert(at, Home::owner(of));
        }
        if let Some(field) = builder.graph.ty_mut(name).field_mut(&through) {
            field.homes.insert(at, Home::owner(ty.clone()));
        }
    }
}

/// Gives a field its homes among the seats of its type.
fn settle(builder: &mut Builder, ty: &str, field: &str) {
    let seats = builder.seats(ty);
    let homes: Vec<At> = if builder.features.shareable && builder.numbers.percent(35) {
        builder.numbers.some(&seats)
    } else {
        builder.numbers.pick(&seats).into_iter().collect()
    };
    for at in homes {
        builder.home(ty, field, at);
    }
}

fn roots(builder: &mut Builder) {
    let subgraphs: Vec<At> = (0..builder.graph.subgraphs).collect();
    let mut queries = 0;
    for at in subgraphs.clone() {
        for _ in 0..builder.numbers.between(0, 2) {
            root(builder, at, &subgraphs);
            queries += 1;
        }
    }
    if queries == 0 {
        root(builder, 0, &subgraphs);
    }
    if builder.features.mutations {
        for _ in 0..builder.numbers.between(1, 3) {
            let field = builder.fresh(&["Mutation".to_owned()]);
            let named = if builder.numbers.percent(50) {
                "Int".to_owned()
            } else {
                any(builder)
            };
            let ty = Ty::named(&named);
            builder.add_field("Mutation", &field, ty);
            let at = builder.numbers.pick(&subgraphs).unwrap_or_default();
            builder.home("Mutation", &field, at);
        }
    }
}

fn root(builder: &mut Builder, at: At, subgraphs: &[At]) {
    let field = builder.fresh(&["Query".to_owned()]);
    let here = builder
        .names(|ty| ty.seats.contains_key(&at) && matches!(ty.name.as_bytes()[0], b'T' | b'V' | b'I' | b'U'));
    let named = match builder.numbers.below(10) {
        0 => scalar(builder),
        1..8 => builder.numbers.pick(&here).unwrap_or("String".to_owned()),
        _ => any(builder),
    };
    let ty = builder.wrapped(&named);
    builder.add_field("Query", &field, ty);
    arguments(builder, "Query", &field);
    builder.home("Query", &field, at);
    if builder.features.shareable && builder.numbers.percent(25) {
        let other = builder.numbers.pick(subgraphs).unwrap_or(at);
        builder.home("Query", &field, other);
    }
}

/// Arguments for a text (which repeats them) or an object (which one of them chooses).
fn arguments(builder: &mut Builder, ty: &str, field: &str) {
    if !builder.features.arguments || !builder.numbers.percent(40) {
        return;
    }
    let named = builder
        .graph
        .ty(ty)
        .field(field)
        .expect("it was added")
        .ty
        .named
        .clone();
    let mut all = Vec::new();
    if builder.graph.is_composite(&named) {
        all.push(argument(
            "flag",
            Ty::named("Boolean"),
            [None, Some("true")][builder.numbers.below(2)],
        ));
    } else if named == "String" {
        all.push(argument(
            "n",
            Ty::named("Int"),
            [None, Some("7")][builder.numbers.below(2)],
        ));
        if builder.numbers.percent(40) {
            all.push(argument("input", Ty::named("X0"), None));
        }
        if builder.numbers.percent(30) {
            let ty = Ty {
                named: "ID".to_owned(),
                non_null: true,
                lists: vec![true],
            };
            all.push(argument("ids", ty, Some("[\"p\", \"q\"]")));
        }
        if builder.features.enums && builder.numbers.percent(40) {
            all.push(argument("color", Ty::non_null("N0"), Some("RED")));
        }
    }
    if let Some(field) = builder.graph.ty_mut(ty).field_mut(field) {
        field.arguments = all;
    }
}

fn argument(name: &str, ty: Ty, default: Option<&str>) -> Argument {
    Argument {
        name: name.to_owned(),
        ty,
        default: default.map(str::to_owned),
    }
}

/// Declares fields of interfaces where all implementers resolve them. Giving an interface its first field
/// may bring other types into a subgraph, and with them interfaces: until nothing is left to do.
fn declare_interfaces(builder: &mut Builder) {
    let interfaces = builder.names(|ty| matches!(ty.kind, Kind::Interface { .. }));
    let mut open = true;
    while open {
        open = false;
        for name in &interfaces {
            for at in builder.seats(name) {
                if !first_is_declared(builder, name, at) {
                    open = true;
                    declare_first(builder, name, at);
                }
            }
        }
    }
    for name in &interfaces {
        let fields: Vec<String> = builder
            .graph
            .ty(name)
            .fields
            .iter()
            .map(|field| field.name.clone())
            .collect();
        for field in fields {
            declare(builder, name, &field);
        }
    }
}

/// Whether a subgraph's interface has its first field; and all its types there, also those that came later.
fn first_is_declared(builder: &Builder, name: &str, at: At) -> bool {
    let first = &builder.graph.ty(name).fields[0];
    let has = |ty: &String| {
        let field = builder.graph.ty(ty).field(&first.name);
        field.is_some_and(|field| field.homes.contains_key(&at))
    };
    first.homes.contains_key(&at) && builder.graph.parts(name, at).iter().all(has)
}

fn declare_first(builder: &mut Builder, name: &str, at: At) {
    let field = builder.graph.ty(name).fields[0].name.clone();
    for ty in builder.graph.parts(name, at) {
        builder.home(&ty, &field, at);
    }
    insert(builder, name, &field, at);
}

fn insert(builder: &mut Builder, name: &str, field: &str, at: At) {
    let field = builder
        .graph
        .ty_mut(name)
        .field_mut(field)
        .expect("a field of the interface");
    field.homes.insert(at, Home::owner(field.ty.clone()));
}

fn declare(builder: &mut Builder, name: &str, field: &str) {
    let everywhere = |at: &At| {
        let has = |ty: &String| {
            let field = builder.graph.ty(ty).field(field);
            field.is_some_and(|field| field.homes.contains_key(at))
        };
        builder.graph.parts(name, *at).iter().all(has)
    };
    let able: Vec<At> = builder.seats(name).into_iter().filter(everywhere).collect();
    let chosen: Vec<At> = able.into_iter().filter(|_| builder.numbers.percent(75)).collect();
    for at in chosen {
        insert(builder, name, field, at);
    }
    // A field that the interface has nowhere is only the implementers' own.
    if builder
        .graph
        .ty(name)
        .field(field)
        .is_some_and(|field| field.homes.is_empty())
    {
        builder.graph.ty_mut(name).fields.retain(|one| one.name != field);
    }
}
