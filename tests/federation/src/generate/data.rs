//! The data of a graph.
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::build::{Builder, KeyValue};
use super::graph::{At, Datum, Field, Instance, Kind, Ty};

/// Adds all instances, and gives each field of each a value.
pub fn add(builder: &mut Builder) {
    let mut names = builder.names(|ty| ty.name == "Query" || ty.name == "Mutation");
    for name in builder.entities() {
        let copies = builder.numbers.between(1, 4);
        names.extend(vec![name; copies]);
    }
    builder.graph.instances = names.into_iter().map(empty).collect();
    super::absent::choose(builder);
    for number in 0..builder.graph.instances.len() {
        fill(builder, number, number);
    }
}

fn empty(ty: String) -> Instance {
    Instance {
        ty,
        values: BTreeMap::new(),
    }
}

/// `owner`: the number of the entity whose key this object may be part of.
fn fill(builder: &mut Builder, number: usize, owner: usize) {
    let name = builder.graph.instances[number].ty.clone();
    for field in builder.graph.ty(&name).fields.clone() {
        let key = builder
            .key_values
            .get(&(name.clone(), field.name.clone()))
            .copied();
        let datum = match key {
            _ if builder.graph.is_unknown(&name, &field, number) => Datum::Leaf(Value::Null),
            Some(key) => key_value(builder, key, &field, number, owner),
            None => plain(builder, &name, &field, number),
        };
        builder.graph.instances[number]
            .values
            .insert(field.name.clone(), datum);
    }
}

fn key_value(builder: &mut Builder, key: KeyValue, field: &Field, number: usize, owner: usize) -> Datum {
    let text = |number: usize| match field.ty.named.as_str() {
        "Int" => json!(number),
        _ => json!(format!(
            "{}{number}",
            builder.graph.instances[owner].ty.to_lowercase()
        )),
    };
    match key {
        KeyValue::Unique => Datum::Leaf(text(owner)),
        KeyValue::Half => Datum::Leaf(json!(owner / 2)),
        KeyValue::Parity => Datum::Leaf(json!(["even", "odd"][owner % 2])),
        KeyValue::Entity => {
            let of_type = |(_, one): &(usize, &Instance)| one.ty == field.ty.named;
            let all = builder.graph.instances.iter().enumerate().filter(of_type);
            let all: Vec<usize> = all.map(|(number, _)| number).collect();
            Datum::Instance(all[owner % all.len()])
        }
        KeyValue::Reference => Datum::Instance(instance(builder, &field.ty.named, number)),
        KeyValue::Leaves => {
            let all = [owner, owner + 100, owner].into_iter().take(1 + owner % 3);
            Datum::List(all.map(|leaf| Datum::Leaf(json!(leaf))).collect())
        }
        KeyValue::Entities => {
            let of_type = |(_, one): &(usize, &Instance)| one.ty == field.ty.named;
            let all = builder.graph.instances.iter().enumerate().filter(of_type);
            let all = all.map(|(number, _)| number).skip(owner % 2).take(owner % 4);
            Datum::List(all.map(Datum::Instance).collect())
        }
    }
}

/// A new object of a type without identity.
fn instance(builder: &mut Builder, name: &str, owner: usize) -> usize {
    let number = builder.graph.instances.len();
    builder.graph.instances.push(empty(name.to_owned()));
    fill(builder, number, owner);
    number
}

fn plain(builder: &mut Builder, ty: &str, field: &Field, number: usize) -> Datum {
    if let Some((of, around)) = super::contexts::source(&builder.graph, field) {
        let text = format!("{ty}.{} of {number}", field.name);
        let field = around;
        return Datum::Around { text, of, field };
    }
    let required = field.homes.values().any(|home| !home.requires.is_empty());
    if required {
        return Datum::Leaf(json!(format!("{ty}.{} of {number}", field.name)));
    }
    // What one subgraph promises not to be null is null in none.
    let strict = field.homes.values().map(|home| home.ty.clone());
    let strict = strict
        .reduce(|one, other| one.narrower(&other))
        .unwrap_or(field.ty.clone());
    let echo = (!field.arguments.is_empty()).then(|| format!("{ty}.{}", field.name));
    let wanted = Wanted {
        echo,
        parts: parts(builder, ty, field),
        homes: homes(builder, ty, field),
    };
    if field.arguments.iter().any(|argument| argument.name == "flag") {
        let cases = ["true", "false", "null"].map(|case| (case.to_owned(), value(builder, &strict, &wanted)));
        return Datum::Switch("flag".to_owned(), cases.into());
    }
    if ty == "Mutation" && field.ty.named == "Int" {
        return Datum::Next("calls".to_owned());
    }
    value(builder, &strict, &wanted)
}

/// What a field may give.
struct Wanted {
    /// The text that its arguments follow.
    echo: Option<String>,
    /// Types of objects.
    parts: Vec<String>,
    /// Subgraphs that must have the objects.
    homes: Vec<At>,
}

/// The object types that all subgraphs of a field can give.
fn parts(builder: &Builder, ty: &str, field: &Field) -> Vec<String> {
    let mut parts = builder.graph.concrete(&field.ty.named);
    for at in homes(builder, ty, field) {
        let known = builder.graph.parts(&field.ty.named, at);
        parts.retain(|part| known.contains(part));
    }
    parts
}

/// The subgraphs of a field, or those of the interface objects that add it.
fn homes(builder: &Builder, ty: &str, field: &Field) -> Vec<At> {
    let mut homes: Vec<At> = field.homes.keys().copied().collect();
    for interface in builder.graph.ty(ty).implements() {
        let added = builder.graph.ty(interface).field(&field.name);
        homes.extend(
            added
                .iter()
                .flat_map(|field| field.homes.keys())
                .filter(|_| field.homes.is_empty()),
        );
    }
    homes
}

fn value(builder: &mut Builder, ty: &Ty, wanted: &Wanted) -> Datum {
    let (nullable, below) = match ty.lists.split_first() {
        Some((list, rest)) => (
            !list,
            Some(Ty {
                lists: rest.to_vec(),
                ..ty.clone()
            }),
        ),
        None => (!ty.non_null, None),
    };
    if nullable && builder.numbers.percent(12) {
        return Datum::Leaf(Value::Null);
    }
    match below {
        Some(item) => {
            let length = builder.numbers.below(4);
            Datum::List((0..length).map(|_| value(builder, &item, wanted)).collect())
        }
        None => one(builder, &ty.named, nullable, wanted),
    }
}

fn one(builder: &mut Builder, named: &str, nullable: bool, wanted: &Wanted) -> Datum {
    if builder.graph.is_composite(named) {
        return object(builder, wanted, nullable);
    }
    let small = builder.numbers.below(1000);
    match (named, &wanted.echo) {
        (_, Some(text)) => Datum::Echo(text.clone()),
        ("Int", _) => Datum::Leaf(json!(small)),
        ("Float", _) => Datum::Leaf(json!(small as f64 / 8.0)),
        ("Boolean", _) => Datum::Leaf(json!(small.is_multiple_of(2))),
        ("ID", _) => Datum::Leaf(json!(format!("id{small}"))),
        _ => match builder.graph.get(named).map(|ty| &ty.kind) {
            Some(Kind::Enum(values)) => Datum::Leaf(json!(values[small % values.len()])),
            _ => Datum::Leaf(json!(format!("text {small} \"\u{e9}\""))),
        },
    }
}

fn object(builder: &mut Builder, wanted: &Wanted, nullable: bool) -> Datum {
    let Some(name) = builder.numbers.pick(&wanted.parts) else {
        return Datum::Leaf(Value::Null);
    };
    if !builder.graph.ty(&name).is_entity() {
        return Datum::Instance(instance(builder, &name, 0));
    }
    let all = builder.graph.instances.iter().enumerate();
    let all: Vec<usize> = all
        .filter(|(_, one)| one.ty == name)
        .map(|(number, _)| number)
        .filter(|number| {
            wanted
                .homes
                .iter()
                .all(|at| !builder.graph.absent.contains(&(*at, *number)))
        })
        .collect();
    match builder.numbers.pick(&all) {
        Some(number) => Datum::Instance(number),
        None => {
            debug_assert!(nullable, "each entity type has an instance");
            Datum::Leaf(Value::Null)
        }
    }
}
