//! The data of a graph as mock subgraphs serve it: all of it for the one server, and what each subgraph has.
use serde_json::{Map, Value, json};

use super::graph::{At, Datum, Field, Graph, Kind, Pick, Type};

/// The data of the whole graph, for one server.
pub fn monolith(graph: &Graph) -> Value {
    let mut entities = Map::new();
    for ty in &graph.types {
        if matches!(ty.kind, Kind::Object { .. }) {
            let records = of_type(graph, &ty.name).map(|number| record(graph, number, None));
            entities.insert(ty.name.clone(), records.collect());
        }
    }
    with_roots(graph, None, entities)
}

/// The data of a subgraph.
pub fn subgraph(graph: &Graph, at: At) -> Value {
    let mut entities = Map::new();
    for ty in &graph.types {
        let Some(seat) = ty.seats.get(&at) else { continue };
        let records: Vec<Value> = match &ty.kind {
            Kind::Object { .. } => of_type(graph, &ty.name)
                .filter(|number| !graph.absent.contains(&(at, *number)))
                .map(|number| record(graph, number, Some(at)))
                .collect(),
            Kind::Interface { .. } if seat.interface_object || !seat.keys.is_empty() => graph
                .implementers(&ty.name)
                .iter()
                .flat_map(|name| of_type(graph, name))
                .map(|number| behind_interface(graph, ty, number, at))
                .collect(),
            _ => continue,
        };
        entities.insert(ty.name.clone(), records.into());
    }
    with_roots(graph, Some(at), entities)
}

fn with_roots(graph: &Graph, at: Option<At>, mut entities: Map<String, Value>) -> Value {
    let mut data = Map::new();
    for root in ["Query", "Mutation"] {
        entities.remove(root);
        if graph.get(root).is_some()
            && let Some(number) = of_type(graph, root).next()
        {
            let mut fields = record(graph, number, at);
            fields.as_object_mut().expect("a record is an object").remove("#");
            data.insert(root.to_owned(), fields);
        }
    }
    data.insert("entities".to_owned(), entities.into());
    data.into()
}

fn of_type<'g>(graph: &'g Graph, name: &'g str) -> impl Iterator<Item = usize> + 'g {
    let all = graph.instances.iter().enumerate();
    all.filter(move |(_, instance)| instance.ty == name)
        .map(|(number, _)| number)
}

/// An entity as the interface's entity: the interface object's record, or that of the real type with its name.
fn behind_interface(graph: &Graph, interface: &Type, number: usize, at: At) -> Value {
    if !interface.seats[&at].interface_object {
        let mut fields = record(graph, number, Some(at));
        fields["__typename"] = graph.instances[number].ty.clone().into();
        return fields;
    }
    fields_of(graph, interface, number, Some(at))
}

/// What a subgraph (or, without one, the whole) says of an object.
fn record(graph: &Graph, number: usize, at: Option<At>) -> Value {
    fields_of(graph, graph.ty(&graph.instances[number].ty), number, at)
}

fn fields_of(graph: &Graph, ty: &Type, number: usize, at: Option<At>) -> Value {
    let mut fields = Map::new();
    fields.insert("#".to_owned(), number.into());
    for field in &ty.fields {
        if at.is_none_or(|at| field.resolved_by(at))
            && let Some(datum) = graph.instances[number].values.get(&field.name)
        {
            fields.insert(field.name.clone(), served(graph, field, datum, number, at));
        }
    }
    fields.into()
}

fn served(graph: &Graph, field: &Field, datum: &Datum, number: usize, at: Option<At>) -> Value {
    let home = at.and_then(|at| field.homes.get(&at));
    let (requires, provides): (&[Pick], &[Pick]) =
        home.map_or((&[], &[]), |home| (&home.requires, &home.provides));
    let along = Along {
        picks: provides,
        depth: 0,
    };
    let plain = value(graph, &field.ty.named, datum, at, along);
    if requires.is_empty() {
        return plain;
    }
    json!({ "$promised": promised(graph, number, requires), "value": plain })
}

/// How deep an object brings along others that bring along others. No operation is deeper.
const DEPTH: usize = 8;

/// What comes along with a value.
#[derive(Clone, Copy)]
struct Along<'p> {
    picks: &'p [Pick],
    /// How many objects came along on the way.
    depth: usize,
}

fn value(graph: &Graph, declared: &str, datum: &Datum, at: Option<At>, provides: Along<'_>) -> Value {
    let value = |datum: &Datum| value(graph, declared, datum, at, provides);
    match datum {
        Datum::Leaf(leaf) => leaf.clone(),
        Datum::List(items) => items.iter().map(value).collect(),
        Datum::Instance(number) => reference(graph, declared, *number, at, provides),
        Datum::Echo(text) => json!({ "$echo": text }),
        Datum::Switch(argument, cases) => {
            let cases: Map<String, Value> = cases
                .iter()
                .map(|(key, datum)| (key.clone(), value(datum)))
                .collect();
            json!({ "$switch": argument, "cases": cases })
        }
        Datum::Next(counter) => json!({ "$next": counter }),
        Datum::Around { text, .. } if at.is_some() => json!({ "$echo": text }),
        Datum::Around { text, of, field } => json!({ "$around": of, "field": field, "text": text }),
    }
}

fn reference(graph: &Graph, declared: &str, number: usize, at: Option<At>, provides: Along<'_>) -> Value {
    let ty = &graph.instances[number].ty;
    let seat = at.and_then(|at| graph.ty(declared).seats.get(&at));
    if seat.is_some_and(|seat| seat.interface_object) {
        return json!({ "$entity": declared, "#": number });
    }
    let applying: Vec<&Pick> = provides
        .picks
        .iter()
        .filter(|pick| pick.on.as_ref().is_none_or(|on| graph.concrete(on).contains(ty)))
        .collect();
    if applying.is_empty() {
        return json!({ "$entity": ty, "#": number });
    }
    let mut along = Map::new();
    for pick in applying {
        if let Some(datum) = graph.instances[number].values.get(&pick.field) {
            let field = graph.ty(ty).field(&pick.field).expect("a provided field");
            // What comes along brings along what its field always does.
            let home = at
                .and_then(|at| field.homes.get(&at))
                .filter(|_| provides.depth < DEPTH);
            let below = Along {
                picks: &[
                    pick.below.clone(),
                    home.map_or(Vec::new(), |home| home.provides.clone()),
                ]
                .concat(),
                depth: provides.depth + 1,
            };
            let value = value(graph, &field.ty.named, datum, at, below);
            along.insert(pick.field.clone(), value);
        }
    }
    json!({ "$entity": ty, "#": number, "$with": along })
}

/// What a representation must hold of an object, for a field set.
fn promised(graph: &Graph, number: usize, picks: &[Pick]) -> Value {
    let instance = &graph.instances[number];
    let mut fields = Map::new();
    for pick in picks {
        let applies = pick
            .on
            .as_ref()
            .is_none_or(|on| graph.concrete(on).contains(&instance.ty));
        if let Some(datum) = instance.values.get(&pick.field)
            && applies
        {
            let field = graph.ty(&instance.ty).field(&pick.field);
            let arguments = field.map(|field| called_with(field, &pick.arguments));
            let given = given(graph, datum, pick, &arguments.unwrap_or_default());
            match fields.get_mut(&pick.field) {
                Some(before) => join(before, given),
                None => _ = fields.insert(pick.field.clone(), given),
            }
        }
    }
    fields.into()
}

fn given(graph: &Graph, datum: &Datum, pick: &Pick, arguments: &Value) -> Value {
    match datum {
        Datum::List(items) => {
            let given = |item| given(graph, item, pick, arguments);
            items.iter().map(given).collect()
        }
        Datum::Instance(number) => promised(graph, *number, &pick.below),
        Datum::Leaf(leaf) => leaf.clone(),
        Datum::Echo(text) => format!("{text} {arguments}").into(),
        Datum::Switch(..) | Datum::Next(_) | Datum::Around { .. } => Value::Null,
    }
}

/// The arguments of a field with literal ones as in `(n: 3)`, defaults applied.
fn called_with(field: &Field, text: &str) -> Value {
    let literal = text.trim_matches(['(', ')']).split_once(": ");
    let mut arguments = Map::new();
    for argument in &field.arguments {
        let given = literal
            .filter(|(name, _)| *name == argument.name)
            .map(|(_, value)| value);
        if let Some(value) = given.or(argument.default.as_deref()) {
            let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
            arguments.insert(argument.name.clone(), value);
        }
    }
    arguments.into()
}

fn join(one: &mut Value, other: Value) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            for (key, value) in other {
                match one.get_mut(&key) {
                    Some(before) => join(before, value),
                    None => _ = one.insert(key, value),
                }
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            one.iter_mut()
                .zip(other)
                .for_each(|(one, other)| join(one, other));
        }
        _ => {}
    }
}
