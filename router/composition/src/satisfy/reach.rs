//! Where one can get from a set of positions: by fields, by keys, by the types an answer may have.

use apollo_compiler::Name;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::world::{Position, Provided, TypeId, World};
use crate::fieldset::Sel;
use crate::model::Kind;

/// The walk's calculator; it remembers closures.
#[derive(Debug)]
pub(super) struct Reach<'w> {
    pub world: &'w World<'w>,
    pub(super) provided: Provided,
    closures: HashMap<(TypeId, Vec<Position>), Rc<[Position]>>,
    /// Closures being computed: a key that needs itself leads nowhere.
    open: HashSet<(TypeId, Vec<Position>)>,
    /// Required fields being resolved: a requirement that needs itself is never met.
    requiring: HashSet<(Position, Name)>,
    /// Something was cut off by `open` or `requiring`, so the result is not final.
    cut: bool,
}

/// What an abstract type can be.
#[derive(Debug, Default)]
pub(super) struct Casts {
    /// Object types and where one stands then.
    pub objects: Vec<(TypeId, Vec<Position>)>,
    /// Only interface objects, and no way to learn the concrete type.
    pub untyped: bool,
}

impl<'w> Reach<'w> {
    pub fn new(world: &'w World<'w>) -> Self {
        let (closures, open, requiring) = (HashMap::new(), HashSet::new(), HashSet::new());
        Reach {
            world,
            provided: Provided::new(),
            closures,
            open,
            requiring,
            cut: false,
        }
    }

    /// All positions of `ty` that keys lead to, those given included.
    pub fn closure(&mut self, ty: TypeId, positions: &[Position]) -> Rc<[Position]> {
        let world = self.world;
        if world.ty(ty).name == "Query" && !positions.is_empty() {
            // The query type is the same object in every subgraph: no key is needed.
            return world.everywhere(ty).into();
        }
        let mut start = positions.to_vec();
        start.sort_unstable();
        start.dedup();
        let key = (ty, start);
        if let Some(known) = self.closures.get(&key) {
            return Rc::clone(known);
        }
        if !self.open.insert(key.clone()) {
            self.cut = true;
            return key.1.into();
        }
        let before = std::mem::replace(&mut self.cut, false);
        let all = self.expand(ty, key.1.clone());
        self.open.remove(&key);
        let outermost = self.open.is_empty() && self.requiring.is_empty();
        let result: Rc<[Position]> = all.into();
        if !self.cut || outermost {
            self.closures.insert(key, Rc::clone(&result));
        }
        self.cut = !outermost && (self.cut || before);
        result
    }

    /// Takes every key that can be filled, until none is left.
    fn expand(&mut self, ty: TypeId, mut all: Vec<Position>) -> Vec<Position> {
        let world = self.world;
        let mut left: Vec<_> = world
            .entries(ty)
            .iter()
            .filter(|entry| entry.resolvable)
            .collect();
        loop {
            let mut rest = Vec::new();
            let before = all.len();
            for entry in left {
                let target = Position {
                    graph: entry.graph,
                    ty: entry.ty,
                    provided: 0,
                };
                if all.contains(&target) {
                    continue;
                }
                if self.can(ty, &all, entry.key.selection()) {
                    all.push(target);
                } else {
                    rest.push(entry);
                }
            }
            if all.len() == before || rest.is_empty() {
                break;
            }
            left = rest;
        }
        all.sort_unstable();
        all
    }

    /// Where a field leads from anywhere in `closure`; empty where nobody resolves it.
    pub fn step(&mut self, ty: TypeId, closure: &[Position], field: &Name) -> Vec<Position> {
        self.step_from_some(ty, closure, field, |_| true)
    }

    /// Where a field leads from those in `closure` that are `wanted`.
    pub fn step_from_some(
        &mut self,
        ty: TypeId,
        closure: &[Position],
        field: &Name,
        wanted: impl Fn(&Position) -> bool,
    ) -> Vec<Position> {
        let mut next = BTreeSet::new();
        for at in closure.iter().filter(|at| wanted(at)) {
            if let Some(target) = self.step_from(ty, closure, *at, field) {
                next.insert(target);
            }
        }
        next.into_iter().collect()
    }

    fn step_from(
        &mut self,
        ty: TypeId,
        closure: &[Position],
        at: Position,
        field: &Name,
    ) -> Option<Position> {
        let local = self.world.local(at, field)?;
        let mut below = Vec::new();
        let given = self.given(at, field, &mut below);
        if local.external && !given {
            return None;
        }
        if let Some(requires) = local.requires
            && !self.requirement(ty, closure, (at, field), requires.selection())
        {
            return None;
        }
        if let Some(provides) = local.provides {
            below.extend(provides.selection().iter().cloned());
        }
        let target = self.world.id(local.ty.inner_named_type()).unwrap_or(at.ty);
        Some(Position {
            graph: at.graph,
            ty: target,
            provided: self.provided.intern(below),
        })
    }

    fn requirement(
        &mut self,
        ty: TypeId,
        closure: &[Position],
        (at, field): (Position, &Name),
        selection: &[Sel],
    ) -> bool {
        let mark = (at, field.clone());
        if !self.requiring.insert(mark.clone()) {
            self.cut = true;
            return false;
        }
        let met = self.can(ty, closure, selection) && self.can_come_back(ty, closure, at);
        self.requiring.remove(&mark);
        met
    }

    /// What is required is sent along in a representation, so a key must lead to the very place that asks.
    fn can_come_back(&mut self, ty: TypeId, closure: &[Position], at: Position) -> bool {
        let world = self.world;
        let here = world
            .entries(ty)
            .iter()
            .filter(|entry| entry.graph == at.graph && entry.ty == at.ty);
        here.filter(|entry| entry.resolvable)
            .any(|entry| self.can(ty, closure, entry.key.selection()))
    }

    /// Whether a `@provides` on the way gives the field; collects what it gives below.
    fn given(&self, at: Position, field: &Name, below: &mut Vec<Sel>) -> bool {
        collect_given(self.world, at.ty, self.provided.get(at.provided), field, below)
    }

    /// Whether a selection on an object type can be fetched, starting anywhere in `closure`.
    pub fn can(&mut self, ty: TypeId, closure: &[Position], selection: &[Sel]) -> bool {
        let world = self.world;
        selection.iter().all(|one| match one {
            Sel::Field { name, .. } if name == "__typename" => true,
            Sel::Field { name, sub, .. } => self.can_field(ty, closure, name, sub),
            Sel::On { condition, sub, .. } => {
                !world.matches(world.ty(ty), condition.as_ref()) || self.can(ty, closure, sub)
            }
        })
    }

    fn can_field(&mut self, ty: TypeId, closure: &[Position], field: &Name, sub: &[Sel]) -> bool {
        if sub.is_empty() {
            return closure
                .iter()
                .any(|at| self.step_from(ty, closure, *at, field).is_some());
        }
        let next = self.step(ty, closure, field);
        if next.is_empty() {
            return false;
        }
        let world = self.world;
        let merged = world.ty(ty).fields.get(field);
        let Some(target) = merged.and_then(|field| world.id(field.ty.inner_named_type())) else {
            return false;
        };
        if world.ty(target).kind == Kind::Object {
            let closure = self.closure(target, &next);
            return self.can(target, &closure, sub);
        }
        let casts = self.casts(target, &next);
        casts.objects.iter().all(|(object, positions)| {
            let closure = self.closure(*object, positions);
            self.can(*object, &closure, sub)
        })
    }

    /// The first field of a selection that cannot be fetched, for a message.
    pub fn missing(&mut self, ty: TypeId, closure: &[Position], selection: &[Sel]) -> Option<String> {
        selection.iter().find_map(|one| {
            if self.can(ty, closure, std::slice::from_ref(one)) {
                return None;
            }
            let world = self.world;
            let Sel::Field { name, sub, .. } = one else {
                let Sel::On { sub, .. } = one else { return None };
                return self.missing(ty, closure, sub);
            };
            let next = self.step(ty, closure, name);
            let target = world.ty(ty).fields.get(name);
            let target = target.and_then(|field| world.id(field.ty.inner_named_type()));
            let below = target.filter(|target| !next.is_empty() && world.ty(*target).kind == Kind::Object);
            let deeper = below.and_then(|target| {
                let closure = self.closure(target, &next);
                self.missing(target, &closure, sub)
            });
            deeper.or_else(|| Some(format!("{}.{name}", world.ty(ty).name)))
        })
    }

    /// The object types that can come back at an abstract type, and where one stands then.
    pub fn casts(&mut self, ty: TypeId, positions: &[Position]) -> Casts {
        let world = self.world;
        let is_object = |at: &Position| world.is_interface_object(at.graph, at.ty);
        let (opaque, known): (Vec<Position>, Vec<Position>) = positions.iter().partition(|at| is_object(at));
        let mut named = known;
        let mut interfaces: Vec<TypeId> = opaque.iter().map(|at| at.ty).collect();
        interfaces.dedup();
        for interface in interfaces {
            let own: Vec<Position> = opaque.iter().filter(|at| at.ty == interface).copied().collect();
            // Keys of the interface itself lead from an interface object to the real interface.
            let real = self.closure(interface, &own);
            named.extend(real.iter().filter(|at| !is_object(at)));
        }
        let mut casts = Casts::default();
        for object in world.runtime(ty) {
            let mut here: Vec<Position> = named.iter().filter_map(|at| self.cast(*at, *object)).collect();
            let implements = |at: &&Position| world.ty(*object).implements.contains(&world.ty(at.ty).name);
            if !here.is_empty() {
                here.extend(opaque.iter().filter(implements));
            }
            here.sort_unstable();
            here.dedup();
            if !here.is_empty() {
                casts.objects.push((*object, here));
            }
        }
        casts.untyped = !opaque.is_empty() && named.is_empty() && !world.runtime(ty).is_empty();
        casts
    }

    fn cast(&self, at: Position, object: TypeId) -> Option<Position> {
        if at.ty == object {
            return Some(at);
        }
        let possible = self.world.is_local_runtime(at.graph, at.ty, object);
        possible.then_some(Position { ty: object, ..at })
    }
}

fn collect_given(
    world: &World<'_>,
    ty: TypeId,
    selection: &[Sel],
    field: &Name,
    below: &mut Vec<Sel>,
) -> bool {
    let mut found = false;
    for one in selection {
        match one {
            Sel::Field { name, sub, .. } if name == field => {
                found = true;
                below.extend(sub.iter().cloned());
            }
            Sel::Field { .. } => {}
            Sel::On { condition, sub, .. } => {
                if world.matches(world.ty(ty), condition.as_ref()) {
                    found |= collect_given(world, ty, sub, field, below);
                }
            }
        }
    }
    found
}
