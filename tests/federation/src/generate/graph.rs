//! A generated graph: one schema and its data, and how both are split over subgraphs.
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub use super::notation::{Argument, Pick, Ty, print};

/// Index of a subgraph.
pub type At = usize;

/// A whole graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// How many subgraphs there are.
    pub subgraphs: usize,
    /// All types, `Query` and `Mutation` among them.
    pub types: Vec<Type>,
    /// All objects, the roots among them; a reference is an index.
    pub instances: Vec<Instance>,
    /// Entities that a subgraph answers with null.
    pub absent: BTreeSet<(At, usize)>,
    /// Key fields that an entity has no value for.
    pub without: BTreeSet<(usize, String)>,
    /// Whether there is a directive for clients to write on fields.
    pub directive: bool,
}

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Of objects and interfaces.
    pub fields: Vec<Field>,
    /// The subgraphs that have it.
    pub seats: BTreeMap<At, Seat>,
}

/// What a type is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// An object type, with the keys to choose from (none: it has no identity) and its interfaces.
    Object {
        /// Key field sets by which its instances differ.
        keys: Vec<Vec<Pick>>,
        /// Names.
        implements: Vec<String>,
    },
    /// An interface, with the keys to choose from.
    Interface {
        /// Key field sets that all implementers have.
        keys: Vec<Vec<Pick>>,
    },
    /// A union of these.
    Union(Vec<String>),
    /// An enum of these.
    Enum(Vec<String>),
    /// An input object with these members.
    Input(Vec<Argument>),
}

/// How a subgraph has a type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seat {
    /// Its keys there.
    pub keys: Vec<Key>,
    /// An interface that is an object type there.
    pub interface_object: bool,
    /// Interfaces and unions that an object type is no part of there, though they are there.
    pub hides: BTreeSet<String>,
    /// It is written as an extension, with external keys.
    pub extends: bool,
    /// It sets the context.
    pub context: bool,
}

/// A key of a type in a subgraph.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// What it is made of.
    pub picks: Vec<Pick>,
    /// Whether the subgraph can be entered by it.
    pub resolvable: bool,
}

/// A field.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type in the public schema.
    pub ty: Ty,
    /// Its arguments.
    pub arguments: Vec<Argument>,
    /// The subgraphs that have it.
    pub homes: BTreeMap<At, Home>,
    /// Whether clients don't see it.
    pub hidden: bool,
}

impl Role {
    /// Whether it is `@external`.
    pub fn is_external(&self) -> bool {
        matches!(self, Role::External | Role::Provided)
    }
}

/// How a subgraph has a field.
#[derive(Clone, Debug, PartialEq)]
pub struct Home {
    /// Its type there: the public one, or a narrower.
    pub ty: Ty,
    /// Its duty there.
    pub role: Role,
    /// What it needs from others.
    pub requires: Vec<Pick>,
    /// What comes along with it.
    pub provides: Vec<Pick>,
    /// The argument `around` there, of this type, is filled with this field of the enclosing object that sets the
    /// context.
    pub context: Option<(String, Ty)>,
}

/// What a subgraph does with a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Role {
    /// Resolves it.
    Owner,
    /// Resolves it, and took it from another.
    Override {
        /// From whom.
        from: At,
        /// The label of a progressive override, and whether it is active.
        label: Option<(String, bool)>,
    },
    /// Lost it to an [`Role::Override`].
    Lost,
    /// Only knows of it.
    External,
    /// Knows of it, and gives it where another field provides it.
    Provided,
}

/// An object of the data.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// Its type.
    pub ty: String,
    /// What its fields give.
    pub values: BTreeMap<String, Datum>,
}

/// What a field gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    /// A leaf value, or null.
    Leaf(Value),
    /// A list.
    List(Vec<Datum>),
    /// An object.
    Instance(usize),
    /// This text and the arguments it was called with.
    Echo(String),
    /// By the value of an argument.
    Switch(String, BTreeMap<String, Datum>),
    /// A number that grows with each call, by name.
    Next(String),
    /// This text and a field of the nearest enclosing object of a type.
    Around {
        /// The text.
        text: String,
        /// The type.
        of: String,
        /// The field.
        field: String,
    },
}

/// A subgraph's name.
pub fn name(at: At) -> String {
    char::from(b'a' + u8::try_from(at % 26).unwrap_or_default()).to_string()
}

impl Graph {
    /// A type.
    pub fn get(&self, name: &str) -> Option<&Type> {
        self.types.iter().find(|ty| ty.name == name)
    }

    /// A type that is known to be there.
    pub fn ty(&self, name: &str) -> &Type {
        self.get(name).expect("a type of the graph")
    }

    /// A type that is known to be there.
    pub fn ty_mut(&mut self, name: &str) -> &mut Type {
        let mut types = self.types.iter_mut();
        types.find(|ty| ty.name == name).expect("a type of the graph")
    }

    /// Whether a subgraph has anything.
    pub fn has(&self, at: At) -> bool {
        self.types.iter().any(|ty| ty.seats.contains_key(&at))
    }

    /// The subgraphs that have anything.
    pub fn seated(&self) -> Vec<At> {
        (0..self.subgraphs).filter(|at| self.has(*at)).collect()
    }

    /// The object types that can stand where this type is declared.
    pub fn concrete(&self, name: &str) -> Vec<String> {
        match self.get(name).map(|ty| &ty.kind) {
            Some(Kind::Object { .. }) => vec![name.to_owned()],
            Some(Kind::Union(members)) => members.clone(),
            Some(Kind::Interface { .. }) => self.implementers(name),
            _ => Vec::new(),
        }
    }

    /// The object types that are part of an interface or union (or the type itself) in a subgraph.
    pub fn parts(&self, name: &str, at: At) -> Vec<String> {
        let here = |part: &String| {
            let seat = self.get(part).and_then(|ty| ty.seats.get(&at));
            seat.is_some_and(|seat| !seat.hides.contains(name))
        };
        let object = self.get(name).and_then(|ty| ty.seats.get(&at));
        let mut parts = self.concrete(name);
        if !object.is_some_and(|seat| seat.interface_object) {
            parts.retain(here);
        }
        parts
    }

    /// The object types that implement an interface.
    pub fn implementers(&self, name: &str) -> Vec<String> {
        let implements = |ty: &&Type| ty.implements().iter().any(|one| one == name);
        self.types
            .iter()
            .filter(implements)
            .map(|ty| ty.name.clone())
            .collect()
    }

    /// Whether values of this type are objects.
    pub fn is_composite(&self, name: &str) -> bool {
        let kind = self.get(name).map(|ty| &ty.kind);
        !matches!(kind, None | Some(Kind::Enum(_) | Kind::Input(_)))
    }

    /// Drops types that no subgraph has, and fields that none gives.
    pub fn prune(&mut self) {
        self.types.retain(|ty| !ty.seats.is_empty());
        let whole = self.clone();
        // What no subgraph says of a type is not so.
        let stands = |part: &str, abstract_type: &str| {
            let seats = whole.get(abstract_type).map(|ty| &ty.seats);
            // An interface object says nothing of who implements.
            let real = seats
                .into_iter()
                .flatten()
                .filter(|(_, seat)| !seat.interface_object);
            let mut seats = real.map(|(at, _)| at);
            seats.any(|at| whole.parts(abstract_type, *at).iter().any(|one| one == part))
        };
        let added = self.added_by_interface_objects();
        for ty in &mut self.types {
            let implements = ty.implements().to_vec();
            ty.fields.retain(|field| {
                let added = |one: &String| added.contains(&(one.clone(), field.name.clone()));
                !field.homes.is_empty() || implements.iter().any(added)
            });
            let used: Vec<Vec<Pick>> = ty
                .seats
                .values()
                .flat_map(|seat| &seat.keys)
                .map(|key| key.picks.clone())
                .collect();
            if let Kind::Object { implements, keys } = &mut ty.kind {
                let name = ty.name.clone();
                implements.retain(|interface| stands(&name, interface));
                keys.retain(|key| used.contains(key));
            }
            if let Kind::Union(members) = &mut ty.kind {
                let name = ty.name.clone();
                members.retain(|member| stands(member, &name));
            }
        }
    }

    /// Interface and name of the fields that interface objects give to all implementers.
    fn added_by_interface_objects(&self) -> BTreeSet<(String, String)> {
        let mut added = BTreeSet::new();
        for ty in &self.types {
            for field in &ty.fields {
                let object = |at: &At| ty.seats.get(at).is_some_and(|seat| seat.interface_object);
                if field.homes.keys().any(object) {
                    added.insert((ty.name.clone(), field.name.clone()));
                }
            }
        }
        added
    }

    /// The labels of progressive overrides that are active.
    pub fn active_labels(&self) -> BTreeSet<String> {
        let homes = self
            .types
            .iter()
            .flat_map(|ty| &ty.fields)
            .flat_map(|field| field.homes.values());
        let active = homes.filter_map(|home| match &home.role {
            Role::Override {
                label: Some((label, true)),
                ..
            } => Some(label.clone()),
            _ => None,
        });
        active.collect()
    }
}

impl Type {
    /// A field.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// A field.
    pub fn field_mut(&mut self, name: &str) -> Option<&mut Field> {
        self.fields.iter_mut().find(|field| field.name == name)
    }

    /// The interfaces of an object type.
    pub fn implements(&self) -> &[String] {
        match &self.kind {
            Kind::Object { implements, .. } => implements,
            _ => &[],
        }
    }

    /// The keys to choose from.
    pub fn keys(&self) -> &[Vec<Pick>] {
        match &self.kind {
            Kind::Object { keys, .. } | Kind::Interface { keys } => keys,
            _ => &[],
        }
    }

    /// Whether it is an object type with identity.
    pub fn is_entity(&self) -> bool {
        matches!(&self.kind, Kind::Object { keys, .. } if !keys.is_empty())
    }

    /// Whether a subgraph's key holds this field.
    pub fn in_key(&self, field: &str, at: At) -> bool {
        let keys = self.seats.get(&at).map(|seat| seat.keys.as_slice());
        keys.unwrap_or_default()
            .iter()
            .any(|key| key.picks.iter().any(|pick| pick.field == field))
    }
}

impl Field {
    /// Whether a subgraph resolves it.
    pub fn resolved_by(&self, at: At) -> bool {
        match self.homes.get(&at).map(|home| &home.role) {
            Some(Role::Owner) => true,
            Some(Role::Override { label, .. }) => label.as_ref().is_none_or(|(_, active)| *active),
            Some(Role::Lost) => self.homes.values().any(
                |home| matches!(&home.role, Role::Override { from, label: Some((_, false)) } if *from == at),
            ),
            Some(Role::External | Role::Provided) | None => false,
        }
    }

    /// In how many subgraphs it is more than a name.
    pub fn owners(&self) -> usize {
        let owner = |home: &&Home| home.role != Role::External;
        self.homes.values().filter(owner).count()
    }
}

impl Home {
    /// A plain field of this type.
    pub fn owner(ty: Ty) -> Home {
        Home {
            ty,
            role: Role::Owner,
            requires: Vec::new(),
            provides: Vec::new(),
            context: None,
        }
    }
}
