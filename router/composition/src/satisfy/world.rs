//! The supergraph, indexed for the walk: types by number, and what each subgraph resolves.

use apollo_compiler::Name;
use apollo_compiler::ast::Type;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use crate::fieldset::{FieldSet, Sel};
use crate::merge::merged::{ContextArg, GraphId, JoinField, MType, Merged};
use crate::model::Kind;

/// Number of a type.
pub(super) type TypeId = usize;

/// A place where a fetch can stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Position {
    pub graph: GraphId,
    /// The type as that subgraph knows it: for an interface object, the interface.
    pub ty: TypeId,
    /// What `@provides` adds here: number of an interned selection, 0 = nothing.
    pub provided: usize,
}

/// Names of the contexts that the objects around a place set, in order.
pub(super) type Around<'m> = Rc<[&'m str]>;

/// A way into a subgraph.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'m> {
    pub graph: GraphId,
    pub ty: TypeId,
    pub key: &'m FieldSet,
    pub resolvable: bool,
}

/// A field as one subgraph has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Local<'m> {
    pub ty: &'m Type,
    pub requires: Option<&'m FieldSet>,
    pub provides: Option<&'m FieldSet>,
    pub external: bool,
    /// Arguments that enclosing objects fill.
    pub context_args: &'m [ContextArg],
}

/// The index.
#[derive(Debug)]
pub(super) struct World<'m> {
    types: Vec<&'m MType>,
    ids: HashMap<&'m str, TypeId>,
    /// Object types that an abstract type can be.
    runtime: Vec<Vec<TypeId>>,
    /// Keys that lead to a type, also as one of its interfaces' interface object.
    entries: Vec<Vec<Entry<'m>>>,
    /// (subgraph, interface) where the interface is an interface object.
    interface_objects: HashSet<(GraphId, TypeId)>,
    /// (subgraph, abstract type, object type) where the subgraph can answer the one with the other.
    local_runtime: HashSet<(GraphId, TypeId, TypeId)>,
    /// Contexts that an object of each type sets for what is below it.
    sets: Vec<Vec<&'m str>>,
    /// Labels whose overrides are in force.
    labels: &'m BTreeSet<&'m str>,
}

impl<'m> World<'m> {
    /// Indexes a supergraph, with the overrides of these labels in force.
    pub fn of(merged: &'m Merged, labels: &'m BTreeSet<&'m str>) -> World<'m> {
        let types: Vec<&MType> = merged.types.values().collect();
        let ids: HashMap<&str, TypeId> = types
            .iter()
            .enumerate()
            .map(|(id, ty)| (ty.name.as_str(), id))
            .collect();
        let mut runtime = vec![Vec::new(); types.len()];
        let (mut interface_objects, mut local_runtime) = (HashSet::new(), HashSet::new());
        for (id, ty) in types.iter().enumerate() {
            let objects = ty.joins.iter().filter(|join| join.interface_object);
            interface_objects.extend(objects.map(|join| (join.graph, id)));
            let number = |name: &Name| ids.get(name.as_str()).copied();
            let implements = ty.join_implements.iter();
            local_runtime.extend(implements.filter_map(|(graph, name)| Some((*graph, number(name)?, id))));
            let members = ty.join_members.iter();
            local_runtime.extend(members.filter_map(|(graph, name)| Some((*graph, id, number(name)?))));
            match ty.kind {
                Kind::Object => {
                    for interface in ty.implements.iter().filter_map(|name| ids.get(name.as_str())) {
                        runtime[*interface].push(id);
                    }
                }
                Kind::Union => {
                    runtime[id].extend(ty.members.iter().filter_map(|name| ids.get(name.as_str())))
                }
                _ => {}
            }
        }
        let mut world = World {
            types,
            ids,
            runtime,
            entries: Vec::new(),
            interface_objects,
            local_runtime,
            sets: Vec::new(),
            labels,
        };
        world.sets = (0..world.types.len()).map(|id| world.find_sets(id)).collect();
        world.entries = (0..world.types.len()).map(|id| world.find_entries(id)).collect();
        world
    }

    fn find_sets(&self, id: TypeId) -> Vec<&'m str> {
        let stands_for = |other: &TypeId| *other == id || self.runtime[*other].contains(&id);
        let setters = (0..self.types.len()).filter(stands_for);
        let names = setters.flat_map(|other| &self.types[other].contexts);
        let names: BTreeSet<&str> = names.map(String::as_str).collect();
        names.into_iter().collect()
    }

    fn find_entries(&self, id: TypeId) -> Vec<Entry<'m>> {
        let ty = self.types[id];
        let mut entries = self.own_entries(id, |_| true);
        if ty.kind == Kind::Object {
            for interface in ty.implements.iter().filter_map(|name| self.id(name)) {
                let objects = self.own_entries(interface, |graph| self.is_interface_object(graph, interface));
                entries.extend(objects);
            }
        }
        entries
    }

    fn own_entries(&self, id: TypeId, test: impl Fn(GraphId) -> bool) -> Vec<Entry<'m>> {
        let keyed = self.types[id]
            .joins
            .iter()
            .filter_map(|join| Some((join, join.key.as_ref()?)));
        keyed
            .filter(|(join, _)| test(join.graph))
            .map(|(join, key)| Entry {
                graph: join.graph,
                ty: id,
                key,
                resolvable: join.resolvable != Some(false),
            })
            .collect()
    }

    pub fn id(&self, name: &str) -> Option<TypeId> {
        self.ids.get(name).copied()
    }

    pub fn ty(&self, id: TypeId) -> &'m MType {
        self.types[id]
    }

    pub fn is_composite(&self, id: TypeId) -> bool {
        matches!(self.types[id].kind, Kind::Object | Kind::Interface | Kind::Union)
    }

    /// All keys that lead to a type.
    pub fn entries(&self, id: TypeId) -> &[Entry<'m>] {
        &self.entries[id]
    }

    /// Object types of an abstract type, in the supergraph.
    pub fn runtime(&self, id: TypeId) -> &[TypeId] {
        &self.runtime[id]
    }

    pub fn is_interface_object(&self, graph: GraphId, ty: TypeId) -> bool {
        self.interface_objects.contains(&(graph, ty))
    }

    /// One position in each subgraph that has a type.
    pub fn everywhere(&self, ty: TypeId) -> Vec<Position> {
        let mut graphs: Vec<GraphId> = self.types[ty].graphs().into_iter().collect();
        graphs.sort_unstable();
        graphs
            .into_iter()
            .map(|graph| Position {
                graph,
                ty,
                provided: 0,
            })
            .collect()
    }

    /// Whether a subgraph can answer an abstract type with an object type.
    pub fn is_local_runtime(&self, graph: GraphId, abstract_type: TypeId, object: TypeId) -> bool {
        abstract_type == object || self.local_runtime.contains(&(graph, abstract_type, object))
    }

    /// A fragment's condition holds for objects of a type.
    pub fn matches(&self, object: &MType, condition: Option<&Name>) -> bool {
        let Some(condition) = condition else { return true };
        object.name == *condition
            || object.implements.contains(condition)
            || self
                .id(condition)
                .is_some_and(|union| self.types[union].members.contains(&object.name))
    }

    /// Overridden by another subgraph; under a label, as long as that is in force, and else the overriding one waits.
    fn is_lost(&self, join: &JoinField) -> bool {
        match &join.label {
            Some(label) => join.overrides.is_some() != self.labels.contains(label.as_str()),
            None => join.used_overridden,
        }
    }

    /// The field at a position, if that subgraph has it and has not lost it by an override.
    pub fn local(&self, at: Position, field: &str) -> Option<Local<'m>> {
        let ty = self.types[at.ty];
        let merged = ty.fields.get(field)?;
        if merged.joins.is_empty() {
            return Some(Local {
                ty: &merged.ty,
                requires: None,
                provides: None,
                external: false,
                context_args: &[],
            });
        }
        let join = merged.joins.iter().find(|join| join.graph == Some(at.graph))?;
        if self.is_lost(join) {
            return None;
        }
        Some(Local {
            ty: join.ty.as_ref().unwrap_or(&merged.ty),
            requires: join.requires.as_ref(),
            provides: join.provides.as_ref(),
            external: join.external,
            context_args: &join.context_args,
        })
    }

    /// Contexts that are set below an object of a type, where `around` are already.
    pub fn below(&self, id: TypeId, around: &Around<'m>) -> Around<'m> {
        let new = |name: &&str| !around.contains(name);
        if !self.sets[id].iter().any(new) {
            return Rc::clone(around);
        }
        let all: BTreeSet<&str> = around.iter().chain(&self.sets[id]).copied().collect();
        all.into_iter().collect()
    }

    /// The first context that a field at a position needs and nothing around it sets.
    pub fn unset(&self, at: Position, field: &str, around: &Around<'_>) -> Option<&'m str> {
        let args = self.local(at, field)?.context_args;
        let mut names = args.iter().map(|arg| arg.context.as_str());
        names.find(|name| !around.contains(name))
    }
}

/// Selections of `@provides`, interned.
#[derive(Debug)]
pub(super) struct Provided {
    known: HashMap<String, usize>,
    selections: Vec<Vec<Sel>>,
}

impl Provided {
    pub fn new() -> Self {
        Provided {
            known: HashMap::from([(String::new(), 0)]),
            selections: vec![Vec::new()],
        }
    }

    pub fn intern(&mut self, selection: Vec<Sel>) -> usize {
        let text = crate::fieldset::print(&selection);
        *self.known.entry(text).or_insert_with(|| {
            self.selections.push(selection);
            self.selections.len() - 1
        })
    }

    pub fn get(&self, id: usize) -> &[Sel] {
        &self.selections[id]
    }
}
