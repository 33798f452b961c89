//! What the steps of generation share: a graph under way, and how a type or a field comes into a subgraph.
use std::collections::{BTreeMap, BTreeSet};

use super::absent::Lacking;
use super::features::Features;
use super::graph::{At, Field, Graph, Home, Key, Kind, Pick, Seat, Ty, Type};
use super::numbers::Numbers;

/// A graph under way.
pub struct Builder {
    pub graph: Graph,
    pub numbers: Numbers,
    pub features: Features,
    /// How instances differ in their key fields, by type and field.
    pub key_values: BTreeMap<(String, String), KeyValue>,
    /// Fields of interfaces, by implementing type and name.
    pub of_interfaces: BTreeSet<(String, String)>,
    /// Subgraphs that lack some entities.
    pub lacking: Vec<Lacking>,
}

/// How the instances of a type differ in a key field.
#[derive(Clone, Copy, Debug)]
pub enum KeyValue {
    /// Each has its own.
    Unique,
    /// It is the number of the instance, halved.
    Half,
    /// It is even or odd.
    Parity,
    /// Each refers to its own object.
    Reference,
    /// Each refers to an entity.
    Entity,
    /// Each has a list of its own.
    Leaves,
    /// Each refers to some entities.
    Entities,
}

const NAMES: [&str; 24] = [
    "a", "b", "c", "d", "e", "f", "g", "h", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v",
    "w", "x", "y",
];

impl Builder {
    /// A type without fields.
    pub fn add_type(&mut self, name: String, kind: Kind) {
        self.graph.types.push(Type {
            name,
            kind,
            fields: Vec::new(),
            seats: BTreeMap::new(),
        });
    }

    /// A field without a home.
    pub fn add_field(&mut self, ty: &str, name: &str, of: Ty) {
        self.graph.ty_mut(ty).fields.push(Field {
            name: name.to_owned(),
            ty: of,
            arguments: Vec::new(),
            homes: BTreeMap::new(),
            hidden: false,
        });
    }

    /// Names of the types that fit.
    pub fn names(&self, fits: impl Fn(&Type) -> bool) -> Vec<String> {
        let types = self.graph.types.iter();
        types.filter(|ty| fits(ty)).map(|ty| ty.name.clone()).collect()
    }

    /// Names of the entity types.
    pub fn entities(&self) -> Vec<String> {
        self.names(Type::is_entity)
    }

    /// A field name that none of these types has.
    pub fn fresh(&self, types: &[String]) -> String {
        let used = |name: &str| types.iter().any(|ty| self.graph.ty(ty).field(name).is_some());
        let plain = NAMES
            .iter()
            .find(|name| !used(name))
            .map(|name| (*name).to_owned());
        let numbered = || (0..1000).map(|n| format!("z{n}")).find(|name| !used(name));
        plain.or_else(numbered).expect("a type has few fields")
    }

    /// The subgraphs that have a type.
    pub fn seats(&self, ty: &str) -> Vec<At> {
        self.graph.ty(ty).seats.keys().copied().collect()
    }

    /// Brings a type into a subgraph, with all that this needs.
    pub fn seat(&mut self, name: &str, at: At) {
        let Some(ty) = self.graph.get(name) else { return };
        if ty.seats.contains_key(&at) {
            return;
        }
        let (kind, entity) = (ty.kind.clone(), ty.is_entity());
        if entity {
            return self.seat_entity(name, at);
        }
        self.graph.ty_mut(name).seats.insert(at, Seat::default());
        match kind {
            Kind::Object { .. } if name == "Query" || name == "Mutation" => {}
            Kind::Object { .. } => self.all_fields(name, at),
            Kind::Interface { .. } | Kind::Union(_) => self.seat_parts(name, at),
            Kind::Input(members) => members.iter().for_each(|member| self.seat(&member.ty.named, at)),
            Kind::Enum(_) => {}
        }
    }

    /// An interface or a union comes with all or some of its types.
    fn seat_parts(&mut self, name: &str, at: At) {
        let all = self.graph.concrete(name);
        let chosen = if self.features.partial {
            self.numbers.some(&all)
        } else {
            all
        };
        for part in chosen {
            self.seat(&part, at);
            // A type that was there before may be no part of it.
            if let Some(seat) = self.graph.ty_mut(&part).seats.get_mut(&at) {
                seat.hides.remove(name);
            }
        }
    }

    /// What a field of an abstract type can give in one of its subgraphs it can give in all.
    fn align(&mut self, named: &str, homes: &[At], at: At) {
        if let Some(first) = homes.first() {
            for part in self.graph.parts(named, *first) {
                self.seat(&part, at);
                if let Some(seat) = self.graph.ty_mut(&part).seats.get_mut(&at) {
                    seat.hides.remove(named);
                }
            }
        }
    }

    /// A type without identity is the same everywhere.
    fn all_fields(&mut self, name: &str, at: At) {
        let fields = self.graph.ty(name).fields.iter();
        let fields: Vec<String> = fields.map(|field| field.name.clone()).collect();
        for field in fields {
            self.home(name, &field, at);
        }
    }

    /// An entity comes with a key that another subgraph has too, so that each can be reached from each.
    fn seat_entity(&mut self, name: &str, at: At) {
        let ty = self.graph.ty(name).clone();
        let seats: Vec<&Seat> = ty.seats.values().collect();
        let shared = self.numbers.pick(&seats).and_then(|seat| {
            let keys: Vec<&Key> = seat.keys.iter().filter(|key| key.resolvable).collect();
            self.numbers.pick(&keys).map(|key| key.picks.clone())
        });
        let first = shared.or_else(|| self.numbers.pick(ty.keys()));
        let first = first.expect("an entity has a key");
        let mut keys = vec![Key {
            picks: first.clone(),
            resolvable: true,
        }];
        for other in ty.keys().iter().filter(|picks| **picks != first) {
            if self.numbers.percent(35) {
                keys.push(Key {
                    picks: other.clone(),
                    resolvable: self.numbers.percent(70),
                });
            }
        }
        let picks: Vec<Pick> = keys.iter().flat_map(|key| key.picks.clone()).collect();
        let hides = if self.features.partial && self.numbers.percent(25) {
            let abstracts = self.names(|ty| matches!(ty.kind, Kind::Interface { .. } | Kind::Union(_)));
            abstracts.into_iter().collect()
        } else {
            BTreeSet::new()
        };
        let simple = picks.iter().all(|pick| pick.below.is_empty());
        let extends = self.features.extensions && simple && !ty.seats.is_empty() && self.numbers.percent(40);
        let seat = Seat {
            keys,
            hides,
            extends,
            ..Seat::default()
        };
        self.graph.ty_mut(name).seats.insert(at, seat);
        self.homes(name, &picks, at);
    }

    /// Brings the fields of a field set into a subgraph.
    fn homes(&mut self, ty: &str, picks: &[Pick], at: At) {
        for pick in picks {
            self.home(ty, &pick.field, at);
            let field = self.graph.ty(ty).field(&pick.field);
            let named = field.expect("a field of the type").ty.named.clone();
            self.homes(&named, &pick.below, at);
        }
    }

    /// Brings a field into a subgraph, as one that is resolved there.
    pub fn home(&mut self, ty: &str, field: &str, at: At) {
        self.seat(ty, at);
        let key = self.key_values.contains_key(&(ty.to_owned(), field.to_owned()));
        let declared = self
            .graph
            .ty(ty)
            .field(field)
            .expect("a field of the type")
            .clone();
        if declared.homes.contains_key(&at) {
            return;
        }
        let of = if key {
            declared.ty.clone()
        } else {
            self.variant(&declared.ty)
        };
        let here = self
            .graph
            .ty_mut(ty)
            .field_mut(field)
            .expect("a field of the type");
        here.homes.insert(at, Home::owner(of));
        self.seat(&declared.ty.named, at);
        let homes: Vec<At> = declared.homes.keys().copied().collect();
        self.align(&declared.ty.named, &homes, at);
        for argument in &declared.arguments {
            self.seat(&argument.ty.named, at);
        }
    }

    /// The same type, non-null from the outside in for some levels more. Any two such types can be merged,
    /// which two that are each stronger at another level can't.
    fn variant(&mut self, ty: &Ty) -> Ty {
        if !self.features.nullability || !self.numbers.percent(30) {
            return ty.clone();
        }
        let levels = self.numbers.between(1, ty.lists.len() + 1);
        let lists = ty.lists.iter().enumerate();
        Ty {
            named: ty.named.clone(),
            non_null: ty.non_null || levels > ty.lists.len(),
            lists: lists.map(|(level, list)| *list || level < levels).collect(),
        }
    }

    /// A type reference with random lists and nulls.
    pub fn wrapped(&mut self, named: &str) -> Ty {
        let lists = match self.numbers.below(10) {
            0..6 => 0,
            6..9 => 1,
            _ if self.features.lists_of_lists => 2,
            _ => 1,
        };
        Ty {
            named: named.to_owned(),
            non_null: self.numbers.percent(30),
            lists: (0..lists).map(|_| self.numbers.percent(30)).collect(),
        }
    }

    /// The public type of each field is what all its homes allow.
    pub fn merge_types(&mut self) {
        for ty in &mut self.graph.types {
            for field in &mut ty.fields {
                let merged = field.homes.values().map(|home| home.ty.clone());
                if let Some(merged) = merged.reduce(|one, other| one.wider(&other)) {
                    field.ty = merged;
                }
            }
        }
    }
}
