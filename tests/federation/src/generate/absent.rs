//! Entities that a subgraph answers with null, and entities that have no value for the key of a subgraph.
use super::build::Builder;
use super::graph::{At, Field, Graph, Kind, Pick, Role, Type};

/// A subgraph that lacks entities of a type.
pub struct Lacking {
    at: At,
    ty: String,
    /// The key that these entities have no value for.
    key: Option<String>,
}

/// Makes nullable what absent entities lack.
pub fn prepare(builder: &mut Builder) {
    if !builder.features.absent {
        return;
    }
    for name in builder.entities() {
        let open = builder.seats(&name).into_iter();
        let open = open.filter_map(|at| can_lack(&builder.graph, &name, at));
        let open: Vec<(At, Option<String>)> = open.collect();
        let Some((at, key)) = builder.numbers.pick(&open) else {
            continue;
        };
        let ty = builder.graph.ty_mut(&name);
        let keys: Vec<String> = keys(ty, at).iter().map(|pick| pick.field.clone()).collect();
        for field in &mut ty.fields {
            if key.as_ref() == Some(&field.name)
                || (field.homes.contains_key(&at) && !keys.contains(&field.name))
            {
                weaken(field);
            }
        }
        builder.lacking.push(Lacking { at, ty: name, key });
    }
}

/// Chooses the entities.
pub fn choose(builder: &mut Builder) {
    for Lacking { at, ty, key } in std::mem::take(&mut builder.lacking) {
        let all = builder.graph.instances.iter().enumerate();
        let all: Vec<usize> = all
            .filter(|(_, one)| one.ty == ty)
            .map(|(number, _)| number)
            .collect();
        // One is always there, for what is never null.
        for number in all.into_iter().skip(1) {
            if builder.numbers.percent(50) {
                builder.graph.absent.insert((at, number));
                let null = key.iter().map(|key| (number, key.clone()));
                builder.graph.without.extend(null);
            }
        }
    }
}

fn weaken(field: &mut Field) {
    let all = field.homes.values_mut().map(|home| &mut home.ty);
    for ty in all.chain([&mut field.ty]) {
        match ty.lists.first_mut() {
            Some(outer) => *outer = false,
            None => ty.non_null = false,
        }
    }
}

fn keys(ty: &Type, at: At) -> Vec<Pick> {
    ty.seats[&at]
        .keys
        .iter()
        .flat_map(|key| key.picks.clone())
        .collect()
}

/// Whether a subgraph can lack entities of a type: it is entered by one key, and has only fields of its own besides.
/// So nothing but these fields is lost. Either all others have that key too; or just one has it, and is entered by
/// another: then the entities may have no value for it, and the field's name is given.
fn can_lack(graph: &Graph, name: &str, at: At) -> Option<(At, Option<String>)> {
    let ty = graph.ty(name);
    let [key] = ty.seats[&at].keys.as_slice() else {
        return None;
    };
    let in_key = |field: &Field| key.picks.iter().any(|pick| pick.field == field.name);
    let own = |field: &Field| {
        let plain = field
            .homes
            .values()
            .all(|home| home.role == Role::Owner && home.provides.is_empty());
        field.homes.len() == 1 && plain
    };
    let mut here = ty
        .fields
        .iter()
        .filter(|field| field.homes.contains_key(&at) && !in_key(field));
    let fields = graph.types.iter().flat_map(|ty| &ty.fields);
    let provides = fields
        .flat_map(|field| field.homes.values())
        .any(|home| !home.provides.is_empty());
    let alone = matches!(&ty.kind, Kind::Object { implements, .. } if implements.is_empty());
    let plain = alone && key.resolvable && ty.seats.len() > 1 && !provides && !is_in_keys(graph, name);
    if !plain || here.clone().count() == 0 || !here.all(own) {
        return None;
    }
    let others = || {
        ty.seats
            .iter()
            .filter(|(other, _)| **other != at)
            .map(|(_, seat)| seat)
    };
    let with = others().filter(|seat| {
        seat.keys
            .iter()
            .any(|one| one.resolvable && one.picks == key.picks)
    });
    if with.clone().count() == others().count() {
        return Some((at, None));
    }
    let [pick] = key.picks.as_slice() else { return None };
    let by_another = with.clone().all(|seat| {
        seat.keys
            .iter()
            .any(|one| one.resolvable && one.picks != key.picks)
    });
    let known = ty.field(&pick.field).map_or(0, |field| field.homes.len());
    let single = with.count() == 1 && known == 2 && by_another && pick.below.is_empty();
    let others_agree = others().all(|seat| {
        seat.keys
            .iter()
            .any(|one| one.resolvable && one.picks == [Pick::leaf("id")])
    });
    (single && others_agree && pick.field == "code").then(|| (at, Some(pick.field.clone())))
}

/// Whether objects of a type are part of types' keys.
fn is_in_keys(graph: &Graph, name: &str) -> bool {
    graph.types.iter().any(|ty| {
        let of_type = |pick: &Pick| ty.field(&pick.field).is_some_and(|field| field.ty.named == name);
        let mut picks = ty
            .seats
            .values()
            .flat_map(|seat| &seat.keys)
            .flat_map(|key| &key.picks);
        picks.any(of_type)
    })
}

impl Graph {
    /// Whether no subgraph knows this field of an entity: it has no value for this key, or the only one that has the
    /// field does not have the entity.
    pub fn is_unknown(&self, ty: &str, field: &Field, number: usize) -> bool {
        let mut homes = field.homes.keys();
        let lacked = match (homes.next(), homes.next()) {
            (Some(at), None) => self.absent.contains(&(*at, number)) && !self.ty(ty).in_key(&field.name, *at),
            _ => false,
        };
        lacked || self.without.contains(&(number, field.name.clone()))
    }
}
